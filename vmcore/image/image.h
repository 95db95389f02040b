/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generated image: an ELF file made of what a dump itself holds, for a debugger that has no
 * vmlinux. Names of the kernel, its modules and BPF code; how to unwind them; types.
 */
#ifndef VMCORE_IMAGE_IMAGE_H
#define VMCORE_IMAGE_IMAGE_H

#include <stdbool.h>

struct buf;
struct code_map;
struct err;
struct image;
struct kernel;
struct module_types;
struct orc_tables;
struct tasks;

/* What it is made of. All is borrowed and must outlive the image. */
struct image_source {
	struct kernel *k;
	struct code_map *code;
	struct orc_tables *orc;
	struct module_types *types; /* of the modules; NULL: none */
	const struct tasks *tasks;  /* whose frames tracers have changed; NULL: nobody's */
};

/* Makes nothing yet. */
__attribute__((warn_unused_result)) struct err *image_new(const struct image_source *source,
							  struct image **ret);
void image_free(struct image *i);

/*
 * Does a part of the work, some 20 ms; the last part appends the file to @out, which is empty until
 * then, and sets *ret_done. After that, or an error, there is nothing left but to free it.
 */
__attribute__((warn_unused_result)) struct err *image_step(struct image *i, struct buf *out,
							   bool *ret_done);

#endif
