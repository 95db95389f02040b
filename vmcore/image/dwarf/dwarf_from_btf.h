/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debugging information from what a kernel's memory always has: BTF says which types, functions and
 * per-CPU variables there are, its symbols say where. The result is DWARF 4 (32-bit format), for
 * debuggers that have no other: a unit of types and variables and some of functions for the kernel,
 * and the same for each module.
 *
 * BTF may be damaged or hostile: what makes no sense in it (a member outside of its structure, a
 * type that holds itself, a name that no terminal should print) is left out.
 */
#ifndef VMCORE_IMAGE_DWARF_DWARF_FROM_BTF_H
#define VMCORE_IMAGE_DWARF_DWARF_FROM_BTF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "vmcore/image/dwarf/btf_set.h"

struct err;

struct dwarf_place {
	uint64_t address;
	uint64_t size; /* at most up to the next symbol; 0 if unknown */
	bool global;   /* visible outside of its source file */
};

/*
 * Where things are. Each looks @name up among the symbols of object number @object alone and says
 * no unless it is there just once: a static function's name need not be unique, and then none of
 * them is known. A function that shares its address with others should be given to one of the names
 * only, and a per-CPU variable has the address that its symbol has.
 */
struct dwarf_places {
	void *self;
	bool (*function)(void *self, size_t object, const char *name, struct dwarf_place *ret);
	bool (*variable)(void *self, size_t object, const char *name, struct dwarf_place *ret);
};

/* Section contents, owned; addresses and offsets in them are final. */
struct dwarf_sections {
	struct buf info, abbrev, str, ranges, aranges; /* .debug_* */
	struct buf gdb_index;			       /* see gdb_index_write(); may be empty */
	uint32_t types, functions, variables;	       /* DIEs; of the latter those with a place */
	uint32_t omitted;			       /* members that made no sense */
};

/*
 * Converts @count (1 or more) @objects, the first of which is the kernel; see btf_set_init(). They
 * are borrowed, as is what @places leads to. ERR_INVALID, ERR_FORMAT when they do not belong
 * together or are absurdly large.
 */
__attribute__((warn_unused_result)) struct err *dwarf_from_btf(const struct btf_object *objects,
							       size_t count,
							       const struct dwarf_places *places,
							       struct dwarf_sections *ret);

/* The same in steps of some 50 ms at most, for a large kernel: the last one fills *ret and sets
 * *ret_done. After an error there is nothing left but to free it. */
struct dwarf_job;
__attribute__((warn_unused_result)) struct err *dwarf_job_new(const struct btf_object *objects,
							      size_t count,
							      const struct dwarf_places *places,
							      struct dwarf_job **ret);
__attribute__((warn_unused_result)) struct err *
dwarf_job_step(struct dwarf_job *j, struct dwarf_sections *ret, bool *ret_done);
void dwarf_job_free(struct dwarf_job *j);

void dwarf_sections_free(struct dwarf_sections *s);

#endif
