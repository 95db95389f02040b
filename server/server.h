/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: listeners, sessions, signals, and the command of --run. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct target;

struct serve_options {
	const char *const *listen; /* addresses; none means 127.0.0.1:1234 */
	size_t listen_count;
	const char *run;     /* the shell command of --run, or NULL */
	const char *vmlinux; /* for the gdb line to paste; NULL if none is known */
	bool quiet;
};

/*
 * Serves @target until SIGTERM or SIGINT, until the client at stdio leaves, or until @options->run
 * ends. *ret_status is what the process should end with.
 */
__attribute__((warn_unused_result)) struct err *
serve(const struct target *target, const struct serve_options *options, int *ret_status);

#endif
