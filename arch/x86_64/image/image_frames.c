// SPDX-License-Identifier: GPL-2.0-or-later
/* The generated image's .debug_frame, a slice at a time. */
#include <stdlib.h>

#include "arch/x86_64/code/code_tables.h"
#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/entry_frames.h"
#include "arch/x86_64/image/image_cfi.h"
#include "arch/x86_64/image/traced_frames.h"
#include "arch/x86_64/tasks/x86_64.h"
#include "arch/x86_64/image/x86_64.h"
#include "base/err.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/arch.h"
#include "vmcore/image/image.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/kernel/kernel.h"

struct image_frames {
	const struct image_source *source;
	const struct image_layout *layout;
	const struct traced_layout *traced;
	const struct made_code *bpf;
	struct cfi_writer frames;
	struct code_tables *code; /* owned; until all are made */
	size_t object;		  /* whose functions come next: 0 the kernel, n the module n - 1 */
	struct image_cfi functions;
};

static void frames_free(struct image_frames *f)
{
	if (!f)
		return;
	code_tables_free(f->code);
	cfi_writer_free(&f->frames);
	free(f);
}

static struct err *frames_new(const struct image_source *source, const struct image_layout *layout,
			      const struct traced_layout *traced, const struct made_code *bpf,
			      struct image_frames **ret)
{
	struct image_frames *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	*f = (struct image_frames){
		.source = source, .layout = layout, .traced = traced, .bpf = bpf
	};
	cfi_writer_init(&f->frames, layout->slide);
	struct err *e = code_tables_new(source->k, source->code, &f->code);
	if (e) {
		frames_free(f);
		return e;
	}
	*ret = f;
	return NULL;
}

static struct err *add_rest(struct image_frames *f, const struct image_cfi_source *source)
{
	struct err *e = image_cfi_add_bpf(source, f->bpf, &f->frames);
	if (!e)
		e = traced_frames_add(f->source, &f->frames);
	if (!e)
		e = image_cfi_add_unlisted(source, &f->frames);
	code_tables_free(f->code);
	f->code = NULL;
	return e ? e : cfi_writer_user_mode(&f->frames);
}

static struct err *frames_step(struct image_frames *f, bool *ret_done)
{
	const struct modules *modules = code_map_modules(f->source->code);
	const struct module *module = f->object ? &modules->list[f->object - 1] : NULL;
	const struct symbols *symbols = module ? code_map_module_symbols(f->source->code, module)
					       : kernel_symbols(f->source->k);
	bool done = true;
	struct err *e = NULL;
	const struct image_cfi_source source = {
		.k = f->source->k,
		.orc = f->source->orc,
		.code = f->code,
		.layout = f->layout,
		.traced = f->traced,
		.resume = module ? 0 : x86_64_switch_resume(f->source->k),
	};
	*ret_done = false;
	if (symbols)
		e = image_cfi_add(&source, module, symbols, IMAGE_CFI_SLICE, &f->functions,
				  &f->frames, &done);
	if (e || !done)
		return e;
	f->functions = (struct image_cfi){ 0 };
	if (f->object++ < modules->count)
		return NULL;
	*ret_done = true;
	return add_rest(f, &source);
}

static size_t frames_finish(struct image_frames *f, struct buf *out)
{
	*out = f->frames.bytes;
	f->frames.bytes = (struct buf)BUF_INIT;
	return f->frames.functions;
}

const struct image_arch x86_64_image = {
	.frames_new = frames_new,
	.frames_step = frames_step,
	.frames_finish = frames_finish,
	.frames_free = frames_free,
	.entries_new = entry_frames_new,
	.entries_step = entry_frames_step,
	.entries_free = entry_frames_free,
	.stack_changers = entry_frames_stack_changers,
};
