// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/options.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/log.h"
#include "server/files/debuginfod_helper.h"
#include "server/markdown.h"
#include "server/options_table.h"

enum { DEFAULT_CACHE_SIZE = 64 << 20, SMALLEST_CACHE_SIZE = 1 << 20, SMALLEST_MEMORY = 128 << 20 };

#define DEFAULT_MEMORY ((size_t)4 << 30)

static const struct option_row rows[] = {
	{ 'l', "listen", "ADDR",
	  "serve at HOST:PORT, :PORT (this machine only), unix:PATH, stdio,\n"
	  "unixdir:PATH (a folder, with the socket 'host'), or fd:N (a socket\n"
	  "that listens already); port 0 picks a free one; may be repeated\n"
	  "(default: systemd's sockets if it passes any on, or 127.0.0.1:1234)",
	  "127.0.0.1:1234 unix: unixdir: fd: stdio", false },
	{ 'g', "guests", NULL,
	  "serve every virtual machine in the dump, too: at the ports behind the\n"
	  "host's, or in the folder of --listen unixdir:PATH",
	  NULL, false },
	{ 0, "multiprocess", NULL,
	  "let gdb hold the host and guests in one connection, each an inferior of\n"
	  "its own (target extended-remote, add-inferior, attach ID); without it\n"
	  "`attach ID` opens a guest in the host's place; with --guests lldb 23\n"
	  "opens the host and every guest at once, each a target of its own",
	  NULL, false },
	{ 'G', "guest", "VM",
	  "look at the Linux kernel of this virtual machine (named by its process)\n"
	  "as if the dump were the guest's own; --symbols may be of either kernel",
	  NULL, false },
	{ 0, "live", "=SOURCE",
	  "look at the machine this runs on: at /proc/kcore, /dev/mem or\n"
	  "/dev/crash, the first that can be read, or at SOURCE; qmp:SOCKET is a\n"
	  "machine of QEMU's, by its QMP socket; listens at\n"
	  "unix:/run/vmcore-gdbserver.sock unless told otherwise",
	  NULL, false },
	{ 0, "user", "NAME",
	  "whom to become when started by root, before anything of a dump is\n"
	  "read; with --live, once that is open (default nobody)",
	  "-u", false },
	{ 0, "any-user", NULL,
	  "let every user of this machine connect; without it only who started\n"
	  "the server (by sudo, too) and root may",
	  NULL, false },
	{ 0, "group", "NAME", "let the members of a group connect to Unix sockets, too", "-g",
	  false },
	{ 0, "max-clients", "NUMBER", "serve at most that many at once (default 256)",
	  "16 64 256 1024", false },
	{ 0, "idle", "SECONDS",
	  "of a folder of dumps: how long one stays open when nobody looks at it\n"
	  "any more (default 60)",
	  "10 60 600", false },
	{ 0, "memory-limit", "SIZE",
	  "the most memory that the server takes for itself; mapped files do not\n"
	  "count (default 4G; 0: no limit)",
	  "1G 4G 16G 0", false },
	{ 0, "no-confinement", NULL,
	  "keep the rights of who starts the server, all system calls and\n"
	  "access to files; `info` says what is given up otherwise",
	  NULL, false },
	{ 's', "symbols", "PATH",
	  "a vmlinux, a debug package as it comes (.rpm, .deb, .ddeb), types\n"
	  "alone (.btf, .btf.tar.xz), or a folder to look for any of them in; may\n"
	  "be repeated.\n"
	  "Without it the usual debug folders are searched when the dump itself\n"
	  "does not hold the kernel's symbols and types",
	  "-f", false },
	{ 'r', "run", "COMMAND",
	  "start COMMAND by the shell, with the address to attach to for {} and in\n"
	  "$VMCORE_GDBSERVER; end when it ends, with its exit status",
	  "-c", false },
	{ 'x', "exec", "COMMAND",
	  "print what the monitor command COMMAND answers, without serving;\n"
	  "may be repeated",
	  "@monitor", false },
	{ 0, "cache-size", "SIZE",
	  "memory for decompressed pages: bytes, or with K, M or G (default 64M)", "64M 256M 1G",
	  false },
	{ 0, "write-symbols", "FILE",
	  "write what the dump itself tells of names, types and frames to\n"
	  "FILE, an ELF file for gdb, lldb and other tools, and exit",
	  "-f", false },
	{ 0, "ide", "NAME",
	  "print a configuration for this dump, and exit: for vscode, nvim, emacs,\n"
	  "clion or eclipse, with --listen's address and the vmlinux that is found",
	  "vscode nvim emacs clion eclipse", false },
	{ 0, "write-types", "FILE",
	  "write types, frames and names of the debug files that --symbols names,\n"
	  "a vmlinux and modules, to FILE (NAME.types.tar.xz): some MB that\n"
	  "--symbols takes in their place; needs no dump",
	  "-f", false },
	{ 0, "no-context-threads", NULL,
	  "list tasks alone, and not what an interrupt of a CPU has stopped", NULL, false },
	{ 0, "no-serve-files", NULL,
	  "let no client read the vmlinux or other files of symbols; they\n"
	  "are offered to one that has none of its own",
	  NULL, false },
	{ 0, "symbol-cache", "DIR",
	  "keep what is taken out of packages, what is made for a gdb without a\n"
	  "vmlinux, and the index of a vmlinux, in the folder DIR, for the next\n"
	  "time",
	  "-d", false },
	{ 0, "notes", "DIR",
	  "keep what is written down by `monitor note` in the folder DIR, in place\n"
	  "of a file beside the dump, DUMP.notes",
	  "-d", false },
	{ 0, "no-extra-cfi", NULL, "do not give gdb the frames of entry code that a vmlinux lacks",
	  NULL, false },
	{ 0, "debug", "CATEGORIES",
	  "tell on standard error what happens inside; 'list' names the\n"
	  "categories: 'refused' is each packet that failed, with the reason,\n"
	  "and 'target' what a dump or a guest is asked, with the answers",
	  "list all", false },
	{ 0, "patience", "SECONDS",
	  "how long clients wait for an answer (default 5): what takes longer is\n"
	  "an error. gdb waits three times its remotetimeout",
	  "5 20 60", false },
	{ 'q', "quiet", NULL, "say nothing but errors and where it listens", NULL, false },
	{ 'h', "help", NULL, "print this help and exit", NULL, false },
	{ 'V', "version", NULL, "print the version and exit", NULL, false },
	{ 0, OPTION_DEBUGINFOD_HELPER, NULL, "for the server itself: download files", NULL, true },
	{ 0, "from-shelf", "FD", "for the server itself: clients come by a descriptor", NULL,
	  true },
	{ 0, "print-summary", NULL, "for the server itself: print what an index keeps", NULL,
	  true },
	{ 0, "print-docs", "KIND",
	  "for the build: man-options, man-monitor, completion-SHELL, markdown or ide-NAME", NULL,
	  true },
};

enum { ROWS = sizeof(rows) / sizeof(*rows), LONG_ONLY = 256 };

/* Seconds: gdb and lldb as they are, and what nobody would wait for. */
enum { DEFAULT_PATIENCE = 5, SHORTEST_PATIENCE = 2, LONGEST_PATIENCE = 86400 };

enum { DEFAULT_IDLE = 60 };

enum { DEFAULT_CLIENTS = 256, MOST_CLIENTS = 65536 };

static struct err *add_string(struct strings *s, const char *string)
{
	const char **list = reallocarray(s->list, s->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	s->list = list;
	s->list[s->count++] = string;
	return NULL;
}

/* sd_listen_fds(3): descriptors from 3 on, for this process alone. */
static struct err *take_given(struct strings *listen)
{
	static const char *const given[] = { "fd:3",  "fd:4",  "fd:5",	"fd:6",	 "fd:7",  "fd:8",
					     "fd:9",  "fd:10", "fd:11", "fd:12", "fd:13", "fd:14",
					     "fd:15", "fd:16", "fd:17", "fd:18" };
	enum { MOST = sizeof(given) / sizeof(*given) };
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t whose, count = 0;
	struct err *e = NULL;
	if (!listen->count && pid && fds && number_parse(pid, false, &whose) &&
	    whose == (uint64_t)getpid() && number_parse(fds, false, &count) && count > MOST)
		return err_new(ERR_INVALID, "there are more than %d sockets in LISTEN_FDS", MOST);
	for (uint64_t i = 0; !e && i < count; i++)
		e = add_string(listen, given[i]);
	/* Not for the command of --run. */
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return e;
}

/* Of the option @name; @least is in bytes, and so is what is returned. */
static struct err *parse_size(const char *name, const char *text, size_t least, size_t *ret)
{
	char digits[24];
	size_t len = strspn(text, "0123456789");
	uint64_t number, unit = 1;
	const char *suffix = text + len;
	if (!strcmp(suffix, "K") || !strcmp(suffix, "k"))
		unit = 1 << 10;
	else if (!strcmp(suffix, "M") || !strcmp(suffix, "m"))
		unit = 1 << 20;
	else if (!strcmp(suffix, "G") || !strcmp(suffix, "g"))
		unit = 1 << 30;
	else if (*suffix)
		len = 0;
	if (!len || len >= sizeof(digits))
		return err_new(ERR_INVALID,
			       "--%s: '%s' is no size; give bytes, or a number with K, M or G",
			       name, text);
	memcpy(digits, text, len);
	digits[len] = 0;
	if (!number_parse(digits, false, &number) ||
	    __builtin_mul_overflow(number, unit, &number) || number < least ||
	    number > SIZE_MAX / 4)
		return err_new(ERR_INVALID, "--%s: '%s' is out of range; %zuM is the least", name,
			       text, least >> 20);
	*ret = number;
	return NULL;
}

static struct err *parse_patience(const char *text, unsigned *ret)
{
	uint64_t seconds;
	if (!number_parse(text, false, &seconds) || seconds < SHORTEST_PATIENCE ||
	    seconds > LONGEST_PATIENCE)
		return err_new(ERR_INVALID,
			       "--patience: '%s' is no number of seconds from %d to %d", text,
			       SHORTEST_PATIENCE, LONGEST_PATIENCE);
	*ret = (unsigned)seconds;
	return NULL;
}

static struct err *parse_clients(const char *text, unsigned *ret)
{
	uint64_t clients;
	if (!number_parse(text, false, &clients) || !clients || clients > MOST_CLIENTS)
		return err_new(ERR_INVALID, "--max-clients: '%s' is no number from 1 to %d", text,
			       MOST_CLIENTS);
	*ret = (unsigned)clients;
	return NULL;
}

static struct err *parse_idle(const char *text, unsigned *ret)
{
	uint64_t seconds;
	if (!number_parse(text, false, &seconds) || !seconds || seconds > LONGEST_PATIENCE)
		return err_new(ERR_INVALID, "--idle: '%s' is no number of seconds from 1 to %d",
			       text, LONGEST_PATIENCE);
	*ret = (unsigned)seconds;
	return NULL;
}

static struct err *parse_inlet(const char *text, int *ret)
{
	uint64_t fd;
	if (!number_parse(text, false, &fd) || fd > INT32_MAX)
		return err_new(ERR_INVALID, "--from-shelf: '%s' is no descriptor", text);
	*ret = (int)fd;
	return NULL;
}

static struct err *parse_docs(const char *kind, enum action *ret, enum ide *ret_ide)
{
	static const char ide[] = "ide-";
	if (!strcmp(kind, "man-options"))
		*ret = ACTION_MAN_OPTIONS;
	else if (!strcmp(kind, "man-monitor"))
		*ret = ACTION_MAN_MONITOR;
	else if (!strcmp(kind, "completion-bash"))
		*ret = ACTION_COMPLETION_BASH;
	else if (!strcmp(kind, "completion-fish"))
		*ret = ACTION_COMPLETION_FISH;
	else if (!strcmp(kind, "completion-zsh"))
		*ret = ACTION_COMPLETION_ZSH;
	else if (!strcmp(kind, "markdown"))
		*ret = ACTION_MARKDOWN;
	else if (!strncmp(kind, ide, strlen(ide))) {
		*ret = ACTION_IDE_FILE;
		return err_wrap(ide_parse(kind + strlen(ide), ret_ide), "--print-docs");
	} else
		return err_new(ERR_INVALID, "--print-docs: there is no '%s'", kind);
	return NULL;
}

static struct err *take_live(struct options *o, const char *source)
{
	if (source && !*source)
		return err_new(ERR_INVALID, "--live=: give a source behind the =, or leave it out");
	o->live = true;
	o->live_source = source;
	return NULL;
}

static struct err *take(struct options *o, const struct option_row *row, const char *value)
{
	if (!strcmp(row->name, "listen"))
		return add_string(&o->listen, value);
	if (!strcmp(row->name, "symbols"))
		return add_string(&o->symbols, value);
	if (!strcmp(row->name, "exec"))
		return add_string(&o->exec, value);
	if (!strcmp(row->name, "cache-size"))
		return parse_size("cache-size", value, SMALLEST_CACHE_SIZE, &o->cache_size);
	if (!strcmp(row->name, "memory-limit") && !strcmp(value, "0")) {
		o->memory_limit = 0;
		return NULL;
	}
	if (!strcmp(row->name, "memory-limit"))
		return parse_size("memory-limit", value, SMALLEST_MEMORY, &o->memory_limit);
	if (!strcmp(row->name, "patience"))
		return parse_patience(value, &o->patience);
	if (!strcmp(row->name, "ide"))
		return err_wrap(ide_parse(value, &o->ide), "--ide");
	if (!strcmp(row->name, "max-clients"))
		return parse_clients(value, &o->max_clients);
	if (!strcmp(row->name, "print-docs"))
		return parse_docs(value, &o->action, &o->ide);
	if (!strcmp(row->name, "idle"))
		return parse_idle(value, &o->idle);
	if (!strcmp(row->name, "from-shelf"))
		return parse_inlet(value, &o->inlet);
	if (!strcmp(row->name, "print-summary"))
		o->summary = true;
	else if (!strcmp(row->name, "run"))
		o->run = value;
	else if (!strcmp(row->name, "user"))
		o->user = value;
	else if (!strcmp(row->name, "live"))
		return take_live(o, value);
	else if (!strcmp(row->name, "write-symbols"))
		o->write_symbols = value;
	else if (!strcmp(row->name, "write-types"))
		o->write_types = value;
	else if (!strcmp(row->name, "symbol-cache"))
		o->symbol_cache = value;
	else if (!strcmp(row->name, "notes"))
		o->notes = value;
	else if (!strcmp(row->name, "no-context-threads"))
		o->no_context_threads = true;
	else if (!strcmp(row->name, "guests"))
		o->guests = true;
	else if (!strcmp(row->name, "multiprocess"))
		o->multiprocess = true;
	else if (!strcmp(row->name, "guest"))
		o->guest = value;
	else if (!strcmp(row->name, "no-extra-cfi"))
		o->no_extra_cfi = true;
	else if (!strcmp(row->name, "no-serve-files"))
		o->no_serve_files = true;
	else if (!strcmp(row->name, "any-user"))
		o->any_user = true;
	else if (!strcmp(row->name, "group"))
		o->group = value;
	else if (!strcmp(row->name, "no-confinement"))
		o->no_confinement = true;
	else if (!strcmp(row->name, "quiet"))
		o->quiet = true;
	else if (!strcmp(row->name, "help"))
		o->action = ACTION_HELP;
	else if (!strcmp(row->name, "version"))
		o->action = ACTION_VERSION;
	else if (!strcmp(row->name, OPTION_DEBUGINFOD_HELPER))
		o->action = ACTION_DEBUGINFOD_HELPER;
	else if (!strcmp(row->name, "debug") && !strcmp(value, "list"))
		o->action = ACTION_DEBUG_LIST;
	else if (!strcmp(row->name, "debug"))
		return err_wrap(log_enable(value), "--debug");
	return NULL;
}

/* What getopt_long() calls the option of a row. */
static int row_value(size_t row)
{
	return rows[row].letter ? rows[row].letter : LONG_ONLY + (int)row;
}

/* The row that getopt_long() calls @value; NULL for 0 and letters that are no option. */
static const struct option_row *find_row(int value)
{
	for (size_t i = 0; i < ROWS; i++)
		if (value == row_value(i))
			return &rows[i];
	return NULL;
}

/* What getopt_long() stopped at, as the user typed it. */
static struct err *bad_option(int found, int letter, char **argv)
{
	const char *what = argv[optind - 1];
	const struct option_row *row = find_row(letter);
	if (row && found == ':')
		return err_new(ERR_INVALID, "--%s needs %s behind it; see --help", row->name,
			       row->argument);
	if (row)
		return err_new(ERR_INVALID, "--%s takes no value; see --help", row->name);
	if (letter)
		return err_new(ERR_INVALID, "there is no option -%c; see --help", letter);
	return err_new(ERR_INVALID, "'%s' is no option, or not a whole one; see --help", what);
}

static struct err *check_write_types(const struct options *o)
{
	if (o->live || o->dumps.count || o->write_symbols || o->ide || o->exec.count || o->run ||
	    o->listen.count)
		return err_new(
			ERR_INVALID,
			"--write-types looks at debug files alone: leave out the dump, --live, "
			"--write-symbols, --exec, --run and --listen");
	if (!o->symbols.count)
		return err_new(ERR_INVALID,
			       "--write-types needs a vmlinux with debug information, and the "
			       "modules' files: name them with --symbols");
	return NULL;
}

static struct err *check_source(const struct options *o)
{
	if (o->action != ACTION_SERVE)
		return NULL;
	if (o->live && o->dumps.count)
		return err_new(ERR_INVALID,
			       "--live looks at this machine and takes no dump; a source is given "
			       "as --live=%s",
			       o->dumps.list[0]);
	if (o->live && o->notes)
		return err_new(ERR_INVALID, "--notes is for dumps; what is noted of a live machine "
					    "lasts as long as the server");
	if (o->live && o->guest)
		return err_new(ERR_INVALID, "--guest looks at a guest of a dump; of a live machine "
					    "'monitor vcpu' shows them");
	if (o->write_types)
		return check_write_types(o);
	if (!o->live && !o->dumps.count)
		return err_new(ERR_INVALID, "no dump is given; see --help");
	return NULL;
}

struct err *options_parse(int argc, char **argv, struct options *ret)
{
	struct option longs[ROWS + 1] = { { 0 } };
	char shorts[2 * ROWS + 2] = ":";
	size_t n = 1;
	struct options o = { .cache_size = DEFAULT_CACHE_SIZE,
			     .memory_limit = DEFAULT_MEMORY,
			     .max_clients = DEFAULT_CLIENTS,
			     .user = "nobody",
			     .idle = DEFAULT_IDLE,
			     .inlet = -1,
			     .patience = DEFAULT_PATIENCE };
	struct err *e = NULL;
	int found;

	for (size_t i = 0; i < ROWS; i++) {
		int argument = !rows[i].argument	  ? no_argument
			       : *rows[i].argument == '=' ? optional_argument
							  : required_argument;
		longs[i] = (struct option){ rows[i].name, argument, NULL, row_value(i) };
		if (rows[i].letter)
			shorts[n++] = rows[i].letter;
		if (rows[i].letter && rows[i].argument)
			shorts[n++] = ':';
	}
	opterr = 0;
	while (!e && (found = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (found == '?' || found == ':') {
			e = bad_option(found, optopt, argv);
			break;
		}
		e = take(&o, find_row(found), optarg);
	}
	for (; !e && optind < argc; optind++)
		e = add_string(&o.dumps, argv[optind]);
	if (!e)
		e = check_source(&o);
	if (!e && !o.exec.count && !o.write_symbols && !o.ide)
		e = take_given(&o.listen);
	if (!e && o.write_symbols && (o.exec.count || o.run || o.listen.count))
		e = err_new(ERR_INVALID,
			    "--write-symbols does nothing else: leave out --exec, --run "
			    "and --listen");
	if (!e && o.ide && (o.exec.count || o.run || o.write_symbols))
		e = err_new(ERR_INVALID, "--ide does nothing else: leave out --exec, --run and "
					 "--write-symbols");
	if (!e && o.exec.count && (o.run || o.listen.count))
		e = err_new(ERR_INVALID, "--exec does not serve: leave out --run and --listen");
	if (e) {
		options_free(&o);
		return e;
	}
	*ret = o;
	return NULL;
}

void options_free(struct options *o)
{
	free(o->dumps.list);
	free(o->listen.list);
	free(o->symbols.list);
	free(o->exec.list);
}

/* ---- what is printed from the table ---- */

const struct option_row *options_rows(size_t *ret_count)
{
	*ret_count = ROWS;
	return rows;
}

void options_help(struct buf *out)
{
	buf_addstr(
		out,
		"Usage: vmcore-gdbserver [OPTION]... DUMP [MORE PIECES OF A SPLIT DUMP]\n"
		"       vmcore-gdbserver [OPTION]... FOLDER OF DUMPS\n"
		"       vmcore-gdbserver [OPTION]... --live[=SOURCE]\n"
		"Serve a Linux kernel's crash dump to gdb, lldb and whatever speaks their remote "
		"protocol.\n\n");
	for (size_t i = 0; i < ROWS; i++) {
		size_t start = out->len;
		if (rows[i].hidden)
			continue;
		if (rows[i].letter)
			buf_addf(out, "  -%c, --%s", rows[i].letter, rows[i].name);
		else
			buf_addf(out, "      --%s", rows[i].name);
		if (rows[i].argument)
			buf_addf(out, *rows[i].argument == '=' ? "[%s]" : " %s", rows[i].argument);
		for (const char *line = rows[i].help; line;) {
			size_t len = strcspn(line, "\n");
			while (out->len - start < 29 && !out->failed)
				buf_addch(out, ' ');
			buf_add(out, line, len);
			buf_addch(out, '\n');
			start = out->len;
			line = line[len] ? line + len + 1 : NULL;
		}
	}
	buf_addstr(out, "\nThen, in gdb: target remote :1234; in lldb: gdb-remote 1234.\n");
}

void options_man(struct buf *out)
{
	buf_addstr(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].hidden)
			continue;
		buf_addstr(out, ".It");
		if (rows[i].letter)
			buf_addf(out, " Fl %c ,", rows[i].letter);
		buf_addf(out, " Fl Fl %s", rows[i].name);
		if (rows[i].argument && *rows[i].argument == '=')
			buf_addf(out, " Ns Op = Ns Ar %s", rows[i].argument + 1);
		else if (rows[i].argument)
			buf_addf(out, " Ar %s", rows[i].argument);
		buf_addf(out, "\n%s.\n", rows[i].help);
	}
	buf_addstr(out, ".El\n");
}

static void add_argument(const struct option_row *row, struct buf *out)
{
	if (row->argument && *row->argument == '=')
		buf_addf(out, "[%s]", row->argument);
	else if (row->argument)
		buf_addf(out, " %s", row->argument);
}

void options_markdown(struct buf *out)
{
	buf_addstr(
		out,
		"# Options and commands\n\n"
		"<!-- Printed by the program, from its own tables: `make docs` writes this file. "
		"-->\n\n"
		"    vmcore-gdbserver [OPTION]... DUMP [MORE PIECES OF A SPLIT DUMP]\n"
		"    vmcore-gdbserver [OPTION]... FOLDER OF DUMPS\n"
		"    vmcore-gdbserver [OPTION]... --live[=SOURCE]\n\n"
		"The other pages say what these are for: see the [list](../README.md#pages). The "
		"same is\n"
		"printed by `vmcore-gdbserver --help`, by `monitor help` in a debugger, and is in\n"
		"`man vmcore-gdbserver`.\n\n"
		"## Options\n");
	for (size_t i = 0; i < ROWS; i++) {
		const struct option_row *row = &rows[i];
		if (row->hidden)
			continue;
		/* Other pages link to the name alone. */
		buf_addf(out, "\n### `--%s`\n\n    ", row->name);
		if (row->letter) {
			buf_addf(out, "-%c", row->letter);
			add_argument(row, out);
			buf_addstr(out, ", ");
		}
		buf_addf(out, "--%s", row->name);
		add_argument(row, out);
		buf_addstr(out, "\n\n");
		markdown_sentence(out, row->help);
	}
}
