/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pages of a machine with changes in them: damage that can be made again. */
#ifndef TESTS_KERNEL_MUTANT_H
#define TESTS_KERNEL_MUTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"

enum { MUTANT_CHANGES_MAX = 32 };

struct mutant_place {
	uint64_t pfn;
	uint16_t offset;
};

struct mutant_change {
	struct mutant_place where;
	enum { CHANGE_WORD, CHANGE_BYTE, CHANGE_PAGE } kind;
	uint64_t value; /* or the error of a page */
};

struct mutant {
	const struct page_source *pages; /* borrowed: as they are without changes */
	struct mutant_place *words;	 /* owned: those that are something */
	uint64_t *values;		 /* owned: of the words */
	size_t word_count;
	bool *was_read; /* owned: by page number; which pages were read */
	size_t page_count;
	struct mutant_change changes[MUTANT_CHANGES_MAX];
	size_t change_count;
};

/* Without changes yet. An error fails the test. */
void mutant_init(struct mutant *m, const struct page_source *pages);
void mutant_free(struct mutant *m);

/* Borrows @m; what is changed later is changed in it. */
struct page_source mutant_pages(struct mutant *m);

/* Forgets the words of pages that were not read since mutant_init(): changing them changes nothing.
 */
void mutant_keep_what_was_read(struct mutant *m);

/* The changes that are variant @number: always the same ones. */
void mutant_choose(struct mutant *m, uint64_t number);

/* One change more, as @how, @word and @argument say (any values); none if there are too many. */
void mutant_add(struct mutant *m, uint8_t how, size_t word, uint16_t argument);

#endif
