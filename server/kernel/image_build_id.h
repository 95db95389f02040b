/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The build-id in a kernel's image when neither VMCOREINFO nor symbols tell where it is. */
#ifndef SERVER_KERNEL_IMAGE_BUILD_ID_H
#define SERVER_KERNEL_IMAGE_BUILD_ID_H

#include <stdint.h>

struct memory;
struct vspace;

/*
 * Looks through the image that begins at or near @text for a build-id note (System V gABI, "Note
 * Section") that is the only one there but for those of the ELF files within the image, the vDSOs.
 * Its hex digits, the caller's; NULL if there is none, or more than one. That it is the kernel's is
 * likely and no more: good to look for a file by, which is then checked by what is certain.
 */
char *image_build_id(struct memory *memory, const struct vspace *space, uint64_t text);

#endif
