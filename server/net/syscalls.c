// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/syscalls.h"

#include "config.h"

#include "base/buf.h"
#include "base/err.h"
#include "server/net/confine.h"

#ifndef HAVE_SECCOMP

struct err *syscalls_restrict(const struct confine_options *options, struct buf *held)
{
	(void)options;
	buf_addstr(held, ", built without seccomp");
	return NULL;
}

#else

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ucontext.h>
#include <unistd.h>

/*
 * What a session needs, in all the forms in which the C library and other libraries ask for it.
 * Some do so only now and then: when memory is short, when a clock is not to be had without the
 * kernel.
 */
static const char *const allowed[] = {
	/* What is open already */
	"read",
	"pread64",
	"readv",
	"preadv",
	"preadv2",
	"write",
	"pwrite64",
	"writev",
	"pwritev",
	"pwritev2",
	"close",
	"close_range",
	"lseek",
	"fstat",
	"fstatfs",
	"newfstatat",
	"statx",
	"ftruncate",
	"fallocate",
	"fadvise64",
	"fsync",
	"fdatasync",
	"sync_file_range",
	"fcntl",
	"flock",
	"dup",
	"dup2",
	"dup3",
	"getdents",
	"getdents64",
	"copy_file_range",
	"sendfile",
	"pipe",
	"pipe2",
	"memfd_create",
	/* Sockets that are there already */
	"accept",
	"accept4",
	"listen",
	"shutdown",
	"recvfrom",
	"recvmsg",
	"recvmmsg",
	"sendto",
	"sendmsg",
	"sendmmsg",
	"getsockname",
	"getpeername",
	"getsockopt",
	"setsockopt",
	/* Waiting */
	"poll",
	"ppoll",
	"select",
	"pselect6",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"eventfd",
	"eventfd2",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_gettime",
	"signalfd",
	"signalfd4",
	"nanosleep",
	"clock_nanosleep",
	"pause",
	"wait4",
	"waitid",
	"restart_syscall",
	"sched_yield",
	"inotify_init1",
	/* Memory */
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"msync",
	"mincore",
	"mlock",
	"munlock",
	"membarrier",
	/* Signals to itself, its threads, and its end */
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigpending",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sigaltstack",
	"futex",
	"futex_waitv",
	"set_robust_list",
	"get_robust_list",
	"set_tid_address",
	"rseq",
	"arch_prctl",
	"exit",
	"exit_group",
	"alarm",
	"setitimer",
	"getitimer",
	/* What it is, and what time it is */
	"getpid",
	"gettid",
	"getppid",
	"getpgrp",
	"getpgid",
	"getsid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getresuid",
	"getresgid",
	"getgroups",
	"getcwd",
	"umask",
	"uname",
	"sysinfo",
	"getrusage",
	"times",
	"getrlimit",
	"prlimit64",
	"getcpu",
	"sched_getaffinity",
	"getrandom",
	"clock_gettime",
	"clock_getres",
	"gettimeofday",
	"time",
	"capget",
};

/* What libraries try, and do without: it fails without a word. */
static const char *const silent[] = {
	"prctl", "sched_setaffinity", "setpriority",	"getpriority", "personality",
	"mbind", "get_mempolicy",     "io_uring_setup",
};

/* Its flags cannot be looked at: without it the C library takes clone(). */
static const char *const unknown[] = { "clone3" };

/* Of a server that may have to listen elsewhere later. */
static const char *const sockets[] = { "socket", "bind", "connect" };

/* Files by their names. */
static const char *const by_name[] = {
	"open",	    "openat",	 "openat2",    "creat",	   "stat",	 "lstat",
	"access",   "faccessat", "faccessat2", "readlink", "readlinkat", "statfs",
	"unlink",   "unlinkat",	 "rename",     "renameat", "renameat2",	 "mkdir",
	"mkdirat",  "rmdir",	 "link",       "linkat",   "symlink",	 "symlinkat",
	"truncate", "chmod",	 "fchmodat",   "chdir",	   "utimensat",
};

/* Calls that are said already, a bit each: the handler finds nothing else. */
enum { CALLS = 1024 };
static uint8_t said[CALLS / 8];

/* With write() alone, which may be called here. */
static void tell(unsigned number)
{
	char text[160], digits[12];
	size_t at = sizeof(digits), len = 0;
	static const char before[] = "vmcore-gdbserver: system call ",
			  after[] = " was refused, which no part of this program needs: please "
				    "report it\n";
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(text, before, sizeof(before) - 1);
	len = sizeof(before) - 1;
	memcpy(text + len, digits + at, sizeof(digits) - at);
	len += sizeof(digits) - at;
	memcpy(text + len, after, sizeof(after) - 1);
	len += sizeof(after) - 1;
	(void)!write(STDERR_FILENO, text, len);
}

/* The call has not been made; this is what it returns. */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	unsigned number = (unsigned)info->si_syscall;
	int kept = errno;
	(void)signal_number;
	/* By kill(2), say. */
	enum { BY_FILTER = 1 }; /* SYS_SECCOMP, which only the kernel's headers have */
	if (info->si_code != BY_FILTER)
		return;
	if (number < CALLS && !(said[number / 8] >> number % 8 & 1)) {
		said[number / 8] |= (uint8_t)(1u << number % 8);
		tell(number);
	}
	c->uc_mcontext.gregs[REG_RAX] = -EPERM;
	errno = kept;
}

static int add(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* One that this architecture or an old library does not know needs no rule. */
		int number = seccomp_syscall_resolve_name(names[i]);
		int failed = number < 0 ? 0 : seccomp_rule_add(filter, action, number, 0);
		if (failed && failed != -EEXIST && failed != -EACCES)
			return failed;
	}
	return 0;
}

/* What is allowed for some arguments only. */
static int add_some(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp own = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	const struct scmp_arg_cmp no_code = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp threads =
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
	static const unsigned long requests[] = { TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, TIOCOUTQ };
	/* abort() and assert() */
	int failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, own);
	if (!failed)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, threads);
	if (!failed)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, no_code);
	if (!failed)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
	for (size_t i = 0; !failed && i < sizeof(requests) / sizeof(*requests); i++)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
					  SCMP_A1(SCMP_CMP_EQ, requests[i]));
	return failed;
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static int fill(scmp_filter_ctx filter, const struct confine_options *options)
{
	int failed = add(filter, SCMP_ACT_ALLOW, allowed, COUNT(allowed));
	if (!failed)
		failed = add(filter, SCMP_ACT_ERRNO(EPERM), silent, COUNT(silent));
	if (!failed)
		failed = add(filter, SCMP_ACT_ERRNO(ENOSYS), unknown, COUNT(unknown));
	if (!failed)
		failed = add(filter,
			     options->files_outside ? SCMP_ACT_ERRNO(EACCES) : SCMP_ACT_ALLOW,
			     by_name, COUNT(by_name));
	if (!failed && options->makes_sockets)
		failed = add(filter, SCMP_ACT_ALLOW, sockets, COUNT(sockets));
	if (!failed && options->may_end > 0)
		failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1,
					  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)options->may_end));
	return failed ? failed : add_some(filter);
}

struct err *syscalls_restrict(const struct confine_options *options, struct buf *held)
{
	struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	sigemptyset(&action.sa_mask);
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter)
		return err_nomem();
	/* What the kernel says is told as it is. */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	int failed = fill(filter, options);
	if (!failed && sigaction(SIGSYS, &action, NULL))
		failed = -errno;
	if (!failed)
		failed = seccomp_load(filter);
	seccomp_release(filter);
	/* A kernel that was built without it. */
	if (failed == -EINVAL || failed == -ENOSYS) {
		buf_addstr(held, ", this kernel has no seccomp filters");
		return NULL;
	}
	if (failed)
		return err_errno(-failed, "restrict system calls");
	buf_addstr(held, ", seccomp");
	return NULL;
}

#endif
