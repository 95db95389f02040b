/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the options say about the two processes of the server: the one that reads a dump and is
 * confined (server/net/confine.h), and the one outside that does for it what it may not
 * (server/net/outer.h).
 */
#ifndef SERVER_CONFINEMENT_H
#define SERVER_CONFINEMENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "server/files/debuginfod.h"
#include "server/files/vmlinux_index.h"
#include "server/net/index_process.h"

struct captive;
struct err;
struct options;
struct outer;
struct server;

struct confinement {
	struct outer *outer;	     /* owned; NULL if this process does it all */
	struct debuginfod *cache_of; /* owned: tells where downloads go */
	struct debuginfod_options debuginfod;
	struct index_process index_process;
	struct vmlinux_index_options index;
	struct buf held;	 /* words for info; empty if nothing is given up */
	struct captive *command; /* of --run; borrowed, NULL: none */
	uid_t owner;		 /* who started this process */
	struct buf notes;	 /* the file of notes; empty if there is none */
	mode_t notes_mode;	 /* its rights when it is made */
};

#define CONFINEMENT_INIT                            \
	{                                           \
		.held = BUF_INIT, .notes = BUF_INIT \
	}

/*
 * Confines this process before anything of a dump is read. Not with --live, which gives rights up
 * once the memory is open, nor with --no-confinement. @server is NULL if nothing is served;
 * @command is that of --run, NULL without. With @server this process stays outside, and it returns
 * in a child (server/net/survival.h).
 */
__attribute__((warn_unused_result)) struct err *confinement_begin(const struct options *o,
								  struct server *server,
								  struct captive *command,
								  struct confinement *ret);
/*
 * Of a live machine, once its memory is open: this process gives up what it does not need for the
 * rest. It opens files by itself, as --user. ERR_NOTFOUND, ERR_IO. @server as above.
 */
__attribute__((warn_unused_result)) struct err *
confinement_of_live(const struct options *o, struct server *server, struct confinement *c);
/* What is made outside is removed. */
void confinement_end(struct confinement *c);

/* Closes what this process was started with beside the standard descriptors, but for what the
 * options name by /dev/fd or fd:N. */
void close_inherited(const struct options *o);

#endif
