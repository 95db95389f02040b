// SPDX-License-Identifier: GPL-2.0-or-later
/* The types of a kernelfile, from its DWARF. */
#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/recipe/kernelfile.h"

static bool is_type(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type || tag == DW_TAG_typedef ||
	       tag == DW_TAG_enumeration_type || tag == DW_TAG_base_type;
}

static bool index_unit(struct kernelfile *f, Dwarf_Die *unit)
{
	Dwarf_Die die;
	for (int rc = dwarf_child(unit, &die); !rc; rc = dwarf_siblingof(&die, &die)) {
		const char *name = is_type(dwarf_tag(&die)) ? dwarf_diename(&die) : NULL;
		if (!name || dwarf_hasattr(&die, DW_AT_declaration))
			continue;
		if (!names_put(&f->types, name, strlen(name), dwarf_dieoffset(&die), false))
			return false;
	}
	return true;
}

static struct err *index_types(struct kernelfile *f)
{
	f->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	if (!f->dwarf)
		return err_new(ERR_NOTFOUND, "no debugging information: %s", dwarf_errmsg(-1));
	Dwarf_Off offset = 0, next;
	size_t header;
	while (!dwarf_nextcu(f->dwarf, offset, &next, &header, NULL, NULL, NULL)) {
		Dwarf_Die unit;
		if (dwarf_offdie(f->dwarf, offset + header, &unit) && !index_unit(f, &unit))
			return err_nomem();
		offset = next;
	}
	f->types_indexed = true;
	return NULL;
}

/* The type of @die behind typedefs, const and volatile; false when there is none (void). */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Die type;
	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), &type) &&
	       !dwarf_peel_type(&type, ret);
}

/* Finds @name among the members of @type, also in its unnamed structures and unions. */
static bool find_member(Dwarf_Die *type, const char *name, size_t len, Dwarf_Die *ret_type,
			uint64_t *offset)
{
	Dwarf_Die member;
	for (int rc = dwarf_child(type, &member); !rc; rc = dwarf_siblingof(&member, &member)) {
		if (dwarf_tag(&member) != DW_TAG_member)
			continue;
		Dwarf_Attribute attr;
		Dwarf_Word start = 0;
		if (dwarf_attr(&member, DW_AT_data_member_location, &attr))
			dwarf_formudata(&attr, &start);
		Dwarf_Die its_type;
		if (!type_of(&member, &its_type))
			continue;
		const char *its_name = dwarf_diename(&member);
		bool found = its_name ? strlen(its_name) == len && !memcmp(its_name, name, len)
				      : find_member(&its_type, name, len, ret_type, offset);
		if (!found)
			continue;
		if (its_name)
			*ret_type = its_type;
		*offset += start;
		return true;
	}
	return false;
}

static struct err *step_into_member(Dwarf_Die *type, const char **path, uint64_t *offset)
{
	size_t len = strcspn(*path, ".[");
	Dwarf_Die inner;
	if (!find_member(type, *path, len, &inner, offset))
		return err_new(ERR_NOTFOUND, "%s has no member '%.*s'",
			       dwarf_diename(type) ? dwarf_diename(type) : "the type", (int)len,
			       *path);
	*type = inner;
	*path += len;
	return NULL;
}

static struct err *step_into_array(Dwarf_Die *type, const char **path, uint64_t *offset)
{
	char *end;
	unsigned long long index = strtoull(*path + 1, &end, 0);
	if (end == *path + 1 || *end != ']')
		return err_new(ERR_INVALID, "'%s' is no index", *path);
	Dwarf_Die element;
	Dwarf_Word size;
	if (dwarf_tag(type) != DW_TAG_array_type || !type_of(type, &element) ||
	    dwarf_aggregate_size(&element, &size))
		return err_new(ERR_INVALID, "[%llu] of something that is no array", index);
	*offset += index * size;
	*type = element;
	*path = end + 1;
	return NULL;
}

static bool is_char_array(Dwarf_Die *type)
{
	Dwarf_Die element;
	Dwarf_Word size;
	return dwarf_tag(type) == DW_TAG_array_type && type_of(type, &element) &&
	       dwarf_tag(&element) == DW_TAG_base_type && !dwarf_aggregate_size(&element, &size) &&
	       size == 1;
}

static void describe(Dwarf_Die *type, uint64_t offset, struct place *ret)
{
	Dwarf_Word size;
	*ret = (struct place){ .offset = offset, .kind = PLACE_OTHER };
	/* A flexible array has no size: writes are bounded by what they bring. */
	if (!dwarf_aggregate_size(type, &size))
		ret->size = size;
	int tag = dwarf_tag(type);
	if (tag == DW_TAG_base_type || tag == DW_TAG_pointer_type || tag == DW_TAG_enumeration_type)
		ret->kind = PLACE_INTEGER;
	else if (is_char_array(type))
		ret->kind = PLACE_TEXT;
}

struct err *kernelfile_place(struct kernelfile *f, const char *type, const char *path,
			     struct place *ret)
{
	struct err *e = f->types_indexed ? NULL : index_types(f);
	uint64_t where, offset = 0;
	if (e)
		return e;
	Dwarf_Die die;
	if (!names_get(&f->types, type, strlen(type), &where) ||
	    !dwarf_offdie(f->dwarf, where, &die) || dwarf_peel_type(&die, &die))
		return err_new(ERR_NOTFOUND, "no type '%s'", type);
	const char *rest = path;
	while (!e && *rest) {
		if (*rest == '[') {
			e = step_into_array(&die, &rest, &offset);
			continue;
		}
		if (*rest == '.')
			rest++;
		e = step_into_member(&die, &rest, &offset);
	}
	if (e)
		return err_wrap(e, "%s.%s", type, path);
	describe(&die, offset, ret);
	return NULL;
}
