/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is served, and where: target/guests.h fills it. */
#ifndef SERVER_SERVED_H
#define SERVER_SERVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct target;

/* A target, and where it is served. */
struct served {
	char *name; /* owned: "host", "vm-103" */
	struct target *target;
	/* The server's, while it runs: where the target listens ("127.0.0.1:1235"), NULL until
	 * then. */
	const char *address;
	char *why; /* why it is not served, if it came later; NULL if it is. Owned */
};

struct served_list {
	struct served *list; /* owned; the host is the first */
	size_t count;
	struct service *service; /* the host's, and so of all guests; borrowed */
	bool guests;		 /* all of them are served */
	uint64_t generation;	 /* of the host, as far as its guests are here */
};

#endif
