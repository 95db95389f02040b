/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The code that the kernel made from BPF programs, and their trampolines and dispatchers, by name.
 */
#ifndef VMCORE_CODE_BPF_SYMBOLS_H
#define VMCORE_CODE_BPF_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

struct bpf_symbol {
	uint64_t start, end; /* [start, end) */
	char *name;	     /* "bpf_prog_6deef7357e7b4530_sd_devices"; owned by the list */
};

struct bpf_symbols {
	struct bpf_symbol *list; /* owned; by address, and apart from each other */
	size_t count;
};

/*
 * The kernel's list bpf_kallsyms of struct bpf_ksym (kernel/bpf/core.c, since 5.7). Damage ends the
 * walk with a note in @k; an error only when memory is out. A kernel without the list has none.
 */
__attribute__((warn_unused_result)) struct err *bpf_symbols_read(struct kernel *k,
								 struct bpf_symbols *ret);
void bpf_symbols_free(struct bpf_symbols *b);

#endif
