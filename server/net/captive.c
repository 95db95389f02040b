// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/captive.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/net/address.h"

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

struct err *captive_start(const char *command, const struct listener *listener, pid_t *ret_pid)
{
	struct buf address = BUF_INIT, line = BUF_INIT;
	/* A host and a port, which lldb wants too. */
	buf_addstr(&address, listener->path ? listener->path : listener->name);
	fill_in(command, address.data, &line);
	struct err *e = buf_error(&line);
	pid_t pid = e ? -1 : fork();
	if (!e && pid < 0)
		e = err_errno(errno, "start the command of --run");
	if (!e && !pid) {
		/* Ignored signals would stay so in the command. */
		signal(SIGPIPE, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		setenv("VMCORE_GDBSERVER", address.data, 1);
		execl("/bin/sh", "sh", "-c", line.data, (char *)NULL);
		_exit(127);
	}
	*ret_pid = pid;
	buf_free(&address);
	buf_free(&line);
	return e;
}
