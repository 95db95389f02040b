/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of options, for who prints something from it. */
#ifndef SERVER_OPTIONS_TABLE_H
#define SERVER_OPTIONS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct option_row {
	char letter; /* 0: no short form; a number above 255 in val then */
	const char *name;
	const char *argument; /* NULL: takes none; "=NAME": may be left out */
	const char *help;     /* lines apart by \n */
	/* What a shell completes the argument with: an option of bash's compgen (-f files, -d
	 * folders, -u users, -g groups, -c commands), words, or @monitor for the monitor commands'
	 * names; NULL: nothing. */
	const char *complete;
	bool hidden;
};

/* All rows, in the order of --help; static. */
const struct option_row *options_rows(size_t *ret_count);

#endif
