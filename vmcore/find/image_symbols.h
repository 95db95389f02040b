/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel's own symbols and types, searched for in its image when nothing says where they are. */
#ifndef VMCORE_FIND_IMAGE_SYMBOLS_H
#define VMCORE_FIND_IMAGE_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct arch_map;
struct err;
struct memory;
struct symbols;
struct types;
struct vmcoreinfo;
struct vspace;

/*
 * kallsyms in the image that begins at @text, the read-only data first. Believed if the addresses
 * in
 * @info (may be NULL) are the table's, and linux_banner is one. ERR_NOTFOUND when there are none,
 * ERR_CORRUPT when what was found is not proven or there are two.
 */
__attribute__((warn_unused_result)) struct err *
image_symbols_find(const struct arch_map *map, struct memory *memory, const struct vspace *space,
		   uint64_t text, const struct vmcoreinfo *info, struct symbols **ret);

/* The same of BTF, by how it begins. Believed if it has struct task_struct. */
__attribute__((warn_unused_result)) struct err *image_types_find(const struct arch_map *map,
								 struct memory *memory,
								 const struct vspace *space,
								 uint64_t text, struct types **ret);

#endif
