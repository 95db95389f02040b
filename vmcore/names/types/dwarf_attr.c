// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/dwarf_attr.h"

#include <dwarf.h>

#include "base/err.h"
#include "vmcore/names/types/type_source.h"

bool dwarf_number(Dwarf_Die *die, unsigned name, uint64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;
	if (!dwarf_attr(die, name, &attr) || dwarf_formudata(&attr, &value))
		return false;
	*ret = value;
	return true;
}

uint64_t dwarf_dimension(Dwarf_Die *subrange)
{
	uint64_t n;
	if (dwarf_number(subrange, DW_AT_count, &n))
		return n;
	/* [0] may be written as an upper bound of -1. */
	if (dwarf_number(subrange, DW_AT_upper_bound, &n) && n < INT64_MAX)
		return n + 1;
	return 0;
}

bool dwarf_constant(Dwarf_Die *die, int64_t *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Sword value;
	Dwarf_Word word;
	if (!dwarf_attr(die, DW_AT_const_value, &attr))
		return false;
	/* Short forms have no sign of their own; gcc and clang use DW_FORM_sdata for negatives. */
	if (dwarf_whatform(&attr) == DW_FORM_sdata ||
	    dwarf_whatform(&attr) == DW_FORM_implicit_const) {
		if (dwarf_formsdata(&attr, &value))
			return false;
		*ret = value;
		return true;
	}
	if (dwarf_formudata(&attr, &word))
		return false;
	*ret = (int64_t)word;
	return true;
}

uint64_t dwarf_type_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;
	if (!dwarf_attr(die, DW_AT_type, &attr) || !dwarf_formref_die(&attr, &type))
		return 0;
	return dwarf_dieoffset(&type);
}

/*
 * Where a member starts, in bytes: DW_AT_data_member_location is a constant, or (DWARF 2) an
 * expression that adds one to the structure's address, or absent for 0 (unions).
 */
static struct err *member_location(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attr;
	if (!dwarf_attr(die, DW_AT_data_member_location, &attr)) {
		*ret = 0;
		return NULL;
	}
	Dwarf_Word value;
	if (!dwarf_formudata(&attr, &value)) {
		*ret = value;
		return NULL;
	}
	Dwarf_Op *op;
	size_t count;
	if (dwarf_getlocation(&attr, &op, &count) || count != 1 || op->atom != DW_OP_plus_uconst)
		return err_new(ERR_UNSUPPORTED, "the place of a member has to be computed");
	*ret = op->number;
	return NULL;
}

/* The size in bytes of what a bit-field is declared as. */
static uint64_t storage_size(Dwarf *dwarf, Dwarf_Die *die)
{
	uint64_t size = 0;
	if (dwarf_number(die, DW_AT_byte_size, &size))
		return size;
	Dwarf_Die type;
	uint64_t id = dwarf_type_of(die);
	/* Through a typedef or two; DWARF 3 of gcc says DW_AT_byte_size at the member. */
	for (int i = 0; i < 16 && id && dwarf_offdie(dwarf, id, &type); i++) {
		if (dwarf_number(&type, DW_AT_byte_size, &size))
			break;
		id = dwarf_type_of(&type);
	}
	return size;
}

struct err *dwarf_place_member(Dwarf *dwarf, Dwarf_Die *die, struct type_field *f)
{
	uint64_t bytes = 0, bits = 0, from_top;
	struct err *e = member_location(die, &bytes);
	if (e)
		return e;
	if (bytes > UINT32_MAX)
		return err_new(ERR_FORMAT, "a member starts 0x%llx bytes into its structure",
			       (unsigned long long)bytes);
	f->bit = bytes * 8;
	if (!dwarf_number(die, DW_AT_bit_size, &bits))
		return NULL;
	f->bit_size = bits > UINT32_MAX ? UINT32_MAX : (uint32_t)bits;
	if (dwarf_number(die, DW_AT_data_bit_offset, &bits))
		f->bit += bits;
	else if (dwarf_number(die, DW_AT_bit_offset, &from_top))
		/* Counted from the most significant bit of the storage: little-endian turns it. */
		f->bit += storage_size(dwarf, die) * 8 - from_top - f->bit_size;
	return NULL;
}
