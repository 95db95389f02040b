/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of the parts of .debug_info share. */
#ifndef VMCORE_IMAGE_DWARF_DWARF_WRITER_H
#define VMCORE_IMAGE_DWARF_DWARF_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "vmcore/image/dwarf/btf_set.h"
#include "vmcore/image/dwarf/btf_sound.h"
#include "vmcore/image/dwarf/dwarf_abbrev.h"
#include "vmcore/image/dwarf/dwarf_from_btf.h"
#include "vmcore/image/dwarf/gdb_index.h"

struct dwarf_writer {
	const struct btf_set *set;
	const struct btf_sound *sound;
	const struct dwarf_places *places;
	struct dwarf_sections *out;
	struct gdb_index *index; /* owned; its unit is the one being written */
	struct abbrev_codes codes;
	uint32_t *offsets; /* owned; by type: of its DIE in .debug_info, 0: not written (yet) */
	struct buf fixups; /* owned; 32-bit offsets of references, which hold types until the end */
	uint32_t producer; /* offset of its string */
	uint32_t *unit_names;	 /* owned; by object: offset of the string */
	uint32_t integers[2][9]; /* by signedness and size: a type; 0: there is none */
	bool *used;		 /* owned; by type: something else than a function refers to it */
};

/* The header of a unit of @object and its own DIE; what it holds comes next. @placed: it has code,
 * whose ranges are the next list in .debug_ranges. Returns the unit's offset. */
uint32_t dwarf_begin_unit(struct dwarf_writer *w, uint32_t object, bool placed);
void dwarf_end_unit(struct dwarf_writer *w, uint32_t unit);

/* Begins a DIE: its abbreviation code. The attributes follow in the order of dwarf_abbrev.c. */
void dwarf_die(struct dwarf_writer *w, enum die kind, unsigned flags);

/* DW_AT_type: a reference to type @index. */
void dwarf_ref(struct dwarf_writer *w, uint32_t index);

/* DIE_TYPED if a reference of @from to @to is one to a type, 0 if it is to void or left out. */
unsigned dwarf_typed(const struct dwarf_writer *w, uint32_t from, uint32_t to);

/* The string offset of the name of @t, 0 if it has none. */
uint32_t dwarf_name(const struct dwarf_writer *w, const struct btf_type *t);

/* The integer type of @size bytes that C would choose for an enumeration, 0 if BTF has none. */
uint32_t dwarf_integer(const struct dwarf_writer *w, uint32_t size, bool is_signed);

/* Looks through all types: which are referred to (prototypes that only functions have need no DIE),
 * which are the plain integers. */
void dwarf_survey(struct dwarf_writer *w);

/* The DIEs of all types of @object. */
void dwarf_write_types(struct dwarf_writer *w, uint32_t object);

/* The parameters of prototype @index, and the end of their DIE. */
void dwarf_write_parameters(struct dwarf_writer *w, uint32_t index, const struct btf_type *proto);

/* Units with all functions of @object, and in .debug_ranges and .debug_aranges (a list and a set
 * for each unit) where their code is. */
__attribute__((warn_unused_result)) struct err *dwarf_write_functions(struct dwarf_writer *w,
								      uint32_t object);

/* The DIEs of @object's variables. */
__attribute__((warn_unused_result)) struct err *dwarf_write_variables(struct dwarf_writer *w,
								      uint32_t object);

/* The offset in .debug_str of a string that BTF does not have. */
uint32_t dwarf_string(struct dwarf_writer *w, const char *s);

#endif
