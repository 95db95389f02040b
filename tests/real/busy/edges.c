// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Enters and leaves the kernel in all the ways that a 64-bit program has, one after the other, for
 * ever: system calls, int $0x80, a page fault, traps, and a watchpoint that the kernel meets. What
 * the kernel faults at in user memory is a page that was just unmapped. Stays on the first CPU,
 * and prints "edges: ready".
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, GETPID_32 = 20, TRAP_FLAG = 0x100 };

static uint64_t watched;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void pin(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;

	(void)info;
	if (number == SIGILL)
		user->uc_mcontext.gregs[REG_RIP] += 2; /* ud2 */
	user->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void watch(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(attr),
		.bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)&watched,
		.bp_len = HW_BREAKPOINT_LEN_8,
		.sample_period = 1,
	};

	if (syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0)
		die("perf_event_open");
}

int main(void)
{
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	char *page;
	int zero = open("/dev/zero", O_RDONLY);

	pin();
	sigaction(SIGTRAP, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (zero < 0 || page == MAP_FAILED)
		die("edges");
	watch();
	if (fork() == 0) {
		execl("/bin/edges32", "edges32", NULL);
		die("edges32");
	}
	printf("edges: ready\n");
	fflush(stdout);
	for (;;) {
		long result = GETPID_32;

		syscall(SYS_getppid);
		__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
		*(volatile char *)page = 1;
		madvise(page, PAGE, MADV_DONTNEED);
		if (read(zero, page, 8) != 8) /* the kernel faults */
			die("read");
		madvise(page, PAGE, MADV_DONTNEED);
		if (read(zero, &watched, 8) != 8) /* and meets the watchpoint */
			die("read");
		__asm__ volatile("int3");
		__asm__ volatile("pushfq; orl %0, (%%rsp); popfq; nop" : : "i"(TRAP_FLAG) : "cc");
		__asm__ volatile("ud2");
	}
}
