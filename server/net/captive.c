// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/captive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

static void fill_in(const char *command, const char *address, struct buf *out)
{
	for (const char *p = command; *p;) {
		const char *braces = strstr(p, "{}");
		size_t len = braces ? (size_t)(braces - p) : strlen(p);
		buf_add(out, p, len);
		p += len;
		if (braces) {
			buf_addstr(out, address);
			p += 2;
		}
	}
}

/* Reads up to the other end's being closed; false if that was before anything came. */
static bool await_address(int fd, struct buf *out)
{
	char part[256];
	ssize_t n;
	while ((n = read(fd, part, sizeof(part))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			buf_add(out, part, (size_t)n);
	return !n && out->len && !out->failed;
}

static _Noreturn void be_captive(const char *command, int fd)
{
	struct buf address = BUF_INIT, line = BUF_INIT;
	if (!await_address(fd, &address))
		_exit(127);
	fill_in(command, address.data, &line);
	if (line.failed)
		_exit(127);
	/* Ignored signals would stay so in the command. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	setenv("VMCORE_GDBSERVER", address.data, 1);
	execl("/bin/sh", "sh", "-c", line.data, (char *)NULL);
	_exit(127);
}

struct err *captive_prepare(const char *command, struct captive *ret)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return err_errno(errno, "start the command of --run");
	pid_t pid = fork();
	if (!pid) {
		close(ends[1]);
		be_captive(command, ends[0]);
	}
	int why = errno;
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return err_errno(why, "start the command of --run");
	}
	*ret = (struct captive){ pid, ends[1] };
	return NULL;
}

struct err *captive_start(struct captive *c, const char *address)
{
	size_t len = strlen(address);
	bool written = write(c->fd, address, len) == (ssize_t)len;
	struct err *e = written ? NULL : err_errno(errno, "start the command of --run");
	close(c->fd);
	c->fd = -1;
	return e;
}

void captive_free(struct captive *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}
