/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may connect: whoever started the server, by sudo too, and root. A dump holds what its file
 * keeps from other users of the machine, and a port of the loopback address is open to all of them.
 */
#ifndef SERVER_NET_PEER_H
#define SERVER_NET_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct buf;
struct err;

struct peers {
	bool any; /* of this machine's users */
	bool has_group;
	gid_t group;   /* who is in it may use Unix sockets */
	uid_t uids[3]; /* who may come otherwise */
	unsigned count;
	/* Owned: asks the kernel whose a TCP connection is; -1: it cannot be asked. */
	int diagnosis;
	/* Owned: of such connections, IPv4's and IPv6's, for kernels that do not tell. */
	int lists[2];
};

#define PEERS_INIT                                   \
	{                                            \
		.diagnosis = -1, .lists = { -1, -1 } \
	}

/*
 * As this process was started, before it becomes another user. @group is a name, or NULL.
 * ERR_NOTFOUND when there is no such group.
 */
__attribute__((warn_unused_result)) struct err *peers_open(bool any, const char *group,
							   struct peers *ret);
void peers_close(struct peers *p);

/* The user that files made for clients belong to: who started the server by sudo, else its own. */
uid_t peers_owner(void);

/* Whether the folder @path is safe to keep files or sockets in: this user's, and for nobody else to
 * write to. ERR_INVALID with what to do; what is not there is safe. */
__attribute__((warn_unused_result)) struct err *folder_check(const char *path);

/* Whose the client at the other end of the socket @fd is; false where the system does not say, as
 * of one that comes from another machine. */
bool peer_uid(const struct peers *p, int fd, uid_t *ret);

/* Whether the client at the other end of the socket @fd may come. If not, @why gets a sentence with
 * its uid and the option that lets it in. One that comes from another machine may. */
bool peer_may_come(const struct peers *p, int fd, struct buf *why);

#endif
