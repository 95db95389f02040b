// SPDX-License-Identifier: GPL-2.0-or-later
/* Preloaded: pread() of regular files fails with the number in the file $FAILING_READS names, as
 * long as there is one; 0 makes it an end of file, and below 0 it takes so many milliseconds: then
 * nothing is in the system's memory either, for who does not want to wait. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static bool wanted_error(int *ret)
{
	const char *path = getenv("FAILING_READS");
	FILE *file = path ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	bool got = fscanf(file, "%d", ret) == 1;
	fclose(file);
	return got;
}

ssize_t pread(int fd, void *out, size_t len, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
	int error;
	if (!wanted_error(&error))
		return real(fd, out, len, offset);
	if (error < 0) {
		usleep((useconds_t)-error * 1000);
		return real(fd, out, len, offset);
	}
	errno = error;
	return error ? -1 : 0;
}

ssize_t pread64(int fd, void *out, size_t len, off64_t offset)
{
	return pread(fd, out, len, offset);
}

ssize_t preadv2(int fd, const struct iovec *to, int count, off_t offset, int flags)
{
	ssize_t (*real)(int, const struct iovec *, int, off_t, int) = dlsym(RTLD_NEXT, "preadv2");
	int error;
	if (!wanted_error(&error))
		return real(fd, to, count, offset, flags);
	if (error < 0 && !(flags & RWF_NOWAIT)) {
		usleep((useconds_t)-error * 1000);
		return real(fd, to, count, offset, flags);
	}
	errno = error < 0 ? EAGAIN : error;
	return error ? -1 : 0;
}

ssize_t preadv64v2(int fd, const struct iovec *to, int count, off64_t offset, int flags)
{
	return preadv2(fd, to, count, offset, flags);
}
