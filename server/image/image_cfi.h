/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generated image's .debug_frame: every function of the kernel and its modules, from ORC. */
#ifndef SERVER_IMAGE_IMAGE_CFI_H
#define SERVER_IMAGE_IMAGE_CFI_H

#include <stdbool.h>
#include <stddef.h>

struct cfi_writer;
struct code_map;
struct err;
struct image_layout;
struct module;
struct orc_tables;
struct symbols;

/* Functions of one object, converted a slice at a time. Zeros to begin with. */
struct image_cfi {
	size_t symbol; /* the next one */
	size_t row;    /* of the table: the last that begins at or below it */
};

/*
 * Adds the FDEs of the functions among @symbols, those of @module (NULL: the kernel): @most of them
 * (or a few more), from where @state is on, which it moves. *ret_done says that there are no more.
 * A part of the code that no symbol names belongs to the function before it.
 */
__attribute__((warn_unused_result)) struct err *
image_cfi_add(struct orc_tables *orc, const struct module *module, const struct symbols *symbols,
	      const struct image_layout *layout, size_t most, struct image_cfi *state,
	      struct cfi_writer *w, bool *ret_done);

#endif
