/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a kernel that was booted to save a dump to the one that has crashed before it. */
#ifndef VMCORE_FIND_CRASHED_KERNEL_H
#define VMCORE_FIND_CRASHED_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct memory;

/*
 * Where the ELF header lies that describes the crashed kernel's memory, a physical address: what
 * "elfcorehdr=[SIZE@]ADDRESS" in @command_line says (Documentation/admin-guide/kernel-parameters).
 * False if that is not there: the kernel was not booted to save a dump.
 */
bool crashed_kernel_header(const char *command_line, uint64_t *ret);

/*
 * The text of the crashed kernel's VMCOREINFO, by the ELF header at @header in physical memory:
 * each of its PT_NOTE segments is a note in place (crash_prepare_elf64_headers(),
 * kernel/crash_core.c). ERR_NOTFOUND if none leads to it. *ret_text is owned by the caller, and
 * ends with a zero byte.
 */
__attribute__((warn_unused_result)) struct err *
crashed_kernel_vmcoreinfo(struct memory *m, uint64_t header, char **ret_text, size_t *ret_len);

#endif
