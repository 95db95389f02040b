/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frames of a dump's tasks: what the unwinder asks for, answered from the dump. */
#ifndef VMCORE_CODE_UNWIND_SOURCE_H
#define VMCORE_CODE_UNWIND_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/unwind.h"

struct code_map;
struct cpus;
struct err;
struct first_regs;
struct kernel;
struct module_files;
struct orc_tables;
struct registers;
struct task;
struct tasks;
struct unwinder;

/* Where frames come from. All is borrowed and must outlive the unwinder. */
struct unwinder_parts {
	const struct kernel *k;
	const struct cpus *cpus;
	const struct tasks *tasks;
	struct registers *registers;
	struct code_map *code;
	struct module_files *files; /* NULL: modules have what is in memory alone */
};

/* Opens and reads nothing yet. */
__attribute__((warn_unused_result)) struct err *unwinder_new(const struct unwinder_parts *parts,
							     struct unwinder **ret);
void unwinder_free(struct unwinder *u);

/* The ORC tables that it reads, borrowed. */
struct orc_tables *unwinder_orc(const struct unwinder *u);

/* Frame 0 as a task's first registers make it. */
struct frame unwinder_first_frame(const struct first_regs *first);

/*
 * Frame 0 of @task (one of the parts' tasks) alone, as unwinder_frames() begins with it, without
 * unwinding: what a debugger starts from. *ret_why is NULL if its rip and rsp are known; else it is
 * the reason that they are not, borrowed from the unwinder, and *ret holds what is known. An error
 * only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *unwinder_first(struct unwinder *u,
							       const struct task *task,
							       struct frame *ret,
							       const char **ret_why);

/*
 * The frames of @task (one of the parts' tasks), freed with frames_free(). One whose registers are
 * unknown has none and is lost, with the reason. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
unwinder_frames(struct unwinder *u, const struct task *task, struct frames *ret);

/* Whether, since this was asked last, a task of a machine that runs was in code that is not among
 * that of the modules that were listed: one or the other has come or gone. */
bool unwinder_code_is_old(struct unwinder *u);

#endif
