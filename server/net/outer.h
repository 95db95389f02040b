/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be done outside. The process that reads a dump is confined (confine.h) before it
 * reads the first byte: it opens no file, makes no socket and starts no program. A second process,
 * the outer one, which reads nothing of a dump, does that for it, within what the options name: it
 * opens files in the folders of symbols, keeps files in the folder of --symbol-cache, makes Unix
 * sockets and removes them at the end, and starts the processes that download and make indexes.
 */
#ifndef SERVER_NET_OUTER_H
#define SERVER_NET_OUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct captive;
struct debuginfod;
struct err;
struct files_ops;
struct index_process;
struct kept;
struct outer;

/* All borrowed during the call. */
struct outer_options {
	/* Files and folders that may be read, with all that is in them and below. */
	const char *const *reads;
	size_t read_count;
	/* A folder where files may be made and kept, with those below; NULL: none. */
	const char *keeps;
	/* A file that may be written; NULL: none. */
	const char *writes;
	/* A file that lines may be added to, and that may be read; NULL: none. */
	const char *appends;
	/* Sockets: addresses that may be listened at. A folder ("unix:PATH/" with the slash) stands
	 * for all sockets in it, and one that ends in ':' for all ports. */
	const char *const *listens;
	size_t listen_count;
	/* A folder to remove at the end if it is empty; NULL: none. */
	const char *folder;
	/* Who downloads; NULL: nobody. */
	const struct debuginfod *debuginfod;
	const struct index_process *index; /* who makes indexes of vmlinux files; NULL: nobody */
	uid_t socket_owner;		   /* as in struct listener, with the next */
	gid_t socket_group;
	struct captive *captive; /* --run's command; NULL: none */
	/* Places for clients that are to outlive who serves them: this process becomes the outer
	 * one then, and a child goes on in its place (survival.h). 0: none. */
	size_t clients;
};

/*
 * Starts the outer process. It ends with this one, however that comes; but see options->clients.
 * ERR_IO.
 */
__attribute__((warn_unused_result)) struct err *outer_start(const struct outer_options *options,
							    struct outer **ret);
/* Has the sockets removed and waits for it. NULL is allowed. */
void outer_end(struct outer *o);

/* Files by way of it (base/files.h); borrowed. */
const struct files_ops *outer_files(const struct outer *o);

/*
 * Makes a socket at @address ("unix:PATH", "HOST:PORT"): a Unix socket that listens, or one of TCP
 * that is bound. The caller owns *ret.
 */
__attribute__((warn_unused_result)) struct err *outer_bind(struct outer *o, const char *address,
							   int *ret);
/* Removes the Unix socket at @path, if it is one that this made. */
void outer_unlink(struct outer *o, const char *path);

/* Starts the command, and tells it @address. The outer process ends this one when it has ended, and
 * the other way round. */
bool outer_start_command(struct outer *o, const char *address);

/* Whether it goes on with another process when this one dies. NULL: no. */
bool outer_is_parent(const struct outer *o);

/*
 * Has the client at @fd (-1: at stdio) of the target called @target outlive this process; @name is
 * for debug messages. NULL if it cannot; else the place where its state is to be kept up to date,
 * until outer_let_go(), whose connection must be closed by then. NULL is allowed there.
 */
struct kept *outer_keep(struct outer *o, int fd, const char *target, const char *name);
void outer_let_go(struct outer *o, struct kept *kept);
/* The next one from *@at on that another process has left, with its connection, which is the
 * caller's, or -2 for stdio. NULL at the end. */
struct kept *outer_left(struct outer *o, size_t *at, int *ret_fd);

/* How the process before this one ended, a sentence for clients, and when by clock_ms(); NULL if
 * this is the first. */
const char *outer_note(const struct outer *o);
uint64_t outer_since(const struct outer *o);
/* This process serves now: from here on its end is not the dump's fault alone. */
void outer_is_ready(struct outer *o);

/* Starts a download (debuginfod_starter). @self is the outer process. */
int outer_download(void *self, const char *const *ids, size_t count);

/* Starts a process that makes an index (vmlinux_indexer). @self is the outer process. */
int outer_index(void *self, int fd);

#endif
