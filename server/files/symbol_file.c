// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/symbol_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"

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
	int fd = files_open(path);
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
	return NULL;
}

/* The folder of @path, owned; NULL when memory is out. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

struct err *symbol_file_write(const char *path, const struct buf *bytes)
{
	char *folder = folder_of(path);
	if (!folder)
		return err_nomem();
	int fd = files_temporary(folder, 0666);
	struct err *e = fd < 0 ? err_errno(errno, "%s", path) : write_all(fd, bytes, path);
	if (!e && files_keep(fd, path))
		e = err_errno(errno, "%s", path);
	if (fd >= 0)
		close(fd);
	free(folder);
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
	int fd = files_open(path);
	if (fd < 0)
		return false;
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= FILE_MAX &&
		    is_generated(fd) && read_all(fd, (size_t)st.st_size, out);
	close(fd);
	if (!good)
		buf_reset(out);
	return good;
}
