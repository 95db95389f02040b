/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generated image's .debug_frame: every function of the kernel and its modules, from ORC and
 * from the code. */
#ifndef ARCH_X86_64_IMAGE_IMAGE_CFI_H
#define ARCH_X86_64_IMAGE_IMAGE_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct made_code;
struct cfi_writer;
struct code_tables;
struct err;
struct image_layout;
struct kernel;
struct module;
struct orc_tables;
struct symbols;
struct traced_layout;

/* What functions are converted from; all borrowed. */
struct image_cfi_source {
	const struct kernel *k;
	struct orc_tables *orc;
	struct code_tables *code;
	const struct image_layout *layout;
	/* The byte before a tracer's trampoline is not the function's that lies there: that one is
	 * in traced_frames.h. */
	const struct traced_layout *traced;
	uint64_t resume; /* x86_64_switch_resume(); 0 if nothing is to be said of that */
	bool entry_only; /* only what entry_frames.h is about */
	/* Of the code from here to there another entry speaks (two that overlap hide each other
	 * from gdb); both 0 for none. */
	uint64_t spoken_low, spoken_high;
};

/* As many functions as take some 20 ms. */
enum { IMAGE_CFI_SLICE = 500 };

/* Functions of one object, converted a slice at a time. Zeros to begin with. */
struct image_cfi {
	size_t symbol; /* the next one */
	size_t row;    /* of the table: the last that begins at or below it */
};

/*
 * Adds the FDEs of the functions among @symbols, those of @module (NULL: the kernel): @most of them
 * (or a few more), from where @state is on, which it moves. *ret_done says that there are no more.
 * A part of the code that no symbol names belongs to the function before it. Where ORC knows
 * nothing of a whole function, its code tells if it begins as compiled functions do.
 */
__attribute__((warn_unused_result)) struct err *image_cfi_add(const struct image_cfi_source *source,
							      const struct module *module,
							      const struct symbols *symbols,
							      size_t most, struct image_cfi *state,
							      struct cfi_writer *w, bool *ret_done);

/* The same for BPF code, which has no tables. */
__attribute__((warn_unused_result)) struct err *
image_cfi_add_bpf(const struct image_cfi_source *source, const struct made_code *bpf,
		  struct cfi_writer *w);

/*
 * Where the list of modules is not known, for want of types: says of all addresses above the image,
 * where their code may lie, that nothing is known of its frames. Debuggers would make callers up.
 */
__attribute__((warn_unused_result)) struct err *
image_cfi_add_unlisted(const struct image_cfi_source *source, struct cfi_writer *w);

#endif
