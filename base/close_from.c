// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/close_from.h"

#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Kernels before 5.9 close files one by one: who does this has not opened many yet. */
enum { FILES_MAX = 1024 };

void close_from(int first)
{
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, (unsigned)first, UINT_MAX, 0u))
		return;
#endif
	for (int fd = first; fd < FILES_MAX; fd++)
		close(fd);
}
