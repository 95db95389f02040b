// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/sweeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/close_from.h"
#include "base/err.h"
#include "server/net/privileges.h"

/* As descriptor 0: a running kernel's memory is open, too. */
static void keep_only(int kept)
{
	dup2(kept, 0);
	close_from(1);
}

static void sweep(const struct swept *list, size_t count, const char *folder)
{
	struct stat st;
	for (size_t i = 0; i < count; i++)
		if (!lstat(list[i].path, &st) && st.st_dev == list[i].device &&
		    st.st_ino == list[i].inode)
			unlink(list[i].path);
	if (folder)
		rmdir(folder);
}

/* Until every process that has the other end has ended: this one's parent alone has. */
static void await_end(int fd)
{
	char byte;
	ssize_t n;
	do {
		n = read(fd, &byte, sizeof(byte));
	} while (n > 0 || (n < 0 && errno == EINTR));
}

/* In a session of its own, so that what ends the server, at a terminal say, does not end it first.
 */
__attribute__((noreturn)) static void be_sweeper(int fd, const struct swept *list, size_t count,
						 const char *folder)
{
	keep_only(fd);
	setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "vmcore-sweeper");
	if (privileges_keep_user())
		_exit(EXIT_FAILURE);
	await_end(0);
	sweep(list, count, folder);
	_exit(EXIT_SUCCESS);
}

/* Through a process that ends at once: the server has no child to wait for later. */
struct err *sweeper_start(const struct swept *list, size_t count, const char *folder)
{
	int ends[2], status;
	if (pipe2(ends, O_CLOEXEC))
		return err_errno(errno, "make a pipe");
	pid_t child = fork();
	if (child == 0) {
		pid_t sweeper = fork();
		if (sweeper == 0)
			be_sweeper(ends[0], list, count, folder);
		_exit(sweeper < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	struct err *e = child < 0 ? err_errno(errno, "start a process") : NULL;
	close(ends[0]);
	while (!e && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			e = err_errno(errno, "wait for a process");
	if (!e && (!WIFEXITED(status) || WEXITSTATUS(status)))
		e = err_new(ERR_IO, "start a process");
	if (e)
		close(ends[1]);
	/* The other end stays open as long as this process lives. */
	return e;
}
