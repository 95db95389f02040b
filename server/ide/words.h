/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Strings in the languages that configurations are written in. None holds control characters: facts
 * with such are left out (ide_facts.h). Allocation failures are @out's.
 */
#ifndef SERVER_IDE_WORDS_H
#define SERVER_IDE_WORDS_H

#include <stdbool.h>

struct buf;
struct ide_facts;

/* "TEXT", as JSON, Lua and Emacs Lisp have it: backslashes before backslashes and quotes. */
void add_quoted(struct buf *out, const char *text);

/* A word of a command of gdb's, which splits its arguments as a shell does. */
void add_gdb_word(struct buf *out, const char *text);

/* What gdb is told before it reads a vmlinux, command @i of it; false behind the last. */
bool gdb_setting(const struct ide_facts *facts, unsigned i, struct buf *out);

/* The command that connects lldb. */
void lldb_connect(const struct ide_facts *facts, struct buf *out);
/* A list of what lldb-dap is told to connect, in quotes and apart by commas: it waits for the stop,
 * as lldb-dap up to 19 does not by itself. */
void add_lldb_dap_connect(const struct ide_facts *facts, struct buf *out);

/* The lines that every configuration begins with, each after @comment ("// "). @how says where the
 * text belongs. */
void add_heading(struct buf *out, const char *comment, const struct ide_facts *facts,
		 const char *how);

#endif
