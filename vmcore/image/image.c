// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/image.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/image/arch.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/image/image_symbols.h"
#include "vmcore/image/image_types.h"
#include "vmcore/kernel/kernel.h"

enum stage { STAGE_LAYOUT, STAGE_SYMBOLS, STAGE_FRAMES, STAGE_TYPES, STAGE_FILE };

struct image {
	struct image_source source;
	enum stage stage;
	struct elf_writer *writer;
	struct made_code bpf;
	struct traced_layout traced;
	struct image_layout layout;
	const struct image_arch *arch;
	struct image_frames *frames; /* owned */
	struct image_types *types;   /* owned; while they are made */
};

struct err *image_new(const struct image_source *source, struct image **ret)
{
	struct image *i = calloc(1, sizeof(*i));
	if (!i)
		return err_nomem();
	i->source = *source;
	i->arch = kernel_arch(source->k)->image;
	struct err *e = elf_writer_new(&i->writer);
	if (e) {
		free(i);
		return e;
	}
	*ret = i;
	return NULL;
}

void image_free(struct image *i)
{
	if (!i)
		return;
	image_types_free(i->types);
	if (i->frames)
		i->arch->frames_free(i->frames);
	elf_writer_free(i->writer);
	made_code_free(&i->bpf);
	image_layout_free(&i->layout);
	free(i);
}

static struct err *lay_out(struct image *i)
{
	const struct image_source *s = &i->source;
	traced_layout_find(s->k, &i->traced);
	struct err *e = made_code_read(s->k, &i->bpf);
	if (!e)
		e = image_layout_make(s->k, code_map_modules(s->code), &i->bpf, i->writer,
				      &i->layout);
	if (!e)
		e = elf_writer_build_id(i->writer, kernel_build_id(s->k));
	if (e)
		return e;
	i->stage = STAGE_SYMBOLS;
	return NULL;
}

static struct err *add_symbols(struct image *i)
{
	const struct image_source *s = &i->source;
	i->stage = STAGE_FRAMES;
	struct err *e = image_symbols_add(s->k, s->code, &i->bpf, &i->layout, i->writer);
	return e ? e : i->arch->frames_new(s, &i->layout, &i->traced, &i->bpf, &i->frames);
}

static struct err *add_frames(struct image *i)
{
	bool done = false;
	struct err *e = i->arch->frames_step(i->frames, &done);
	if (!e && done)
		i->stage = STAGE_TYPES;
	return e;
}

static struct err *add_types(struct image *i)
{
	const struct image_source *s = &i->source;
	bool done = false;
	struct err *e = NULL;
	if (!i->types) {
		e = image_types_new(s->k, s->code, s->types, &i->layout, &i->types);
		done = !i->types;
	} else {
		e = image_types_step(i->types, i->writer, &done);
	}
	if (!e && done)
		i->stage = STAGE_FILE;
	return e;
}

static struct err *write_file(struct image *i, struct buf *out)
{
	struct elf_section frames = {
		.name = ".debug_frame",
		.type = SHT_PROGBITS,
		.align = 8,
	};
	unsigned unused;
	struct err *e = NULL;
	struct buf bytes = BUF_INIT;
	size_t count = i->arch->frames_finish(i->frames, &bytes);
	log_debug(LOG_SYMBOLS, "generated image: %zu unwind entries in %zu bytes", count,
		  bytes.len);
	if (count)
		e = elf_writer_section(i->writer, &frames, &bytes, &unused);
	buf_free(&bytes);
	return e ? e : elf_writer_finish(i->writer, kernel_arch(i->source.k)->elf_machine, out);
}

struct err *image_step(struct image *i, struct buf *out, bool *ret_done)
{
	struct err *e = NULL;
	bool done = false;
	switch (i->stage) {
	case STAGE_LAYOUT:
		e = lay_out(i);
		break;
	case STAGE_SYMBOLS:
		e = add_symbols(i);
		break;
	case STAGE_FRAMES:
		e = add_frames(i);
		break;
	case STAGE_TYPES:
		e = add_types(i);
		break;
	case STAGE_FILE:
		e = write_file(i, out);
		done = true;
		break;
	}
	if (!e)
		*ret_done = done;
	return e ? err_wrap(e, "make symbols from the dump") : NULL;
}
