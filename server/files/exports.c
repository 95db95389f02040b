// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/exports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "server/files/overlay.h"

/* A file of the list. Whoever opens it gets the same one: nothing in it belongs to a client. */
struct target_file {
	char *name; /* owned */
	size_t users;

	/* Bytes of a file. */
	int fd;		/* owned; -1 while nobody has the file at `path` open */
	char *path;	/* owned; NULL: `fd` is open for good */
	struct stat st; /* of the file itself, when it was opened */
	struct overlay overlay;

	/* Bytes made by us. */
	export_maker *make; /* NULL for a file */
	void *closure;	    /* borrowed */
	struct buf bytes;
	bool made;
	char *failure; /* owned; why it could not be made */
	enum err_code failure_code;
};

struct exports {
	struct target_file **list; /* owned, and so are the files */
	size_t count;
};

struct exports *exports_new(void)
{
	return calloc(1, sizeof(struct exports));
}

static void file_free(struct target_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->name);
	free(f->path);
	free(f->failure);
	overlay_free(&f->overlay);
	buf_free(&f->bytes);
	free(f);
}

void exports_free(struct exports *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->count; i++)
		file_free(x->list[i]);
	free(x->list);
	free(x);
}

/* Files are opened by the hundred at most, once each: the list needs no index. */
static struct target_file *find(const struct exports *x, const char *name)
{
	for (size_t i = 0; i < x->count; i++) {
		if (!strcmp(x->list[i]->name, name))
			return x->list[i];
	}
	return NULL;
}

bool exports_has(const struct exports *x, const char *name)
{
	return find(x, name);
}

/* A file without bytes, in the list. */
static struct err *add(struct exports *x, const char *name, struct target_file **ret)
{
	if (name[0] != '/')
		return err_new(ERR_INVALID, "'%s' is no absolute path", name);
	if (find(x, name))
		return err_new(ERR_INVALID, "'%s' is served already", name);
	struct target_file **list = reallocarray(x->list, x->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	x->list = list;
	struct target_file *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->fd = -1;
	buf_init(&f->bytes);
	f->name = strdup(name);
	if (!f->name) {
		file_free(f);
		return err_nomem();
	}
	list[x->count++] = f;
	*ret = f;
	return NULL;
}

/* Takes the file that was added last back. */
static void take_back(struct exports *x)
{
	file_free(x->list[--x->count]);
}

/* Takes @fd. */
static struct err *use_fd(struct target_file *f, int fd)
{
	struct stat st;
	if (fd < 0)
		return err_errno(errno, "open %s", f->path ? f->path : f->name);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_new(ERR_FORMAT, "%s is no regular file", f->path ? f->path : f->name);
	}
	f->fd = fd;
	f->st = st;
	return NULL;
}

struct err *exports_add_fd(struct exports *x, const char *name, int fd, struct overlay *overlay)
{
	struct target_file *f;
	struct err *e = add(x, name, &f);
	if (e)
		return e;
	e = use_fd(f, fcntl(fd, F_DUPFD_CLOEXEC, 3));
	if (e) {
		take_back(x);
		return e;
	}
	if (overlay) {
		f->overlay = *overlay;
		*overlay = (struct overlay)OVERLAY_INIT;
	}
	return NULL;
}

const struct overlay *exports_patches(const struct exports *x, const char *name)
{
	const struct target_file *f = find(x, name);
	return f && !f->make && !f->path ? &f->overlay : NULL;
}

struct err *exports_patch(struct exports *x, const char *name, struct overlay *more)
{
	struct target_file *f = find(x, name);
	if (!f || f->make || f->path)
		return err_new(ERR_NOTFOUND, "no file '%s' is served", name);
	if (f->users)
		return err_new(ERR_UNSUPPORTED, "%s is in use", name);
	return overlay_move(&f->overlay, more);
}

struct err *exports_add_path(struct exports *x, const char *name, const char *path)
{
	struct target_file *f;
	struct err *e = add(x, name, &f);
	if (e)
		return e;
	f->path = strdup(path);
	if (!f->path) {
		take_back(x);
		return err_nomem();
	}
	return NULL;
}

struct err *exports_add_made(struct exports *x, const char *name, export_maker *make, void *closure)
{
	struct target_file *f;
	struct err *e = add(x, name, &f);
	if (e)
		return e;
	f->make = make;
	f->closure = closure;
	return NULL;
}

/* Bytes that are there need not be made. */
static struct err *make_nothing(void *closure, struct buf *out, bool *ret_done)
{
	(void)closure, (void)out;
	*ret_done = true;
	return NULL;
}

struct err *exports_add_bytes(struct exports *x, const char *name, struct buf *bytes)
{
	struct target_file *f;
	struct err *e = buf_error(bytes);
	if (!e)
		e = add(x, name, &f);
	if (e)
		return e;
	f->make = make_nothing;
	f->made = true;
	f->bytes = *bytes;
	buf_init(bytes);
	return NULL;
}

/* One slice of making the bytes; f->made once they are complete. */
static struct err *make_bytes(struct target_file *f)
{
	bool done = false;
	if (f->failure)
		return err_new(f->failure_code, "%s", f->failure);
	struct err *e = f->make(f->closure, &f->bytes, &done);
	if (!e)
		e = buf_error(&f->bytes);
	if (!e) {
		f->made = done;
		return NULL;
	}
	e = err_wrap(e, "make %s", f->name);
	log_debug(LOG_SYMBOLS, "%s", err_msg(e));
	/* What the system refused now it may allow later: then it is made from the beginning. */
	if (err_code(e) != ERR_IO && err_code(e) != ERR_NOMEM) {
		f->failure = strdup(err_msg(e));
		f->failure_code = err_code(e);
	}
	buf_free(&f->bytes);
	return e;
}

bool exports_prepare(struct exports *x, const char *name)
{
	struct target_file *f = find(x, name);
	if (!f || !f->make || f->made)
		return true;
	struct err *e = make_bytes(f);
	bool failed = e;
	err_free(e);
	return failed || f->made;
}

bool exports_is(const struct target_file *file, const char *name)
{
	return !strcmp(file->name, name);
}

struct err *exports_open(struct exports *x, const char *name, struct target_file **ret)
{
	struct target_file *f = find(x, name);
	struct err *e = NULL;
	if (!f)
		return err_new(ERR_NOTFOUND, "no file '%s' is served", name);
	if (f->make && !f->made)
		e = make_bytes(f);
	else if (!f->make && f->fd < 0)
		e = use_fd(f, files_open(f->path));
	if (e)
		return e;
	*ret = NULL;
	if (!f->make || f->made) {
		f->users++;
		*ret = f;
	}
	return NULL;
}

static uint64_t file_size(const struct target_file *f)
{
	uint64_t size = (uint64_t)f->st.st_size, end = overlay_end(&f->overlay);
	if (f->make)
		return f->bytes.len;
	return end > size ? end : size;
}

/*
 * The file's own bytes. What it has lost since it was opened is an error and never zeros; what it
 * has gained is not looked at.
 */
static struct err *read_fd(const struct target_file *f, uint64_t offset, char *out, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(f->fd, out + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "read %s", f->name);
		if (n == 0)
			return err_new(ERR_IO, "%s has become shorter", f->name);
		done += (size_t)n;
	}
	return NULL;
}

struct err *exports_read(struct target_file *f, uint64_t offset, void *out, size_t len,
			 size_t *ret_done)
{
	uint64_t size = file_size(f);
	if (offset >= size)
		len = 0;
	else if (len > size - offset)
		len = (size_t)(size - offset);
	if (f->make) {
		memcpy(out, f->bytes.data + (len ? offset : 0), len);
		*ret_done = len;
		return NULL;
	}
	uint64_t own = (uint64_t)f->st.st_size;
	size_t from_file = len;
	if (offset >= own)
		from_file = 0;
	else if (len > own - offset)
		from_file = (size_t)(own - offset);
	struct err *e = read_fd(f, offset, out, from_file);
	if (e)
		return e;
	memset((char *)out + from_file, 0, len - from_file);
	overlay_apply(&f->overlay, offset, out, len);
	*ret_done = len;
	return NULL;
}

struct err *exports_status(struct target_file *f, struct target_file_status *ret)
{
	*ret = (struct target_file_status){
		.size = file_size(f),
		.mtime = f->make ? 0 : f->st.st_mtime,
		.inode = f->make ? 0 : f->st.st_ino,
	};
	return NULL;
}

void exports_close(struct target_file *f)
{
	if (--f->users || !f->path)
		return;
	close(f->fd);
	f->fd = -1;
}
