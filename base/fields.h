/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of fields with a tab between them, for files that programs keep. In a field %XX stands for
 * control characters, for % itself, and for what is not ASCII: a line is printable. */
#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Appends @text (not its end) as a field. */
void field_add(struct buf *out, const char *text);

/* Undoes that in place; false, and @text undefined, if that is not what is there. */
bool field_decode(char *text);

/* Cuts @line into its fields; false unless there are just @count. */
bool fields_split(char *line, char **fields, size_t count);

#endif
