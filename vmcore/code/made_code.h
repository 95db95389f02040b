/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The code that the kernel made at run time, by name: BPF programs, their trampolines and
 * dispatchers, and ftrace's trampolines. */
#ifndef VMCORE_CODE_MADE_CODE_H
#define VMCORE_CODE_MADE_CODE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

struct made_function {
	uint64_t start, end; /* [start, end) */
	char *name; /* "ftrace_trampoline", "bpf_prog_6deef7357e7b4530_sd_devices"; owned by the
		       list */
};

struct made_code {
	struct made_function *list; /* owned; by address, and apart from each other */
	size_t count;
};

/*
 * The kernel's list bpf_kallsyms of struct bpf_ksym (kernel/bpf/core.c, since 5.7), and the
 * trampolines of its ftrace_ops_list (kernel/trace/ftrace.c). Damage ends the walk with a note in
 * @k; an error only when memory is out. A kernel without a list has none of them.
 */
__attribute__((warn_unused_result)) struct err *made_code_read(struct kernel *k,
							       struct made_code *ret);
/* What holds @address, borrowed; NULL if nothing does. */
const struct made_function *made_code_find(const struct made_code *m, uint64_t address);
void made_code_free(struct made_code *b);

#endif
