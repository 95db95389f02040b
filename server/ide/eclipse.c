// SPDX-License-Identifier: GPL-2.0-or-later
/* CLion and Eclipse CDT, which are configured in windows: their gdb reads what is set from a file.
 */
#include <string.h>

#include "base/buf.h"
#include "server/ide/ide.h"
#include "server/ide/ide_facts.h"
#include "server/ide/words.h"

static void add_gdbinit(const struct ide_facts *f, const char *comment, struct buf *out)
{
	struct buf line = BUF_INIT;
	for (unsigned i = 0; gdb_setting(f, i, &line); i++) {
		buf_addf(out, "%s%s\n", comment, line.data);
		if (line.failed)
			out->failed = true;
		buf_reset(&line);
	}
	buf_free(&line);
}

static void add_attribute(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, " %s=\"", name);
	buf_addxml(out, value);
	buf_addch(out, '"');
}

/* Two hyphens would end a comment of XML. */
static void add_comment(struct buf *out, const struct buf *text)
{
	char before = 0;
	for (size_t i = 0; i < text->len; before = text->data[i++])
		if (text->data[i] == '-' && before == '-')
			buf_addstr(out, " -");
		else
			buf_addch(out, text->data[i]);
}

void ide_print_clion(const struct ide_facts *f, struct buf *out)
{
	struct buf text = BUF_INIT;
	buf_addstr(out, "<!--\n");
	add_heading(&text, "", f, "For CLion (not tried): .run/vmcore.run.xml");
	buf_addstr(&text, "In ~/.gdbinit:\n");
	add_gdbinit(f, "    ", &text);
	add_comment(out, &text);
	buf_addstr(out, "-->\n<component name=\"ProjectRunConfigurationManager\">\n"
			"  <configuration default=\"false\"");
	buf_reset(&text);
	buf_addf(&text, "vmcore: %s", f->kernel);
	add_attribute(out, "name", text.data);
	buf_addstr(out, " type=\"CLion_Remote\" version=\"1\"");
	add_attribute(out, "remoteCommand", f->address);
	add_attribute(out, "symbolFile", f->vmlinux ? f->vmlinux : "");
	buf_addstr(out, " sysroot=\"\">\n    <debugger kind=\"GDB\" isBundled=\"true\" />\n");
	for (size_t i = 0; i < f->from_count; i++) {
		buf_addstr(out, "    <pathMapping");
		add_attribute(out, "remote", f->from[i]);
		add_attribute(out, "local", f->to);
		buf_addstr(out, " />\n");
	}
	buf_addstr(out, "    <method v=\"2\" />\n  </configuration>\n</component>\n");
	if (text.failed)
		out->failed = true;
	buf_free(&text);
}

void ide_print_eclipse(const struct ide_facts *f, struct buf *out)
{
	const char *port = strrchr(f->address, ':');
	add_heading(out, "# ", f, "For Eclipse CDT (its commands were replayed).");
	buf_addstr(out, "# A launch of the kind \"C/C++ Remote Application\", by the \"Manual "
			"Remote Debugging\n# Launcher\" (below the window: Select other), with\n");
	buf_addf(out, "#   Main, C/C++ Application: %s\n",
		 f->vmlinux ? f->vmlinux : "/path/to/vmlinux");
	buf_addstr(out, "#   Main: Disable auto build\n"
			"#   Debugger: uncheck \"Stop on startup at\" and \"Non-stop mode\"\n"
			"#   Debugger, GDB command file: a file with these lines of this text that "
			"begin with \"set\"\n");
	if (f->is_socket || !port)
		buf_addf(out,
			 "#   Debugger, Connection: TCP alone; serve with --listen HOST:PORT, not "
			 "%s\n",
			 f->address);
	else
		buf_addf(out, "#   Debugger, Connection: TCP, host name %.*s, port number %s\n",
			 (int)(port - f->address), f->address, port + 1);
	add_gdbinit(f, "", out);
}
