// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_path.h"

#include <dwarf.h>

/* DIEs looked at for one place. The largest units of a kernel have 100,000 at their top; a damaged
 * one may go round for ever. */
enum { DIES_MAX = 1 << 20 };

/* Compilers may leave out .debug_aranges, the table that dwarf_addrdie() looks into. */
static bool find_unit(Dwarf *dwarf, struct code_path *p)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;
	if (dwarf_addrdie(dwarf, p->pc, &p->unit))
		return true;
	while (dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0) {
		if (dwarf_tag(&die) != DW_TAG_compile_unit || dwarf_haspc(&die, p->pc) != 1)
			continue;
		p->unit = die;
		return true;
	}
	return false;
}

static bool may_have_code(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_lexical_block;
}

/* The child of @die that covers the pc; false if none does. */
static bool find_child(const struct code_path *p, Dwarf_Die *die, unsigned *dies, Dwarf_Die *ret)
{
	Dwarf_Die child;
	for (int r = dwarf_child(die, &child); r == 0; r = dwarf_siblingof(&child, &child)) {
		if (++*dies > DIES_MAX)
			return false;
		if (may_have_code(dwarf_tag(&child)) && dwarf_haspc(&child, p->pc) == 1) {
			*ret = child;
			return true;
		}
	}
	return false;
}

bool code_path_find(Dwarf *dwarf, uint64_t bias, uint64_t pc, struct code_path *ret)
{
	struct code_path p = { .bias = bias, .pc = pc - bias };
	unsigned dies = 0;
	if (!find_unit(dwarf, &p))
		return false;
	for (Dwarf_Die die = p.unit;
	     p.depth < CODE_PATH_MAX && find_child(&p, &die, &dies, &p.list[p.depth]);)
		die = p.list[p.depth++];
	*ret = p;
	return true;
}
