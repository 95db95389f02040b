/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A .gdb_index (gdb_index.h) for an executable that has DWARF and none: for a vmlinux that is
 * served to gdb, which otherwise looks through all of its DIEs, and for gdb 13 expands thousands of
 * units for one type's name.
 *
 * It names what gdb itself would: types, functions, variables and enumerators at the top of each
 * unit, and which unit has which code. A type that many units take from the same line of the same
 * header is in the index once.
 */
#ifndef VMCORE_IMAGE_DWARF_DWARF_INDEX_H
#define VMCORE_IMAGE_DWARF_DWARF_INDEX_H

#include <elfutils/libdw.h>

struct buf;
struct err;

/*
 * Appends the section for @dwarf to @out, in time linear in its size. ERR_UNSUPPORTED where an
 * index might hide something of it from gdb: units of other languages than C and assembly, those
 * that share or import parts of others, type units; ERR_FORMAT where it is damaged.
 */
__attribute__((warn_unused_result)) struct err *dwarf_index_make(Dwarf *dwarf, struct buf *out);

#endif
