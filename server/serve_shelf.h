/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program, given a folder in place of a dump. */
#ifndef SERVER_SERVE_SHELF_H
#define SERVER_SERVE_SHELF_H

#include "base/err.h"

struct buf;
struct options;
struct vmcore;

/* Serves the dumps below the folder that is the only one of o->dumps, until it is told to end. */
ERR_MUST_CHECK struct err *shelf_serve(const struct options *o, int *ret_status);

/* Runs the commands of --exec, of which there is `dumps`. *ret_text is what they print. */
ERR_MUST_CHECK struct err *shelf_run_commands(const struct options *o, struct buf *ret_text);

/* What the index keeps of a dump, a line with its end. ERR_NOMEM. */
ERR_MUST_CHECK struct err *shelf_summary(struct vmcore *h, struct buf *ret);

/* Tells the shelf on whose behalf this process runs that it cannot open its dump. */
void shelf_tell_failed(int inlet, const char *why);

#endif
