/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of help tables as Markdown, for doc/commands.md. */
#ifndef SERVER_MARKDOWN_H
#define SERVER_MARKDOWN_H

struct buf;

/*
 * Appends @text, one or more sentences without the last full stop, as a paragraph of CommonMark:
 * with that full stop and a capital first letter, words like --json as code, and escaped what
 * would be markup. Line ends stay. Allocation failures are @out's.
 */
void markdown_sentence(struct buf *out, const char *text);

#endif
