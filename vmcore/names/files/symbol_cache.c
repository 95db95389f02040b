// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/symbol_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/names/files/debug_search.h"

enum { BUILD_ID_DIGITS_MAX = 128 };

struct symbol_cache {
	char *folder;	   /* owned; NULL: nothing is kept */
	const char *place; /* where files are made: the folder, or one of the system's */
	char *why;	   /* owned; why the folder is not the place */
};

struct err *symbol_cache_new(const char *folder, struct symbol_cache **ret)
{
	struct symbol_cache *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	c->folder = folder ? strdup(folder) : NULL;
	if (folder && !c->folder) {
		free(c);
		return err_nomem();
	}
	c->place = c->folder;
	*ret = c;
	return NULL;
}

void symbol_cache_free(struct symbol_cache *c)
{
	if (!c)
		return;
	free(c->folder);
	free(c->why);
	free(c);
}

const char *symbol_cache_why(const struct symbol_cache *c)
{
	return c->why;
}

/* ---- by build-id ---- */

/* A build-id comes from a dump or a file, and becomes part of a path. */
static bool is_build_id(const char *id)
{
	size_t len = id ? strspn(id, "0123456789abcdef") : 0;
	return len > 2 && len <= BUILD_ID_DIGITS_MAX && !id[len];
}

static void add_path(const struct symbol_cache *c, const char *build_id, struct buf *out)
{
	buf_addf(out, "%s/.build-id/%.2s/%s.debug", c->folder, build_id, build_id + 2);
}

bool symbol_cache_find(const struct symbol_cache *c, const char *build_id, struct buf *out)
{
	size_t len = out->len;
	if (!c->folder || !is_build_id(build_id))
		return false;
	add_path(c, build_id, out);
	int fd = out->failed ? -1 : files_open(out->data + len);
	if (fd >= 0) {
		close(fd);
		return true;
	}
	buf_cut(out, len);
	return false;
}

/* ---- files without a name ---- */

/* For large files that may be there for long; file-hierarchy(7). */
static const char *system_place(void)
{
	const char *own = getenv("TMPDIR");
	return own && *own == '/' ? own : "/var/tmp";
}

struct err *symbol_cache_file(struct symbol_cache *c, int *ret)
{
	int fd = c->place ? files_temporary(c->place, 0666) : -1;
	if (fd < 0 && c->place == c->folder) {
		if (c->folder) {
			struct err *e =
				err_errno(errno, "what is taken out of packages is not kept in %s",
					  c->folder);
			c->why = strdup(err_msg(e));
			err_free(e);
		}
		c->place = system_place();
		fd = files_temporary(c->place, 0666);
	}
	if (fd < 0)
		return err_errno(errno, "make a file in %s", c->place);
	*ret = fd;
	return NULL;
}

static struct err *write_at(int fd, uint64_t at, const void *data, size_t len, const char *place)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(at + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(n ? errno : ENOSPC, "write what is in it to %s", place);
		done += (size_t)n;
	}
	return NULL;
}

struct err *symbol_cache_write(const struct symbol_cache *c, int fd, uint64_t at, const void *data,
			       size_t len)
{
	return write_at(fd, at, data, len, c->place);
}

struct err *symbol_cache_copy(const struct symbol_cache *c, int from, uint64_t at, uint64_t len,
			      int to)
{
	struct stat st;
	char *part = malloc(1 << 20);
	if (!part)
		return err_nomem();
	uint64_t end = fstat(to, &st) ? 0 : (uint64_t)st.st_size;
	struct err *e = NULL;
	while (!e && len) {
		ssize_t n = pread(from, part, len < 1 << 20 ? (size_t)len : 1 << 20, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			e = err_errno(n ? errno : EIO, "read a file in %s", c->place);
			break;
		}
		e = write_at(to, end, part, (size_t)n, c->place);
		at += (uint64_t)n;
		end += (uint64_t)n;
		len -= (uint64_t)n;
	}
	free(part);
	return e;
}

uint64_t symbol_cache_room(int fd)
{
	struct statvfs st;
	return fstatvfs(fd, &st) ? UINT64_MAX : (uint64_t)st.f_bavail * st.f_frsize;
}

/* ---- keeping ---- */

/* One that is there has been found wanting. */
static struct err *give_name(int fd, const char *path)
{
	return files_keep(fd, path) ? err_errno(errno, "%s", path) : NULL;
}

struct err *symbol_cache_keep(struct symbol_cache *c, int fd, const char *build_id, char **ret_path)
{
	*ret_path = NULL;
	if (!c->folder || c->place != c->folder || !is_build_id(build_id))
		return NULL;
	struct buf path = BUF_INIT;
	add_path(c, build_id, &path);
	struct err *e = buf_error(&path);
	if (!e)
		e = give_name(fd, path.data);
	char *kept = e ? NULL : strdup(path.data);
	buf_free(&path);
	if (!e && !kept)
		return err_nomem();
	if (e && !c->why)
		c->why = strdup(err_msg(e));
	err_free(e);
	*ret_path = kept;
	return NULL;
}

/* ---- texts ---- */

static void add_text_path(const struct symbol_cache *c, const char *name, struct buf *out)
{
	buf_addf(out, "%s/%s", c->folder, name);
}

void symbol_cache_keep_text(struct symbol_cache *c, const char *name, const struct buf *text)
{
	struct buf path = BUF_INIT;
	int fd;
	if (!c->folder || c->place != c->folder)
		return;
	struct err *e = symbol_cache_file(c, &fd);
	if (e) {
		err_free(e);
		return;
	}
	add_text_path(c, name, &path);
	e = buf_error(&path);
	if (!e)
		e = symbol_cache_write(c, fd, 0, text->data, text->len);
	if (!e)
		e = give_name(fd, path.data);
	err_free(e);
	buf_free(&path);
	close(fd);
}

static bool read_whole(int fd, size_t most, struct buf *out)
{
	char part[1 << 12];
	ssize_t n;
	for (uint64_t at = 0; (n = pread(fd, part, sizeof(part), (off_t)at)) > 0;
	     at += (uint64_t)n) {
		if (at + (uint64_t)n > most)
			return false;
		buf_add(out, part, (size_t)n);
	}
	return !n && !out->failed;
}

bool symbol_cache_text(const struct symbol_cache *c, const char *name, size_t most, struct buf *out)
{
	struct buf path = BUF_INIT;
	size_t len = out->len;
	int fd;
	if (!c->folder)
		return false;
	add_text_path(c, name, &path);
	struct err *e = buf_error(&path);
	if (!e)
		e = debug_file_open_regular(path.data, &fd);
	buf_free(&path);
	if (e) {
		err_free(e);
		return false;
	}
	bool good = read_whole(fd, most, out);
	close(fd);
	if (!good)
		buf_cut(out, len);
	return good;
}
