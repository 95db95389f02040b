// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/kept.h"

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

struct err *kept_new(size_t count, struct kept **ret)
{
	void *at = mmap(NULL, count * sizeof(**ret), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return err_errno(errno, "make room for what is kept of clients");
	*ret = at;
	return NULL;
}

/* What the peer has of it is in tcp_info, what waits for it is asked for by itself. */
static uint64_t bytes_sent(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);
	int waiting;
	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ||
	    len < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof(info.tcpi_bytes_acked) ||
	    ioctl(fd, SIOCOUTQ, &waiting))
		return KEPT_UNKNOWN;
	return info.tcpi_bytes_acked + (uint64_t)waiting;
}

void kept_begin(struct kept *k, const char *target, const char *name, int fd)
{
	memset(k, 0, offsetof(struct kept, state.files));
	snprintf(k->target, sizeof(k->target), "%s", target);
	snprintf(k->name, sizeof(k->name), "%s", name);
	k->base = bytes_sent(fd);
	k->used = true;
}

void kept_end(struct kept *k)
{
	/* Whole pages of it go back to the system. */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t begin = ((uintptr_t)k + page - 1) / page * page;
	uintptr_t end = (uintptr_t)(k + 1) / page * page;
	k->used = false;
	if (begin < end && madvise((char *)k + (begin - (uintptr_t)k), end - begin, MADV_REMOVE))
		memset(k, 0, sizeof(*k));
}

void kept_add_input(struct kept *k, const char *bytes, size_t len)
{
	if (len > sizeof(k->in) - k->in_len) {
		k->in_lost = true;
		return;
	}
	memcpy(k->in + k->in_len, bytes, len);
	k->in_len += (uint32_t)len;
}

void kept_set_input(struct kept *k, const char *bytes, size_t len)
{
	k->in_lost = len > sizeof(k->in);
	k->in_len = k->in_lost ? 0 : (uint32_t)len;
	if (k->in_len)
		memmove(k->in, bytes, len);
}

void kept_set_output(struct kept *k, const char *bytes, size_t len)
{
	k->out_at = 0;
	k->out_lost = len > sizeof(k->out);
	k->out_len = k->out_lost ? 0 : (uint32_t)len;
	if (k->out_len)
		memcpy(k->out, bytes, len);
}

void kept_written(struct kept *k, size_t len)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	k->total += len;
	if (!k->out_lost) {
		k->out_at += (uint32_t)len;
		k->out_len -= (uint32_t)len;
	}
	k->writing = false;
}

static bool finish_write(struct kept *k, int fd)
{
	uint64_t sent = k->base == KEPT_UNKNOWN ? KEPT_UNKNOWN : bytes_sent(fd);
	if (sent == KEPT_UNKNOWN)
		return false;
	sent -= k->base + k->total;
	if (sent > k->out_len)
		return false;
	kept_written(k, (size_t)sent);
	return true;
}

bool kept_take_over(struct kept *k, int fd)
{
	return k->used && !k->in_lost && !k->out_lost && !k->state.files_lost &&
	       k->in_len <= sizeof(k->in) && k->out_len <= sizeof(k->out) &&
	       k->out_at <= sizeof(k->out) - k->out_len &&
	       memchr(k->target, 0, sizeof(k->target)) && memchr(k->name, 0, sizeof(k->name)) &&
	       (!k->writing || finish_write(k, fd));
}
