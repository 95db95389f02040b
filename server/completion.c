// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/completion.h"

#include <string.h>

#include "base/buf.h"
#include "server/monitor/monitor.h"
#include "server/options_table.h"

static const char program[] = "vmcore-gdbserver";

/* The words that an argument can be, apart by blanks. */
static void add_words(const struct option_row *row, struct buf *out)
{
	if (!strcmp(row->complete, "@monitor"))
		monitor_words(out);
	else
		buf_addstr(out, row->complete);
}

/* What fish and zsh do for an option of bash's compgen. */
struct completer {
	const char *bash, *fish, *zsh;
};

static const struct completer completers[] = {
	{ "-f", NULL, "_files" }, /* which fish does by itself */
	{ "-d", "(__fish_complete_directories)", "_files -/" },
	{ "-u", "(__fish_complete_users)", "_users" },
	{ "-g", "(__fish_complete_groups)", "_groups" },
	{ "-c", "(__fish_complete_command)", "_cmdstring" },
};

/* NULL if the argument is a choice of words, or nothing completes it. */
static const struct completer *completer_of(const struct option_row *row)
{
	for (size_t i = 0; i < sizeof(completers) / sizeof(*completers); i++)
		if (row->complete && !strcmp(row->complete, completers[i].bash))
			return &completers[i];
	return NULL;
}

/* Whether a clause ends at @c: HOST:PORT is one. */
static bool ends_clause(const char *c)
{
	return (*c == ';' || *c == ':') && (c[1] == ' ' || c[1] == '\n');
}

/* The first clause of the help on one line, within single quotes, with a backslash before each of
 * @special. A quote in it ends the quotes, is one, and begins them again. */
static void add_summary(const struct option_row *row, const char *special, struct buf *out)
{
	for (const char *c = row->help; *c && !ends_clause(c); c++) {
		if (*c == '\'')
			buf_addstr(out, "'\\''");
		else if (*c == '\n')
			buf_addch(out, ' ');
		else
			buf_addf(out, "%s%c", strchr(special, *c) ? "\\" : "", *c);
	}
}

/* ---- bash ---- */

void completion_bash(struct buf *out)
{
	size_t count;
	const struct option_row *rows = options_rows(&count);
	buf_addf(out,
		 "# bash completion for %s; generated from its option table\n"
		 "_vmcore_gdbserver()\n{\n"
		 "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		 "    COMPREPLY=()\n"
		 "    case $prev in\n",
		 program);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].hidden || !rows[i].complete)
			continue;
		buf_addstr(out, "    ");
		if (rows[i].letter)
			buf_addf(out, "-%c|", rows[i].letter);
		buf_addf(out, "--%s)\n        COMPREPLY=($(compgen ", rows[i].name);
		if (*rows[i].complete == '-') {
			buf_addstr(out, rows[i].complete);
		} else {
			buf_addstr(out, "-W '");
			add_words(&rows[i], out);
			buf_addch(out, '\'');
		}
		buf_addstr(out, " -- \"$cur\"))\n        return ;;\n");
	}
	buf_addstr(out,
		   "    esac\n    if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W '");
	for (size_t i = 0; i < count; i++)
		if (!rows[i].hidden)
			buf_addf(out, "--%s ", rows[i].name);
	buf_addf(out,
		 "' -- \"$cur\"))\n    else\n        COMPREPLY=($(compgen -f -- "
		 "\"$cur\"))\n    fi\n}\n"
		 "complete -o filenames -F _vmcore_gdbserver %s\n",
		 program);
}

/* ---- fish ---- */

static void fish_argument(const struct option_row *row, struct buf *out)
{
	const struct completer *by = completer_of(row);
	if (!row->argument || *row->argument == '=')
		return;
	/* -r: an argument follows; -f: it is no file. */
	buf_addstr(out, by && !by->fish ? " -r" : " -r -f");
	if (!row->complete || (by && !by->fish))
		return;
	buf_addstr(out, " -a '");
	if (by)
		buf_addstr(out, by->fish);
	else
		add_words(row, out);
	buf_addch(out, '\'');
}

void completion_fish(struct buf *out)
{
	size_t count;
	const struct option_row *rows = options_rows(&count);
	buf_addf(out, "# fish completion for %s; generated from its option table\n", program);
	for (size_t i = 0; i < count; i++) {
		if (rows[i].hidden)
			continue;
		buf_addf(out, "complete -c %s", program);
		if (rows[i].letter)
			buf_addf(out, " -s %c", rows[i].letter);
		buf_addf(out, " -l %s", rows[i].name);
		fish_argument(&rows[i], out);
		buf_addstr(out, " -d '");
		add_summary(&rows[i], "\\", out);
		buf_addstr(out, "'\n");
	}
}

/* ---- zsh ---- */

static void zsh_argument(const struct option_row *row, struct buf *out)
{
	if (!row->argument)
		return;
	if (*row->argument == '=') {
		buf_addf(out, "::%s:", row->argument + 1);
		return;
	}
	buf_addf(out, ":%s:", row->argument);
	const struct completer *by = completer_of(row);
	if (by) {
		buf_addstr(out, by->zsh);
	} else if (row->complete) {
		struct buf words = BUF_INIT;
		add_words(row, &words);
		buf_addch(out, '(');
		/* A colon would end the list. */
		for (size_t i = 0; i < words.len; i++)
			buf_addf(out, "%s%c", words.data[i] == ':' ? "\\" : "", words.data[i]);
		buf_addch(out, ')');
		buf_free(&words);
	}
}

void completion_zsh(struct buf *out)
{
	size_t count;
	const struct option_row *rows = options_rows(&count);
	buf_addf(out,
		 "#compdef %s\n# zsh completion for %s; generated from its option table\n"
		 "_arguments -s -S \\\n",
		 program, program);
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = &rows[i];
		/* _arguments' marks: + an argument may follow a letter at once, =- it stands behind
		 * a = alone, = behind that or as the next word. */
		const char *mark = !row->argument ? "" : *row->argument == '=' ? "=-" : "=";
		if (row->hidden)
			continue;
		buf_addstr(out, "    ");
		if (row->letter)
			buf_addf(out, "'*'{-%c%s,--%s%s}'", row->letter, *mark ? "+" : "",
				 row->name, mark);
		else
			buf_addf(out, "'*--%s%s", row->name, mark);
		buf_addch(out, '[');
		add_summary(row, "[]\\", out);
		buf_addch(out, ']');
		zsh_argument(row, out);
		buf_addstr(out, "' \\\n");
	}
	buf_addstr(out, "    '*:dump:_files'\n");
}
