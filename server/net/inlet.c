// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients that another process has let in, and gives to this one with what it knows of them. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "proto/saved.h"
#include "server/net/server_private.h"
#include "server/net/shelf_message.h"

/* The list of files that it has open is empty, and is not sent. */
static void take_client(struct server *s, const struct keeper_message *m, int fd)
{
	const size_t most = offsetof(struct rsp_saved, files_len);
	struct rsp_saved *saved = calloc(1, sizeof(*saved));
	struct err *e = saved ? NULL : err_nomem();
	if (e) {
		close(fd);
	} else {
		memcpy(saved, m->bytes, m->len < most ? m->len : most);
		e = server_add_client(s, 0, fd, "the shelf", saved);
	}
	if (e)
		log_debug(LOG_SESSION, "a client was turned away: %s", err_msg(e));
	err_free(e);
	free(saved);
}

/* False when nobody can come any more. */
static bool receive(struct server *s)
{
	struct keeper_message m;
	int fd, got;
	while ((got = keeper_receive(s->options->inlet, &m, &fd)) > 0) {
		if (m.what == KEEPER_CLIENT && fd >= 0)
			take_client(s, &m, fd);
		else if (fd >= 0)
			close(fd);
	}
	return !got;
}

static void on_inlet(struct ev_loop *loop, ev_io *w, int events)
{
	struct server *s = w->data;
	(void)events;
	if (receive(s))
		return;
	ev_io_stop(loop, w);
	s->ends = true;
	server_look_at_inlet(s);
}

/* Who sends at this moment gets an error, and starts another process; who has sent is served. */
static void on_idle(struct ev_loop *loop, ev_timer *w, int events)
{
	struct server *s = w->data;
	(void)loop, (void)events;
	shutdown(s->options->inlet, SHUT_RD);
	(void)receive(s);
	ev_io_stop(s->loop, &s->inlet);
	s->ends = true;
	server_look_at_inlet(s);
}

void server_start_inlet(struct server *s)
{
	struct keeper_message ready = { .what = KEEPER_READY };
	if (s->options->inlet < 0)
		return;
	ev_io_init(&s->inlet, on_inlet, s->options->inlet, EV_READ);
	ev_timer_init(&s->idle, on_idle, (double)s->options->idle, 0.);
	s->inlet.data = s->idle.data = s;
	ev_io_start(s->loop, &s->inlet);
	(void)keeper_send(s->options->inlet, &ready, -1);
	server_look_at_inlet(s);
}

void server_stop_inlet(struct server *s)
{
	if (s->options->inlet < 0)
		return;
	ev_io_stop(s->loop, &s->inlet);
	ev_timer_stop(s->loop, &s->idle);
}

void server_look_at_inlet(struct server *s)
{
	if (s->options->inlet < 0 || !s->loop)
		return;
	if (s->clients) {
		ev_timer_stop(s->loop, &s->idle);
	} else if (s->ends) {
		ev_break(s->loop, EVBREAK_ALL);
	} else {
		ev_timer_stop(s->loop, &s->idle);
		ev_timer_set(&s->idle, (double)s->options->idle, 0.);
		ev_timer_start(s->loop, &s->idle);
	}
}
