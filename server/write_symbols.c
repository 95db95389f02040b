// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/write_symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/host.h"
#include "server/image/image.h"
#include "server/kernel/unwind_source.h"

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

static struct err *check_target(const char *path)
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

/* Under a name of its own first. */
static struct err *replace_file(const char *path, const struct buf *bytes)
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

struct err *write_symbols(const struct host *host, const char *path)
{
	struct image_source source = {
		.k = host->kernel,
		.code = host->code,
		.orc = unwinder_orc(host->unwinder),
		.types = host->module_types,
	};
	struct image *image = NULL;
	struct buf bytes = BUF_INIT;
	bool done = false;
	struct err *e = check_target(path);
	if (!e)
		e = image_new(&source, &image);
	while (!e && !done)
		e = image_step(image, &bytes, &done);
	image_free(image);
	if (!e)
		e = replace_file(path, &bytes);
	buf_free(&bytes);
	return err_wrap(e, "--write-symbols");
}
