// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/entry_frames.h"

#include <stdint.h>
#include <stdlib.h>

#include "arch/arch.h"
#include "arch/x86_64/code/code_tables.h"
#include "arch/x86_64/code/orc_tables.h"
#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/image_cfi.h"
#include "arch/x86_64/image/traced_frames.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/entry_code.h"

/* Most of them are passed over. */
enum { KERNEL_FUNCTIONS_A_STEP = 16000 };

struct entry_frames {
	struct image_source source;
	struct image_layout layout;
	struct traced_layout traced;
	struct cfi_writer frames;
	struct code_tables *code; /* owned */
	size_t object;		  /* whose functions come next: 0 the kernel, n the module n - 1 */
	struct image_cfi functions;
};

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
		e = elf_writer_finish(w, EM_X86_64, out);
	elf_writer_free(w);
	return e;
}

static struct err *lay_out(struct entry_frames *f)
{
	const struct made_code *made = code_map_made(f->source.code);
	struct elf_writer *unused = NULL;
	struct err *e = elf_writer_new(&unused);
	if (!e)
		e = image_layout_make(f->source.k, code_map_modules(f->source.code), made, unused,
				      &f->layout);
	elf_writer_free(unused);
	return e;
}

struct err *entry_frames_new(const struct image_source *source, struct entry_frames **ret)
{
	struct entry_frames *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->source = *source;
	traced_layout_find(source->k, &f->traced);
	cfi_writer_init(&f->frames, kernel_arch(source->k)->map->hole);
	struct err *e = lay_out(f);
	if (!e)
		e = code_tables_new(source->k, source->code, &f->code);
	if (e) {
		entry_frames_free(f);
		return err_wrap(e, "make frames of the entry code");
	}
	*ret = f;
	return NULL;
}

void entry_frames_free(struct entry_frames *f)
{
	if (!f)
		return;
	image_layout_free(&f->layout);
	cfi_writer_free(&f->frames);
	code_tables_free(f->code);
	free(f);
}

/*
 * Without ORC nothing says where pt_regs is in the entry code, whose assembly has had no CFI since
 * 4.2: a debugger that is told nothing makes a caller up. Sets both to 0 where there is ORC.
 */
static void end_in_entry_code(const struct entry_frames *f, uint64_t *ret_low, uint64_t *ret_high)
{
	*ret_low = *ret_high = 0;
	if (!orc_tables_count(f->source.orc, NULL))
		(void)entry_code_bounds(f->source.k, ret_low, ret_high);
}

/* Of the kernel the entry code, of modules everything; at last code that was made at run time. */
static struct err *add_functions(struct entry_frames *f, bool *ret_done)
{
	const struct modules *modules = code_map_modules(f->source.code);
	const struct module *module = f->object ? &modules->list[f->object - 1] : NULL;
	const struct symbols *symbols = module ? code_map_module_symbols(f->source.code, module)
					       : kernel_symbols(f->source.k);
	uint64_t low, high;
	end_in_entry_code(f, &low, &high);
	const struct image_cfi_source from = {
		.k = f->source.k,
		.orc = f->source.orc,
		.code = f->code,
		.layout = &f->layout,
		.traced = &f->traced,
		.entry_only = !module,
		.spoken_low = low,
		.spoken_high = high,
	};
	bool done = true;
	struct err *e = NULL;
	if (symbols)
		e = image_cfi_add(&from, module, symbols,
				  module ? IMAGE_CFI_SLICE : KERNEL_FUNCTIONS_A_STEP, &f->functions,
				  &f->frames, &done);
	if (e || !done)
		return e;
	f->functions = (struct image_cfi){ 0 };
	if (f->object++ < modules->count)
		return NULL;
	*ret_done = true;
	return image_cfi_add_bpf(&from, code_map_made(f->source.code), &f->frames);
}

static struct err *finish(struct entry_frames *f, struct buf *out)
{
	uint64_t low, high;
	end_in_entry_code(f, &low, &high);
	/* Without ORC there is none to be made, but frames end at user mode all the same. */
	struct err *e = f->frames.functions ? traced_frames_add(&f->source, &f->frames) : NULL;
	if (!e)
		e = high ? cfi_writer_ends(&f->frames, low, high) : NULL;
	if (!e)
		e = cfi_writer_user_mode(&f->frames);
	return e ? e : write_file(&f->frames, out);
}

struct err *entry_frames_step(struct entry_frames *f, struct buf *out, bool *ret_done)
{
	bool done = false;
	struct err *e = add_functions(f, &done);
	if (!e && done)
		e = finish(f, out);
	if (!e)
		*ret_done = done;
	return err_wrap(e, "make frames of the entry code");
}

/* Whether a row of the kernel's table between those of numbers *@at and on, below @high, changes
 * the stack; moves *@at to the last row that begins at or below @low. */
static bool changes_stack(const struct image_source *source, uint64_t low, uint64_t high,
			  size_t *at)
{
	size_t count = orc_tables_count(source->orc, NULL);
	struct orc_entry entry;
	uint64_t start;
	for (; *at + 1 < count; ++*at) {
		(void)orc_tables_nth(source->orc, NULL, *at + 1, &start, &entry);
		if (start > low)
			break;
	}
	for (size_t i = *at; i < count; i++) {
		bool valid = orc_tables_nth(source->orc, NULL, i, &start, &entry);
		if (start >= high)
			break;
		if (valid && entry.type == ORC_CALL &&
		    (entry.sp == ORC_SP_INDIRECT || entry.sp == ORC_BP_INDIRECT))
			return true;
	}
	return false;
}

struct err *entry_frames_stack_changers(const struct image_source *source, uint64_t **ret,
					size_t *ret_count)
{
	const struct symbols *symbols = kernel_symbols(source->k);
	size_t count = symbols_count(symbols), found = 0, at = 0;
	uint64_t text, slide, *list = calloc(count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	if (!kernel_text(source->k, &text, &slide))
		count = 0;
	for (size_t i = 0, next; i < count; i = next) {
		uint64_t low = symbols_nth(symbols, i).address;
		for (next = i + 1; next < count && symbols_nth(symbols, next).address == low;)
			next++;
		uint64_t high = next < count ? symbols_nth(symbols, next).address : low;
		if (code_map_in_kernel(source->code, low) && changes_stack(source, low, high, &at))
			list[found++] = low - slide;
	}
	*ret = list;
	*ret_count = found;
	return NULL;
}
