/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generated image's types, functions and variables: DWARF from the BTF in the dump. */
#ifndef VMCORE_IMAGE_IMAGE_TYPES_H
#define VMCORE_IMAGE_IMAGE_TYPES_H

#include <stdbool.h>

struct code_map;
struct elf_writer;
struct err;
struct image_layout;
struct image_types;
struct kernel;
struct module_types;

/*
 * Collects the BTF of @k and of its modules, all of which is borrowed. @types may be NULL: the
 * kernel's alone. A module whose BTF is not there or damaged is left out, with a line in the log.
 * *ret is NULL where the kernel's own types are no BTF.
 */
__attribute__((warn_unused_result)) struct err *
image_types_new(struct kernel *k, struct code_map *code, struct module_types *types,
		const struct image_layout *layout, struct image_types **ret);
void image_types_free(struct image_types *t);

/* Does a part of the work, some 50 ms at most; the last part adds the sections to @w. */
__attribute__((warn_unused_result)) struct err *
image_types_step(struct image_types *t, struct elf_writer *w, bool *ret_done);

#endif
