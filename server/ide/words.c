// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/ide/words.h"

#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "server/ide/ide_facts.h"

void add_quoted(struct buf *out, const char *text)
{
	buf_addch(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_addch(out, '\\');
		buf_addch(out, *text);
	}
	buf_addch(out, '"');
}

void add_gdb_word(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr(" \"'\\", *text))
			buf_addch(out, '\\');
		buf_addch(out, *text);
	}
}

bool gdb_setting(const struct ide_facts *facts, unsigned i, struct buf *out)
{
	/* gdb 13 takes half a minute for its first list of variables without an index. */
	if (i == 0) {
		buf_addstr(out, "set index-cache enabled on");
		return true;
	}
	if (i > facts->from_count)
		return false;
	buf_addstr(out, "set substitute-path ");
	add_gdb_word(out, facts->from[i - 1]);
	buf_addch(out, ' ');
	add_gdb_word(out, facts->to);
	return true;
}

void add_heading(struct buf *out, const char *comment, const struct ide_facts *facts,
		 const char *how)
{
	buf_addf(out, "%s%s, as vmcore-gdbserver serves it at %s.\n", comment, facts->kernel,
		 facts->address);
	buf_addf(out, "%s%s\n", comment, how);
	if (!facts->vmlinux)
		buf_addf(out,
			 "%sNo vmlinux is here: gdb takes what the server has. For others,\n"
			 "%s`vmcore-gdbserver --write-symbols FILE DUMP` makes a file.\n",
			 comment, comment);
	if (facts->source)
		buf_addf(out, "%sSource: %s.\n", comment, facts->source);
	if (facts->from_count)
		buf_addf(out, "%sWhere the source is elsewhere, replace %s.\n", comment, facts->to);
}

void lldb_connect(const struct ide_facts *facts, struct buf *out)
{
	buf_addf(out, facts->is_socket ? "process connect unix-connect://%s" : "gdb-remote %s",
		 facts->address);
}

void add_lldb_dap_connect(const struct ide_facts *facts, struct buf *out)
{
	struct buf line = BUF_INIT;
	lldb_connect(facts, &line);
	buf_addstr(out, "\"script lldb.debugger.SetAsync(False)\", ");
	add_quoted(out, line.data);
	buf_addstr(out, ", \"script lldb.debugger.SetAsync(True)\"");
	if (line.failed)
		out->failed = true;
	buf_free(&line);
}
