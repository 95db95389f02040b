// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/shelf_message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/send_fd.h"

int keeper_send(int fd, const struct keeper_message *m, int passed)
{
	size_t len = offsetof(struct keeper_message, bytes) + m->len;
	ssize_t n;
	do {
		n = send_fd(fd, m, len, passed, 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len ? 1 : -1;
}

int keeper_receive(int fd, struct keeper_message *m, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { m, sizeof(*m) };
	struct msghdr h = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	const size_t head = offsetof(struct keeper_message, bytes);
	*ret_fd = -1;
	ssize_t n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	if ((size_t)n >= head && m->len <= KEEPER_BYTES && (size_t)n == head + m->len)
		return 1;
	if (*ret_fd >= 0)
		close(*ret_fd);
	*ret_fd = -1;
	return -1;
}
