/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compressed debug sections: whether what is in them can be had here, and at what cost. */
#ifndef VMCORE_NAMES_DEBUG_SECTIONS_H
#define VMCORE_NAMES_DEBUG_SECTIONS_H

#include <libelf.h>

struct err;

/*
 * NULL if the debug sections of @elf are not compressed, or in a way that libdw undoes. Otherwise
 * what they are and what to do, in a sentence that does not name the file: ERR_UNSUPPORTED for
 * zstd, where libelf does not have it, and for GNU's old format (.zdebug_info) in a module, whose
 * sections have to be relocated; ERR_FORMAT for what would fill the memory. Nothing is decompressed
 * in @elf.
 */
__attribute__((warn_unused_result)) struct err *debug_sections_check(Elf *elf);

#endif
