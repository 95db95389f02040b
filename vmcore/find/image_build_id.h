/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Build-ids in a kernel's image, when neither VMCOREINFO nor symbols tell where its own is. */
#ifndef VMCORE_FIND_IMAGE_BUILD_ID_H
#define VMCORE_FIND_IMAGE_BUILD_ID_H

#include <stddef.h>
#include <stdint.h>

struct arch_map;
struct memory;
struct vspace;

enum { IMAGE_BUILD_IDS_MAX = 8, IMAGE_BUILD_ID_SIZE = 2 * 64 + 1 };

struct image_build_ids {
	char list[IMAGE_BUILD_IDS_MAX][IMAGE_BUILD_ID_SIZE]; /* hex digits; each once */
	size_t count;
};

/*
 * Looks through the read-only pages of the image that begins at or near @text for build-id notes
 * (System V gABI, "Note Section"), the lowest first. Those of ELF files within the image, the
 * vDSOs, are left out; what modules left in memory that was freed is not. So they are good to look
 * for a file by, which is then checked by what is certain, and for nothing else.
 */
void image_build_ids(const struct arch_map *map, struct memory *memory, const struct vspace *space,
		     uint64_t text, struct image_build_ids *ret);

#endif
