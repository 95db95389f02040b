/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Return addresses that tracers have replaced: kretprobes, fprobe and the function graph tracer put
 * the address of a trampoline where a function's return address was, and keep what was there.
 */
#ifndef VMCORE_CODE_TRACED_RETURNS_H
#define VMCORE_CODE_TRACED_RETURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

enum { TRACED_TRAMPOLINES = 4 };

/* How this kernel keeps them. */
struct traced_layout {
	uint64_t trampolines[TRACED_TRAMPOLINES]; /* run-time addresses */
	size_t trampoline_count;
	/* Offsets; which of them are known says what the kernel has. */
	struct {
		bool known;
		uint64_t first, link, address, slot; /* in task_struct; in a node, the others */
	} rethooks, instances;
	struct {
		bool known;
		uint64_t table, link, task, address, slot; /* an array of 64 lists; in a node */
	} hashed;
	struct {
		bool known, words; /* entries lie among words that say how long they are */
		uint64_t stack, current, size, address, slot;
	} graph;
};

void traced_layout_find(const struct kernel *k, struct traced_layout *ret);

/* Whether @address is one that tracers put in place of return addresses. */
bool traced_is_trampoline(const struct traced_layout *l, uint64_t address);

/* Of one word of a stack: where it is, and what it was before a tracer came. */
struct traced_return {
	uint64_t slot, address;
};

/* One task's, sorted by slot, one a slot: those whose records contradict each other are left out.
 */
struct traced_returns {
	struct traced_return *list; /* owned */
	size_t count;
};

/*
 * Reads what the kernel keeps of the task whose task_struct is at @task: rethook_node and
 * kretprobe_instance (include/linux/rethook.h, kprobes.h), ftrace_ret_stack
 * (include/linux/ftrace.h). Kretprobes of kernels before 5.0 do not keep the slot: none of them.
 * Damage ends a list. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *traced_returns_read(const struct kernel *k,
								    const struct traced_layout *l,
								    uint64_t task,
								    struct traced_returns *ret);
void traced_returns_free(struct traced_returns *t);

/* What the word at @slot was; false if no tracer has kept it. */
bool traced_returns_find(const struct traced_returns *t, uint64_t slot, uint64_t *ret);

#endif
