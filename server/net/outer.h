/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be done outside. The process that reads a dump is confined (confine.h) before it
 * reads the first byte: it opens no file, makes no socket and starts no program. A second process,
 * the outer one, which reads nothing of a dump, does that for it, within what the options name: it
 * opens files in the folders of symbols, keeps files in the folder of --symbol-cache, makes Unix
 * sockets and removes them at the end, and starts the process that downloads.
 */
#ifndef SERVER_NET_OUTER_H
#define SERVER_NET_OUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct debuginfod;
struct err;
struct files_ops;
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
	/* Sockets: addresses that may be listened at. A folder ("unix:PATH/" with the slash) stands
	 * for all sockets in it, and one that ends in ':' for all ports. */
	const char *const *listens;
	size_t listen_count;
	/* A folder to remove at the end if it is empty; NULL: none. */
	const char *folder;
	/* Who downloads; NULL: nobody. */
	const struct debuginfod *debuginfod;
	uid_t socket_owner; /* as in struct listener, with the next */
	gid_t socket_group;
	pid_t command; /* a child of this process that may be ended; 0: none */
};

/*
 * Starts the outer process. It ends with this one, however that comes. ERR_IO.
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

/* Ends the command by SIGTERM; it must not have been waited for. */
void outer_end_command(struct outer *o);

/* Starts a download (debuginfod_starter). @self is the outer process. */
int outer_download(void *self, const char *const *ids, size_t count);

#endif
