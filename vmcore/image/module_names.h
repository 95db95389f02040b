/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names for modules whose file nobody has: a small ELF file with the symbols that the dump has of
 * them, to be loaded beside a vmlinux. It has no bytes of theirs, no types and no frames.
 */
#ifndef VMCORE_IMAGE_MODULE_NAMES_H
#define VMCORE_IMAGE_MODULE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct err;
struct image_source;
struct modules;

/*
 * Where the memory of the modules begins and ends of which @wanted, by their index, says so. False
 * if they have none. That is the file's only segment: told that this is where it was loaded, gdb
 * moves nothing, however many sections there are.
 */
bool module_names_span(const struct modules *modules, const bool *wanted, uint64_t *ret_low,
		       uint64_t *ret_high);

/*
 * Appends the file to @out, which is empty. @wanted is about the modules of @source->code.
 * ERR_NOTFOUND when those have no memory. A section for each piece of a module's memory, called as
 * the generated image calls it (image_layout.h), at its address in memory.
 */
__attribute__((warn_unused_result)) struct err *
module_names_make(const struct image_source *source, const bool *wanted, struct buf *out);

#endif
