// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/image.h"

#include <string.h>

#include "tests/recipe/notes.h"
#include "tests/recipe/recipe.h"

void image_notes(const struct recipe *r, struct buf *out, size_t *ret_info_offset,
		 size_t *ret_info_len)
{
	size_t offset = 0;
	buf_add(out, r->notes.data, r->notes.len);
	if (r->vmcoreinfo.len) {
		/* Behind the note's header (12 bytes) and its padded name. */
		offset = out->len + 12 + sizeof("VMCOREINFO\0");
		note_add(out, "VMCOREINFO", 0, r->vmcoreinfo.data, r->vmcoreinfo.len);
	}
	if (ret_info_offset)
		*ret_info_offset = offset;
	if (ret_info_len)
		*ret_info_len = r->vmcoreinfo.len;
}

void image_pad(struct buf *out, uint64_t len)
{
	if (len <= out->len || !buf_reserve(out, len - out->len))
		return;
	memset(out->data + out->len, 0, len - out->len + 1);
	out->len = len;
}
