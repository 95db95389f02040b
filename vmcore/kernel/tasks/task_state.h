/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State letters of tasks. The bits' meaning changed between kernels; task_state_array tells it. */
#ifndef VMCORE_KERNEL_TASKS_TASK_STATE_H
#define VMCORE_KERNEL_TASKS_TASK_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct kernel;

enum { TASK_STATES_MAX = 16 };

struct task_states {
	/* letters[0] is for no bit set, letters[n] for highest bit n - 1; 0 ends them. */
	char letters[TASK_STATES_MAX + 1];
};

/* Reads task_state_array (fs/proc/array.c), the strings of /proc/PID/status; without it the letters
 * that have meant the same in every kernel. */
void task_states_read(const struct kernel *k, struct task_states *ret);

/* The letter ps prints for these values of task_struct's (__)state and exit_state. */
char task_state_letter(const struct task_states *s, uint64_t state, uint64_t exit_state);

/* "sleeping" and so on; "unknown" for a letter that is none. */
const char *task_state_word(char letter);

#endif
