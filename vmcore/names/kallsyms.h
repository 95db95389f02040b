/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding the kallsyms tables, wherever the memory that holds them comes from. */
#ifndef VMCORE_NAMES_KALLSYMS_H
#define VMCORE_NAMES_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct symbols;
struct vmcoreinfo;

/* As memory_read(): part read is success, nothing read an error. */
struct kallsyms_memory {
	void *self;
	struct err *(*read)(void *self, uint64_t address, void *out, size_t len, size_t *ret_done);
};

/* See symbols_from_kallsyms(). */
__attribute__((warn_unused_result)) struct err *kallsyms_read(const struct kallsyms_memory *memory,
							      const struct vmcoreinfo *info,
							      struct symbols **ret);

#endif
