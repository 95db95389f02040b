// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* ---- by this process ---- */

static int open_directly(void *self, const char *path)
{
	(void)self;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int stat_directly(void *self, const char *path, struct stat *ret)
{
	(void)self;
	return stat(path, ret);
}

static char *real_directly(void *self, const char *path)
{
	(void)self;
	return realpath(path, NULL);
}

/* NFS, and others, have no O_TMPFILE. */
static int make_and_unlink(const char *folder)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s/.vmcore-gdbserver-XXXXXX", folder) >=
	    sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int temporary_directly(void *self, const char *folder, mode_t mode)
{
	(void)self;
	/* As the umask says where it gets a name; nobody else sees it before. */
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
	return fd >= 0 || errno == ENOENT || errno == EACCES ? fd : make_and_unlink(folder);
}

static int make_folders(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		int failed = mkdir(path, 0777) && errno != EEXIST;
		*at = '/';
		if (failed)
			return -1;
	}
	return 0;
}

static int write_whole(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return -1;
		}
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy(int from, int to)
{
	char part[1 << 14];
	for (off_t at = 0;;) {
		ssize_t n = pread(from, part, sizeof(part), at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -1 : fdatasync(to);
		if (write_whole(to, part, (size_t)n))
			return -1;
		at += n;
	}
}

static int copy_to(int fd, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (to < 0)
		return -1;
	int failed = copy(fd, to), why = errno;
	close(to);
	errno = why;
	return failed;
}

/* By a name beside it, for a link does not replace a file. */
static int keep_directly(void *self, int fd, const char *path)
{
	char here[64], beside[PATH_MAX], whole[PATH_MAX];
	(void)self;
	if ((size_t)snprintf(whole, sizeof(whole), "%s", path) >= sizeof(whole) ||
	    (size_t)snprintf(beside, sizeof(beside), "%s.%ld.tmp", path, (long)getpid()) >=
		    sizeof(beside)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(here, sizeof(here), "/proc/self/fd/%d", fd);
	if (make_folders(whole) || fdatasync(fd))
		return -1;
	unlink(beside);
	int failed = linkat(AT_FDCWD, here, AT_FDCWD, beside, AT_SYMLINK_FOLLOW);
	if (failed)
		failed = copy_to(fd, beside);
	if (!failed)
		failed = rename(beside, path);
	int why = errno;
	if (failed)
		unlink(beside);
	errno = why;
	return failed;
}

/* Who holds the lock writes a line. Where there are no locks, writes at the end are whole, too. */
static int lock(int fd)
{
	enum { TRIES = 20, WAIT_NS = 10000000 };
	for (int i = 0;; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return 0;
		if (errno == ENOLCK || errno == ENOSYS || errno == EOPNOTSUPP)
			return 0;
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == TRIES)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = WAIT_NS }, NULL);
	}
}

static int append_locked(int fd, const char *line, size_t len)
{
	struct stat st;
	char last = '\n';
	if (fstat(fd, &st))
		return -1;
	errno = !S_ISREG(st.st_mode)				    ? EINVAL
		: st.st_nlink != 1				    ? EMLINK
		: st.st_size > (off_t)(FILES_APPEND_MOST - len - 1) ? EFBIG
								    : 0;
	if (errno)
		return -1;
	if (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1)
		return -1;
	if ((last != '\n' && write_whole(fd, "\n", 1)) || write_whole(fd, line, len) ||
	    fdatasync(fd)) {
		int why = errno;
		(void)!ftruncate(fd, st.st_size);
		errno = why;
		return -1;
	}
	return 0;
}

static int append_directly(void *self, const char *path, const char *line, size_t len, mode_t mode)
{
	(void)self;
	int fd = open(path,
		      O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
		      mode);
	if (fd < 0)
		return -1;
	int failed = len > FILES_APPEND_MOST / 2 ? (errno = EFBIG, -1) : lock(fd);
	if (!failed)
		failed = append_locked(fd, line, len);
	int why = errno;
	close(fd);
	errno = why;
	return failed;
}

const struct files_ops files_directly = {
	.open = open_directly,
	.stat = stat_directly,
	.real = real_directly,
	.temporary = temporary_directly,
	.keep = keep_directly,
	.append = append_directly,
};

/* ---- by whom it is done ---- */

static const struct files_ops *in_use = &files_directly;

void files_use(const struct files_ops *ops)
{
	in_use = ops ? ops : &files_directly;
}

int files_open(const char *path)
{
	return in_use->open(in_use->self, path);
}

int files_stat(const char *path, struct stat *ret)
{
	return in_use->stat(in_use->self, path, ret);
}

bool files_is_there(const char *path)
{
	struct stat st;
	return !files_stat(path, &st);
}

bool files_is_folder(const char *path)
{
	struct stat st;
	return !files_stat(path, &st) && S_ISDIR(st.st_mode);
}

DIR *files_open_folder(const char *path)
{
	int fd = files_open(path);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (fd >= 0 && !dir) {
		int why = errno;
		close(fd);
		errno = why;
	}
	return dir;
}

char *files_real(const char *path)
{
	return in_use->real(in_use->self, path);
}

int files_temporary(const char *folder, mode_t mode)
{
	return in_use->temporary(in_use->self, folder, mode);
}

int files_keep(int fd, const char *path)
{
	return in_use->keep(in_use->self, fd, path);
}

int files_append(const char *path, const char *line, size_t len, mode_t mode)
{
	return in_use->append(in_use->self, path, line, len, mode);
}
