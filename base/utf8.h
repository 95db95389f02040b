/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 in names that come from a kernel, which keeps bytes of no stated encoding. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>

/* The length (1..4) of the valid UTF-8 sequence at the start of the 0-ended string @s, which is not
 * empty; 0 if it is none (Unicode 15.0, table 3-7: no overlong forms, no surrogates). */
size_t utf8_length(const char *s);

#endif
