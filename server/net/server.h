/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: listeners, sessions, signals, and the command of --run. */
#ifndef SERVER_NET_SERVER_H
#define SERVER_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct captive;
struct dump;
struct err;
struct outer;
struct peers;
struct rsp_saved;
struct served_list;
struct server;

struct serve_options {
	/* Addresses; none means 127.0.0.1:1234. "unixdir:PATH" is the socket "host" in that folder.
	 */
	const char *const *listen;
	size_t listen_count;
	const char *run;	 /* the shell command of --run, or NULL */
	struct captive *captive; /* its process, which waits; borrowed, NULL without */
	uint64_t patience; /* how long clients wait for an answer, in milliseconds; 0: for ever */
	bool quiet;
	const struct peers *peers; /* who may come; borrowed */
	unsigned max_clients;
	/* A shelf: clients that attach to a dump of it are given to @hand_over. NULL: it is none. */
	void (*hand_over)(void *closure, int fd, uint64_t id, const struct rsp_saved *saved);
	void *hand_over_closure;
	/* Clients come by messages (shelf_message.h) on this descriptor, and from nowhere else; it ends
	 * when there was none for so many seconds. -1: not so. */
	int inlet;
	unsigned idle;
	bool guests;	   /* --guests: there may be more targets than the host */
	bool multiprocess; /* gdb may hold several of them at once */
	bool live;	   /* and more may come */
};

/*
 * Reserves the addresses, before there is a target: that one cannot be had need not wait for a
 * dump that takes long to open. @options is borrowed and must outlive the server.
 */
__attribute__((warn_unused_result)) struct err *server_new(const struct serve_options *options,
							   struct server **ret);

/*
 * The addresses that @s may still have to make sockets at: what an outer process is to be told
 * (outer.h), and the folder that it is to remove, or NULL. *ret is owned, with its strings.
 */
__attribute__((warn_unused_result)) struct err *server_later_sockets(const struct server *s,
								     char ***ret, size_t *ret_count,
								     const char **ret_folder);
/* Whose the Unix sockets are, and whose members may connect; -1: who makes them, nobody's. NULL is
 * allowed. */
uid_t server_socket_owner(const struct server *s);
gid_t server_socket_group(const struct server *s);
/* Of unixdir:; borrowed, NULL: none. */
const char *server_folder(const struct server *s);
/* From now on @outer (borrowed, must outlive @s) makes them, and removes the folder. */
void server_use_outer(struct server *s, struct outer *outer);

/* Has the sockets of server_listen() removed at the end by a process that is allowed to
 * (sweeper.h): this one will not be. */
__attribute__((warn_unused_result)) struct err *server_leave_sweeper(const struct server *s);

/*
 * Makes the sockets, as server_run() else does: for who will not be allowed to by then. Clients
 * that connect wait. @served, if it is not NULL, is what server_run() will get: its targets get
 * their addresses, too.
 */
__attribute__((warn_unused_result)) struct err *server_listen(struct server *s,
							      struct served_list *served);

/*
 * Serves the targets of @served, each at an address of its own, which is noted there while that
 * lasts: the first (the host) at all of the options' addresses, the others at the ports that follow
 * the first of these, or in its folder. It ends by SIGTERM or SIGINT, when the client at stdio
 * leaves, or when the command of --run ends. Once a server. *ret_status is what the process should
 * end with. @dump is what the targets are of: nobody waits for a file of it that others read.
 * @vmlinux is for the gdb line to paste; NULL if none is known.
 */
__attribute__((warn_unused_result)) struct err *server_run(struct server *s,
							   struct served_list *served,
							   struct dump *dump, const char *vmlinux,
							   int *ret_status);

/* Closes what is open; NULL is allowed. */
void server_free(struct server *s);

#endif
