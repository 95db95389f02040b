/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is served: the host, and with --guests every virtual machine on it as a target of its own.
 */
#ifndef SERVER_GUESTS_H
#define SERVER_GUESTS_H

#include <stddef.h>

struct err;
struct host;
struct target;

/* A target, and where it is served. */
struct served {
	char *name; /* owned: "host", "vm-103" */
	struct target *target;
	/* The server's, while it runs: where the target listens ("127.0.0.1:1235"), NULL until
	 * then. */
	const char *address;
};

struct served_list {
	struct served *list; /* owned; the host is the first */
	size_t count;
};

/* The host's target (borrowed) alone. */
__attribute__((warn_unused_result)) struct err *served_host(struct target *target,
							    struct served_list *ret);
/* Adds a target for every VM of @host, in the order of `monitor vms`. */
__attribute__((warn_unused_result)) struct err *served_add_guests(struct served_list *s,
								  struct host *host);
void served_free(struct served_list *s);

#endif
