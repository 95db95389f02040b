// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * .vscode/launch.json, with a configuration for each extension that speaks to gdb or lldb. VS Code
 * takes comments in it.
 */
#include <string.h>

#include "base/buf.h"
#include "server/ide/ide.h"
#include "server/ide/ide_facts.h"
#include "server/ide/words.h"

/* A client that cannot do without a file gets a name that the user replaces. */
static const char *file_of(const struct ide_facts *f)
{
	return f->vmlinux ? f->vmlinux : "/path/to/vmlinux";
}

static void begin(struct buf *out, const char *about, const char *type, const char *request,
		  const struct ide_facts *f)
{
	buf_addf(out, "\t\t// %s\n\t\t{\n\t\t\t\"type\": \"%s\", \"request\": \"%s\",\n", about,
		 type, request);
	buf_addf(out, "\t\t\t\"name\": \"vmcore: %s (%s)\",\n", f->kernel, type);
}

static void add_key(struct buf *out, const char *key)
{
	buf_addf(out, ",\n\t\t\t\"%s\": ", key);
}

static void add_pair(struct buf *out, const char *key, const char *value)
{
	add_key(out, key);
	add_quoted(out, value);
}

static void end(struct buf *out, bool more)
{
	buf_addf(out, "\n\t\t}%s\n", more ? "," : "");
}

/* {"FROM": "TO"} */
static void add_map(struct buf *out, const char *key, const struct ide_facts *f)
{
	if (!f->from_count)
		return;
	add_key(out, key);
	for (size_t i = 0; i < f->from_count; i++) {
		buf_addstr(out, i ? ", " : "{");
		add_quoted(out, f->from[i]);
		buf_addstr(out, ": ");
		add_quoted(out, f->to);
	}
	buf_addch(out, '}');
}

/* [["FROM", "TO"]] */
static void add_pairs(struct buf *out, const char *key, const struct ide_facts *f)
{
	if (!f->from_count)
		return;
	add_key(out, key);
	for (size_t i = 0; i < f->from_count; i++) {
		buf_addstr(out, i ? ", [" : "[[");
		add_quoted(out, f->from[i]);
		buf_addstr(out, ", ");
		add_quoted(out, f->to);
		buf_addch(out, ']');
	}
	buf_addch(out, ']');
}

/* gdb's settings as an array: each as an element, or between @before and @after. */
static void add_settings(struct buf *out, const char *key, const struct ide_facts *f,
			 const char *before, const char *after)
{
	struct buf line = BUF_INIT;
	add_key(out, key);
	for (unsigned i = 0; gdb_setting(f, i, &line); i++) {
		buf_addf(out, "%s%s", i ? ",\n\t\t\t\t" : "[", before);
		add_quoted(out, line.data);
		buf_addstr(out, after);
		buf_reset(&line);
	}
	buf_addch(out, ']');
	if (line.failed)
		out->failed = true;
	buf_free(&line);
}

static void add_lldb_dap(const struct ide_facts *f, struct buf *out)
{
	begin(out,
	      "LLDB DAP. Console: process plugin packet monitor threads. All frames and modules: "
	      "doc/ide.md, --prepare",
	      "lldb-dap", "attach", f);
	buf_addstr(out, "\t\t\t\"stopOnEntry\": true");
	if (f->vmlinux)
		add_pair(out, "program", f->vmlinux);
	add_key(out, "attachCommands");
	buf_addch(out, '[');
	add_lldb_dap_connect(f, out);
	buf_addch(out, ']');
	add_pairs(out, "sourceMap", f);
	end(out, true);
}

static void add_code_lldb(const struct ide_facts *f, struct buf *out)
{
	struct buf line = BUF_INIT;
	begin(out, "CodeLLDB (not tried)", "lldb", "launch", f);
	buf_addstr(out, "\t\t\t\"stopOnEntry\": true");
	add_key(out, "targetCreateCommands");
	buf_addf(&line, "target create \"%s\"", file_of(f));
	buf_addch(out, '[');
	add_quoted(out, line.data);
	buf_addch(out, ']');
	add_key(out, "processCreateCommands");
	buf_addch(out, '[');
	buf_reset(&line);
	lldb_connect(f, &line);
	add_quoted(out, line.data);
	buf_addch(out, ']');
	add_map(out, "sourceMap", f);
	end(out, false);
	if (line.failed)
		out->failed = true;
	buf_free(&line);
}

static void add_gdbtarget(const struct ide_facts *f, struct buf *out)
{
	begin(out, "CDT GDB Debug Adapter. Console: >monitor threads", "gdbtarget", "attach", f);
	buf_addstr(out, "\t\t\t\"gdb\": \"gdb\"");
	if (f->vmlinux)
		add_pair(out, "program", f->vmlinux);
	add_key(out, "target");
	buf_addstr(out, "{\"type\": \"remote\", \"parameters\": [");
	add_quoted(out, f->address);
	buf_addstr(out, "]}");
	add_settings(out, "initCommands", f, "", "");
	end(out, true);
}

static void add_cppdbg(const struct ide_facts *f, struct buf *out)
{
	begin(out,
	      "C/C++ (its commands were replayed). It wants a file. Console: -exec monitor threads",
	      "cppdbg", "launch", f);
	buf_addstr(out, "\t\t\t\"MIMode\": \"gdb\", \"miDebuggerPath\": \"gdb\", "
			"\"stopAtConnect\": true, \"cwd\": \"${workspaceFolder}\"");
	add_pair(out, "program", file_of(f));
	add_pair(out, "miDebuggerServerAddress", f->address);
	add_settings(out, "setupCommands", f, "{\"text\": ", ", \"ignoreFailures\": true}");
	end(out, true);
}

static void add_native_debug(const struct ide_facts *f, struct buf *out)
{
	begin(out, "Native Debug (tried by hand). Console: monitor threads", "gdb", "attach", f);
	buf_addstr(out, "\t\t\t\"remote\": true, \"stopAtConnect\": true, \"valuesFormatting\": "
			"\"parseText\", \"cwd\": \"${workspaceFolder}\"");
	add_pair(out, "executable", file_of(f));
	add_pair(out, "target", f->address);
	add_key(out, "debugger_args");
	buf_addstr(out, "[\"-iex\", \"set index-cache enabled on\"]");
	add_map(out, "pathSubstitutions", f);
	end(out, true);
}

void ide_print_vscode(const struct ide_facts *f, struct buf *out)
{
	add_heading(
		out, "// ", f,
		"For .vscode/launch.json: keep the configuration of the extension that you have.");
	buf_addstr(out, "{\n\t\"version\": \"0.2.0\",\n\t\"configurations\": [\n");
	add_lldb_dap(f, out);
	add_gdbtarget(f, out);
	add_cppdbg(f, out);
	add_native_debug(f, out);
	add_code_lldb(f, out);
	buf_addstr(out, "\t]\n}\n");
}
