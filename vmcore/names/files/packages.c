// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/packages.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/map.h"
#include "vmcore/names/files/btf_files.h"
#include "vmcore/names/files/package_private.h"
#include "vmcore/names/files/symbol_cache.h"
#include "vmcore/names/files/unpack.h"

enum {
	SHOWN_EACH = 4 << 20, /* bytes of a package, for progress */
	FOLDER_MAX = 256,     /* packages in a folder that are looked at */
};

struct err *packages_new(const struct packages_options *options, struct packages **ret)
{
	struct packages *p = calloc(1, sizeof(*p));
	if (!p)
		return err_nomem();
	p->options = *options;
	p->options.cache = NULL;
	struct err *e = symbol_cache_new(options->cache, &p->cache);
	if (e) {
		free(p);
		return e;
	}
	*ret = p;
	return NULL;
}

static void close_pile(struct package_pile *pile)
{
	if (pile->fd >= 0)
		close(pile->fd);
	*pile = (struct package_pile){ .fd = -1 };
}

static void free_package(struct package *k)
{
	package_end(k);
	close_pile(&k->taken);
	if (k->vmlinux >= 0)
		close(k->vmlinux);
	package_contents_free(&k->contents);
	buf_free(&k->list_name);
	free(k->path);
	free(k->failure);
	free(k);
}

void packages_free(struct packages *p)
{
	if (!p)
		return;
	while (p->list) {
		struct package *k = p->list;
		p->list = k->next;
		free_package(k);
	}
	symbol_cache_free(p->cache);
	free(p);
}

bool packages_is_package(const char *path)
{
	return package_stream_is_package(path) && !btf_file_is(path);
}

void packages_describe_failures(const struct packages *p, struct buf *out)
{
	for (const struct package *k = p->list; k; k = k->next)
		if (k->failure)
			buf_addf(out, "%s: %s\n", k->path, k->failure);
	if (symbol_cache_why(p->cache))
		buf_addf(out, "%s\n", symbol_cache_why(p->cache));
}

/* ---- one package ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* Its name for people, and a number for the file as it is now. */
static void name_list(struct package *k)
{
	struct stat st;
	uint64_t id = 0;
	if (files_stat(k->path, &st))
		return;
	const uint64_t words[] = { st.st_dev, st.st_ino, (uint64_t)st.st_size,
				   (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec };
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		id = map_hash(id + words[i]);
	buf_addf(&k->list_name, "%.180s-%016" PRIx64 ".files", base_name(k->path), id);
}

static void read_kept_contents(struct packages *p, struct package *k)
{
	struct buf text = BUF_INIT;
	if (k->list_name.len && !k->list_name.failed &&
	    symbol_cache_text(p->cache, k->list_name.data, PACKAGE_TEXT_MAX, &text))
		(void)package_contents_read(text.data, text.len, &k->contents);
	buf_free(&text);
}

void package_keep_contents(struct packages *p, const struct package *k)
{
	struct buf text = BUF_INIT;
	package_contents_write(&k->contents, &text);
	if (k->list_name.len && !k->list_name.failed && !text.failed)
		symbol_cache_keep_text(p->cache, k->list_name.data, &text);
	buf_free(&text);
}

struct err *package_get(struct packages *p, const char *path, struct package **ret)
{
	struct package **last = &p->list;
	for (; *last; last = &(*last)->next) {
		if (!strcmp((*last)->path, path)) {
			*ret = *last;
			return NULL;
		}
	}
	struct package *k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem();
	k->vmlinux = k->aside.fd = k->taken.fd = -1;
	buf_init(&k->list_name);
	k->path = strdup(path);
	if (!k->path) {
		free_package(k);
		return err_nomem();
	}
	name_list(k);
	read_kept_contents(p, k);
	*last = k;
	*ret = k;
	return NULL;
}

void package_fail(struct package *k, const struct err *e)
{
	if (!e || k->failure)
		return;
	k->failure = strdup(err_msg(e));
	k->failure_code = err_code(e);
}

struct err *package_begin(struct packages *p, struct package *k)
{
	package_end(k);
	for (size_t i = 0; i < k->contents.count; i++)
		k->contents.modules[i].met = false;
	p->shown = 0;
	return package_stream_open(k->path, &k->stream);
}

/* What was put aside is nobody's. */
void package_end(struct package *k)
{
	package_stream_close(k->stream);
	k->stream = NULL;
	close_pile(&k->aside);
	k->aside_full = false;
	for (size_t i = 0; i < k->contents.count; i++)
		if (k->contents.modules[i].place == PACKAGE_ASIDE)
			k->contents.modules[i].place = PACKAGE_IN_IT;
}

struct err *package_next(struct package *k, struct package_entry *ret_entry,
			 struct package_name *ret_name, bool *ret_end)
{
	do {
		struct err *e = package_stream_next(k->stream, ret_entry, ret_end);
		if (e)
			return e;
		if (*ret_end) {
			k->contents.whole = true;
			return NULL;
		}
		package_name_read(ret_entry->path, ret_name);
	} while (ret_name->file == PACKAGE_OTHER);
	if (*ret_name->release)
		memcpy(k->contents.release, ret_name->release, sizeof(ret_name->release));
	return NULL;
}

bool package_is_of_other(const struct package *k, const char *release)
{
	return release && *release && *k->contents.release &&
	       strcmp(release, k->contents.release) != 0;
}

struct err *package_meet_module(struct package *k, const char *name, struct package_module **ret)
{
	for (size_t i = 0; i < k->contents.count; i++) {
		struct package_module *m = &k->contents.modules[i];
		if (!m->met && !strcmp(m->name, name)) {
			m->met = true;
			*ret = m;
			return NULL;
		}
	}
	struct err *e = package_contents_add(&k->contents, name, ret);
	if (!e)
		(*ret)->met = true;
	return e;
}

/* ---- writing ---- */

static void show_progress(struct packages *p, const struct package *k)
{
	uint64_t done = package_stream_done(k->stream);
	if (!p->options.progress || done < p->shown + SHOWN_EACH)
		return;
	struct buf doing = BUF_INIT;
	p->shown = done;
	buf_addf(&doing, "unpacking %s", base_name(k->path));
	if (!doing.failed)
		p->options.progress(p->options.closure, doing.data, done,
				    package_stream_total(k->stream));
	buf_free(&doing);
}

static struct err *write_block(void *closure, uint64_t at, const void *data, size_t len)
{
	struct package_writer *w = closure;
	if (at > w->most || len > w->most - at)
		return err_new(ERR_FORMAT,
			       "a file in it has more than %llu MiB, which no file of a kernel has",
			       (unsigned long long)(w->most >> 20));
	struct err *e = symbol_cache_write(w->p->cache, w->fd, w->start + at, data, len);
	if (e)
		return e;
	if (w->size < at + len)
		w->size = at + len;
	show_progress(w->p, w->k);
	return w->look ? w->look(w) : NULL;
}

struct err *package_write(struct package_writer *w)
{
	return package_stream_read(w->k->stream, write_block, w);
}

struct err *package_unpack(struct packages *p, int *fd, uint64_t most)
{
	int unpacked, copy = -1;
	struct stat st;
	struct err *e = unpack_file(*fd, most, &unpacked);
	if (e || unpacked < 0)
		return e;
	e = symbol_cache_file(p->cache, &copy);
	if (!e && fstat(unpacked, &st) == 0)
		e = symbol_cache_copy(p->cache, unpacked, 0, (uint64_t)st.st_size, copy);
	close(unpacked);
	if (e) {
		if (copy >= 0)
			close(copy);
		return e;
	}
	close(*fd);
	*fd = copy;
	return NULL;
}

/* ---- folders ---- */

/* Of archives those that --write-types makes: others may be anything, and have to be read. */
static bool is_called_package(const char *name)
{
	static const char *const ends[] = { ".rpm", ".deb", ".ddeb", ".types.tar.xz" };
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t end = strlen(ends[i]);
		if (len > end && !strcmp(name + len - end, ends[i]))
			return true;
	}
	return false;
}

/*
 * How likely a package of this name is to have the kernel @release: all of that is in Debian's,
 * Ubuntu's and Red Hat's names, all but its last word ("-default") in SUSE's.
 */
static int likelihood(const char *name, const char *release)
{
	char start[PACKAGE_RELEASE_SIZE];
	if (!release || !*release || strlen(release) >= sizeof(start))
		return 0;
	strcpy(start, release);
	char *last = strrchr(start, '-');
	if (last)
		*last = 0;
	bool debug = strstr(name, "debuginfo") || strstr(name, "dbg");
	if (strstr(name, release))
		return debug ? 4 : 3;
	if (last && strstr(name, start))
		return debug ? 2 : 1;
	return 0;
}

struct found {
	char *path;
	int likelihood;
};

static int by_likelihood(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	if (x->likelihood != y->likelihood)
		return y->likelihood - x->likelihood;
	return strcmp(x->path, y->path);
}

static struct err *add_found(struct found *list, size_t *count, const char *folder,
			     const char *name, const char *release)
{
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/%s", folder, name);
	struct err *e = buf_error(&path);
	if (!e && package_stream_is_package(path.data)) {
		list[*count] = (struct found){ strdup(path.data), likelihood(name, release) };
		if (list[*count].path)
			++*count;
		else
			e = err_nomem();
	}
	buf_free(&path);
	return e;
}

struct err *packages_in_folder(const char *folder, const char *release, char ***ret,
			       size_t *ret_count)
{
	struct found *list = calloc(FOLDER_MAX, sizeof(*list));
	char **paths = calloc(FOLDER_MAX, sizeof(*paths));
	size_t count = 0;
	struct err *e = list && paths ? NULL : err_nomem();
	DIR *dir = e ? NULL : files_open_folder(folder);
	for (struct dirent *at; !e && dir && count < FOLDER_MAX && (at = readdir(dir));)
		if (is_called_package(at->d_name))
			e = add_found(list, &count, folder, at->d_name, release);
	if (dir)
		closedir(dir);
	if (!e && count)
		qsort(list, count, sizeof(*list), by_likelihood);
	for (size_t i = 0; i < count; i++) {
		if (e)
			free(list[i].path);
		else
			paths[i] = list[i].path;
	}
	free(list);
	if (e) {
		free(paths);
		return e;
	}
	*ret = paths;
	*ret_count = count;
	return NULL;
}
