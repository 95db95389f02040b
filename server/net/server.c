// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/log.h"
#include "proto/rsp.h"
#include "proto/target.h"
#include "server/crash_command.h"
#include "server/net/captive.h"
#include "server/net/kept.h"
#include "server/net/outer.h"
#include "server/net/peer.h"
#include "server/net/server_private.h"
#include "server/net/session.h"
#include "server/net/slow_reads.h"
#include "server/net/sweeper.h"
#include "vmcore/dump/dump.h"

/* How long a listener rests when there are no descriptors left to accept with. */
#define ACCEPT_REST 1.

/* ---- clients ---- */

static void client_ended(void *closure, struct session *session)
{
	struct client *c = closure;
	struct server *server = c->server;
	bool last = c->is_stdio;
	session_free(session);
	outer_let_go(server->outer, c->kept);
	*c->previous = c->next;
	if (c->next)
		c->next->previous = c->previous;
	buf_free(&c->url);
	free(c);
	server->client_count--;
	if (!server->clients)
		loop_time_stop(&server->time, server->loop);
	if (last)
		ev_break(server->loop, EVBREAK_ALL);
	server_look_at_inlet(server);
}

static struct err *add_client(struct server *server, size_t room, int in, int out, const char *name,
			      const char *refusal, bool is_stdio, struct kept *kept,
			      const struct rsp_saved *from)
{
	const struct peers *peers = server->options->peers;
	/* Who started the server, by sudo too. */
	struct session_peer peer = { .has_uid = is_stdio,
				     .uid = peers->uids[peers->count - 1],
				     .from = from };
	uid_t uid;
	struct client *c = calloc(1, sizeof(*c));
	if (!c) {
		close(in);
		if (out != in)
			close(out);
		outer_let_go(server->outer, kept);
		return err_nomem();
	}
	if (!is_stdio && peer_uid(peers, in, &uid))
		peer = (struct session_peer){ .has_uid = true, .uid = (uint32_t)uid, .from = from };
	c->server = server;
	c->is_stdio = is_stdio;
	c->room = room;
	c->kept = kept;
	loop_time_start(&server->time, server->loop);
	buf_init(&c->url);
	c->directory = server_directory(c);
	struct err *e = session_new(server->loop, &server->time, server->slow,
				    server->served->list[room].target, server->rooms[room].shared,
				    &c->directory, in, out, &peer, name, refusal, kept,
				    client_ended, c, &c->session);
	if (e) {
		if (!server->clients)
			loop_time_stop(&server->time, server->loop);
		outer_let_go(server->outer, kept);
		free(c);
		return e;
	}
	c->next = server->clients;
	c->previous = &server->clients;
	if (c->next)
		c->next->previous = &c->next;
	server->clients = c;
	server->client_count++;
	if (server->options->hand_over)
		session_set_hand_over(c->session, server->options->hand_over,
				      server->options->hand_over_closure);
	return NULL;
}

/* Has it outlive this process, if that can be; @fd is -1 at stdio. */
static struct kept *keep_client(const struct server *s, size_t room, int fd, const char *name)
{
	const char *target = s->served->list[room].target->name;
	return outer_is_parent(s->outer) ? outer_keep(s->outer, fd, target ? target : "", name)
					 : NULL;
}

struct err *server_add_client(struct server *s, size_t room, int fd, const char *name,
			      const struct rsp_saved *from)
{
	return add_client(s, room, fd, fd, name, NULL, false, keep_client(s, room, fd, name), from);
}

static void set_socket_options(int fd)
{
	int on = 1;
	int idle = 60, interval = 10, tries = 3;
	/* A reply must not wait for the acknowledgement of the one before; a peer that vanished
	 * must be noticed in a minute or two. Neither is there for Unix sockets. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
}

/* Whether the client at @fd is served; if not, @why says why, or is empty if it gets no answer. */
static bool is_welcome(const struct server *s, int fd, struct buf *why)
{
	/* Those that are told why they are not let in, in the moment that this takes. */
	enum { REFUSED_MAX = 16 };
	if (s->client_count >= s->options->max_clients + REFUSED_MAX)
		return false;
	if (!peer_may_come(s->options->peers, fd, why))
		return false;
	if (s->client_count < s->options->max_clients)
		return true;
	buf_addf(why, "this server has %u clients and takes no more: see --max-clients",
		 s->options->max_clients);
	return false;
}

/* Once for as long as it is the same. */
static void tell_refusal(struct server *s, const char *name, const char *why)
{
	if (s->told && !strcmp(s->told, why))
		return;
	free(s->told);
	s->told = strdup(why);
	fprintf(stderr, "vmcore-gdbserver: %s: a client was refused: %s\n", name, why);
}

static void on_incoming(struct ev_loop *loop, ev_io *w, int events)
{
	struct door *door = w->data;
	(void)events;
	int fd = accept4(door->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		/* The connection would stay pending and wake us for ever. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			ev_io_stop(loop, &door->incoming);
			ev_timer_set(&door->rest, ACCEPT_REST, 0.);
			ev_timer_start(loop, &door->rest);
		}
		return;
	}
	if (door->room == NO_ROOM) {
		close(fd);
		return;
	}
	struct buf why = BUF_INIT;
	bool welcome = is_welcome(door->server, fd, &why);
	if (!welcome && why.len)
		tell_refusal(door->server, door->listener.name, why.data);
	if (!welcome && (!why.len || why.failed)) {
		close(fd);
		buf_free(&why);
		return;
	}
	set_socket_options(fd);
	struct err *e = add_client(
		door->server, door->room, fd, fd, door->listener.name, welcome ? NULL : why.data,
		false,
		welcome ? keep_client(door->server, door->room, fd, door->listener.name) : NULL,
		NULL);
	buf_free(&why);
	if (e)
		log_debug(LOG_SESSION, "a client was turned away: %s", err_msg(e));
	err_free(e);
}

static void on_rested(struct ev_loop *loop, ev_timer *w, int events)
{
	struct door *door = w->data;
	(void)events;
	ev_io_start(loop, &door->incoming);
}

/* ---- reserving addresses ---- */

/* A server that sudo started is its user's; the socket of a live machine is root's. */
uid_t server_socket_owner(const struct server *s)
{
	return !s || s->options->live || peers_owner() == geteuid() ? (uid_t)-1 : peers_owner();
}

const char *server_folder(const struct server *s)
{
	return s->folder;
}

gid_t server_socket_group(const struct server *s)
{
	return s && s->options->peers->has_group ? s->options->peers->group : (gid_t)-1;
}

struct err *server_add_door(struct server *s, const char *address)
{
	struct door **doors = reallocarray(s->doors, s->door_count + 1, sizeof(*doors));
	if (!doors)
		return err_nomem();
	s->doors = doors;
	struct door *door = calloc(1, sizeof(*door));
	if (!door)
		return err_nomem();
	struct err *e = listener_open(address, s->outer, &door->listener);
	if (e) {
		free(door);
		return e;
	}
	door->listener.owner = server_socket_owner(s);
	door->listener.group = server_socket_group(s);
	door->server = s;
	doors[s->door_count++] = door;
	return NULL;
}

void server_close_door(struct server *s, struct door *door)
{
	size_t at = 0;
	while (s->doors[at] != door)
		at++;
	if (s->loop) {
		ev_io_stop(s->loop, &door->incoming);
		ev_timer_stop(s->loop, &door->rest);
	}
	listener_close(&door->listener);
	free(door);
	s->door_count--;
	memmove(s->doors + at, s->doors + at + 1, (s->door_count - at) * sizeof(*s->doors));
}

/* "unixdir:PATH": a folder with a socket for each target, which is made if it is not there. */
static struct err *add_folder(struct server *s, const char *path)
{
	struct buf address = BUF_INIT;
	if (s->folder)
		return err_new(ERR_INVALID, "listen at unixdir:%s: one folder is enough", path);
	if (!*path)
		return err_new(ERR_INVALID, "listen at unixdir:: it needs the path of a folder");
	s->folder = strdup(path);
	if (!s->folder)
		return err_nomem();
	s->made_folder = !mkdir(path, 0700);
	if (!s->made_folder && errno != EEXIST)
		return err_errno(errno, "listen at unixdir:%s: make the folder", path);
	struct err *unsafe = s->made_folder ? NULL : folder_check(path);
	if (unsafe)
		return err_wrap(unsafe, "listen at unixdir:%s", path);
	buf_addf(&address, "unix:%s/host", path);
	struct err *e = buf_error(&address);
	if (!e)
		e = server_add_door(s, address.data);
	buf_free(&address);
	return e;
}

static struct err *add_address(struct server *s, const char *address)
{
	static const char folder[] = "unixdir:";
	if (!strncmp(address, folder, strlen(folder)))
		return add_folder(s, address + strlen(folder));
	return server_add_door(s, address);
}

static struct err *add_stdio(struct server *s)
{
	if (s->use_stdio)
		return err_new(ERR_INVALID, "listen at stdio: it can serve one client only");
	s->use_stdio = true;
	/* Ahead of all processes that make them non-blocking. */
	s->stdin_flags = fcntl(STDIN_FILENO, F_GETFL);
	s->stdout_flags = fcntl(STDOUT_FILENO, F_GETFL);
	return NULL;
}

static struct err *add_doors(struct server *s)
{
	static const char *const by_default[] = { "127.0.0.1:1234" };
	static const char *const any_port[] = { "127.0.0.1:0" };
	const struct serve_options *options = s->options;
	if (options->inlet >= 0)
		return NULL;
	/* With --run, nobody needs to know the port. */
	const char *const *list = options->run ? any_port : by_default;
	size_t count = 1;
	if (options->listen_count) {
		list = options->listen;
		count = options->listen_count;
	}
	for (size_t i = 0; i < count; i++) {
		struct err *e = !strcmp(list[i], "stdio") ? add_stdio(s) : add_address(s, list[i]);
		if (e)
			return e;
	}
	if (options->run && !s->door_count)
		return err_new(ERR_INVALID, "--run needs an address to give to the command; with "
					    "--listen stdio alone there is none");
	return NULL;
}

/* The first address of the host that others can follow: a TCP port; NULL if there is none. */
static const struct door *first_port(const struct server *s)
{
	for (size_t i = 0; i < s->door_count; i++)
		if (!s->doors[i]->listener.path)
			return s->doors[i];
	return NULL;
}

/* Whether the port of @first was chosen by the user. */
static bool is_fixed(const struct server *s)
{
	for (size_t i = 0; i < s->options->listen_count; i++) {
		const char *address = s->options->listen[i], *colon = strrchr(address, ':');
		if (!strncmp(address, "unix", 4) || !colon)
			continue;
		return strcmp(colon, ":0") != 0;
	}
	return !s->options->run;
}

struct err *server_room_address(const struct server *s, size_t n, struct buf *out)
{
	const struct door *first = first_port(s);
	uint64_t port;
	if (s->folder) {
		buf_addf(out, "unix:%s/%s", s->folder, s->served->list[n].name);
		return buf_error(out);
	}
	if (!first)
		return err_new(ERR_INVALID, "--guests needs an address for every guest: listen at "
					    "HOST:PORT or unixdir:PATH");
	const char *name = first->listener.name, *colon = strrchr(name, ':');
	buf_add(out, name, (size_t)(colon - name));
	if (!is_fixed(s)) {
		buf_addstr(out, ":0");
		return buf_error(out);
	}
	if (!number_parse(colon + 1, false, &port) || port + n > 65535)
		return err_new(ERR_INVALID,
			       "--guests: there is no port %zu above %s for %s; listen at a lower "
			       "one, at port 0 or at unixdir:PATH",
			       n, name, s->served->list[n].name);
	buf_addf(out, ":%" PRIu64, port + n);
	return buf_error(out);
}

static struct err *add_guest_doors(struct server *s)
{
	for (size_t n = 1; n < s->served->count; n++) {
		struct buf address = BUF_INIT;
		struct err *e = server_room_address(s, n, &address);
		if (!e)
			e = server_add_door(s, address.data);
		buf_free(&address);
		if (e)
			return err_wrap(e, "serve %s", s->served->list[n].name);
		s->doors[s->door_count - 1]->room = n;
	}
	for (size_t i = s->door_count; i-- > 0;)
		s->served->list[s->doors[i]->room].address = s->doors[i]->listener.name;
	return NULL;
}

struct err *server_share(struct server *s, const struct target *target, struct rsp_shared **ret)
{
	const struct rsp_turns turns = {
		.self = s->slow,
		.take = slow_reads_take_turn,
		.leave = slow_reads_leave_turn,
		.taken = slow_reads_turn_taken,
	};
	struct err *e = rsp_shared_new(target, ret);
	if (!e)
		rsp_shared_set_turns(*ret, &turns);
	return e;
}

static struct err *make_rooms(struct server *s)
{
	s->rooms = calloc(s->served->count, sizeof(*s->rooms));
	if (!s->rooms)
		return err_nomem();
	s->room_count = s->served->count;
	for (size_t i = 0; i < s->room_count; i++) {
		struct err *e = server_share(s, s->served->list[i].target, &s->rooms[i].shared);
		if (e)
			return e;
	}
	return NULL;
}

/* ---- starting ---- */

static void make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);
	if (flags >= 0)
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* @kept: where another process has left the client, or NULL. */
static struct err *start_stdio(struct server *s, struct kept *kept, struct session **ret)
{
	int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (in < 0 || out < 0) {
		struct err *e = err_errno(errno, "listen at stdio");
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
		return e;
	}
	make_nonblocking(in);
	make_nonblocking(out);
	if (!kept)
		kept = keep_client(s, 0, -1, "stdio");
	struct err *e = add_client(s, 0, in, out, "stdio", NULL, true, kept, NULL);
	if (!e)
		*ret = s->clients->session;
	return e;
}

/* ---- clients that another process has left ---- */

static bool find_room(const struct server *s, const char *target, size_t *ret)
{
	for (size_t i = 0; i < s->served->count; i++) {
		const char *name = s->served->list[i].target->name;
		if (s->rooms[i].shared && !strcmp(name ? name : "", target)) {
			*ret = i;
			return true;
		}
	}
	return false;
}

/* Owns @fd, which is below 0 for stdio. */
static struct err *take_client(struct server *s, int fd, struct kept *kept)
{
	size_t room;
	struct err *e = NULL;
	struct session *session = NULL;
	char name[KEPT_NAME];
	if (!find_room(s, kept->target, &room)) {
		e = err_new(ERR_NOTFOUND, "what it looked at is not there any more");
		if (fd >= 0)
			close(fd);
		outer_let_go(s->outer, kept);
		return e;
	}
	memcpy(name, kept->name, sizeof(name));
	if (fd < 0)
		e = start_stdio(s, kept, &session);
	else
		e = add_client(s, room, fd, fd, name, NULL, false, kept, NULL);
	if (e)
		return e;
	e = session_go_on(s->clients->session, outer_note(s->outer));
	if (e)
		client_ended(s->clients, s->clients->session);
	return e;
}

/* True if the one at stdio was among them. */
static bool take_clients(struct server *s)
{
	struct kept *kept;
	size_t at = 0;
	int fd;
	bool had_stdio = false;
	while (outer_is_parent(s->outer) && (kept = outer_left(s->outer, &at, &fd))) {
		struct err *e = take_client(s, fd, kept);
		had_stdio |= fd < 0;
		if (e)
			fprintf(stderr, "vmcore-gdbserver: a client's connection ends: %s\n",
				err_msg(e));
		err_free(e);
	}
	/* What they have sent since may have come as early as that. */
	if (outer_note(s->outer))
		s->time.last = s->time.before = outer_since(s->outer);
	return had_stdio;
}

/* The flags belong to whoever shares the terminal or pipe, such as the shell we came from. */
static void give_back_stdio(const struct server *s)
{
	/* In the order opposite to taking: both may be the same terminal. */
	if (s->stdout_flags >= 0)
		fcntl(STDOUT_FILENO, F_SETFL, s->stdout_flags);
	if (s->stdin_flags >= 0)
		fcntl(STDIN_FILENO, F_SETFL, s->stdin_flags);
}

static struct err *start_listener(struct door *door)
{
	struct err *e = door->started ? NULL : listener_start(&door->listener);
	if (!e)
		door->started = true;
	return e;
}

struct err *server_start_door(struct server *s, struct door *door)
{
	struct err *e = start_listener(door);
	if (e)
		return e;
	ev_io_init(&door->incoming, on_incoming, door->listener.fd, EV_READ);
	ev_timer_init(&door->rest, on_rested, ACCEPT_REST, 0.);
	door->incoming.data = door->rest.data = door;
	ev_io_start(s->loop, &door->incoming);
	return NULL;
}

static struct err *start_doors(struct server *s)
{
	struct err *e = NULL;
	for (size_t i = 0; i < s->door_count && !e; i++)
		e = server_start_door(s, s->doors[i]);
	bool had_stdio = !e && take_clients(s);
	struct session *unused;
	if (!e && s->use_stdio && !had_stdio)
		e = start_stdio(s, NULL, &unused);
	return e;
}

static void announce(const struct server *s, const char *vmlinux)
{
	for (size_t i = 0; i < s->door_count; i++) {
		const struct door *door = s->doors[i];
		if (door->spare)
			continue;
		fprintf(stderr, "listening on %s", door->listener.name);
		if (door->room)
			fprintf(stderr, " for %s", s->served->list[door->room].name);
		fputc('\n', stderr);
		if (listener_is_public(&door->listener))
			fprintf(stderr,
				"warning: whoever reaches %s can read the dump, from other "
				"machines "
				"too: ssh -L is for that\n",
				door->listener.name);
	}
	server_announce_spare_doors(s);
	if (s->options->guests && s->served->count == 1)
		fprintf(stderr, "no guest is served: there is none\n");
	if (s->options->quiet || !s->door_count || s->options->run)
		return;
	struct buf name = BUF_INIT;
	listener_gdb_name(&s->doors[0]->listener, &name);
	if (s->options->hand_over) {
		fprintf(stderr, "  gdb -ex 'target extended-remote %s' -ex 'info os dumps'\n",
			name.data);
		buf_free(&name);
		return;
	}
	fprintf(stderr, "  gdb -ex 'target remote %s' %s\n", name.data,
		vmlinux ? vmlinux : "vmlinux");
	buf_reset(&name);
	if (crash_command_add(s->served->list[0].target, s->doors[0]->listener.name, vmlinux,
			      &name))
		fprintf(stderr, "  %s\n", name.data);
	buf_free(&name);
}

/* ---- ending ---- */

static void on_signal(struct ev_loop *loop, ev_signal *w, int events)
{
	(void)w;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

static void on_child(struct ev_loop *loop, ev_child *w, int events)
{
	struct server *s = w->data;
	(void)events;
	s->status = WIFEXITED(w->rstatus) ? WEXITSTATUS(w->rstatus) : 128 + WTERMSIG(w->rstatus);
	ev_break(loop, EVBREAK_ALL);
}

static struct err *start_command(struct server *s)
{
	struct captive *captive = s->options->captive;
	const struct listener *l = &s->doors[0]->listener;
	/* A host and a port, which lldb wants too. */
	const char *address = l->path ? l->path : l->name;
	if (outer_is_parent(s->outer))
		return outer_start_command(s->outer, address)
			       ? NULL
			       : err_errno(errno, "start the command of --run");
	struct err *e = captive_start(captive, address);
	if (e)
		return e;
	ev_child_init(&s->child, on_child, captive->pid, 0);
	s->child.data = s;
	ev_child_start(s->loop, &s->child);
	return NULL;
}

struct err *server_new(const struct serve_options *options, struct server **ret)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->options = options;
	s->stdin_flags = s->stdout_flags = -1;
	s->time.patience = options->patience;
	struct err *e = add_doors(s);
	if (e) {
		server_free(s);
		return e;
	}
	*ret = s;
	return NULL;
}

/* ---- what is made outside ---- */

/* Adds a copy of the @len bytes at @text with @end behind them. */
static struct err *add_later(char **list, size_t *count, const char *text, size_t len,
			     const char *end)
{
	struct buf address = BUF_INIT;
	buf_add(&address, text, len);
	buf_addstr(&address, end);
	struct err *e = buf_error(&address);
	if (e)
		buf_free(&address);
	else
		list[(*count)++] = address.data;
	return e;
}

struct err *server_later_sockets(const struct server *s, char ***ret, size_t *ret_count,
				 const char **ret_folder)
{
	const struct door *port = first_port(s);
	size_t count = 0;
	char **list = calloc(s->door_count + 2, sizeof(*list));
	struct err *e = list ? NULL : err_nomem();
	for (size_t i = 0; !e && i < s->door_count; i++)
		if (s->doors[i]->listener.path && !s->doors[i]->listener.given)
			e = add_later(list, &count, s->doors[i]->listener.name,
				      strlen(s->doors[i]->listener.name), "");
	if (!e && s->folder && s->options->guests) {
		struct buf folder = BUF_INIT;
		buf_addf(&folder, "unix:%s", s->folder);
		e = buf_error(&folder);
		if (!e)
			e = add_later(list, &count, folder.data, folder.len, "/");
		buf_free(&folder);
	}
	if (!e && port && s->options->guests) {
		const char *name = port->listener.name;
		e = add_later(list, &count, name, (size_t)(strrchr(name, ':') - name), ":");
	}
	*ret = list;
	*ret_count = count;
	*ret_folder = s->made_folder ? s->folder : NULL;
	return e;
}

void server_use_outer(struct server *s, struct outer *outer)
{
	s->outer = outer;
	s->made_folder = false;
	for (size_t i = 0; i < s->door_count; i++)
		if (s->doors[i]->listener.path && !s->doors[i]->listener.given)
			s->doors[i]->listener.outer = outer;
}

struct err *server_listen(struct server *s, struct served_list *served)
{
	s->served = served;
	struct err *e = served ? add_guest_doors(s) : NULL;
	if (!e && served)
		e = server_add_spare_doors(s);
	for (size_t i = 0; i < s->door_count && !e; i++)
		e = start_listener(s->doors[i]);
	return e;
}

struct err *server_leave_sweeper(const struct server *s)
{
	struct swept *list = calloc(s->door_count + 1, sizeof(*list));
	size_t count = 0;
	if (!list)
		return err_nomem();
	for (size_t i = 0; i < s->door_count; i++) {
		struct stat st;
		const char *path = s->doors[i]->listener.path;
		if (path && !s->doors[i]->listener.given && !lstat(path, &st))
			list[count++] = (struct swept){ path, st.st_dev, st.st_ino };
	}
	struct err *e = NULL;
	if (count)
		e = sweeper_start(list, count, s->made_folder ? s->folder : NULL);
	free(list);
	return err_wrap(e, "have sockets removed at the end");
}

void server_free(struct server *s)
{
	if (!s)
		return;
	while (s->door_count)
		server_close_door(s, s->doors[s->door_count - 1]);
	free(s->doors);
	if (s->made_folder)
		rmdir(s->folder);
	free(s->folder);
	free(s->told);
	free(s);
}

/* Before it waits again. */
static void on_prepare(struct ev_loop *loop, ev_prepare *w, int events)
{
	struct server *s = w->data;
	(void)loop;
	(void)events;
	if (!slow_reads_turn_taken(s->slow))
		server_look_for_guests(s);
}

static struct err *make_loop(struct server *s)
{
	/* LIBEV_FLAGS in the environment must not choose another backend. */
	s->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!s->loop)
		return err_new(ERR_IO, "make an event loop: libev found no backend that works");
	ev_signal_init(&s->terminate, on_signal, SIGTERM);
	ev_signal_init(&s->interrupt, on_signal, SIGINT);
	ev_prepare_init(&s->looks, on_prepare);
	s->looks.data = s;
	return slow_reads_new(s->loop, &s->slow);
}

static void watch_signals(struct server *s)
{
	/* A client that is gone shows in write()'s result. */
	signal(SIGPIPE, SIG_IGN);
	ev_signal_start(s->loop, &s->terminate);
	/* Ctrl-C on the terminal is for --run's debugger, which shares it with us. */
	if (s->options->run)
		signal(SIGINT, SIG_IGN);
	else
		ev_signal_start(s->loop, &s->interrupt);
}

static struct err *serve_targets(struct server *s, bool had_doors, struct dump *dump,
				 const char *vmlinux)
{
	struct err *e = make_loop(s);
	if (!e)
		e = make_rooms(s);
	if (!e && !had_doors)
		e = add_guest_doors(s);
	if (e)
		return e;
	watch_signals(s);
	e = start_doors(s);
	if (e)
		return e;
	if (!outer_note(s->outer))
		announce(s, vmlinux);
	if (s->options->guests)
		ev_prepare_start(s->loop, &s->looks);
	if (s->options->run)
		e = start_command(s);
	if (e)
		return e;
	if (s->outer)
		outer_is_ready(s->outer);
	server_start_inlet(s);
	/* What was done so far, for clients of before, too, has waited for its reads. */
	if (dump)
		dump_set_reading(dump, slow_reads_reading(s->slow));
	ev_run(s->loop, 0);
	return NULL;
}

static void stop_loop(struct server *s)
{
	for (size_t i = 0; i < s->door_count; i++) {
		ev_io_stop(s->loop, &s->doors[i]->incoming);
		ev_timer_stop(s->loop, &s->doors[i]->rest);
	}
	ev_prepare_stop(s->loop, &s->looks);
	ev_signal_stop(s->loop, &s->terminate);
	ev_signal_stop(s->loop, &s->interrupt);
	ev_child_stop(s->loop, &s->child);
	server_stop_inlet(s);
	ev_loop_destroy(s->loop);
	s->loop = NULL;
}

/* Nothing that knows the target is left afterwards. */
static void let_go_of_target(struct server *s, struct dump *dump)
{
	/* Ended by a signal before the command was: it goes too. */
	if (ev_is_active(&s->child))
		kill(s->child.pid, SIGTERM);
	if (s->slow)
		slow_reads_end(s->slow);
	if (dump)
		dump_set_reading(dump, NULL);
	while (s->clients)
		client_ended(s->clients, s->clients->session);
	if (s->loop)
		stop_loop(s);
	slow_reads_free(s->slow);
	s->slow = NULL;
	give_back_stdio(s);
	for (size_t i = 0; i < s->room_count; i++)
		rsp_shared_free(s->rooms[i].shared);
	for (size_t i = 0; i < s->served->count; i++)
		s->served->list[i].address = NULL;
	free(s->rooms);
	s->rooms = NULL;
	s->room_count = 0;
}

struct err *server_run(struct server *s, struct served_list *served, struct dump *dump,
		       const char *vmlinux, int *ret_status)
{
	bool had_doors = s->served; /* by server_listen() */
	s->served = served;
	struct err *e = serve_targets(s, had_doors, dump, vmlinux);
	let_go_of_target(s, dump);
	*ret_status = s->status;
	return e;
}
