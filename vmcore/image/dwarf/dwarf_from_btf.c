// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/dwarf_from_btf.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/leb.h"
#include "vmcore/image/dwarf/dwarf_writer.h"

static const char producer[] = "vmcore-gdbserver, from the kernel's BTF";

void dwarf_sections_free(struct dwarf_sections *s)
{
	buf_free(&s->info);
	buf_free(&s->abbrev);
	buf_free(&s->str);
	buf_free(&s->ranges);
	buf_free(&s->aranges);
	buf_free(&s->gdb_index);
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

/* A unit's name is that of its object with an ending: gdb takes a word that is the name of a unit
 * for that, and then there is no "struct kvm" to be had. */
static void add_unit_names(struct dwarf_writer *w)
{
	for (size_t i = 0; i < w->set->count; i++) {
		w->unit_names[i] = dwarf_string(w, w->set->objects[i].name);
		if (!w->out->str.failed)
			buf_cut(&w->out->str, w->out->str.len - 1);
		dwarf_string(w, ".btf");
	}
}

uint32_t dwarf_begin_unit(struct dwarf_writer *w, uint32_t object, bool placed)
{
	struct buf *info = &w->out->info;
	uint32_t at = (uint32_t)info->len;
	gdb_index_begin_unit(w->index, at);
	leb_add_u32(info, 0); /* unit_length, known at the end */
	leb_add_u16(info, 4);
	leb_add_u32(info, 0); /* the only table of abbreviations */
	leb_add_u8(info, 8);
	dwarf_die(w, DIE_UNIT, DIE_NAMED | DIE_PARENT | (placed ? DIE_PLACED : 0));
	leb_add_u32(info, w->producer);
	leb_add_u8(info, DW_LANG_C99);
	leb_add_u32(info, w->unit_names[object]);
	if (placed) {
		leb_add_u64(info, 0); /* low_pc: what the ranges are relative to */
		leb_add_u32(info, (uint32_t)w->out->ranges.len);
	}
	return at;
}

void dwarf_end_unit(struct dwarf_writer *w, uint32_t at)
{
	struct buf *info = &w->out->info;
	leb_add_u8(info, 0);
	if (!info->failed)
		put_u32(info->data + at, (uint32_t)(info->len - at - 4));
	gdb_index_end_unit(w->index, info->len - at);
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

enum stage { STAGE_SOUND, STAGE_TYPES, STAGE_CODE, STAGE_INDEX, STAGE_END };

struct dwarf_job {
	enum stage stage;
	struct dwarf_sections out;
	struct btf_set set;
	struct btf_sound sound;
	struct dwarf_writer writer;
	struct dwarf_places places;
	uint32_t object; /* the one at hand */
};

static const struct dwarf_sections no_sections = { .info = BUF_INIT,
						   .abbrev = BUF_INIT,
						   .str = BUF_INIT,
						   .ranges = BUF_INIT,
						   .aranges = BUF_INIT,
						   .gdb_index = BUF_INIT };

struct err *dwarf_job_new(const struct btf_object *objects, size_t count,
			  const struct dwarf_places *places, struct dwarf_job **ret)
{
	struct dwarf_job *j = calloc(1, sizeof(*j));
	if (!j)
		return err_nomem();
	j->out = no_sections;
	j->places = *places;
	struct dwarf_writer *w = &j->writer;
	w->set = &j->set;
	w->sound = &j->sound;
	w->places = &j->places;
	w->out = &j->out;
	buf_init(&w->fixups);
	struct err *e = btf_set_init(&j->set, objects, count);
	if (!e)
		e = gdb_index_new(&w->index);
	if (!e) {
		w->offsets = calloc(btf_set_end(&j->set), sizeof(*w->offsets));
		w->used = calloc(btf_set_end(&j->set), sizeof(*w->used));
		w->unit_names = calloc(count, sizeof(*w->unit_names));
		if (!w->offsets || !w->used || !w->unit_names)
			e = err_nomem();
	}
	if (e) {
		dwarf_job_free(j);
		return err_wrap(e, "make DWARF from BTF");
	}
	*ret = j;
	return NULL;
}

void dwarf_job_free(struct dwarf_job *j)
{
	if (!j)
		return;
	free(j->writer.offsets);
	free(j->writer.used);
	free(j->writer.unit_names);
	buf_free(&j->writer.fixups);
	gdb_index_free(j->writer.index);
	btf_sound_free(&j->sound);
	btf_set_free(&j->set);
	dwarf_sections_free(&j->out);
	free(j);
}

static struct err *start(struct dwarf_job *j)
{
	struct dwarf_writer *w = &j->writer;
	struct err *e = btf_sound_init(&j->sound, &j->set);
	if (e)
		return e;
	dwarf_abbrevs(&w->out->abbrev, &w->codes);
	add_strings(w);
	w->producer = dwarf_string(w, producer);
	add_unit_names(w);
	dwarf_survey(w);
	j->stage = STAGE_TYPES;
	return NULL;
}

/*
 * The types and variables of the object at hand are one unit: they all hang together. A debugger
 * that shows a function reads the whole of its unit, so the functions have others, of a few each.
 */
static struct err *write_types(struct dwarf_job *j)
{
	struct dwarf_writer *w = &j->writer;
	uint32_t unit = dwarf_begin_unit(w, j->object, false);
	dwarf_write_types(w, j->object);
	struct err *e = dwarf_write_variables(w, j->object);
	dwarf_end_unit(w, unit);
	j->stage = STAGE_CODE;
	return e;
}

static struct err *write_code(struct dwarf_job *j)
{
	struct err *e = dwarf_write_functions(&j->writer, j->object);
	j->stage = ++j->object == j->set.count ? STAGE_INDEX : STAGE_TYPES;
	return e;
}

static struct err *finish(struct dwarf_job *j, struct dwarf_sections *ret)
{
	struct dwarf_sections *out = &j->out;
	struct buf *parts[] = { &out->info,   &out->abbrev,  &out->str,
				&out->ranges, &out->aranges, &j->writer.fixups };
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct err *e = buf_error(parts[i]);
		if (e)
			return e;
	}
	if (out->info.len >= UINT32_MAX || out->ranges.len >= UINT32_MAX)
		return err_new(ERR_FORMAT, "there are too many types");
	resolve_references(&j->writer);
	*ret = *out;
	*out = no_sections;
	return NULL;
}

struct err *dwarf_job_step(struct dwarf_job *j, struct dwarf_sections *ret, bool *ret_done)
{
	struct err *e = NULL;
	bool done = false;
	switch (j->stage) {
	case STAGE_SOUND:
		e = start(j);
		break;
	case STAGE_TYPES:
		e = write_types(j);
		break;
	case STAGE_CODE:
		e = write_code(j);
		break;
	case STAGE_INDEX:
		e = gdb_index_write(j->writer.index, &j->out.gdb_index);
		j->stage = STAGE_END;
		break;
	case STAGE_END:
		e = finish(j, ret);
		done = true;
		break;
	}
	if (e)
		return err_wrap(e, "make DWARF from BTF");
	*ret_done = done;
	return NULL;
}

struct err *dwarf_from_btf(const struct btf_object *objects, size_t count,
			   const struct dwarf_places *places, struct dwarf_sections *ret)
{
	struct dwarf_job *j;
	bool done = false;
	struct err *e = dwarf_job_new(objects, count, places, &j);
	if (e)
		return e;
	while (!e && !done)
		e = dwarf_job_step(j, ret, &done);
	dwarf_job_free(j);
	return e;
}
