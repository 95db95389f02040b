// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * churn: tasks that are created and die at full speed: processes that end at once, that sleep a
 * little, that start threads which outlive one another. Says every second how many there were.
 *
 * churn COUNT: so many threads that sleep for ever instead; says "ready" when they are there.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { AT_A_TIME = 24, THREADS = 4 };

static void *short_thread(void *arg)
{
	usleep((useconds_t)(*(unsigned *)arg % 2000));
	return NULL;
}

static void be_a_process(unsigned number)
{
	char name[16];
	snprintf(name, sizeof(name), "churn %u", number);
	prctl(PR_SET_NAME, name);
	if (number % 3 == 1)
		usleep(number % 5000);
	if (number % 3 == 2) {
		pthread_t threads[THREADS];
		for (unsigned i = 0; i < THREADS; i++)
			if (pthread_create(&threads[i], NULL, short_thread, &number))
				_exit(1);
		if (number % 2)
			pthread_exit(NULL); /* the threads go on without their leader */
		for (unsigned i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
	}
	_exit(0);
}

static void *sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

static void sleep_all(unsigned count)
{
	pthread_attr_t small;
	pthread_t thread;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&thread, &small, sleep_for_ever, NULL))
			_exit(1);
	printf("ready\n");
	fflush(stdout);
	sleep_for_ever(NULL);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		sleep_all((unsigned)atoi(argv[1]));
	unsigned made = 0, alive = 0;
	time_t said = time(NULL);
	for (;;) {
		pid_t pid = alive < AT_A_TIME ? fork() : -1;
		if (!pid)
			be_a_process(made);
		if (pid > 0) {
			made++;
			alive++;
			continue;
		}
		if (waitpid(-1, NULL, 0) > 0)
			alive--;
		if (time(NULL) != said) {
			said = time(NULL);
			printf("%u processes\n", made);
			fflush(stdout);
		}
	}
}
