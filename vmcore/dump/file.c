// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/files.h"
#include "vmcore/dump/reading.h"

/* What a file that is no regular file is called. */
static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "a directory";
	case S_IFIFO:
		return "a pipe";
	case S_IFSOCK:
		return "a socket";
	case S_IFBLK:
		return "a block device";
	case S_IFCHR:
		return "a character device";
	default:
		return "no regular file";
	}
}

static struct err *check_type(int fd, struct stat *ret)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return err_errno(errno, "cannot find out its size");
	if (!S_ISREG(st.st_mode))
		return err_new(ERR_FORMAT,
			       "it is %s: copy the dump to a file, and give that file's name",
			       file_type(st.st_mode));
	if (st.st_size == 0)
		return err_new(ERR_FORMAT, "it is empty: the dump was never written");
	*ret = st;
	return NULL;
}

struct err *dump_file_open(const char *path, struct dump_file *ret)
{
	int fd = files_open(path);
	if (fd < 0)
		return err_errno(errno, "cannot open it for reading");
	struct stat st = { 0 };
	struct err *e = check_type(fd, &st);
	if (e) {
		close(fd);
		return e;
	}
	char *copy = strdup(path);
	if (!copy) {
		close(fd);
		return err_nomem();
	}
	*ret = (struct dump_file){
		.fd = fd,
		.path = copy,
		.size = (uint64_t)st.st_size,
		.written = st.st_mtim,
	};
	return NULL;
}

bool dump_file_changed(const struct dump_file *f)
{
	struct stat st;
	if (f->flattened || fstat(f->fd, &st) < 0)
		return false;
	return (uint64_t)st.st_size != f->size || st.st_mtim.tv_sec != f->written.tv_sec ||
	       st.st_mtim.tv_nsec != f->written.tv_nsec;
}

void dump_file_close(struct dump_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	*f = (struct dump_file)DUMP_FILE_INIT;
}

static ssize_t read_some(const struct dump_file *f, uint64_t offset, void *out, size_t len)
{
	const struct reading *r = f->reading;
	return r ? r->read(r->self, f->fd, out, len, offset)
		 : pread(f->fd, out, len, (off_t)offset);
}

struct err *dump_file_read_part(const struct dump_file *f, uint64_t offset, void *out, size_t len,
				size_t *ret_done)
{
	/* What the file has grown since it was opened is not looked at. */
	if (offset >= f->size)
		len = 0;
	else if (len > f->size - offset)
		len = (size_t)(f->size - offset);

	size_t done = 0;
	while (done < len) {
		ssize_t n = read_some(f, offset + done, (char *)out + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "read %s at 0x%" PRIx64, f->path, offset + done);
		if (n == 0)
			break;
		done += (size_t)n;
	}
	*ret_done = done;
	return NULL;
}

uint64_t dump_file_next_data(const struct dump_file *f, uint64_t offset)
{
	if (offset >= f->size)
		return f->size;
	/* The position that this sets is used by nobody: all reads say where. */
	off_t data = lseek(f->fd, (off_t)offset, SEEK_DATA);
	if (data < 0)
		return errno == ENXIO ? f->size : offset;
	return (uint64_t)data < offset ? offset : (uint64_t)data;
}

struct err *dump_file_read(const struct dump_file *f, uint64_t offset, void *out, size_t len,
			   const char *what)
{
	size_t done;
	if (range_within(offset, len, f->size)) {
		struct err *e = dump_file_read_part(f, offset, out, len, &done);
		if (e || done == len)
			return e;
	}
	return err_new(ERR_FORMAT,
		       "the file is truncated: %s should be at 0x%" PRIx64 "+0x%zx, but it ends "
		       "at 0x%" PRIx64,
		       what, offset, len, f->size);
}
