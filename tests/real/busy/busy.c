// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps a machine busy with what enters and leaves the kernel: system calls, page faults, signals,
 * timers, switches, new processes. Prints "busy: ready", and stays.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void do_calls(void)
{
	for (;;)
		syscall(SYS_getppid);
}

static void do_faults(void)
{
	enum { PAGES = 16, PAGE = 4096 };

	for (;;) {
		char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			die("mmap");
		for (int i = 0; i < PAGES; i++)
			memory[i * PAGE] = 1;
		munmap(memory, PAGES * PAGE);
	}
}

static void on_alarm(int number)
{
	(void)number;
}

static void do_timers(void)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };

	signal(SIGALRM, on_alarm);
	if (setitimer(ITIMER_REAL, &often, NULL) < 0)
		die("setitimer");
	for (volatile unsigned long n = 0;; n++)
		;
}

static void do_switches(void)
{
	int there[2], back[2];
	char byte = 0;

	if (pipe(there) < 0 || pipe(back) < 0)
		die("pipe");
	if (fork() == 0)
		for (;;)
			if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
				exit(1);
	for (;;)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			die("do_switches");
}

static void do_processes(void)
{
	for (;;) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		if (child > 0)
			waitpid(child, NULL, 0);
	}
}

static void do_sleeps(void)
{
	const struct timespec moment = { .tv_nsec = 100000 };

	for (;;)
		nanosleep(&moment, NULL);
}

int main(void)
{
	static void (*const jobs[])(void) = { do_calls,	   do_calls,	 do_faults, do_timers,
					      do_switches, do_processes, do_sleeps };

	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++)
		if (fork() == 0)
			jobs[i]();
	printf("busy: ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
