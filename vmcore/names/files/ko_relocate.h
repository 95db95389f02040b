/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying the relocations of an x86-64 relocatable ELF file to its sections in memory. */
#ifndef VMCORE_NAMES_FILES_KO_RELOCATE_H
#define VMCORE_NAMES_FILES_KO_RELOCATE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Whether the section called @name is wanted. */
typedef bool ko_wanted(const char *name, const void *closure);

/*
 * Relocates the wanted sections of @elf, which must have been opened with ELF_C_READ_MMAP_PRIVATE
 * and not relocated before: its bytes are changed in memory. A section is taken to lie at
 * @addresses[its index] (@count of them). Compressed ones are decompressed. Relocations against
 * symbols that the file does not define, or whose distance does not fit, leave 0. ERR_FORMAT when
 * the file is damaged, ERR_UNSUPPORTED for compression or relocations of an unknown kind; part of
 * the sections may have been changed then.
 */
__attribute__((warn_unused_result)) struct err *ko_relocate(Elf *elf, const uint64_t *addresses,
							    size_t count, ko_wanted *wanted,
							    const void *closure);

#endif
