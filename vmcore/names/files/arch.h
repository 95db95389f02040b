/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for its modules' files. */
#ifndef VMCORE_NAMES_FILES_ARCH_H
#define VMCORE_NAMES_FILES_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

struct err;

/* Whether the section called @name is wanted. */
typedef bool ko_wanted(const char *name, const void *closure);

struct files_arch {
	/*
	 * Relocates the wanted sections of @elf, a module, which must have been opened with
	 * ELF_C_READ_MMAP_PRIVATE and not relocated before: its bytes are changed in memory. A
	 * section is taken to lie at @addresses[its index] (@count of them). Compressed ones are
	 * decompressed. Relocations against symbols that the file does not define, or whose
	 * distance does not fit, leave 0. ERR_FORMAT when the file is damaged, ERR_UNSUPPORTED for
	 * compression or relocations of an unknown kind; part of the sections may have been
	 * changed then.
	 */
	struct err *(*relocate)(Elf *elf, const uint64_t *addresses, size_t count,
				ko_wanted *wanted, const void *closure);
};

#endif
