/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Applying the relocations of an x86-64 relocatable ELF file to its sections in memory. */
#ifndef ARCH_X86_64_NAMES_KO_RELOCATE_H
#define ARCH_X86_64_NAMES_KO_RELOCATE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/names/files/arch.h"

extern const struct files_arch x86_64_files;

/* Its files_arch.relocate. */
__attribute__((warn_unused_result)) struct err *ko_relocate(Elf *elf, const uint64_t *addresses,
							    size_t count, ko_wanted *wanted,
							    const void *closure);

#endif
