/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of both formats share. */
#ifndef RECIPE_IMAGE_H
#define RECIPE_IMAGE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct recipe;

/*
 * Appends all notes; *ret_info_offset and *ret_info_len say where in them the text of VMCOREINFO is
 * (0 and 0 if there is none), and may be NULL.
 */
void image_notes(const struct recipe *r, struct buf *out, size_t *ret_info_offset,
		 size_t *ret_info_len);

/* Fills @out up with zeros to @len bytes. */
void image_pad(struct buf *out, uint64_t len);

#endif
