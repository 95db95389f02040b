// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/debug_search.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/names/files/btf_files.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/package_stream.h"
#include "vmcore/names/files/packages.h"

/* A search under way. */
struct search {
	const struct debug_wanted *wanted;
	struct buf *tried; /* borrowed; a line for each file that did not fit */
	struct buf looked; /* the paths that do not exist, joined with ", " */
	bool unpack;	   /* in places that the user named */
	struct debug_file *found;
};

static void note_tried(struct search *s, struct err *e)
{
	buf_addstr(s->tried, err_msg(e));
	buf_addch(s->tried, '\n');
	err_free(e);
}

/* Tries a path that is there. */
static struct err *try_file(struct search *s, const char *path)
{
	bool module;
	struct err *e = debug_file_open_or_module(path, s->wanted, s->unpack, &module, &s->found);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	note_tried(s, e);
	return NULL;
}

/* Tries a path that may or may not be there, and compressed files of that name. */
static struct err *try_path(struct search *s, struct buf *path)
{
	static const char *const ends[] = { ".xz", ".zst", ".gz" };
	size_t len = path->len;
	struct err *e = NULL;
	if (files_is_there(path->data))
		e = try_file(s, path->data);
	else
		buf_addf(&s->looked, "%s%s", s->looked.len ? ", " : "", path->data);
	for (size_t i = 0; !e && !s->found && i < sizeof(ends) / sizeof(*ends); i++) {
		buf_cut(path, len);
		buf_addstr(path, ends[i]);
		e = buf_error(path);
		if (!e && files_is_there(path->data))
			e = try_file(s, path->data);
	}
	return e;
}

/* Tries the path of the four parts in a row, unless the search has ended. */
static struct err *try_parts(struct search *s, const char *folder, const char *before,
			     const char *name, const char *after)
{
	if (s->found)
		return NULL;
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s%s%s%s", folder, before, name, after);
	struct err *e = buf_error(&path);
	if (!e)
		e = try_path(s, &path);
	buf_free(&path);
	return e;
}

/* The release and the build-id come from the dump and become parts of paths. */
static bool is_plain_name(const char *name)
{
	return name && name[0] && name[0] != '.' && !strchr(name, '/');
}

static const char *searched_id(const struct debug_wanted *wanted)
{
	return wanted->build_id ? wanted->build_id : wanted->likely_build_id;
}

/* Where distributions put vmlinux, around its release. */
struct place {
	const char *before, *after;
};

/* Tries the @count @places in @folder. */
static struct err *try_places(struct search *s, const char *folder, const struct place *places,
			      size_t count)
{
	struct err *e = NULL;
	if (!is_plain_name(s->wanted->release))
		return NULL;
	for (size_t i = 0; i < count && !e; i++)
		e = try_parts(s, folder, places[i].before, s->wanted->release, places[i].after);
	return e;
}

/* Searches @folder, which is laid out like /usr/lib/debug. */
static struct err *search_debug_folder(struct search *s, const char *folder)
{
	static const struct place places[] = {
		{ "/boot/vmlinux-", "" },	     /* Debian, Ubuntu */
		{ "/boot/vmlinux-", ".debug" },	     /* SUSE */
		{ "/lib/modules/", "/vmlinux" },     /* Red Hat, Fedora */
		{ "/usr/lib/modules/", "/vmlinux" }, /* after the merge of /usr */
		{ "/usr/lib/modules/", "/vmlinux.debug" },
	};
	const char *id = searched_id(s->wanted);
	struct err *e = NULL;
	if (is_plain_name(id) && strlen(id) > 2) {
		char start[] = { '/', '.', 'b', 'u',   'i',   'l', 'd', '-',
				 'i', 'd', '/', id[0], id[1], '/', 0 };
		e = try_parts(s, folder, start, id + 2, ".debug");
	}
	return e ? e : try_places(s, folder, places, sizeof(places) / sizeof(places[0]));
}

/* Searches @root, which is laid out like /. */
static struct err *search_root(struct search *s, const char *root)
{
	static const struct place places[] = {
		{ "/lib/modules/", "/build/vmlinux" }, /* built here */
		{ "/lib/modules/", "/vmlinux" },
		{ "/boot/vmlinux-", "" },
	};
	struct buf debug = BUF_INIT;
	buf_addf(&debug, "%s/usr/lib/debug", root);
	struct err *e = buf_error(&debug);
	if (!e)
		e = search_debug_folder(s, debug.data);
	if (!e)
		e = try_places(s, root, places, sizeof(places) / sizeof(places[0]));
	buf_free(&debug);
	return e;
}

/* Looks into the packages in @folder until one has it. */
static struct err *search_packages_in(struct search *s, const char *folder)
{
	char **paths;
	size_t count;
	struct err *e = packages_in_folder(folder, s->wanted->release, &paths, &count);
	if (e)
		return e;
	for (size_t i = 0; i < count; i++) {
		bool other;
		if (!e && !s->found)
			e = packages_vmlinux(s->wanted->packages, paths[i], s->wanted, &other,
					     &s->found);
		if (e && err_code(e) != ERR_NOMEM) {
			note_tried(s, e);
			e = NULL;
		}
		free(paths[i]);
	}
	free(paths);
	return e;
}

/* Searches a folder that the user named, whatever it is the root of. */
static struct err *search_named_folder(struct search *s, const char *folder)
{
	static const struct place here = { "/vmlinux-", "" };
	struct err *e = try_parts(s, folder, "/", "vmlinux", "");
	if (!e)
		e = try_places(s, folder, &here, 1);
	if (!e)
		e = search_debug_folder(s, folder);
	if (!e && !s->found)
		e = search_root(s, folder);
	if (!e && !s->found && s->wanted->packages)
		e = search_packages_in(s, folder);
	return e;
}

/* Only what is another kernel's for certain was named by mistake: what has no vmlinux may have been
 * for its modules. */
static struct err *search_named_package(struct search *s, const char *path)
{
	bool other;
	struct err *e = packages_vmlinux(s->wanted->packages, path, s->wanted, &other, &s->found);
	if (!e || other || err_code(e) == ERR_NOMEM)
		return e;
	note_tried(s, e);
	return NULL;
}

static struct err *search_named(struct search *s, const char *path)
{
	if (files_is_folder(path))
		return search_named_folder(s, path);
	/* Of types alone, for others to take. */
	if (btf_file_is(path))
		return NULL;
	if (s->wanted->packages && package_stream_is_package(path))
		return search_named_package(s, path);
	bool module;
	struct err *e = debug_file_open_or_module(path, s->wanted, true, &module, &s->found);
	if (e && module) {
		note_tried(s, e);
		return NULL;
	}
	return e;
}

bool debug_search_cached(const char *cache, const char *build_id, struct buf *out)
{
	struct stat st;
	if (!cache || !is_plain_name(build_id))
		return false;
	buf_addf(out, "%s/%s/debuginfo", cache, build_id);
	return !out->failed && !files_stat(out->data, &st) && st.st_size;
}

static struct err *search_cache(struct search *s)
{
	struct buf path = BUF_INIT;
	struct err *e = NULL;
	if (!s->found && debug_search_cached(s->wanted->cache, searched_id(s->wanted), &path))
		e = try_file(s, path.data);
	if (!e)
		e = buf_error(&path);
	buf_free(&path);
	return e;
}

/* What was taken out of packages before, with their names or without. */
static struct err *search_symbol_cache(struct search *s)
{
	const char *id = searched_id(s->wanted);
	if (s->found || !s->wanted->packages || !id)
		return NULL;
	struct err *e = packages_kept_vmlinux(s->wanted->packages, id, s->wanted, &s->found);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	if (err_code(e) == ERR_NOTFOUND)
		err_free(e);
	else
		note_tried(s, e);
	return NULL;
}

static struct err *search_all(struct search *s, const char *const *paths, size_t count)
{
	s->unpack = true;
	for (size_t i = 0; i < count && !s->found; i++) {
		struct err *e = search_named(s, paths[i]);
		if (e)
			return e;
	}
	s->unpack = false;
	struct err *e = NULL;
	if (!s->found)
		e = search_root(s, s->wanted->root ? s->wanted->root : "");
	if (!e)
		e = search_symbol_cache(s);
	return e ? e : search_cache(s);
}

static struct err *nothing_found(const struct search *s)
{
	const struct debug_wanted *w = s->wanted;
	struct buf hint = BUF_INIT;
	debug_package_hint(w->release, searched_id(w), &hint);
	struct err *e = err_new(
		ERR_NOTFOUND,
		"no vmlinux was found for kernel %s (build-id %s%s). Install %s, or give a copy "
		"with --symbols. Looked for: %s",
		w->release ? w->release : "of unknown release",
		searched_id(w) ? searched_id(w) : "unknown",
		!w->build_id && w->likely_build_id ? ", as it seems" : "", hint.data,
		s->looked.len ? s->looked.data : "nothing, for lack of a release and a build-id");
	buf_free(&hint);
	return e;
}

struct err *debug_file_find(const char *const *paths, size_t count,
			    const struct debug_wanted *wanted, struct buf *tried,
			    struct debug_file **ret)
{
	struct search s = { .wanted = wanted, .tried = tried, .looked = BUF_INIT };
	struct err *e = search_all(&s, paths, count);
	if (!e && !s.found)
		e = nothing_found(&s);
	buf_free(&s.looked);
	if (!e)
		*ret = s.found;
	return e;
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);
	return len >= end_len && !strcmp(s + len - end_len, end);
}

static bool has_ubuntu_flavour(const char *release)
{
	static const char *const flavours[] = { "-generic", "-lowlatency", "-aws",     "-azure",
						"-gcp",	    "-oracle",	   "-kvm",     "-virtual",
						"-ibm",	    "-nvidia",	   "-realtime" };
	for (size_t i = 0; i < sizeof(flavours) / sizeof(flavours[0]); i++)
		if (ends_with(release, flavours[i]))
			return true;
	return false;
}

/* Variants of Red Hat's kernels that their release ends with, and their packages. */
static bool add_variant(const char *release, struct buf *out)
{
	static const struct {
		const char *end, *package;
	} variants[] = {
		{ "+debug", "kernel-debug-debuginfo" },
		{ ".debug", "kernel-debug-debuginfo" },
		{ "+rt", "kernel-rt-debuginfo" },
	};
	for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		if (!ends_with(release, variants[i].end))
			continue;
		buf_addf(out, "%s-%.*s", variants[i].package,
			 (int)(strlen(release) - strlen(variants[i].end)), release);
		return true;
	}
	return false;
}

static void add_red_hat(const char *release, struct buf *out)
{
	buf_addstr(out, "package ");
	if (!add_variant(release, out))
		buf_addf(out, "kernel-%sdebuginfo-%s", strstr(release, ".rt") ? "rt-" : "",
			 release);
	/* Needed by the other one, and in the same repository, which is off at first. */
	buf_addstr(out, " and its kernel-debuginfo-common (Red Hat and its relatives; "
			"debuginfo-install gets both");
}

void debug_package_hint(const char *release, const char *build_id, struct buf *out)
{
	if (!release)
		release = "";
	if (ends_with(release, "-amd64"))
		buf_addf(out, "package linux-image-%s-dbg (Debian", release);
	else if (has_ubuntu_flavour(release))
		buf_addf(out,
			 "package linux-image-unsigned-%s-dbgsym or linux-image-%s-dbgsym "
			 "(Ubuntu, from ddebs.ubuntu.com",
			 release, release);
	else if (strstr(release, "uek"))
		buf_addf(out, "package kernel-uek-debuginfo-%s (Oracle Linux", release);
	else if (strstr(release, ".el"))
		add_red_hat(release, out);
	else if (strstr(release, ".fc"))
		buf_addf(out, "package kernel-debuginfo-%s (Fedora", release);
	else if (strstr(release, ".amzn"))
		buf_addf(out, "package kernel-debuginfo-%s (Amazon Linux", release);
	else if (ends_with(release, "-default"))
		buf_addf(out, "package kernel-default-debuginfo of kernel %s (SUSE", release);
	else if (build_id) {
		buf_addf(out, "the vmlinux with build-id %s, with symbols, from whoever built it",
			 build_id);
		return;
	} else {
		buf_addstr(out, "its vmlinux with symbols, from whoever built it");
		return;
	}
	/* It is no more than how distributions call their kernels. */
	buf_addstr(out, "; by the release's name)");
}
