// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client may attach to beside the target that it has connected to. */
#include <stdlib.h>

#include "base/err.h"
#include "server/net/server_private.h"
#include "server/target/attach.h"

struct err *server_open_room(struct server *s, size_t room)
{
	if (room >= s->room_count) {
		struct room *rooms = reallocarray(s->rooms, room + 1, sizeof(*rooms));
		if (!rooms)
			return err_nomem();
		s->rooms = rooms;
		for (size_t i = s->room_count; i <= room; i++)
			rooms[i] = (struct room){ .later = true };
		s->room_count = room + 1;
	}
	if (s->rooms[room].shared)
		return NULL;
	return server_share(s, s->served->list[room].target, &s->rooms[room].shared);
}

static struct err *enter(void *closure, uint64_t id, struct rsp_shared **ret)
{
	const struct client *c = closure;
	struct server *s = c->server;
	size_t room;
	struct err *e = attach_find(s->served, id, &room);
	if (!e)
		e = server_open_room(s, room);
	if (e)
		return e;
	s->rooms[room].users++;
	*ret = s->rooms[room].shared;
	return NULL;
}

static void leave(void *closure, struct rsp_shared *shared)
{
	const struct client *c = closure;
	struct server *s = c->server;
	for (size_t i = 0; i < s->room_count; i++)
		if (s->rooms[i].shared == shared)
			s->rooms[i].users--;
}

struct rsp_directory server_directory(struct client *client)
{
	struct server *s = client->server;
	return (struct rsp_directory){
		.closure = client,
		.id = attach_id_of(s->served, client->room),
		.multiprocess = s->options->multiprocess,
		.enter = enter,
		.leave = leave,
	};
}
