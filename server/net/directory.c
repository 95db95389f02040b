// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client may attach to beside the target that it has connected to. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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

/* The guests' addresses: in a folder, or of TCP. */
static bool beside(void *closure, size_t i, struct rsp_beside *ret)
{
	static const char unix_begin[] = "unix:";
	struct client *c = closure;
	const struct served_list *s = c->server->served;
	size_t room = 1;
	for (; room < s->count; room++)
		if (s->list[room].address && !i--)
			break;
	if (room >= s->count)
		return false;
	const char *address = s->list[room].address;
	bool is_path = !strncmp(address, unix_begin, strlen(unix_begin));
	buf_reset(&c->url);
	buf_addf(&c->url, "%sconnect://%s", is_path ? "unix-" : "",
		 address + (is_path ? strlen(unix_begin) : 0));
	*ret = (struct rsp_beside){ s->list[room].name, c->url.data };
	return !c->url.failed;
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
		/* A guest's client has come for that guest. */
		.beside = s->options->multiprocess && !client->room ? beside : NULL,
	};
}
