// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/markdown.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"

/* What begins markup inside a paragraph. An underscore does not, inside a word: kvm_vcpu. */
static const char markup[] = "\\`*<[";

/* The length of an option's name at @p, which begins a word; 0 if there is none. */
static size_t option_length(const char *p)
{
	size_t len = 2;
	if (strncmp(p, "--", 2) != 0 || !islower((unsigned char)p[2]))
		return 0;
	while (islower((unsigned char)p[len]) ||
	       (p[len] == '-' && islower((unsigned char)p[len + 1])))
		len++;
	return len;
}

void markdown_sentence(struct buf *out, const char *text)
{
	bool word = true; /* a word begins here */
	for (const char *p = text; *p; p++) {
		size_t len = word ? option_length(p) : 0;
		if (len) {
			buf_addch(out, '`');
			buf_add(out, p, len);
			buf_addch(out, '`');
			p += len - 1;
		} else if (p == text) {
			buf_addch(out, (char)toupper((unsigned char)*p));
		} else {
			if (strchr(markup, *p))
				buf_addch(out, '\\');
			buf_addch(out, *p);
		}
		word = isspace((unsigned char)*p) || *p == '(';
	}
	buf_addstr(out, ".\n");
}
