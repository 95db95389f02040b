/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of crash, for people who type them out of habit: which of our commands does the same,
 * and what to use where none does. One table; help, the manual page and doc/commands.md come from
 * it.
 */
#ifndef SERVER_MONITOR_CRASH_WORDS_H
#define SERVER_MONITOR_CRASH_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct crash_word {
	const char *words; /* what is typed, "foreach bt" */
	const char *ours;  /* the command line that does it; NULL: none */
	const char *use;   /* what to use for what that does not do; no full stop */
	bool rest;	   /* what follows the words goes behind `ours` as it is */
};

enum { CRASH_WORDS = 63 };
extern const struct crash_word crash_words[CRASH_WORDS];

/*
 * The row whose words the @count words of @list begin with: the longest, and *ret_count is how many
 * they are. NULL if there is none.
 */
const struct crash_word *crash_word_find(const char *const *list, size_t count, size_t *ret_count);

#endif
