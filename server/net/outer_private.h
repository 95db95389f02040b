/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What outer.c and survival.c share; nobody else includes this. */
#ifndef SERVER_NET_OUTER_PRIVATE_H
#define SERVER_NET_OUTER_PRIVATE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/files.h"
#include "server/net/outer.h"

enum {
	OUTER_TEXT_MAX = 48 << 10, /* of a request: 256 build-ids, or a path */
	OUTER_PLACES_MAX = 512,	   /* real names of files that were told */
	OUTER_PINNED_MAX = 256,	   /* files that are opened again as they were */
};

struct outer_request {
	uint32_t what;
	uint32_t number; /* the mode of a file that is made; a client's place */
	char text[OUTER_TEXT_MAX];
};

struct outer_reply {
	int error; /* 0, or of errno(3) */
	char kind; /* of an error that is none of errno's: its struct err's message is the text */
	struct stat st;
	char text[PATH_MAX];
};

/* The outer process as the other one sees it. */
struct outer {
	int fd;	   /* this process's end, owned */
	pid_t pid; /* a child of this process, or its parent */
	bool is_parent;
	struct kept *places; /* shared; NULL unless it is the parent, as the next */
	int *clients;	     /* owned: connections that were left here, -1 where there is none */
	size_t place_count;
	char *note;	/* owned: how the process before ended; NULL in the first */
	uint64_t since; /* and when, by clock_ms() */
	struct files_ops files;
	struct outer_request request; /* both for one at a time */
	struct outer_reply reply;
};

/* A file that was named by the options, which must be the same when it is opened again. */
struct pinned {
	char *path; /* owned, with the descriptor */
	int fd;
};

struct made_socket;

/* The outer process as it sees itself. */
struct outside {
	int fd; /* -1: nobody to serve */
	const struct outer_options *options;
	char *places[OUTER_PLACES_MAX]; /* owned: real names of what may be read */
	size_t place_count;
	struct pinned pinned[OUTER_PINNED_MAX];
	size_t pinned_count;
	struct made_socket *sockets; /* owned list */
	/* Of a parent: clients' connections by their places, -1 where there is none, NO_DESCRIPTOR
	 * for the one at stdio. */
	int *clients;
	bool ready; /* the other process serves */
	bool command_started;
	struct outer_request request;
	struct outer_reply reply;
};

enum { NO_DESCRIPTOR = -2 };

/* Another process will be served: what the one before it asked for may be asked for again. */
void outside_begin(struct outside *o);
/* Waits for a request and answers it; false when it was the last one. */
bool outside_serve(struct outside *o);
/* Removes the sockets, and the folder. */
void outside_remove_sockets(struct outside *o);

/* Frees @o in a process that was forked off: what it has made stays. */
void outside_forget(struct outside *o);

/* The outer process by way of @fd, which the result owns. NULL when memory is out. */
struct outer *outer_new(int fd, pid_t pid);

#endif
