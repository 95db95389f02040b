/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for the code of its kernels. */
#ifndef VMCORE_CODE_ARCH_H
#define VMCORE_CODE_ARCH_H

#include <stdbool.h>

#include "vmcore/code/unwind_source.h"

struct code_rules;
struct code_tables;
struct cpu;
struct kernel;
struct module;
struct modules;
struct task;

/* Whose frames are looked for: what the self of a question of unwind_source begins with. */
struct unwind_question {
	const struct unwinder_parts *parts;
	const struct task *task;
	const struct cpu *cpu; /* where the task runs; NULL if it does not */
};

struct code_arch {
	/* For unwind_source.asks; its functions are given a struct unwind_question as their self.
	 * NULL: the strategies of the architecture ask nothing. */
	const void *asks;
	/* Whether the kernel is one whose functions all keep frame pointers, as far as its code
	 * tells; asked where nothing else does. */
	bool (*keeps_frame_pointers)(const struct kernel *k);

	/*
	 * Tables of the kernel's own for its unwinder, by the modules that are listed. All three
	 * are NULL where there are none. ERR_NOMEM only; what is damaged is left out, with a note.
	 * The answer of find() is for unwind_source.orc; @module is NULL for the kernel itself.
	 */
	struct err *(*tables_new)(const struct kernel *k, const struct modules *modules,
				  struct module_files *files, struct orc_tables **ret);
	void (*tables_free)(struct orc_tables *t);
	bool (*tables_find)(struct orc_tables *t, const struct module *module, uint64_t pc,
			    struct orc_entry *ret);

	/* What following instructions says, for unwind_source.code; all three are NULL where they
	 * are not followed. ERR_NOMEM only. */
	struct err *(*rules_new)(const struct kernel *k, struct code_map *code,
				 struct code_tables **ret);
	void (*rules_free)(struct code_tables *t);
	bool (*rules_find)(struct code_tables *t, uint64_t pc, bool exact, struct code_rules *ret,
			   uint64_t *ret_function);
};

#endif
