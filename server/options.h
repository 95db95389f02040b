/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. One table says what there is; --help, the manual page, doc/commands.md and the
 * shell completion are all printed from it.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/ide/ide.h"

struct buf;
struct err;

/* Strings given more than once, in their order; the strings are argv's. */
struct strings {
	const char **list; /* owned */
	size_t count;
};

/* What the command line asks for instead of serving. */
enum action {
	ACTION_SERVE,
	ACTION_HELP,
	ACTION_VERSION,
	ACTION_DEBUG_LIST,
	ACTION_MAN_OPTIONS, /* the manual page's OPTIONS, in mdoc(7) */
	ACTION_MAN_MONITOR, /* and its MONITOR COMMANDS */
	ACTION_COMPLETION_BASH,
	ACTION_COMPLETION_FISH,
	ACTION_COMPLETION_ZSH,
	ACTION_MARKDOWN, /* doc/commands.md */
	ACTION_IDE_FILE, /* a file of contrib/ide/: that of options.ide */
	/* To be the process of debuginfod_helper.h, with build-ids instead of dumps. */
	ACTION_DEBUGINFOD_HELPER,
};

struct options {
	enum action action;
	struct strings dumps, listen, symbols, exec;
	const char *run; /* NULL without --run; argv's */
	bool live;
	const char *live_source;   /* of --live=SOURCE; else NULL */
	const char *user;	   /* whom to become if root starts it; never NULL */
	const char *write_symbols; /* the file, NULL without --write-symbols; argv's */
	enum ide ide;		   /* of --ide; IDE_NONE without it */
	const char *write_types;   /* the file, NULL without --write-types; argv's */
	const char *symbol_cache;  /* the folder, NULL without --symbol-cache; argv's */
	const char *notes;	   /* the folder, NULL without --notes; argv's */
	size_t cache_size;
	size_t memory_limit; /* bytes; 0: none */
	bool no_confinement;
	bool any_user;
	const char *group; /* NULL without --group; argv's */
	unsigned max_clients;
	unsigned idle;	   /* seconds that a dump of a shelf stays open without clients */
	int inlet;	   /* of --from-shelf; -1 without */
	bool summary;	   /* --print-summary */
	unsigned patience; /* of clients, in seconds */
	bool no_context_threads;
	bool guests;
	bool multiprocess;
	const char *guest; /* the VM to look at, NULL without --guest; argv's */
	bool no_serve_files;
	bool no_extra_cfi;
	bool quiet;
};

/* Fills *ret, which options_free() then frees. ERR_INVALID for what is no such option or value. */
__attribute__((warn_unused_result)) struct err *options_parse(int argc, char **argv,
							      struct options *ret);
void options_free(struct options *o);

void options_help(struct buf *out);
void options_man(struct buf *out);
/* The beginning of doc/commands.md: its title and the options. */
void options_markdown(struct buf *out);

#endif
