/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump made from a recipe and opened as the server opens one: file, memory, kernel, CPUs, tasks,
 * registers. Tests describe what differs from a recipe in contrib/demo or here, and look at what
 * came of it.
 */
#ifndef TESTS_KERNEL_MACHINE_H
#define TESTS_KERNEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/base/regs.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/memory/memory.h"

/* Paths of what the build made. */
#define DEMO_VMLINUX BUILD_FOLDER "/contrib/demo/vmlinux"

/* A `set` of the recipe to be overridden. */
struct define {
	const char *name;
	uint64_t value;
};

enum { DEFINES_MAX = 4 };

/* What to make; all but @recipe may be left out. */
struct machine_plan {
	const char *recipe;  /* the file to include */
	const char *extra;   /* statements behind it */
	const char *symbols; /* --symbols; NULL: none */
	const char *folder;  /* where the recipe's files are looked for first */
	struct define defines[DEFINES_MAX];
	/* What of the recipe's notes is forgotten before @extra is read, which may make others. */
	bool drop_cpu_notes, drop_vmcoreinfo;
};

struct machine {
	int fd; /* owned: the dump, which has no name */
	char path[32];
	struct dump *dump;
	struct memory *memory;
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
	struct registers *registers;
};

/* The dump of @plan, made and opened; a recipe that is wrong fails the test. */
void machine_make(struct machine *m, const struct machine_plan *plan);

/* All above the dump, with pages from @pages, which are the dump's if it is NULL. */
ERR_MUST_CHECK struct err *machine_open_kernel(struct machine *m, const struct page_source *pages,
					       const char *symbols);

/* Both; an error fails the test. */
void machine_open(struct machine *m, const struct machine_plan *plan);

/* What machine_open_kernel() opened; the dump stays. */
void machine_close_kernel(struct machine *m);
void machine_close(struct machine *m);

/* The task with this thread id, which must exist. */
const struct task *machine_task(const struct machine *m, uint32_t tid);
/* The one that a debugger finds selected if the registers of all are known. */
const struct task *machine_current(const struct machine *m);
const struct first_regs *machine_regs(const struct machine *m, uint32_t tid);

/* Fails the test with the error's message, if there is one; frees it. */
void assert_no_err(struct err *e);
/* Whether @e is of this kind and says all of this; frees it. */
void assert_err(struct err *e, enum err_code code, const char *part);

/* Whether the notes that the kernel layer left say this. */
void assert_note(const struct machine *m, const char *part);
void assert_no_note(const struct machine *m, const char *part);

/* The register is known, and is this; or is not known. */
void assert_reg(const struct first_regs *f, enum reg reg, uint64_t value);
void assert_reg_unknown(const struct first_regs *f, enum reg reg);
/* Nothing is known of the thread's registers, because of this. */
void assert_unknown(const struct machine *m, uint32_t tid, const char *why);

#endif
