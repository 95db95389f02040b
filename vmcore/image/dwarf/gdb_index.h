/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The section .gdb_index, version 8 (GDB's manual, "Index Section Format"): which unit of
 * .debug_info has which name, and which has the code at an address.
 *
 * gdb reads it instead of looking through all DIEs. More than speed it is for identity: a generated
 * file has the build-id of the kernel's own, and gdb's index cache goes by build-ids. A file that
 * has an index is neither read through the cache nor written to it.
 */
#ifndef VMCORE_IMAGE_DWARF_GDB_INDEX_H
#define VMCORE_IMAGE_DWARF_GDB_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct gdb_index;

enum {
	GDB_INDEX_NAMES_MAX = 1 << 21,	/* names that differ; Linux has some 100,000 */
	GDB_INDEX_TEXT_MAX = 256 << 20, /* bytes of all of them */
};

/* The format's numbers. Enumerators are GDB_INDEX_VARIABLE. */
enum gdb_index_kind {
	GDB_INDEX_TYPE = 1,
	GDB_INDEX_VARIABLE = 2,
	GDB_INDEX_FUNCTION = 3,
};

__attribute__((warn_unused_result)) struct err *gdb_index_new(struct gdb_index **ret);
void gdb_index_free(struct gdb_index *x);

/* What is added from now on belongs to the unit whose header is at @offset of .debug_info. */
void gdb_index_begin_unit(struct gdb_index *x, uint64_t offset);

/* That unit has @length bytes, its header among them. */
void gdb_index_end_unit(struct gdb_index *x, uint64_t length);

/* The unit defines @name, which is borrowed until the end and has no bytes beyond ASCII.
 * @is_static: only its own unit can name it; in C this goes for all types and enumerators. */
void gdb_index_add(struct gdb_index *x, const char *name, enum gdb_index_kind kind, bool is_static);

/* A base type, which can be looked up by the name that gdb makes of the compiler's, too: gdb's own
 * index has none but that since version 13. */
void gdb_index_add_base_type(struct gdb_index *x, const char *name);

/* The same as gdb_index_add() for a unit that was ended, the @unit-th, counted from 0. */
void gdb_index_add_in(struct gdb_index *x, uint32_t unit, const char *name,
		      enum gdb_index_kind kind, bool is_static);
/* How many units were ended. */
uint32_t gdb_index_units(const struct gdb_index *x);

/* The unit has the code in [@start, @end), which no other has. */
void gdb_index_add_range(struct gdb_index *x, uint64_t start, uint64_t end);

/*
 * Appends the section's bytes to @out, in time linear in what was added; none when there is too
 * much for the format or the limits above, or when names were made to share their hash: a debugger
 * then looks for itself. The error is ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *gdb_index_write(const struct gdb_index *x,
								struct buf *out);

#endif
