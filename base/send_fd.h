/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_SEND_FD_H
#define BASE_SEND_FD_H

#include <stddef.h>
#include <sys/types.h>

/* As send(2) with @flags, and no signal if the other end is gone: with a descriptor beside the
 * bytes if
 * @passed, which stays the caller's, is none below 0 (SCM_RIGHTS in unix(7)). */
ssize_t send_fd(int socket, const void *bytes, size_t len, int passed, int flags);

#endif
