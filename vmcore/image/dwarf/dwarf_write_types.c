// SPDX-License-Identifier: GPL-2.0-or-later
/* One DIE, with those inside of it, for each type of BTF. */
#include <dwarf.h>
#include <string.h>

#include "base/bytes.h"
#include "base/leb.h"
#include "vmcore/image/dwarf/dwarf_writer.h"

/* Encodings of struct btf_type's integer (BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL). */
enum { INT_SIGNED = 1, INT_CHAR = 2, INT_BOOL = 4 };

void dwarf_die(struct dwarf_writer *w, enum die kind, unsigned flags)
{
	leb_add_unsigned(&w->out->info, w->codes.code[kind][flags]);
}

void dwarf_ref(struct dwarf_writer *w, uint32_t index)
{
	leb_add_u32(&w->fixups, (uint32_t)w->out->info.len);
	leb_add_u32(&w->out->info, w->sound->means[index]);
}

unsigned dwarf_typed(const struct dwarf_writer *w, uint32_t from, uint32_t to)
{
	return !w->sound->cut[from] && w->sound->means[to] ? DIE_TYPED : 0;
}

uint32_t dwarf_name(const struct dwarf_writer *w, const struct btf_type *t)
{
	return btf_set_name(w->set, t->object, t->r.name_offset);
}

uint32_t dwarf_integer(const struct dwarf_writer *w, uint32_t size, bool is_signed)
{
	return size <= 8 ? w->integers[is_signed][size] : 0;
}

static void note_integer(struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	uint32_t integer = get_u32(t->r.more), encoding = integer >> 24 & 0xf;
	if (t->r.size > 8 || (integer & 0xffffff) != t->r.size * 8 || encoding > INT_SIGNED ||
	    !strcmp(btf_set_string(w->set, dwarf_name(w, t)), "char"))
		return;
	uint32_t *known = &w->integers[encoding == INT_SIGNED][t->r.size];
	if (!*known)
		*known = index;
}

void dwarf_survey(struct dwarf_writer *w)
{
	for (uint32_t i = 1, end = btf_set_end(w->set); i < end; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		if (t.r.kind == BTF_KIND_INT)
			note_integer(w, i, &t);
		uint32_t count = t.r.kind == BTF_KIND_FUNC ? 0 : btf_set_references(&t);
		for (uint32_t k = 0; k < count; k++)
			w->used[w->sound->means[btf_set_reference(w->set, &t, k)]] = true;
	}
}

static void index_type(struct dwarf_writer *w, uint32_t name)
{
	gdb_index_add(w->index, btf_set_string(w->set, name), GDB_INDEX_TYPE, true);
}

static void index_base(struct dwarf_writer *w, uint32_t name)
{
	gdb_index_add_base_type(w->index, btf_set_string(w->set, name));
}

/* A DIE that is nothing but a name, perhaps, and what it refers to. */
static void write_reference(struct dwarf_writer *w, uint32_t index, const struct btf_type *t,
			    enum die kind)
{
	uint32_t to = btf_set_reference(w->set, t, 0);
	uint32_t name = kind == DIE_TYPEDEF ? dwarf_name(w, t) : 0;
	unsigned typed = dwarf_typed(w, index, to);
	dwarf_die(w, kind, typed | (name ? DIE_NAMED : 0));
	if (name) {
		leb_add_u32(&w->out->info, name);
		index_type(w, name);
	}
	if (kind == DIE_POINTER)
		leb_add_u8(&w->out->info, 8);
	if (typed)
		dwarf_ref(w, to);
}

/* BTF_INT_CHAR is in the format, but compilers' characters come as one-byte integers. */
static bool is_char(const struct dwarf_writer *w, uint32_t name)
{
	const char *s = btf_set_string(w->set, name);
	return !strcmp(s, "char") || !strcmp(s, "signed char") || !strcmp(s, "unsigned char");
}

static uint8_t int_encoding(const struct dwarf_writer *w, const struct btf_type *t, uint32_t name)
{
	uint32_t encoding = get_u32(t->r.more) >> 24 & 0xf;
	bool is_signed = encoding & INT_SIGNED;
	if (encoding & INT_BOOL)
		return DW_ATE_boolean;
	if (encoding & INT_CHAR || (t->r.size == 1 && is_char(w, name)))
		return is_signed ? DW_ATE_signed_char : DW_ATE_unsigned_char;
	return is_signed ? DW_ATE_signed : DW_ATE_unsigned;
}

static void write_base(struct dwarf_writer *w, const struct btf_type *t)
{
	uint32_t name = dwarf_name(w, t);
	dwarf_die(w, DIE_BASE_TYPE, name ? DIE_NAMED : 0);
	if (name) {
		leb_add_u32(&w->out->info, name);
		index_base(w, name);
	}
	leb_add_unsigned(&w->out->info, t->r.size);
	leb_add_u8(&w->out->info,
		   t->r.kind == BTF_KIND_FLOAT ? DW_ATE_float : int_encoding(w, t, name));
}

static void write_array(struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	uint32_t of = btf_set_reference(w->set, t, 0);
	uint32_t by = btf_set_index(w->set, t->object, get_u32(t->r.more + 4));
	uint32_t count = get_u32(t->r.more + 8);
	unsigned typed = dwarf_typed(w, index, of);
	dwarf_die(w, DIE_ARRAY, DIE_PARENT | typed);
	if (typed)
		dwarf_ref(w, of);
	struct btf_type counter = btf_set_type(w->set, by);
	typed = counter.r.kind == BTF_KIND_INT ? DIE_TYPED : 0;
	/* [0] and [] look the same in BTF; the latter is what is written today. */
	dwarf_die(w, DIE_SUBRANGE, typed | (count ? DIE_COUNTED : 0));
	if (typed)
		dwarf_ref(w, by);
	if (count)
		leb_add_unsigned(&w->out->info, count);
	leb_add_u8(&w->out->info, 0);
}

static void write_member(struct dwarf_writer *w, const struct btf_member *m)
{
	unsigned bits = m->bit_size ? DIE_BITS : 0;
	dwarf_die(w, DIE_MEMBER, DIE_TYPED | bits | (m->name ? DIE_NAMED : 0));
	if (m->name)
		leb_add_u32(&w->out->info, m->name);
	dwarf_ref(w, m->type);
	if (!bits) {
		leb_add_unsigned(&w->out->info, m->bit / 8);
		return;
	}
	leb_add_unsigned(&w->out->info, m->bit_size);
	leb_add_unsigned(&w->out->info, m->bit);
}

static void write_structure(struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	uint32_t name = dwarf_name(w, t);
	bool cut = w->sound->cut[index];
	unsigned parent = t->r.vlen && !cut ? DIE_PARENT : 0;
	dwarf_die(w, t->r.kind == BTF_KIND_UNION ? DIE_UNION : DIE_STRUCT,
		  parent | (name ? DIE_NAMED : 0) | (cut ? DIE_DECLARED : 0));
	if (name)
		leb_add_u32(&w->out->info, name);
	if (name && !cut)
		index_type(w, name);
	if (!cut)
		leb_add_unsigned(&w->out->info, t->r.size);
	if (!parent)
		return;
	for (uint32_t i = 0; i < t->r.vlen; i++) {
		struct btf_member m = btf_set_member(w->set, t, i);
		if (btf_member_fits(w->sound, &m, t->r.size))
			write_member(w, &m);
		else
			w->out->omitted++;
	}
	leb_add_u8(&w->out->info, 0);
}

static void write_declaration(struct dwarf_writer *w, const struct btf_type *t, enum die kind)
{
	uint32_t name = dwarf_name(w, t);
	dwarf_die(w, kind, DIE_DECLARED | (name ? DIE_NAMED : 0));
	if (name)
		leb_add_u32(&w->out->info, name);
}

/*
 * Constants are signed if kind_flag says so; where no enumeration has it (before 6.0) all were
 * encoded as signed, and C makes an enumeration signed when one of its constants is negative.
 */
static bool is_signed_enum(const struct dwarf_writer *w, const struct btf_type *t)
{
	if (t->r.kind == BTF_KIND_ENUM64 || btf_enum_flags(w->set->objects[t->object].btf))
		return t->r.flag;
	for (uint32_t i = 0; i < t->r.vlen; i++)
		if (get_u32(t->r.more + (size_t)i * BTF_ENUM_SIZE + 4) >> 31)
			return true;
	return false;
}

static void write_enumerator(struct dwarf_writer *w, const struct btf_type *t, const uint8_t *p,
			     bool is_signed)
{
	uint32_t name = btf_set_name(w->set, t->object, get_u32(p));
	if (!name)
		return;
	uint32_t low = get_u32(p + 4);
	uint64_t value = is_signed ? (uint64_t)(int64_t)(int32_t)low : low;
	if (t->r.kind == BTF_KIND_ENUM64)
		value = (uint64_t)get_u32(p + 8) << 32 | low;
	dwarf_die(w, is_signed ? DIE_SIGNED_ENUMERATOR : DIE_ENUMERATOR, DIE_NAMED);
	leb_add_u32(&w->out->info, name);
	gdb_index_add(w->index, btf_set_string(w->set, name), GDB_INDEX_VARIABLE, true);
	if (is_signed)
		leb_add_signed(&w->out->info, (int64_t)value);
	else
		leb_add_unsigned(&w->out->info, value);
}

static void write_enum(struct dwarf_writer *w, const struct btf_type *t)
{
	uint32_t name = dwarf_name(w, t);
	bool is_signed = is_signed_enum(w, t);
	uint32_t integer = dwarf_integer(w, t->r.size, is_signed);
	unsigned typed = integer ? DIE_TYPED : 0;
	dwarf_die(w, DIE_ENUM, DIE_PARENT | typed | (name ? DIE_NAMED : 0));
	if (name) {
		leb_add_u32(&w->out->info, name);
		index_type(w, name);
	}
	leb_add_unsigned(&w->out->info, t->r.size);
	if (typed)
		dwarf_ref(w, integer);
	size_t step = t->r.kind == BTF_KIND_ENUM ? BTF_ENUM_SIZE : BTF_ENUM64_SIZE;
	for (uint32_t i = 0; i < t->r.vlen; i++)
		write_enumerator(w, t, t->r.more + i * step, is_signed);
	leb_add_u8(&w->out->info, 0);
}

void dwarf_write_parameters(struct dwarf_writer *w, uint32_t index, const struct btf_type *proto)
{
	for (uint32_t i = 0; i < proto->r.vlen; i++) {
		const uint8_t *p = proto->r.more + (size_t)i * BTF_PARAM_SIZE;
		if (i + 1 == proto->r.vlen && !get_u32(p) && !get_u32(p + 4)) {
			dwarf_die(w, DIE_MORE_PARAMETERS, 0);
			break;
		}
		uint32_t name = btf_set_name(w->set, proto->object, get_u32(p));
		uint32_t type = btf_set_reference(w->set, proto, i + 1);
		unsigned typed = dwarf_typed(w, index, type);
		dwarf_die(w, DIE_PARAMETER, typed | (name ? DIE_NAMED : 0));
		if (name)
			leb_add_u32(&w->out->info, name);
		if (typed)
			dwarf_ref(w, type);
	}
	leb_add_u8(&w->out->info, 0);
}

static void write_prototype(struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	uint32_t result = btf_set_reference(w->set, t, 0);
	unsigned typed = dwarf_typed(w, index, result);
	unsigned parent = t->r.vlen && !w->sound->cut[index] ? DIE_PARENT : 0;
	dwarf_die(w, DIE_PROTOTYPE, typed | parent);
	if (typed)
		dwarf_ref(w, result);
	if (parent)
		dwarf_write_parameters(w, index, t);
}

/* A declaration needs no DIE where all that refers to it refers to the definition. */
static bool is_written(const struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	if (w->sound->means[index] != index)
		return false;
	return t->r.kind != BTF_KIND_FUNC_PROTO || w->used[index];
}

static void write_type(struct dwarf_writer *w, uint32_t index, const struct btf_type *t)
{
	switch (t->r.kind) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		write_base(w, t);
		break;
	case BTF_KIND_PTR:
		write_reference(w, index, t, DIE_POINTER);
		break;
	case BTF_KIND_ARRAY:
		write_array(w, index, t);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		write_structure(w, index, t);
		break;
	case BTF_KIND_FWD:
		write_declaration(w, t, t->r.flag ? DIE_UNION : DIE_STRUCT);
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (t->r.vlen)
			write_enum(w, t);
		else
			write_declaration(w, t, DIE_ENUM);
		break;
	case BTF_KIND_TYPEDEF:
		write_reference(w, index, t, DIE_TYPEDEF);
		break;
	case BTF_KIND_VOLATILE:
		write_reference(w, index, t, DIE_VOLATILE);
		break;
	case BTF_KIND_CONST:
		write_reference(w, index, t, DIE_CONST);
		break;
	case BTF_KIND_RESTRICT:
		write_reference(w, index, t, DIE_RESTRICT);
		break;
	case BTF_KIND_FUNC_PROTO:
		write_prototype(w, index, t);
		break;
	default: /* is_written() lets nothing else through */
		break;
	}
}

void dwarf_write_types(struct dwarf_writer *w, uint32_t object)
{
	for (uint32_t i = w->set->first[object]; i < w->set->first[object + 1]; i++) {
		struct btf_type t = btf_set_type(w->set, i);
		if (!is_written(w, i, &t))
			continue;
		w->offsets[i] = (uint32_t)w->out->info.len;
		write_type(w, i, &t);
		w->out->types++;
	}
}
