// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/kernel.h"
#include "vmcore/image/module_names.h"

#include <stdio.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/image/image_symbols.h"

enum { NAME_SIZE = MODULE_NAME + 16 };

bool module_names_span(const struct modules *modules, const bool *wanted, uint64_t *ret_low,
		       uint64_t *ret_high)
{
	uint64_t low = UINT64_MAX, high = 0;
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		for (unsigned r = 0; wanted[i] && r < m->region_count; r++) {
			const struct module_region *region = &m->regions[r];
			/* As image_layout.c sees it. */
			if (region->low >= region->high || !is_kernel_address(region->low))
				continue;
			low = region->low < low ? region->low : low;
			high = region->high > high ? region->high : high;
		}
	}
	if (low >= high)
		return false;
	*ret_low = low;
	*ret_high = high;
	return true;
}

static struct err *add_section(const struct module *m, struct image_part *part,
			       struct elf_writer *w)
{
	char name[NAME_SIZE];
	struct elf_section section = {
		.name = name,
		.type = SHT_NOBITS,
		.flags = SHF_ALLOC | (part->code ? SHF_EXECINSTR : SHF_WRITE),
		.address = part->low,
		.size = part->high - part->low,
	};
	snprintf(name, sizeof(name), "[%s]%s", m->name, part->code ? ".text" : ".data");
	return elf_writer_section(w, &section, NULL, &part->section);
}

/* Leaves those parts in @l that are wanted modules', and makes sections of them. */
static struct err *add_sections(const struct image_source *source, const bool *wanted,
				struct image_layout *l, struct elf_writer *w)
{
	const struct modules *modules = code_map_modules(source->code);
	struct err *e = NULL;
	size_t kept = 0;
	for (size_t i = 0; !e && i < l->count; i++) {
		struct image_part part = l->parts[i];
		const struct module *m = code_map_module(source->code, part.low);
		if (!m || !wanted[m - modules->list])
			continue;
		e = add_section(m, &part, w);
		l->parts[kept++] = part;
	}
	l->count = kept;
	l->percpu_count = 0;
	l->slide = 0;
	return e;
}

/* Of the parts that the generated image would have, those that are wanted. */
static struct err *add_modules(const struct image_source *source, const bool *wanted,
			       struct elf_writer *w)
{
	struct made_code none = { 0 };
	struct image_layout layout = { 0 };
	struct elf_writer *unused = NULL;
	struct err *e = elf_writer_new(&unused);
	if (!e)
		e = image_layout_make(source->k, code_map_modules(source->code), &none, unused,
				      &layout);
	if (!e)
		e = add_sections(source, wanted, &layout, w);
	if (!e)
		e = image_symbols_add_modules(source->code, wanted, &layout, w);
	image_layout_free(&layout);
	elf_writer_free(unused);
	return e;
}

struct err *module_names_make(const struct image_source *source, const bool *wanted,
			      struct buf *out)
{
	struct elf_writer *w = NULL;
	uint64_t low, high;
	if (!module_names_span(code_map_modules(source->code), wanted, &low, &high))
		return err_new(ERR_NOTFOUND, "the modules without a file have no memory");
	struct err *e = elf_writer_new(&w);
	if (!e)
		e = elf_writer_load(w, low, high - low, PF_R | PF_W | PF_X);
	if (!e)
		e = add_modules(source, wanted, w);
	if (!e)
		e = elf_writer_finish(w, kernel_arch(source->k)->elf_machine, out);
	elf_writer_free(w);
	return err_wrap(e, "make names of modules without a file");
}
