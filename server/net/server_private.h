/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What server.c and server_later.c share; nobody else includes this. */
#ifndef SERVER_NET_SERVER_PRIVATE_H
#define SERVER_NET_SERVER_PRIVATE_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "proto/rsp.h"
#include "server/net/address.h"
#include "server/net/loop_time.h"
#include "server/net/server.h"
#include "server/target/guests.h"

/* A target and where it can be had. */
struct room {
	struct rsp_shared *shared; /* owned; NULL if it was not to be had */
	bool later;		   /* it came while the server ran */
	unsigned users;		   /* sessions that have attached to it from others */
};

#define NO_ROOM SIZE_MAX

struct door {
	struct server *server;
	bool started; /* the listener */
	bool spare;   /* kept for targets that come later */
	size_t room;  /* whose it is: the index in server->rooms; NO_ROOM of a spare one for nobody
		       */
	struct listener listener;
	ev_io incoming;
	ev_timer rest;
};

struct client {
	struct server *server;
	struct session *session;
	struct kept *kept; /* borrowed; NULL: it ends with this process */
	size_t room;
	struct rsp_directory directory;	 /* what it may attach to */
	struct buf url;			 /* of the target beside that was asked for last */
	struct client *next, **previous; /* in server->clients */
	bool is_stdio;
};

struct server {
	const struct serve_options *options; /* borrowed */
	struct ev_loop *loop;
	struct served_list *served; /* borrowed; while it runs */
	struct room *rooms;	    /* owned; as many as there are served, once it has looked */
	size_t room_count;
	char *folder; /* owned: of unixdir:, NULL without */
	bool made_folder;
	struct outer *outer; /* borrowed; who makes sockets, NULL: this process */
	struct door **doors; /* owned, as each is */
	size_t door_count;
	bool use_stdio;
	int stdin_flags, stdout_flags; /* to give back; -1 while they are as we got them */
	struct client *clients;	       /* owned list */
	unsigned client_count;	       /* in it */
	char *told;		       /* owned: the last refusal that was told of */
	struct loop_time time;	       /* runs while there are clients */
	struct slow_reads *slow;       /* owned; while it runs */
	ev_signal terminate, interrupt;
	ev_prepare looks; /* for targets that have come */
	ev_io inlet;	  /* of options->inlet */
	ev_timer idle;
	bool ends;	  /* with its last client: nobody else can come */
	ev_child child;	  /* of --run; its pid is 0 without */
	int status;
};

/* As rsp_shared_new(), for clients of this server. */
__attribute__((warn_unused_result)) struct err *
server_share(struct server *s, const struct target *target, struct rsp_shared **ret);

/* Reserves @address; the door is the last of s->doors then. */
__attribute__((warn_unused_result)) struct err *server_add_door(struct server *s,
								const char *address);
/* Lets clients in; the loop must be there. */
__attribute__((warn_unused_result)) struct err *server_start_door(struct server *s,
								  struct door *door);
void server_close_door(struct server *s, struct door *door);
/* The address of the target at @room: in the folder, or as many ports behind the host's. */
__attribute__((warn_unused_result)) struct err *server_room_address(const struct server *s,
								    size_t room, struct buf *out);

/* Makes the room of the target at the place @room in s->served, if it is not there. */
__attribute__((warn_unused_result)) struct err *server_open_room(struct server *s, size_t room);
/* What @client may attach to; @client is its closure. */
struct rsp_directory server_directory(struct client *client);

/* Sockets for targets that come later, where they cannot be made then. */
__attribute__((warn_unused_result)) struct err *server_add_spare_doors(struct server *s);
void server_announce_spare_doors(const struct server *s);
/* Serves what has come since the last look. */
void server_look_for_guests(struct server *s);

/* Adds a client to the target at @room that another process has let in; @fd is taken. */
__attribute__((warn_unused_result)) struct err *server_add_client(struct server *s, size_t room,
								  int fd, const char *name,
								  const struct rsp_saved *from);

/* inlet.c: clients that another process has let in. */
void server_start_inlet(struct server *s);
void server_stop_inlet(struct server *s);
/* A client has gone. */
void server_look_at_inlet(struct server *s);

#endif
