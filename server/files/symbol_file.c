// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/symbol_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

enum { FILE_MAX = 1 << 30 };

/* Whether the file is what we write: a program without a byte in its first segment, as no vmlinux
 * and no dump is. */
static bool is_generated(int fd)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr first;
	} head;
	return pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       !memcmp(head.header.e_ident, ELFMAG, SELFMAG) && head.header.e_type == ET_EXEC &&
	       head.header.e_phoff == sizeof(head.header) && head.first.p_type == PT_LOAD &&
	       !head.first.p_filesz;
}

struct err *symbol_file_check(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? NULL : err_errno(errno, "%s", path);
	bool ours = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!st.st_size || is_generated(fd));
	close(fd);
	return ours ? NULL
		    : err_new(ERR_INVALID,
			      "%s is there already, and no file that this program wrote; name "
			      "another, or remove it",
			      path);
}

static struct err *write_all(int fd, const struct buf *bytes, const char *path)
{
	for (size_t done = 0; done < bytes->len;) {
		ssize_t n = write(fd, bytes->data + done, bytes->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(n ? errno : EIO, "%s", path);
		done += (size_t)n;
	}
	return fsync(fd) == 0 || errno == EINVAL ? NULL : err_errno(errno, "%s", path);
}

struct err *symbol_file_write(const char *path, const struct buf *bytes)
{
	struct buf beside = BUF_INIT;
	buf_addf(&beside, "%s.%ld.tmp", path, (long)getpid());
	struct err *e = buf_error(&beside);
	if (e)
		return e;
	int fd = open(beside.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		e = err_errno(errno, "%s", beside.data);
		buf_free(&beside);
		return e;
	}
	e = write_all(fd, bytes, beside.data);
	if (close(fd) != 0 && !e)
		e = err_errno(errno, "%s", beside.data);
	if (!e && rename(beside.data, path) != 0)
		e = err_errno(errno, "%s", path);
	if (e)
		unlink(beside.data);
	buf_free(&beside);
	return e;
}

static bool read_all(int fd, size_t size, struct buf *out)
{
	if (!buf_reserve(out, size))
		return false;
	for (size_t done = 0; done < size;) {
		char part[1 << 16];
		ssize_t n = pread(fd, part, sizeof(part), (off_t)done);
		if (n <= 0)
			return false;
		buf_add(out, part, (size_t)n);
		done += (size_t)n;
	}
	return !out->failed;
}

bool symbol_file_read(const char *path, struct buf *out)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX &&
		    is_generated(fd) && read_all(fd, (size_t)st.st_size, out);
	close(fd);
	if (!good)
		buf_reset(out);
	return good;
}
