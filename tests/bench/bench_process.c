// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process for gdbserver to attach to, as large as a dump: bench_process MEGABYTES THREADS touches
 * that much memory, starts that many threads that sleep, prints the memory's address and waits for
 * its input to end.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STACK_BYTES = 64 << 10 };

static void *sleep_for_ever(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench_process MEGABYTES THREADS\n");
		return 2;
	}
	size_t bytes = strtoul(argv[1], NULL, 10) << 20;
	long threads = strtol(argv[2], NULL, 10);
	char *memory = malloc(bytes);
	pthread_attr_t attr;
	pthread_t thread;
	if (!memory || pthread_attr_init(&attr) || pthread_attr_setstacksize(&attr, STACK_BYTES))
		return 1;
	for (size_t i = 0; i < bytes; i += 8)
		memcpy(memory + i, &i, sizeof(i));
	for (long i = 1; i < threads; i++) {
		if (pthread_create(&thread, &attr, sleep_for_ever, NULL)) {
			fprintf(stderr, "bench_process: thread %ld cannot be started\n", i);
			return 1;
		}
	}
	printf("%p\n", (void *)memory);
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
