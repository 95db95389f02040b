// SPDX-License-Identifier: GPL-2.0-or-later
/* Neovim and Emacs. */
#include "base/buf.h"
#include "server/ide/ide.h"
#include "server/ide/ide_facts.h"
#include "server/ide/words.h"

static void end_line(struct buf *line, struct buf *out)
{
	if (line->failed)
		out->failed = true;
	buf_reset(line);
}

static void nvim_gdb(const struct ide_facts *f, struct buf *out)
{
	struct buf line = BUF_INIT;
	buf_addstr(out, "-- gdb's own adapter: gdb 14 or later\n"
			"dap.adapters.vmcore_gdb = {\n\ttype = \"executable\",\n"
			"\tcommand = \"gdb\",\n\targs = {\n");
	for (unsigned i = 0; gdb_setting(f, i, &line); i++) {
		buf_addstr(out, "\t\t\"-iex\", ");
		add_quoted(out, line.data);
		buf_addstr(out, ",\n");
		end_line(&line, out);
	}
	buf_addstr(out, "\t\t\"--interpreter=dap\",\n\t},\n}\n"
			"table.insert(dap.configurations.c, {\n\tname = ");
	buf_addf(&line, "vmcore: %s (gdb)", f->kernel);
	add_quoted(out, line.data);
	buf_addstr(out, ",\n\ttype = \"vmcore_gdb\",\n\trequest = \"attach\",\n\ttarget = ");
	add_quoted(out, f->address);
	if (f->vmlinux) {
		buf_addstr(out, ",\n\tprogram = ");
		add_quoted(out, f->vmlinux);
	}
	buf_addstr(out, ",\n})\n");
	end_line(&line, out);
	buf_free(&line);
}

static void nvim_source_map(const struct ide_facts *f, struct buf *out)
{
	if (!f->from_count)
		return;
	buf_addstr(out, "\tsourceMap = {");
	for (size_t i = 0; i < f->from_count; i++) {
		buf_addstr(out, i ? ", { " : " { ");
		add_quoted(out, f->from[i]);
		buf_addstr(out, ", ");
		add_quoted(out, f->to);
		buf_addstr(out, " }");
	}
	buf_addstr(out, " },\n");
}

static void nvim_lldb(const struct ide_facts *f, struct buf *out)
{
	struct buf line = BUF_INIT;
	buf_addstr(out, "-- lldb's\ndap.adapters.vmcore_lldb = {\n\ttype = \"executable\",\n"
			"\tcommand = \"lldb-dap\",\n}\n"
			"table.insert(dap.configurations.c, {\n\tname = ");
	buf_addf(&line, "vmcore: %s (lldb)", f->kernel);
	add_quoted(out, line.data);
	end_line(&line, out);
	buf_addstr(out, ",\n\ttype = \"vmcore_lldb\",\n\trequest = \"attach\",\n"
			"\tstopOnEntry = true,\n\tattachCommands = { ");
	add_lldb_dap_connect(f, out);
	buf_addstr(out, " },\n");
	if (f->vmlinux) {
		buf_addstr(out, "\tprogram = ");
		add_quoted(out, f->vmlinux);
		buf_addstr(out, ",\n");
	}
	nvim_source_map(f, out);
	buf_addstr(out, "})\n");
	buf_free(&line);
}

void ide_print_nvim(const struct ide_facts *f, struct buf *out)
{
	add_heading(out, "-- ", f, "For nvim-dap: in init.lua, or by :luafile.");
	buf_addstr(out, "local dap = require(\"dap\")\n"
			"dap.configurations.c = dap.configurations.c or {}\n");
	nvim_gdb(f, out);
	nvim_lldb(f, out);
}

/* Emacs splits the command line at spaces, and takes quoted words as Lisp has them. */
void ide_print_emacs(const struct ide_facts *f, struct buf *out)
{
	struct buf command = BUF_INIT, line = BUF_INIT;
	add_heading(out, ";; ", f, "For Emacs: M-x load-file, then M-x vmcore.");
	buf_addstr(&command, "gdb -i=mi");
	for (unsigned i = 0; gdb_setting(f, i, &line); i++) {
		buf_addstr(&command, " -iex ");
		add_quoted(&command, line.data);
		end_line(&line, out);
	}
	if (f->vmlinux) {
		buf_addch(&command, ' ');
		add_quoted(&command, f->vmlinux);
	}
	buf_addstr(out, "(require 'gdb-mi)\n(defun vmcore ()\n  \"gdb on the dump.\"\n"
			"  (interactive)\n  (setq gdb-non-stop-setting nil)\n  (gdb ");
	add_quoted(out, command.data);
	buf_addstr(out, ")\n  (gud-basic-call ");
	buf_addstr(&line, "target remote ");
	buf_addstr(&line, f->address);
	add_quoted(out, line.data);
	buf_addstr(out, "))\n");
	end_line(&line, out);
	end_line(&command, out);
	buf_free(&line);
	buf_free(&command);
}
