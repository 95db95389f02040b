/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes of a shelf say to each other (server/shelf/keeper.h), by a socket of whole
 * messages. */
#ifndef SERVER_NET_SHELF_MESSAGE_H
#define SERVER_NET_SHELF_MESSAGE_H

#include <stdint.h>

enum keeper_what {
	KEEPER_LIST =
		1, /* asks for all dumps; the answer has a file, as shelf_dumps_write() makes it */
	KEEPER_OPEN,   /* asks for dump `id` to be opened; the answer is one of the next */
	KEEPER_READY,  /* it is: clients can be handed over */
	KEEPER_FAILED, /* it is not: why, as text */
	KEEPER_CLIENT, /* a client's connection, with what struct rsp_saved has of it */
};

enum { KEEPER_BYTES = 8 << 10 };

struct keeper_message {
	uint32_t what; /* enum keeper_what */
	uint32_t len;  /* of bytes */
	uint64_t id;
	char bytes[KEEPER_BYTES];
};

/* Sends, and receives without waiting: 1, 0 for nothing so far, -1 at the end. *ret_fd is the
 * caller's or -1. */
int keeper_send(int fd, const struct keeper_message *m, int passed);
int keeper_receive(int fd, struct keeper_message *m, int *ret_fd);

#endif
