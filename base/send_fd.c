// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/send_fd.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

ssize_t send_fd(int socket, const void *bytes, size_t len, int passed, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { (void *)(uintptr_t)bytes, len };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (passed >= 0) {
		control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
						   .cmsg_level = SOL_SOCKET,
						   .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(passed));
		m.msg_control = &control;
		m.msg_controllen = sizeof(control.space);
	}
	return sendmsg(socket, &m, flags | MSG_NOSIGNAL);
}
