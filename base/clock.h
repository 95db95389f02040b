/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks that waiting and work are measured by. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds since the machine was started, never 0. Unlike CLOCK_MONOTONIC it goes on while the
 * machine sleeps: who waits for an answer from elsewhere does not. */
static inline uint64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

/* Nanoseconds by a clock that only goes forward, and stands still while the machine sleeps: how
 * long this program has worked or waited for its machine. */
static inline int64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

#endif
