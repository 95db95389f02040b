// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/types_archive.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_LIBARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include "base/err.h"

#ifdef HAVE_LIBARCHIVE
struct types_archive {
	char *path;	   /* owned */
	int fd;		   /* owned */
	struct archive *a; /* owned */
};

static struct err *failure(const struct types_archive *a)
{
	const char *why = archive_error_string(a->a);
	return err_new(ERR_IO, "%s: %s", a->path, why ? why : "it cannot be written");
}

static struct err *check_name(const char *path)
{
	static const char end[] = ".types.tar.xz";
	size_t len = strlen(path), end_len = sizeof(end) - 1;
	return len > end_len && !strcmp(path + len - end_len, end)
		       ? NULL
		       : err_new(ERR_INVALID,
				 "it is a tar archive, compressed with xz, and found in folders "
				 "by its name: call it %s%s",
				 path, end);
}

struct err *types_archive_new(const char *path, struct types_archive **ret)
{
	struct err *e = check_name(path);
	if (e)
		return e;
	struct types_archive *a = calloc(1, sizeof(*a));
	if (!a)
		return err_nomem();
	a->path = strdup(path);
	a->a = archive_write_new();
	a->fd = -1;
	if (!a->path || !a->a)
		e = err_nomem();
	else if (archive_write_add_filter_xz(a->a) != ARCHIVE_OK)
		e = err_new(ERR_UNSUPPORTED, "libarchive was built without xz");
	else if (archive_write_set_format_ustar(a->a) != ARCHIVE_OK)
		e = failure(a);
	if (!e) {
		a->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (a->fd < 0)
			e = errno == EEXIST ? err_new(ERR_INVALID,
						      "%s is there already; name another, or "
						      "remove it",
						      path)
					    : err_errno(errno, "%s", path);
		else if (archive_write_open_fd(a->a, a->fd) != ARCHIVE_OK)
			e = failure(a);
	}
	if (e)
		return types_archive_finish(a, e);
	*ret = a;
	return NULL;
}

static struct err *write_content(struct types_archive *a, int fd)
{
	char part[1 << 16];
	ssize_t n;
	for (off_t at = 0; (n = pread(fd, part, sizeof(part), at)) > 0; at += n)
		if (archive_write_data(a->a, part, (size_t)n) != n)
			return failure(a);
	return n ? err_errno(errno, "read what was made") : NULL;
}

/* The same bytes for the same files: the time of an entry is that of nobody. */
struct err *types_archive_add(struct types_archive *a, const char *name, int fd)
{
	struct stat st;
	struct archive_entry *entry = archive_entry_new();
	if (!entry || fstat(fd, &st)) {
		archive_entry_free(entry);
		return err_nomem();
	}
	archive_entry_set_pathname(entry, name);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, st.st_size);
	archive_entry_set_mtime(entry, 0, 0);
	int result = archive_write_header(a->a, entry);
	archive_entry_free(entry);
	return result == ARCHIVE_OK ? write_content(a, fd) : failure(a);
}

struct err *types_archive_finish(struct types_archive *a, struct err *e)
{
	if (!a)
		return e;
	if (!e && archive_write_close(a->a) != ARCHIVE_OK)
		e = failure(a);
	archive_write_free(a->a);
	if (a->fd >= 0 && close(a->fd) && !e)
		e = err_errno(errno, "%s", a->path);
	if (a->fd >= 0 && e)
		unlink(a->path);
	free(a->path);
	free(a);
	return e;
}
#else
struct types_archive {
	int unused;
};

struct err *types_archive_new(const char *path, struct types_archive **ret)
{
	(void)path, (void)ret;
	return err_new(ERR_UNSUPPORTED, "this program was built without libarchive");
}

struct err *types_archive_add(struct types_archive *a, const char *name, int fd)
{
	(void)a, (void)name, (void)fd;
	return NULL;
}

struct err *types_archive_finish(struct types_archive *a, struct err *e)
{
	(void)a;
	return e;
}
#endif
