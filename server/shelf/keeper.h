/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who keeps a shelf: a process that looks for dumps, has each looked at once by a process of its
 * own that is confined, and starts such a process to serve one when somebody comes. It reads
 * nothing of a dump but the first bytes, by which it tells one. The clients of the shelf are
 * another process' (shelf_target.h), which asks this one by messages.
 */
#ifndef SERVER_SHELF_KEEPER_H
#define SERVER_SHELF_KEEPER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "server/net/shelf_message.h"

struct shelf_dumps;

/* All borrowed; they must last as long as the keeper. */
struct keeper_options {
	const char *folder; /* its real name */
	const char *index;  /* the file that what is known is kept in; NULL: none */
	/* Of the servers that it starts, ahead of the dump; the list ends in NULL. */
	char *const *arguments;
	size_t argument_count;
};

/* Starts it. It ends when all copies of *ret_fd, a socket of whole messages, are closed. */
ERR_MUST_CHECK struct err *keeper_start(const struct keeper_options *options, int *ret_fd);

/* Lists all dumps once, those that are new being looked at first, with a line each on standard
 * error. */
ERR_MUST_CHECK struct err *keeper_list(const struct keeper_options *options,
				       struct shelf_dumps *ret);

#endif
