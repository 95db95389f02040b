// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/dwarf_index.h"

#include <dwarf.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fnv.h"
#include "base/map.h"
#include "base/name_map.h"
#include "vmcore/image/dwarf/gdb_index.h"
#include "vmcore/image/dwarf/line_files.h"

/* Newer than elfutils 0.188; DWARF's list of language codes. */
enum { LANG_C17 = 0x2c, LANG_C23 = 0x3e };

struct maker {
	Dwarf *dwarf;		       /* borrowed */
	struct line_sections sections; /* of it */
	struct gdb_index *index;       /* owned */
	struct line_files files;       /* of the unit at hand */
	struct map seen;	       /* types and enumerators, by what tells them apart */
	/* Variables that all units see, with the first unit that does. */
	struct name_map defined, declared;
	uint64_t unit; /* the offset of the one at hand */
};

/* What the index asks of a DIE. */
struct facts {
	const char *name; /* borrowed */
	uint64_t file, line, size;
	bool declaration, external, has_place, refers;
};

/* ---- a DIE ---- */

static int take_attribute(Dwarf_Attribute *attr, void *closure)
{
	struct facts *f = closure;
	Dwarf_Word number;
	switch (dwarf_whatattr(attr)) {
	case DW_AT_name:
		f->name = dwarf_formstring(attr);
		break;
	case DW_AT_decl_file:
		f->file = dwarf_formudata(attr, &number) ? 0 : number;
		break;
	case DW_AT_decl_line:
		f->line = dwarf_formudata(attr, &number) ? 0 : number;
		break;
	case DW_AT_byte_size:
		f->size = dwarf_formudata(attr, &number) ? 0 : number;
		break;
	case DW_AT_declaration:
		(void)dwarf_formflag(attr, &f->declaration);
		break;
	case DW_AT_external:
		(void)dwarf_formflag(attr, &f->external);
		break;
	case DW_AT_location:
	case DW_AT_const_value:
		f->has_place = true;
		break;
	case DW_AT_abstract_origin:
	case DW_AT_specification:
		f->refers = true;
		break;
	default:
		break;
	}
	return DWARF_CB_OK;
}

/* What another DIE says of the same thing: its name, its place in the source, who sees it. */
static void take_from_origin(Dwarf_Die *die, struct facts *f)
{
	Dwarf_Attribute attr;
	bool external;
	if (!f->name && dwarf_attr_integrate(die, DW_AT_name, &attr))
		f->name = dwarf_formstring(&attr);
	if (!f->external && dwarf_attr_integrate(die, DW_AT_external, &attr) &&
	    !dwarf_formflag(&attr, &external))
		f->external = external;
}

static struct err *damaged(const struct maker *m)
{
	return err_new(ERR_FORMAT, "its DWARF is damaged in the unit at 0x%llx (%s)",
		       (unsigned long long)m->unit, dwarf_errmsg(-1));
}

static struct err *read_facts(const struct maker *m, Dwarf_Die *die, struct facts *ret)
{
	*ret = (struct facts){ 0 };
	if (dwarf_getattrs(die, take_attribute, ret, 0) == -1)
		return damaged(m);
	if (ret->refers)
		take_from_origin(die, ret);
	return NULL;
}

/* ---- what is in it once ---- */

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return fnv_add(hash, &number, sizeof(number));
}

/*
 * Adds @name, unless one of that name from the same place was added before. @f is of what has the
 * place, @tag tells kinds of types apart. Where the place's file is not known it is this unit's
 * alone.
 */
static struct err *add_once(struct maker *m, const char *name, enum gdb_index_kind kind, int tag,
			    const struct facts *f)
{
	bool added;
	uint64_t key = fnv_add(FNV_BEGIN, name, strlen(name) + 1);
	key = hash_number(key, (uint64_t)tag);
	key = hash_number(key, f->line);
	key = hash_number(key, f->size);
	if (f->file && f->file < m->files.count)
		key = hash_number(key, m->files.names[f->file]);
	else if (f->file || f->line)
		key = hash_number(key, m->unit);
	if (!map_add(&m->seen, map_hash(key), 1, &added))
		return err_nomem();
	if (added && tag == DW_TAG_base_type)
		gdb_index_add_base_type(m->index, name);
	else if (added)
		gdb_index_add(m->index, name, kind, true);
	return NULL;
}

/* Enumerators are names of their own, also of an enumeration without one. */
static struct err *add_enumerators(struct maker *m, Dwarf_Die *enumeration, const struct facts *f)
{
	Dwarf_Die child;
	struct err *e = NULL;
	int result = dwarf_child(enumeration, &child);
	for (; !e && !result; result = dwarf_siblingof(&child, &child)) {
		const char *name = dwarf_diename(&child);
		if (dwarf_tag(&child) == DW_TAG_enumerator && name)
			e = add_once(m, name, GDB_INDEX_VARIABLE, DW_TAG_enumerator, f);
	}
	return e || result >= 0 ? e : damaged(m);
}

/* ---- variables ---- */

/*
 * One that a unit only declares is there for a variable that no unit defines: a symbol of the
 * linker's script, say, which has its type from there.
 */
static struct err *add_variable(struct maker *m, const struct facts *f)
{
	bool added, declaration = f->declaration || !f->has_place;
	if (!declaration)
		gdb_index_add(m->index, f->name, GDB_INDEX_VARIABLE, !f->external);
	if (!f->external)
		return NULL;
	uint32_t *number = name_map_at(declaration ? &m->declared : &m->defined, f->name, &added);
	if (!number)
		return err_nomem();
	if (added)
		*number = gdb_index_units(m->index);
	return NULL;
}

/* In the order in which they were found. */
static void add_declared(struct maker *m)
{
	uint32_t unit, unused;
	const char *name;
	for (size_t i = 0; (name = name_map_entry(&m->declared, i, &unit)); i++)
		if (!name_map_get(&m->defined, name, &unused))
			gdb_index_add_in(m->index, unit, name, GDB_INDEX_VARIABLE, false);
}

/* ---- the top of a unit ---- */

static struct err *add_die(struct maker *m, Dwarf_Die *die)
{
	struct facts f;
	int tag = dwarf_tag(die);
	switch (tag) {
	case DW_TAG_subprogram:
	case DW_TAG_variable:
	case DW_TAG_base_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_structure_type:
	case DW_TAG_subrange_type:
	case DW_TAG_typedef:
	case DW_TAG_union_type:
	case DW_TAG_unspecified_type:
		break;
	/* What C has none of, and would need names that are made of several. */
	case DW_TAG_class_type:
	case DW_TAG_imported_declaration:
	case DW_TAG_imported_unit:
	case DW_TAG_interface_type:
	case DW_TAG_module:
	case DW_TAG_namespace:
		return err_new(ERR_UNSUPPORTED, "it has parts that no C has (tag 0x%x)",
			       (unsigned)tag);
	default:
		return NULL;
	}
	struct err *e = read_facts(m, die, &f);
	if (e || (f.declaration && tag != DW_TAG_variable))
		return e;
	if (tag == DW_TAG_enumeration_type)
		e = add_enumerators(m, die, &f);
	if (e || !f.name || !*f.name)
		return e;
	if (tag == DW_TAG_subprogram)
		gdb_index_add(m->index, f.name, GDB_INDEX_FUNCTION, !f.external);
	else if (tag == DW_TAG_variable)
		e = add_variable(m, &f);
	else
		e = add_once(m, f.name, GDB_INDEX_TYPE, tag, &f);
	return e;
}

static struct err *add_dies(struct maker *m, Dwarf_Die *unit)
{
	Dwarf_Die die;
	struct err *e = NULL;
	int result = dwarf_child(unit, &die);
	for (; !e && !result; result = dwarf_siblingof(&die, &die))
		e = add_die(m, &die);
	return e || result >= 0 ? e : damaged(m);
}

static struct err *add_ranges(struct maker *m, Dwarf_Die *unit)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;
	while ((at = dwarf_ranges(unit, at, &base, &start, &end)) > 0)
		if (start < end)
			gdb_index_add_range(m->index, start, end);
	return at < 0 ? damaged(m) : NULL;
}

static bool is_known_language(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case LANG_C17:
	case LANG_C23:
	case DW_LANG_Mips_Assembler:
		return true;
	default:
		return false;
	}
}

static struct err *add_unit(struct maker *m, Dwarf_Die *unit)
{
	Dwarf_Attribute attr;
	Dwarf_Word lines;
	if (!is_known_language(unit))
		return err_new(ERR_UNSUPPORTED, "its unit at 0x%llx is not in C or assembly",
			       (unsigned long long)m->unit);
	m->files.count = 0;
	struct err *e = NULL;
	if (dwarf_attr(unit, DW_AT_stmt_list, &attr) && !dwarf_formudata(&attr, &lines))
		e = line_files_read(&m->sections, lines, &m->files);
	if (!e)
		e = add_dies(m, unit);
	return e ? e : add_ranges(m, unit);
}

/* ---- all units ---- */

static struct err *add_units(struct maker *m)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;
	Dwarf_Half version;
	Dwarf_Die die, more;
	int result;
	struct err *e = NULL;
	while (!e &&
	       !(result = dwarf_get_units(m->dwarf, unit, &unit, &version, &type, &die, &more))) {
		uint64_t end = 0;
		Dwarf_Off next;
		size_t header;
		if (type != DW_UT_compile || dwarf_tag(&die) != DW_TAG_compile_unit)
			return err_new(ERR_UNSUPPORTED, "it has units that are no compile units");
		m->unit = dwarf_dieoffset(&die) - dwarf_cuoffset(&die);
		if (dwarf_next_unit(m->dwarf, m->unit, &next, &header, NULL, NULL, NULL, NULL, NULL,
				    NULL) == 0)
			end = next;
		if (end <= m->unit)
			return damaged(m);
		gdb_index_begin_unit(m->index, m->unit);
		e = add_unit(m, &die);
		gdb_index_end_unit(m->index, end - m->unit);
	}
	return e || result >= 0 ? e : damaged(m);
}

/* libdw has decompressed what it found compressed. */
static void find_section(const struct maker *m, const char *wanted, struct line_section *ret)
{
	Elf *elf = dwarf_getelf(m->dwarf);
	size_t names;
	if (elf_getshdrstrndx(elf, &names))
		return;
	for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
		GElf_Shdr h;
		const char *name = gelf_getshdr(s, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
		if (!name || strcmp(name, wanted) != 0 || h.sh_flags & SHF_COMPRESSED)
			continue;
		Elf_Data *data = elf_rawdata(s, NULL);
		if (data && data->d_buf)
			*ret = (struct line_section){ data->d_buf, data->d_size };
		return;
	}
}

struct err *dwarf_index_make(Dwarf *dwarf, struct buf *out)
{
	struct maker m = { .dwarf = dwarf,
			   .seen = MAP_INIT,
			   .defined = NAME_MAP_INIT,
			   .declared = NAME_MAP_INIT };
	struct err *e = gdb_index_new(&m.index);
	if (e)
		return e;
	find_section(&m, ".debug_line", &m.sections.line);
	find_section(&m, ".debug_line_str", &m.sections.line_str);
	find_section(&m, ".debug_str", &m.sections.str);
	e = add_units(&m);
	add_declared(&m);
	if (!e)
		e = gdb_index_write(m.index, out);
	gdb_index_free(m.index);
	line_files_free(&m.files);
	map_free(&m.seen);
	name_map_free(&m.defined);
	name_map_free(&m.declared);
	return e;
}
