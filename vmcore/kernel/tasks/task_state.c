// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/task_state.h"

#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"

/*
 * Bits whose meaning never changed (include/linux/sched.h): 1 interruptible, 2 uninterruptible, 4
 * stopped, 8 traced. TASK_IDLE is uninterruptible with TASK_NOLOAD, from 4.2 on. Since 5.15
 * TASK_RTLOCK_WAIT, and since 6.1 TASK_FROZEN, stand alone and count as uninterruptible.
 */
enum {
	STABLE_BITS = 0xf,
	UNINTERRUPTIBLE = 2,
	NOLOAD = 0x400,
	RTLOCK_WAIT = 0x1000,
	FROZEN = 0x8000,
	PARKED_LETTER = 7,
	PARKED = 0x40,
};

void task_states_read(const struct kernel *k, struct task_states *ret)
{
	uint64_t array, string;
	char text[2];
	memset(ret, 0, sizeof(*ret));
	if (kernel_symbol(k, "task_state_array", &array)) {
		for (unsigned i = 0; i < TASK_STATES_MAX; i++) {
			struct err *e = kernel_read_u64(k, array + 8 * i, &string);
			if (!e)
				e = kernel_read_string(k, string, text, sizeof(text));
			bool good = !e && text[0] && strchr("RSDTtXZPIxKWNn", text[0]);
			err_free(e);
			/* The array's end is known by what follows being no such string. */
			if (!good || (i && text[0] == 'R'))
				break;
			ret->letters[i] = text[0];
		}
	}
	if (strncmp(ret->letters, "RSDTt", 5))
		strcpy(ret->letters, "RSDTt");
}

char task_state_letter(const struct task_states *s, uint64_t state, uint64_t exit_state)
{
	uint64_t report = (state & STABLE_BITS) | exit_state;
	if (s->letters[PARKED_LETTER] == 'P')
		report |= state & PARKED;
	if (!report && state & (RTLOCK_WAIT | FROZEN))
		report = UNINTERRUPTIBLE;
	if (strchr(s->letters, 'I') && report == UNINTERRUPTIBLE && state & NOLOAD)
		return 'I';
	unsigned index = report ? 64 - (unsigned)__builtin_clzll(report) : 0;
	return index < strlen(s->letters) ? s->letters[index] : '?';
}

const char *task_state_word(char letter)
{
	static const struct {
		char letter;
		const char *word;
	} words[] = {
		{ 'R', "runnable" }, { 'S', "sleeping" }, { 'D', "blocked" }, { 'T', "stopped" },
		{ 't', "traced" },   { 'X', "dead" },	  { 'x', "dead" },    { 'Z', "zombie" },
		{ 'P', "parked" },   { 'I', "idle" },
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (words[i].letter == letter)
			return words[i].word;
	return "unknown";
}
