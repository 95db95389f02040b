// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/fields.h"

#include <string.h>

#include "base/buf.h"
#include "base/hex.h"

void field_add(struct buf *out, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p >= ' ' && *p < 0x7f && *p != '%')
			buf_addch(out, (char)*p);
		else
			buf_addf(out, "%%%02x", *p);
	}
}

bool field_decode(char *text)
{
	char *to = text;
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || (unsigned char)*p > 0x7e)
			return false;
		if (*p != '%') {
			*to++ = *p;
			continue;
		}
		int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);
		if (low < 0 || !(high | low))
			return false;
		*to++ = (char)(high << 4 | low);
		p += 2;
	}
	*to = 0;
	return true;
}

bool fields_split(char *line, char **fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *tab = strchr(line, '\t');
		fields[i] = line;
		if (!tab != (i == count - 1))
			return false;
		if (!tab)
			break;
		*tab = 0;
		line = tab + 1;
	}
	return true;
}
