/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the server listens: HOST:PORT, :PORT, unix:PATH or stdio. */
#ifndef SERVER_NET_ADDRESS_H
#define SERVER_NET_ADDRESS_H

#include <stdbool.h>
#include <sys/types.h>

struct buf;
struct err;
struct outer;

/* A place to listen at. */
struct listener {
	int fd;	    /* owned; non-blocking. -1 for a Unix socket that is not made yet */
	char *path; /* owned: the Unix socket to remove at the end; NULL for TCP */
	char *name; /* owned: "127.0.0.1:1234" or "unix:PATH", with the port that was got */
	struct outer *outer; /* who makes it and removes it; borrowed, NULL: this process */
	uid_t owner;	     /* of a Unix socket, (uid_t)-1: who makes it */
	bool given;	     /* it was open when the program was started: not made, not removed */
	gid_t group;	     /* whose members may connect to it, (gid_t)-1: none's */
	dev_t device; /* of the Unix socket that was made, with the inode: no other is removed */
	ino_t inode;
};

/*
 * Reserves @address ("stdio" is not one of these), before there is anything to serve: a mistake or
 * a port in use shows at once, and clients are still refused, which those that try again want. A
 * host is a name or a number, IPv6 in brackets; an empty one is 127.0.0.1, for whoever can reach
 * the port can read the dump. "fd:N" is a socket that listens already, as descriptor N: systemd's,
 * say, which stays where it is at the end. @outer (borrowed) makes sockets for a process that may
 * not; or NULL.
 */
__attribute__((warn_unused_result)) struct err *
listener_open(const char *address, struct outer *outer, struct listener *ret);
/*
 * Lets clients connect. A Unix socket is made only now, for its owner only (mode 0600); one that is
 * left over, with nobody behind it, is replaced.
 */
__attribute__((warn_unused_result)) struct err *listener_start(struct listener *l);
/* Closes, and removes the Unix socket if it was made and nobody has put another in its place. */
void listener_close(struct listener *l);

/* Whether other machines may reach it. */
bool listener_is_public(const struct listener *l);

/* What to give to gdb's `target remote` for this listener: ":1234" or the path. */
void listener_gdb_name(const struct listener *l, struct buf *out);

#endif
