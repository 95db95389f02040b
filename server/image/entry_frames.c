// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/image/entry_frames.h"

#include <stdint.h>

#include "base/err.h"
#include "server/image/cfi_writer.h"
#include "server/image/elf_writer.h"
#include "server/image/image.h"
#include "server/image/image_cfi.h"
#include "server/image/image_layout.h"
#include "server/kernel/bpf_symbols.h"
#include "server/kernel/code_map.h"
#include "server/kernel/kernel.h"
#include "server/kernel/modules.h"

/* All functions of the kernel and its modules that are entry code. */
static struct err *add_functions(const struct image_source *source,
				 const struct image_layout *layout, struct cfi_writer *w)
{
	const struct modules *modules = code_map_modules(source->code);
	struct image_cfi_source from = { source->k, source->orc, layout, .entry_only = true };
	struct err *e = NULL;
	for (size_t i = 0; !e && i <= modules->count; i++) {
		const struct module *module = i ? &modules->list[i - 1] : NULL;
		const struct symbols *symbols =
			module ? code_map_module_symbols(source->code, module)
			       : kernel_symbols(source->k);
		struct image_cfi state = { 0 };
		bool done;
		if (symbols)
			e = image_cfi_add(&from, module, symbols, SIZE_MAX, &state, w, &done);
	}
	return e;
}

static struct err *write_file(struct cfi_writer *frames, struct buf *out)
{
	struct elf_writer *w = NULL;
	struct elf_section place = {
		.name = ".text",
		.type = SHT_NOBITS,
		.flags = SHF_ALLOC | SHF_EXECINSTR,
		.size = 1,
	};
	struct elf_section section = { .name = ".debug_frame", .type = SHT_PROGBITS, .align = 8 };
	unsigned unused;
	struct err *e = elf_writer_new(&w);
	if (!e)
		e = elf_writer_section(w, &place, NULL, &unused);
	if (!e)
		e = elf_writer_load(w, place.address, place.size, PF_R | PF_X);
	if (!e)
		e = elf_writer_section(w, &section, &frames->bytes, &unused);
	if (!e)
		e = elf_writer_finish(w, out);
	elf_writer_free(w);
	return e;
}

struct err *entry_frames_make(const struct image_source *source, struct buf *out)
{
	struct bpf_symbols none = { 0 };
	struct image_layout layout = { 0 };
	struct elf_writer *unused = NULL;
	struct cfi_writer frames;
	cfi_writer_init(&frames, ENTRY_FRAMES_ADDRESS);
	struct err *e = elf_writer_new(&unused);
	if (!e)
		e = image_layout_make(source->k, code_map_modules(source->code), &none, unused,
				      &layout);
	if (!e)
		e = add_functions(source, &layout, &frames);
	if (!e && !frames.functions)
		e = err_new(ERR_NOTFOUND, "the kernel has no ORC tables");
	if (!e)
		e = write_file(&frames, out);
	elf_writer_free(unused);
	image_layout_free(&layout);
	cfi_writer_free(&frames);
	return err_wrap(e, "make frames of the entry code");
}
