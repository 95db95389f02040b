// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/image/dwarf_from_btf.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "server/image/dwarf_bytes.h"
#include "server/image/dwarf_writer.h"

static const char producer[] = "vmcore-gdbserver, from the kernel's BTF";

void dwarf_sections_free(struct dwarf_sections *s)
{
	buf_free(&s->info);
	buf_free(&s->abbrev);
	buf_free(&s->str);
	buf_free(&s->ranges);
	buf_free(&s->aranges);
}

uint32_t dwarf_string(struct dwarf_writer *w, const char *s)
{
	uint32_t at = (uint32_t)w->out->str.len;
	buf_add(&w->out->str, s, strlen(s) + 1);
	return at;
}

/* BTF's own strings first: its offsets stay as they are. */
static void add_strings(struct dwarf_writer *w)
{
	for (size_t i = 0; i < w->set->count; i++) {
		uint32_t first, len;
		const char *strings = btf_strings(w->set->objects[i].btf, &first, &len);
		buf_add(&w->out->str, strings, len);
	}
}

/* A unit: its header, its types, its code and data. */
static struct err *write_unit(struct dwarf_writer *w, uint32_t object, uint32_t producer_name)
{
	struct buf *info = &w->out->info;
	uint32_t unit = (uint32_t)info->len, ranges = (uint32_t)w->out->ranges.len;
	add_u32(info, 0); /* unit_length, known at the end */
	add_u16(info, 4);
	add_u32(info, 0); /* the only table of abbreviations */
	add_u8(info, 8);
	dwarf_die(w, DIE_UNIT, DIE_NAMED | DIE_PARENT);
	add_u32(info, producer_name);
	add_u8(info, DW_LANG_C99);
	add_u32(info, dwarf_string(w, w->set->objects[object].name));
	add_u64(info, 0); /* low_pc: what the ranges are relative to */
	add_u32(info, ranges);
	dwarf_write_types(w, object);
	struct err *e = dwarf_write_functions(w, object, unit);
	if (!e)
		e = dwarf_write_variables(w, object);
	add_u8(info, 0);
	if (e || info->failed)
		return e;
	put_u32(info->data + unit, (uint32_t)(info->len - unit - 4));
	return NULL;
}

/* References hold types until now: turns them into places. */
static void resolve_references(struct dwarf_writer *w)
{
	char *info = w->out->info.data;
	for (size_t i = 0; i < w->fixups.len; i += 4) {
		char *reference = info + get_u32(w->fixups.data + i);
		put_u32(reference, w->offsets[get_u32(reference)]);
	}
}

static struct err *write_all(struct dwarf_writer *w)
{
	dwarf_abbrevs(&w->out->abbrev, &w->codes);
	add_strings(w);
	uint32_t producer_name = dwarf_string(w, producer);
	dwarf_survey(w);
	struct err *e = NULL;
	for (uint32_t i = 0; i < w->set->count && !e; i++)
		e = write_unit(w, i, producer_name);
	struct buf *parts[] = { &w->out->info,	 &w->out->abbrev,  &w->out->str,
				&w->out->ranges, &w->out->aranges, &w->fixups };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !e; i++)
		e = buf_error(parts[i]);
	if (e)
		return e;
	if (w->out->info.len >= UINT32_MAX || w->out->ranges.len >= UINT32_MAX)
		return err_new(ERR_FORMAT, "there are too many types");
	resolve_references(w);
	return NULL;
}

static struct err *convert(const struct btf_set *set, const struct dwarf_places *places,
			   struct dwarf_sections *out)
{
	struct btf_sound sound;
	struct err *e = btf_sound_init(&sound, set);
	if (e)
		return e;
	uint32_t end = btf_set_end(set);
	struct dwarf_writer w = {
		.set = set,
		.sound = &sound,
		.places = places,
		.out = out,
		.fixups = BUF_INIT,
		.offsets = calloc(end, sizeof(*w.offsets)),
		.used = calloc(end, sizeof(*w.used)),
	};
	e = w.offsets && w.used ? write_all(&w) : err_nomem();
	free(w.offsets);
	free(w.used);
	buf_free(&w.fixups);
	btf_sound_free(&sound);
	return e;
}

struct err *dwarf_from_btf(const struct btf_object *objects, size_t count,
			   const struct dwarf_places *places, struct dwarf_sections *ret)
{
	struct dwarf_sections out = { .info = BUF_INIT,
				      .abbrev = BUF_INIT,
				      .str = BUF_INIT,
				      .ranges = BUF_INIT,
				      .aranges = BUF_INIT };
	struct btf_set set;
	struct err *e = btf_set_init(&set, objects, count);
	if (!e) {
		e = convert(&set, places, &out);
		btf_set_free(&set);
	}
	if (e) {
		dwarf_sections_free(&out);
		return err_wrap(e, "make DWARF from BTF");
	}
	*ret = out;
	return NULL;
}
