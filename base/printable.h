/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text that comes from a dump, for a terminal: any process can call itself ESC [ 2 J. */
#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

struct buf;

/* Appends @text, with \xNN for control characters, line ends among them, and what is no UTF-8. */
void add_printable(struct buf *out, const char *text);

#endif
