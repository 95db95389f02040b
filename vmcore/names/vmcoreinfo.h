/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VMCOREINFO note: KEY=VALUE lines that the kernel writes for dump tools
 * (kernel/vmcore_info.c, kernel/crash_core.c, arch/x86/kernel/vmcore_info_64.c).
 */
#ifndef VMCORE_NAMES_VMCOREINFO_H
#define VMCORE_NAMES_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct vmcoreinfo;

/* Parses a copy of the @len bytes at @text; what is no KEY=VALUE line is passed over. */
__attribute__((warn_unused_result)) struct err *vmcoreinfo_parse(const char *text, size_t len,
								 struct vmcoreinfo **ret);
void vmcoreinfo_free(struct vmcoreinfo *v);

/* All of these take NULL for @v, which knows nothing. */

/* The value of a key ("OSRELEASE", "KERNELOFFSET", ...), or NULL; borrowed. */
const char *vmcoreinfo_get(const struct vmcoreinfo *v, const char *key);
/* SYMBOL(@name): a run-time address. */
bool vmcoreinfo_symbol(const struct vmcoreinfo *v, const char *name, uint64_t *ret);
/* NUMBER(@name), signed decimal as the kernel prints it (two's complement in *ret). */
bool vmcoreinfo_number(const struct vmcoreinfo *v, const char *name, uint64_t *ret);
/* OFFSET(@member), "struct.member", and SIZE(@type), in bytes. */
bool vmcoreinfo_offset(const struct vmcoreinfo *v, const char *member, uint64_t *ret);
bool vmcoreinfo_size(const struct vmcoreinfo *v, const char *type, uint64_t *ret);
/* KERNELOFFSET, hexadecimal: how far KASLR moved the kernel. */
bool vmcoreinfo_kernel_offset(const struct vmcoreinfo *v, uint64_t *ret);

#endif
