// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/printable.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/utf8.h"

/* Whether the UTF-8 sequence of @len bytes is one of Unicode's controls: C0, DEL, C1. */
static bool is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return *s < ' ' || *s == 0x7f;
	return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

void add_printable(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = utf8_length(text);
		if (len && !is_control((const unsigned char *)text, len)) {
			buf_add(out, text, len);
		} else {
			len = 1;
			buf_addf(out, "\\x%02x", (unsigned char)*text);
		}
		text += len;
	}
}
