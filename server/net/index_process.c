// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/index_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/close_from.h"
#include "base/err.h"
#include "server/net/confine.h"
#include "vmcore/image/dwarf/dwarf_index.h"
#include "vmcore/names/types/dwarf_file.h"

enum {
	SECONDS_MAX = 120, /* of the processor; a kernel's takes one */
	NICE = 19,
	/* Its descriptors, behind the standard ones. */
	VMLINUX = STDERR_FILENO + 1,
	OUT,
};

static void write_all(const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len) {
		ssize_t n = write(OUT, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_FAILURE);
		at += n;
		len -= (size_t)n;
	}
}

/* What struct vmlinux_index expects: the length of the index, or 0 and why there is none. */
static void tell(struct err *e, const struct buf *index)
{
	unsigned char length[8];
	put_u64(length, e ? 0 : index->len);
	write_all(length, sizeof(length));
	if (e)
		write_all(err_msg(e), strlen(err_msg(e)));
	else
		write_all(index->data, index->len);
}

static struct err *make(struct buf *out)
{
	struct dwarf_file *file;
	struct err *e = dwarf_file_open(VMLINUX, "the vmlinux", &file);
	if (e)
		return e;
	e = dwarf_index_make(dwarf_file_dwarf(file), out);
	dwarf_file_close(file);
	if (!e && !out->len)
		e = err_new(ERR_UNSUPPORTED, "it has more names than an index holds");
	return e;
}

static struct err *confine_itself(const struct index_process *p)
{
	const struct rlimit time = { SECONDS_MAX, SECONDS_MAX }, no_files = { 0, 0 };
	const struct confine_options options = { .user = p->user,
						 .memory = p->memory,
						 .files_outside = true };
	struct buf held = BUF_INIT;
	if (setrlimit(RLIMIT_CPU, &time) || setrlimit(RLIMIT_FSIZE, &no_files))
		return err_errno(errno, "limit its time");
	(void)!nice(NICE);
	struct err *e = confine(&options, &held);
	buf_free(&held);
	return e;
}

/* Descriptors of our own are all above those that they become. */
static bool arrange(int vmlinux, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int from = fcntl(vmlinux, F_DUPFD_CLOEXEC, OUT + 1),
	    to = fcntl(out, F_DUPFD_CLOEXEC, OUT + 1);
	if (null < 0 || from < 0 || to < 0 || dup2(from, VMLINUX) < 0 || dup2(to, OUT) < 0)
		return false;
	for (int fd = STDIN_FILENO; fd < STDERR_FILENO; fd++)
		if (null != fd && dup2(null, fd) < 0)
			return false;
	close_from(OUT + 1);
	return true;
}

static _Noreturn void run(const struct index_process *p, int vmlinux, int out, pid_t parent)
{
	struct buf index = BUF_INIT;
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || !arrange(vmlinux, out))
		_exit(EXIT_FAILURE);
	prctl(PR_SET_NAME, "vmcore-index");
	/* One that shrinks ends this process, and nothing else. */
	signal(SIGBUS, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	struct err *e = confine_itself(p);
	if (!e)
		e = make(&index);
	tell(e, &index);
	_exit(EXIT_SUCCESS);
}

int index_process_start(void *self, int fd)
{
	const struct index_process *p = self;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
		return -1;
	/* The end that is written to waits. */
	fcntl(ends[1], F_SETFL, 0);
	pid_t parent = getpid(), pid = fork();
	if (!pid)
		run(p, fd, ends[1], parent);
	int failure = errno;
	close(ends[1]);
	if (pid > 0)
		return ends[0];
	close(ends[0]);
	errno = failure;
	return -1;
}
