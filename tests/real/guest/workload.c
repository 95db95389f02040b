// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes for a thread list to be tried on.
 *
 *   workload threads    named threads, each asleep in another system call
 *   workload leaderless the leader has exited, its threads live on
 *   workload states     one child stopped, one a zombie
 *   workload spin       runs in user mode, with tell-tale registers, until it is killed
 *
 * All but "spin" print a line when they are in place, and then stay.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void sleep_forever(void)
{
	for (;;)
		pause();
}

static void ready(const char *which)
{
	printf("workload %s: ready\n", which);
	fflush(stdout);
}

static void *in_poll(void *unused)
{
	prctl(PR_SET_NAME, "in poll");
	poll(NULL, 0, -1);
	return unused;
}

static void *in_read(void *unused)
{
	int fds[2];
	char byte;

	prctl(PR_SET_NAME, "in pipe read");
	if (pipe(fds) < 0 || read(fds[0], &byte, 1) != 1)
		die("in_read");
	return unused;
}

static void *in_futex(void *unused)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	static pthread_cond_t never = PTHREAD_COND_INITIALIZER;

	/* All that an XML or JSON writer must escape, in one comm. */
	prctl(PR_SET_NAME, "futex <&\"'\\>");
	pthread_mutex_lock(&mutex);
	for (;;)
		pthread_cond_wait(&never, &mutex);
	return unused;
}

static void *in_nanosleep(void *unused)
{
	const struct timespec day = { .tv_sec = 86400 };

	/* Not ASCII, and cut in the middle of a character, as a 15-byte comm does. */
	prctl(PR_SET_NAME, "schl\xc3\xa4" "ft \xe2\x80\x94 tief\xc3");
	nanosleep(&day, NULL);
	return unused;
}

static void start_threads(void)
{
	void *(*const routines[])(void *) = { in_poll, in_read, in_futex, in_nanosleep };
	pthread_t thread;

	for (size_t i = 0; i < sizeof(routines) / sizeof(routines[0]); i++) {
		if (pthread_create(&thread, NULL, routines[i], NULL) != 0)
			die("pthread_create");
	}
	sleep(1); /* until each has named itself and gone to sleep */
}

static void do_threads(void)
{
	start_threads();
	ready("threads");
	sleep_forever();
}

static void do_leaderless(void)
{
	start_threads();
	ready("leaderless");
	/* This thread alone: exit_group would take the others along. */
	syscall(SYS_exit, 0);
}

static void do_states(void)
{
	pid_t stopped = fork();
	siginfo_t info;

	if (stopped == 0) {
		prctl(PR_SET_NAME, "is stopped");
		raise(SIGSTOP);
	}
	waitid(P_PID, stopped, &info, WSTOPPED | WNOWAIT);

	pid_t zombie = fork();

	if (zombie == 0) {
		prctl(PR_SET_NAME, "is a zombie");
		_exit(0);
	}
	waitid(P_PID, zombie, &info, WEXITED | WNOWAIT);
	ready("states");
	sleep_forever();
}

static void do_spin(void)
{
	prctl(PR_SET_NAME, "spins in user");
	/* r12-r15 tell a debugger that it sees this loop's registers and no others. */
	__asm__ volatile("movabs $0x1212121212121212, %%r12\n"
			 "movabs $0x1313131313131313, %%r13\n"
			 "movabs $0x1414141414141414, %%r14\n"
			 "movabs $0x1515151515151515, %%r15\n"
			 "1: jmp 1b\n" ::: "r12", "r13", "r14", "r15");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} jobs[] = {
		{ "threads", do_threads },
		{ "leaderless", do_leaderless },
		{ "states", do_states },
		{ "spin", do_spin },
	};

	for (size_t i = 0; argc == 2 && i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		if (strcmp(argv[1], jobs[i].name) == 0)
			jobs[i].run();
	}
	fprintf(stderr, "usage: workload threads|leaderless|states|spin\n");
	return 2;
}
