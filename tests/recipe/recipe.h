/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recipe: text that says what a machine's memory, CPUs and dump look like. Reading one carries
 * its directives out at once, in order, on a machine model; output.h then writes the dump.
 * README.md is the language's reference.
 */
#ifndef RECIPE_RECIPE_H
#define RECIPE_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/recipe/kernelfile.h"
#include "tests/recipe/names.h"
#include "tests/recipe/paging.h"
#include "tests/recipe/physmem.h"
#include "tests/recipe/plan.h"

struct err;
struct source;

struct named_table {
	char *name; /* owned */
	struct paging paging;
};

struct recipe {
	struct physmem mem;
	struct names constants;
	struct names overrides;	   /* constants from outside, which `set` leaves alone */
	struct kernelfile **files; /* owned, as is the array */
	size_t file_count;
	struct named_table *tables; /* owned */
	size_t table_count;
	size_t table_current;	/* which one `virt` means; table_count while there is none */
	struct buf notes;	/* every note but VMCOREINFO, as ELF notes */
	unsigned int cpu_notes; /* how many of them are NT_PRSTATUS */
	struct buf vmcoreinfo;	/* the text of that note */
	struct plan plan;
	char **folders; /* where files are looked for; owned */
	size_t folder_count;
	struct source **sources; /* owned; errors and tokens point into them */
	size_t source_count;
	unsigned int depth; /* of `include` */
};

void recipe_init(struct recipe *r);
void recipe_free(struct recipe *r);

/* Before reading: a folder to look for files in, after the recipe's own. */
struct err *recipe_add_folder(struct recipe *r, const char *path);

/* Before reading: a constant that wins over the recipe's own `set`. */
struct err *recipe_define(struct recipe *r, const char *name, uint64_t value);

struct err *recipe_read_file(struct recipe *r, const char *path);

/* @name stands for the file in errors. */
struct err *recipe_read_text(struct recipe *r, const char *name, const char *text);

#endif
