// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtual machines that start while the server runs, with --guests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "proto/rsp.h"
#include "server/net/server_private.h"

/* Who has given up root cannot make sockets in root's folder: these are there before. */
enum { SPARE_DOORS = 8 };

struct err *server_add_spare_doors(struct server *s)
{
	struct err *e = NULL;
	if (!s->options->live || !s->options->guests || !s->folder || geteuid() != 0)
		return NULL;
	for (unsigned i = 1; !e && i <= SPARE_DOORS; i++) {
		struct buf address = BUF_INIT;
		buf_addf(&address, "unix:%s/later-%u", s->folder, i);
		e = buf_error(&address);
		if (!e)
			e = server_add_door(s, address.data);
		buf_free(&address);
		if (!e) {
			s->doors[s->door_count - 1]->room = NO_ROOM;
			s->doors[s->door_count - 1]->spare = true;
		}
	}
	return e;
}

void server_announce_spare_doors(const struct server *s)
{
	for (size_t i = 0; i < s->door_count; i++) {
		if (!s->doors[i]->spare)
			continue;
		fprintf(stderr,
			"listening on %s to later-%d for virtual machines that start later\n",
			s->doors[i]->listener.name, SPARE_DOORS);
		return;
	}
}

static struct door *door_of(const struct server *s, size_t room)
{
	for (size_t i = 0; i < s->door_count; i++)
		if (s->doors[i]->room == room)
			return s->doors[i];
	return NULL;
}

/* ---- the place of one that has ended ---- */

static bool may_take(void *closure, size_t room)
{
	const struct server *s = closure;
	if (room >= s->room_count || !s->rooms[room].later || s->rooms[room].users)
		return false;
	for (const struct client *c = s->clients; c; c = c->next)
		if (c->room == room)
			return false;
	return true;
}

static void leave(void *closure, size_t room)
{
	struct server *s = closure;
	struct door *door = door_of(s, room);
	rsp_shared_free(s->rooms[room].shared);
	s->rooms[room].shared = NULL;
	s->served->list[room].address = NULL;
	if (door && door->spare)
		door->room = NO_ROOM;
	else if (door)
		server_close_door(s, door);
}

/* ---- one that has come ---- */

static struct err *open_own_door(struct server *s, size_t room)
{
	struct buf address = BUF_INIT;
	struct err *e = server_room_address(s, room, &address);
	if (!e)
		e = server_add_door(s, address.data);
	buf_free(&address);
	if (e)
		return e;
	struct door *door = s->doors[s->door_count - 1];
	door->room = room;
	e = server_start_door(s, door);
	if (e)
		server_close_door(s, door);
	return e;
}

static struct err *open_door(struct server *s, size_t room)
{
	struct err *e = open_own_door(s, room);
	struct door *spare = e ? door_of(s, NO_ROOM) : NULL;
	if (spare) {
		err_free(e);
		spare->room = room;
		return NULL;
	}
	return e;
}

static struct err *enter(void *closure, size_t room)
{
	struct server *s = closure;
	struct err *e = server_open_room(s, room);
	if (!e)
		e = open_door(s, room);
	if (e) {
		rsp_shared_free(s->rooms[room].shared);
		s->rooms[room].shared = NULL;
		return e;
	}
	s->served->list[room].address = door_of(s, room)->listener.name;
	return NULL;
}

void server_look_for_guests(struct server *s)
{
	const struct served_places places = {
		.closure = s, .may_take = may_take, .leave = leave, .enter = enter
	};
	struct err *e = served_renew(s->served, &places);
	if (e)
		log_debug(LOG_SESSION, "virtual machines that started later: %s", err_msg(e));
	err_free(e);
}
