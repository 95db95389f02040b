// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/dwarf_abbrev.h"

#include <dwarf.h>
#include <string.h>

#include "base/buf.h"
#include "base/leb.h"

enum { MAX_ATTRIBUTES = 8 };

/* An attribute of a DIE that has the flags @with and none of @without. */
struct attribute {
	uint16_t name, form;
	uint16_t with, without;
};

struct shape {
	uint16_t tag;
	uint16_t flags;				     /* those that it may have */
	uint16_t always;			     /* those that it has at any rate */
	struct attribute attributes[MAX_ATTRIBUTES]; /* up to the first without a name */
};

/* References are offsets in .debug_info: a module's types refer to the kernel's and the other way
 * round. */
#define NAME                                        \
	{                                           \
		DW_AT_name, DW_FORM_strp, DIE_NAMED \
	}
#define TYPE                                            \
	{                                               \
		DW_AT_type, DW_FORM_ref_addr, DIE_TYPED \
	}
#define SIZE                                                            \
	{                                                               \
		DW_AT_byte_size, DW_FORM_udata, .without = DIE_DECLARED \
	}
#define DECLARATION                                                      \
	{                                                                \
		DW_AT_declaration, DW_FORM_flag_present, DIE_DECLARED, 0 \
	}

static const struct shape shapes[DIE_KINDS] = {
	[DIE_UNIT] = { DW_TAG_compile_unit,
		       DIE_PLACED,
		       DIE_NAMED | DIE_PARENT,
		       { { DW_AT_producer, DW_FORM_strp },
			 { DW_AT_language, DW_FORM_data1 },
			 NAME,
			 { DW_AT_low_pc, DW_FORM_addr, DIE_PLACED },
			 { DW_AT_ranges, DW_FORM_sec_offset, DIE_PLACED } } },
	[DIE_BASE_TYPE] = { DW_TAG_base_type,
			    DIE_NAMED,
			    0,
			    { NAME,
			      { DW_AT_byte_size, DW_FORM_udata },
			      { DW_AT_encoding, DW_FORM_data1 } } },
	[DIE_POINTER] = { DW_TAG_pointer_type,
			  DIE_TYPED,
			  0,
			  { { DW_AT_byte_size, DW_FORM_data1 }, TYPE } },
	[DIE_ARRAY] = { DW_TAG_array_type, DIE_TYPED, DIE_PARENT, { TYPE } },
	[DIE_SUBRANGE] = { DW_TAG_subrange_type,
			   DIE_TYPED | DIE_COUNTED,
			   0,
			   { TYPE, { DW_AT_count, DW_FORM_udata, DIE_COUNTED } } },
	[DIE_STRUCT] = { DW_TAG_structure_type,
			 DIE_NAMED | DIE_PARENT | DIE_DECLARED,
			 0,
			 { NAME, SIZE, DECLARATION } },
	[DIE_UNION] = { DW_TAG_union_type,
			DIE_NAMED | DIE_PARENT | DIE_DECLARED,
			0,
			{ NAME, SIZE, DECLARATION } },
	[DIE_MEMBER] = { DW_TAG_member,
			 DIE_NAMED | DIE_BITS,
			 DIE_TYPED,
			 { NAME,
			   TYPE,
			   { DW_AT_data_member_location, DW_FORM_udata, .without = DIE_BITS },
			   { DW_AT_bit_size, DW_FORM_udata, DIE_BITS },
			   { DW_AT_data_bit_offset, DW_FORM_udata, DIE_BITS } } },
	[DIE_ENUM] = { DW_TAG_enumeration_type,
		       DIE_NAMED | DIE_TYPED | DIE_PARENT | DIE_DECLARED,
		       0,
		       { NAME, SIZE, TYPE, DECLARATION } },
	[DIE_ENUMERATOR] = { DW_TAG_enumerator,
			     0,
			     DIE_NAMED,
			     { NAME, { DW_AT_const_value, DW_FORM_udata } } },
	[DIE_SIGNED_ENUMERATOR] = { DW_TAG_enumerator,
				    0,
				    DIE_NAMED,
				    { NAME, { DW_AT_const_value, DW_FORM_sdata } } },
	[DIE_TYPEDEF] = { DW_TAG_typedef, DIE_NAMED | DIE_TYPED, 0, { NAME, TYPE } },
	[DIE_CONST] = { DW_TAG_const_type, DIE_TYPED, 0, { TYPE } },
	[DIE_VOLATILE] = { DW_TAG_volatile_type, DIE_TYPED, 0, { TYPE } },
	[DIE_RESTRICT] = { DW_TAG_restrict_type, DIE_TYPED, 0, { TYPE } },
	[DIE_PROTOTYPE] = { DW_TAG_subroutine_type,
			    DIE_TYPED | DIE_PARENT,
			    0,
			    { { DW_AT_prototyped, DW_FORM_flag_present }, TYPE } },
	[DIE_PARAMETER] = { DW_TAG_formal_parameter, DIE_NAMED | DIE_TYPED, 0, { NAME, TYPE } },
	[DIE_MORE_PARAMETERS] = { DW_TAG_unspecified_parameters, 0, 0, { { 0 } } },
	[DIE_FUNCTION] = { DW_TAG_subprogram,
			   DIE_TYPED | DIE_PARENT | DIE_PLACED | DIE_GLOBAL,
			   DIE_NAMED,
			   { NAME,
			     TYPE,
			     { DW_AT_low_pc, DW_FORM_addr, DIE_PLACED },
			     { DW_AT_high_pc, DW_FORM_data4, DIE_PLACED },
			     { DW_AT_prototyped, DW_FORM_flag_present },
			     { DW_AT_external, DW_FORM_flag_present, DIE_GLOBAL },
			     { DW_AT_declaration, DW_FORM_flag_present, .without = DIE_PLACED } } },
	[DIE_VARIABLE] = { DW_TAG_variable,
			   DIE_TYPED | DIE_PLACED | DIE_GLOBAL,
			   DIE_NAMED,
			   { NAME,
			     TYPE,
			     { DW_AT_location, DW_FORM_exprloc, DIE_PLACED },
			     { DW_AT_external, DW_FORM_flag_present, DIE_GLOBAL },
			     { DW_AT_declaration, DW_FORM_flag_present, .without = DIE_PLACED } } },
};

static void add_shape(struct buf *b, unsigned code, const struct shape *s, unsigned flags)
{
	leb_add_unsigned(b, code);
	leb_add_unsigned(b, s->tag);
	leb_add_u8(b, flags & DIE_PARENT ? DW_CHILDREN_yes : DW_CHILDREN_no);
	for (int i = 0; i < MAX_ATTRIBUTES && s->attributes[i].name; i++) {
		const struct attribute *a = &s->attributes[i];
		if ((flags & a->with) != a->with || flags & a->without)
			continue;
		leb_add_unsigned(b, a->name);
		leb_add_unsigned(b, a->form);
	}
	leb_add_unsigned(b, 0);
	leb_add_unsigned(b, 0);
}

void dwarf_abbrevs(struct buf *b, struct abbrev_codes *ret)
{
	unsigned code = 0;
	memset(ret, 0, sizeof(*ret));
	for (int kind = 0; kind < DIE_KINDS; kind++) {
		const struct shape *s = &shapes[kind];
		for (unsigned flags = 0; flags < DIE_FLAGS; flags++) {
			if (flags & ~(unsigned)(s->flags | s->always) ||
			    (flags & s->always) != s->always)
				continue;
			add_shape(b, ++code, s, flags);
			ret->code[kind][flags] = (uint8_t)code;
		}
	}
	leb_add_unsigned(b, 0);
}
