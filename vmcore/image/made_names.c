// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/kernel.h"
#include "vmcore/image/made_names.h"

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/image/image_symbols.h"

bool made_names_span(const struct made_code *made, uint64_t *ret_low, uint64_t *ret_high)
{
	if (!made->count)
		return false;
	*ret_low = made->list[0].start;
	*ret_high = made->list[made->count - 1].end;
	return true;
}

/* Leaves those parts in @l that hold code made at run time, and makes sections of them. */
static struct err *add_sections(const struct made_code *made, struct image_layout *l,
				struct elf_writer *w)
{
	struct err *e = NULL;
	size_t kept = 0;
	for (size_t i = 0; !e && i < l->count; i++) {
		struct image_part part = l->parts[i];
		struct elf_section section = {
			.name = "[made].text",
			.type = SHT_NOBITS,
			.flags = SHF_ALLOC | SHF_EXECINSTR,
			.address = part.low,
			.size = part.high - part.low,
		};
		if (!part.code || !made_code_find(made, part.low))
			continue;
		e = elf_writer_section(w, &section, NULL, &part.section);
		l->parts[kept++] = part;
	}
	l->count = kept;
	l->percpu_count = 0;
	l->slide = 0;
	return e;
}

static struct err *add_names(const struct image_source *source, const struct made_code *made,
			     struct elf_writer *w)
{
	struct image_layout layout = { 0 };
	struct elf_writer *unused = NULL;
	struct err *e = elf_writer_new(&unused);
	if (!e)
		e = image_layout_make(source->k, code_map_modules(source->code), made, unused,
				      &layout);
	if (!e)
		e = add_sections(made, &layout, w);
	if (!e)
		e = image_symbols_add_made(made, &layout, w);
	image_layout_free(&layout);
	elf_writer_free(unused);
	return e;
}

struct err *made_names_make(const struct image_source *source, struct buf *out)
{
	const struct made_code *made = code_map_made(source->code);
	struct elf_writer *w = NULL;
	uint64_t low, high;
	if (!made_names_span(made, &low, &high))
		return err_new(ERR_NOTFOUND, "the kernel has made no code at run time");
	struct err *e = elf_writer_new(&w);
	if (!e)
		e = elf_writer_load(w, low, high - low, PF_R | PF_X);
	if (!e)
		e = add_names(source, made, w);
	if (!e)
		e = elf_writer_finish(w, kernel_arch(source->k)->elf_machine, out);
	elf_writer_free(w);
	return err_wrap(e, "make names of code made at run time");
}
