// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/module_search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/names/files/debug_search.h"

enum {
	NAME_SIZE = MODULE_SEARCH_NAME_SIZE,
	ENTRIES_MAX = 1 << 20, /* a walk ends there: the source of a kernel, built, has 150,000 */
	DEPTH_MAX = 32,
};

/* A module's file in a folder. */
struct entry {
	char name[NAME_SIZE]; /* as the kernel spells it, with '_' */
	size_t order;	      /* as it was met */
	char *path;	      /* owned */
};

/* A folder that is walked for modules once. */
struct folder {
	char *path; /* owned */
	bool walked;
	struct entry *entries; /* owned; sorted by name, then as they were met */
	size_t count, capacity;
};

/* What one of the user's paths, or the root, stands for. */
struct place {
	char *file;		 /* owned: it is a file, and nothing else is set; or NULL */
	char *build_id_roots[2]; /* owned; folders with .build-id in them */
	struct folder folders[5];
	size_t folder_count;
};

struct module_search {
	struct place *places; /* owned */
	size_t count;
	char *cache; /* owned; libdebuginfod's, NULL without */
};

/* ---- names ---- */

bool module_search_module_name(const char *file, char ret[MODULE_SEARCH_NAME_SIZE])
{
	/* SUSE's debug files keep what the module's own file was compressed with. */
	static const char *const ends[] = {
		".ko",	  ".ko.debug",	  ".ko.xz",	   ".ko.zst",
		".ko.gz", ".ko.xz.debug", ".ko.zst.debug", ".ko.gz.debug",
	};
	size_t len = strlen(file);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t end = strlen(ends[i]);
		if (len <= end || len - end >= NAME_SIZE || strcmp(file + len - end, ends[i]) != 0)
			continue;
		for (size_t c = 0; c < len - end; c++)
			ret[c] = file[c] == '-' ? '_' : file[c];
		ret[len - end] = 0;
		return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

bool module_search_has_module_name(const char *path)
{
	char name[NAME_SIZE];
	return module_search_module_name(base_name(path), name);
}

static bool is_vmlinux(const char *path)
{
	return !strncmp(base_name(path), "vmlinux", strlen("vmlinux"));
}

/* Release and build-id come from the dump and become parts of paths. */
static bool is_plain_name(const char *name)
{
	return name && name[0] && name[0] != '.' && !strchr(name, '/');
}

/* ---- places ---- */

static void free_place(struct place *p)
{
	free(p->file);
	for (size_t i = 0; i < sizeof(p->build_id_roots) / sizeof(*p->build_id_roots); i++)
		free(p->build_id_roots[i]);
	for (size_t i = 0; i < p->folder_count; i++) {
		struct folder *f = &p->folders[i];
		for (size_t n = 0; n < f->count; n++)
			free(f->entries[n].path);
		free(f->entries);
		free(f->path);
	}
}

static struct err *join(const char *folder, const char *below, const char *name, char **ret)
{
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s%s%s", folder, below, name);
	struct err *e = buf_error(&path);
	char *copy = e ? NULL : strdup(path.data);
	buf_free(&path);
	if (!e && !copy)
		return err_nomem();
	*ret = copy;
	return e;
}

/* The folders of @root with modules of @release: those of debug packages before those of the
 * kernel's own. Where /usr is merged, two of a kind are one. */
static struct err *add_release_folders(struct place *p, const char *root, const char *release)
{
	static const char *const below[] = {
		"/usr/lib/debug/lib/modules/",
		"/usr/lib/debug/usr/lib/modules/",
		"/lib/modules/",
		"/usr/lib/modules/",
	};
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++) {
		char *path;
		struct err *e = join(root, below[i], release, &path);
		if (e)
			return e;
		if (files_is_folder(path))
			p->folders[p->folder_count++].path = path;
		else
			free(path);
	}
	return NULL;
}

static struct err *fill_root(struct place *p, const char *root, const char *release)
{
	struct err *e = join(root, "/usr/lib/debug", "", &p->build_id_roots[0]);
	if (!e && is_plain_name(release))
		e = add_release_folders(p, root, release);
	return e;
}

/*
 * The modules beside the user's vmlinux: those of the same debug package (boot/vmlinux-RELEASE
 * beside lib/modules/RELEASE, lib/modules/RELEASE/vmlinux), or those of the same build (which
 * leaves modules.order there).
 */
static struct err *fill_beside_vmlinux(struct place *p, const char *file, const char *release)
{
	char *here, *beside;
	const char *slash = strrchr(file, '/');
	if (!is_vmlinux(file) || !is_plain_name(release))
		return NULL;
	struct buf folder = BUF_INIT;
	buf_addf(&folder, "%.*s", slash ? (int)(slash - file) : 1, slash ? file : ".");
	struct err *e = buf_error(&folder);
	if (!e)
		e = join(folder.data, "/../lib/modules/", release, &beside);
	if (!e && files_is_folder(beside))
		p->folders[p->folder_count++].path = beside;
	else if (!e)
		free(beside);
	const char *last = strrchr(folder.data, '/');
	bool of_release = !e && !strcmp(last ? last + 1 : folder.data, release);
	if (!e)
		e = join(folder.data, "/modules.order", "", &here);
	if (!e && (of_release || files_is_there(here))) {
		here[strlen(here) - strlen("/modules.order")] = 0;
		p->folders[p->folder_count++].path = here;
	} else if (!e) {
		free(here);
	}
	buf_free(&folder);
	return e;
}

static struct err *fill_named(struct place *p, const char *path, const char *release)
{
	if (!files_is_folder(path)) {
		p->file = strdup(path);
		return p->file ? fill_beside_vmlinux(p, path, release) : err_nomem();
	}
	struct err *e = fill_root(p, path, release);
	if (!e)
		e = join(path, "", "", &p->build_id_roots[1]);
	/* A folder with the files themselves. */
	if (!e && !p->folder_count)
		e = join(path, "", "", &p->folders[p->folder_count++].path);
	return e;
}

struct err *module_search_new(const char *const *paths, size_t count, const char *release,
			      const char *root, const char *cache, struct module_search **ret)
{
	struct module_search *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->places = calloc(count + 1, sizeof(*s->places));
	struct err *e = s->places ? NULL : err_nomem();
	for (size_t i = 0; !e && i < count; i++)
		e = fill_named(&s->places[s->count++], paths[i], release);
	if (!e)
		e = fill_root(&s->places[s->count++], root ? root : "", release);
	if (!e && cache)
		e = join(cache, "", "", &s->cache);
	if (e) {
		module_search_free(s);
		return e;
	}
	*ret = s;
	return NULL;
}

void module_search_free(struct module_search *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		free_place(&s->places[i]);
	free(s->places);
	free(s->cache);
	free(s);
}

/* ---- walking ---- */

static struct err *add_entry(struct folder *f, const char *name, const char *path)
{
	if (f->count == f->capacity) {
		size_t more = f->capacity ? 2 * f->capacity : 256;
		struct entry *entries = realloc(f->entries, more * sizeof(*entries));
		if (!entries)
			return err_nomem();
		f->entries = entries;
		f->capacity = more;
	}
	struct entry *e = &f->entries[f->count];
	*e = (struct entry){ .order = f->count, .path = strdup(path) };
	if (!e->path)
		return err_nomem();
	strcpy(e->name, name);
	f->count++;
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* What is told of a folder's entry where readdir(3) does not say whether it is one. */
static bool is_below(const struct dirent *at, int folder)
{
	struct stat st;
	if (at->d_type != DT_UNKNOWN)
		return at->d_type == DT_DIR;
	return !fstatat(folder, at->d_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

static struct err *walk_below(struct folder *f, const char *path, unsigned depth, size_t *seen);

static struct err *walk_entry(struct folder *f, const char *path, const struct dirent *at,
			      bool below, unsigned depth, size_t *seen)
{
	struct buf whole = BUF_INIT;
	char name[NAME_SIZE];
	if (!strcmp(at->d_name, ".") || !strcmp(at->d_name, ".."))
		return NULL;
	buf_addf(&whole, "%s/%s", path, at->d_name);
	struct err *e = buf_error(&whole);
	++*seen;
	if (!e && below && depth < DEPTH_MAX)
		e = walk_below(f, whole.data, depth + 1, seen);
	else if (!e && !below && module_search_module_name(at->d_name, name))
		e = add_entry(f, name, whole.data);
	buf_free(&whole);
	return e;
}

/* Links to folders are not followed: lib/modules/RELEASE has some to the kernel's source. */
static struct err *walk_below(struct folder *f, const char *path, unsigned depth, size_t *seen)
{
	struct err *e = NULL;
	DIR *dir = files_open_folder(path);
	if (!dir)
		return errno == ENOMEM ? err_nomem() : NULL;
	const struct dirent *at;
	while (!e && *seen < ENTRIES_MAX && (at = readdir(dir)))
		e = walk_entry(f, path, at, is_below(at, dirfd(dir)), depth, seen);
	closedir(dir);
	return e;
}

static struct err *walk(struct folder *f)
{
	size_t seen = 0;
	f->walked = true;
	struct err *e = walk_below(f, f->path, 0, &seen);
	if (f->count)
		qsort(f->entries, f->count, sizeof(*f->entries), by_name);
	return e;
}

/* ---- searching ---- */

struct query {
	char name[NAME_SIZE];
	const char *build_id; /* NULL if it can be no part of a path */
	module_search_take *take;
	void *closure;
	bool found;
};

static struct err *search_folder(struct folder *f, struct query *q)
{
	struct err *e = f->walked ? NULL : walk(f);
	if (e)
		return e;
	size_t low = 0, high = f->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(f->entries[middle].name, q->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; !q->found && low < f->count && !strcmp(f->entries[low].name, q->name); low++)
		q->found = q->take(q->closure, f->entries[low].path);
	return NULL;
}

/* /usr/lib/debug/.build-id/xx/yyyy.debug */
static struct err *search_build_id(const char *root, struct query *q)
{
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/.build-id/%.2s/%s.debug", root, q->build_id, q->build_id + 2);
	struct err *e = buf_error(&path);
	if (!e && files_is_there(path.data))
		q->found = q->take(q->closure, path.data);
	buf_free(&path);
	return e;
}

static struct err *search_place(struct place *p, struct query *q)
{
	struct err *e = NULL;
	if (p->file) {
		/* One by another name, such as a build-id's, may be it as well. */
		char name[NAME_SIZE];
		if (!is_vmlinux(p->file) && (!module_search_module_name(base_name(p->file), name) ||
					     !strcmp(name, q->name)))
			q->found = q->take(q->closure, p->file);
	}
	for (size_t i = 0; !e && !q->found && q->build_id && i < 2; i++)
		if (p->build_id_roots[i])
			e = search_build_id(p->build_id_roots[i], q);
	for (size_t i = 0; !e && !q->found && i < p->folder_count; i++)
		e = search_folder(&p->folders[i], q);
	return e;
}

static struct err *search_cache(const char *cache, struct query *q)
{
	struct buf path = BUF_INIT;
	if (debug_search_cached(cache, q->build_id, &path))
		q->found = q->take(q->closure, path.data);
	struct err *e = buf_error(&path);
	buf_free(&path);
	return e;
}

struct err *module_search_run(struct module_search *s, const char *name, const char *build_id,
			      module_search_take *take, void *closure)
{
	struct query q = { .take = take, .closure = closure };
	struct err *e = NULL;
	size_t len = 0;
	for (; name[len] && len + 1 < NAME_SIZE; len++)
		q.name[len] = name[len] == '-' ? '_' : name[len];
	if (is_plain_name(build_id) && strlen(build_id) > 2)
		q.build_id = build_id;
	for (size_t i = 0; !e && !q.found && i < s->count; i++)
		e = search_place(&s->places[i], &q);
	return e || q.found ? e : search_cache(s->cache, &q);
}
