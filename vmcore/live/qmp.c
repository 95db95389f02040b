// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/qmp.h"

#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/send_fd.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"

enum {
	LINE_MAX_BYTES = 4 << 20, /* `info mtree -f` of a large machine takes a tenth of it */
	READ_BYTES = 64 << 10,
	MESSAGES_MAX = 10000, /* that are not the answer waited for, one behind the other */
};

struct qmp {
	int fd;
	char *path;	 /* owned */
	char *gone;	 /* why the connection is over; NULL while it stands. Owned */
	struct buf in;	 /* what came and is no whole line yet */
	size_t searched; /* so much of it holds no end of a line */
	uint64_t last_id;
	bool owed; /* the answer to last_id */
	unsigned news;
	pid_t peer;
	char version[64];
};

/* ---- the connection ---- */

static int64_t now_ms(void)
{
	return clock_ns() / 1000000;
}

/* The connection is over, for the reason in @e, which is passed on. */
static struct err *lose(struct qmp *q, struct err *e)
{
	if (!q->gone)
		q->gone = strdup(err_msg(e));
	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	return e;
}

static struct err *is_gone(const struct qmp *q)
{
	return err_new(ERR_IO, "%s", q->gone ? q->gone : "the connection to QEMU is closed");
}

/* False when @deadline has passed first. */
static bool wait_for(const struct qmp *q, short events, int64_t deadline)
{
	for (;;) {
		struct pollfd p = { .fd = q->fd, .events = events };
		int64_t left = deadline - now_ms();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return left > 0;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

/* Takes what is there, without waiting; *ret_any says whether there was something. */
static struct err *receive(struct qmp *q, bool *ret_any)
{
	*ret_any = false;
	if (q->in.len > LINE_MAX_BYTES)
		return lose(q, err_new(ERR_FORMAT, "%s sends a line of more than %d bytes", q->path,
				       LINE_MAX_BYTES));
	if (!buf_reserve(&q->in, READ_BYTES))
		return lose(q, err_nomem());
	ssize_t n = recv(q->fd, q->in.data + q->in.len, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NULL;
	if (n < 0 && errno != ECONNRESET)
		return lose(q, err_errno(errno, "read from %s", q->path));
	if (n <= 0)
		return lose(q, err_new(ERR_IO,
				       "QEMU has closed the connection at %s: its machine has "
				       "ended",
				       q->path));
	q->in.len += (size_t)n;
	q->in.data[q->in.len] = '\0';
	*ret_any = true;
	return NULL;
}

void qmp_put_string(struct json_object **object, const char *key, const char *value)
{
	if (!*object)
		*object = json_object_new_object();
	if (*object)
		json_object_object_add(*object, key, json_object_new_string(value));
}

void qmp_put_number(struct json_object **object, const char *key, uint64_t value)
{
	if (!*object)
		*object = json_object_new_object();
	if (*object)
		json_object_object_add(*object, key, json_object_new_int64((int64_t)value));
}

struct json_object *qmp_member(struct json_object *object, const char *key)
{
	struct json_object *member;
	return json_object_object_get_ex(object, key, &member) ? member : NULL;
}

const char *qmp_member_string(struct json_object *object, const char *key)
{
	struct json_object *member = qmp_member(object, key);
	return json_object_is_type(member, json_type_string) ? json_object_get_string(member)
							     : NULL;
}

/* To the last command. */
static bool is_answer(const struct qmp *q, struct json_object *message)
{
	struct json_object *id = qmp_member(message, "id");
	return json_object_is_type(id, json_type_int) &&
	       (uint64_t)json_object_get_int64(id) == q->last_id;
}

/* The next whole line of what was received, parsed; NULL in *ret if there is none. */
static struct err *next_message(struct qmp *q, struct json_object **ret)
{
	*ret = NULL;
	const char *end = memchr(q->in.data + q->searched, '\n', q->in.len - q->searched);
	if (!end) {
		q->searched = q->in.len;
		return NULL;
	}
	size_t len = (size_t)(end - q->in.data);
	struct json_tokener *parser = json_tokener_new();
	struct json_object *message = NULL;
	if (parser)
		message = json_tokener_parse_ex(parser, q->in.data, (int)len);
	json_tokener_free(parser);
	buf_drop(&q->in, len + 1);
	q->searched = 0;
	if (!json_object_is_type(message, json_type_object)) {
		json_object_put(message);
		return lose(q, err_new(ERR_FORMAT, "%s does not speak QMP: its line is no object",
				       q->path));
	}
	*ret = message;
	return NULL;
}

static void note_event(struct qmp *q, const char *name)
{
	static const struct {
		const char *name;
		enum qmp_news news;
	} events[] = {
		{ "STOP", QMP_NEWS_STATE },
		{ "RESUME", QMP_NEWS_STATE },
		{ "SUSPEND", QMP_NEWS_STATE },
		{ "WAKEUP", QMP_NEWS_STATE },
		{ "SHUTDOWN", QMP_NEWS_STATE },
		{ "RESET", QMP_NEWS_RESET },
		{ "DEVICE_DELETED", QMP_NEWS_MEMORY },
		{ "ACPI_DEVICE_OST", QMP_NEWS_MEMORY },
		{ "MEMORY_DEVICE_SIZE_CHANGE", QMP_NEWS_MEMORY },
	};
	log_debug(LOG_MEMORY, "QMP event %s", name);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (!strcmp(events[i].name, name)) {
			q->news |= events[i].news;
			return;
		}
	}
	q->news |= QMP_NEWS_OTHER;
}

static struct err *floods(struct qmp *q)
{
	return lose(q, err_new(ERR_FORMAT, "%s sends messages without end", q->path));
}

/*
 * Waits until @deadline for a message that is no event, and takes it in *ret; NULL there if none
 * came. With a @deadline of 0 it looks at what is there.
 */
static struct err *await_message(struct qmp *q, int64_t deadline, struct json_object **ret)
{
	for (unsigned events = 0; events < MESSAGES_MAX;) {
		bool any;
		struct json_object *message;
		struct err *e = next_message(q, &message);
		if (e)
			return e;
		const char *event = qmp_member_string(message, "event");
		if (event) {
			note_event(q, event);
			json_object_put(message);
			events++;
			continue;
		}
		if (message) {
			*ret = message;
			return NULL;
		}
		e = receive(q, &any);
		if (e)
			return e;
		if (!any && (!deadline || !wait_for(q, POLLIN, deadline))) {
			*ret = NULL;
			return NULL;
		}
	}
	return floods(q);
}

/* Events, and an answer that comes too late. */
static struct err *take_what_came(struct qmp *q)
{
	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct json_object *message;
		struct err *e = await_message(q, 0, &message);
		if (e || !message)
			return e;
		if (is_answer(q, message))
			q->owed = false;
		json_object_put(message);
	}
	return floods(q);
}

/* ---- commands ---- */

static struct err *send_all(struct qmp *q, const char *bytes, size_t len, int fd, int64_t deadline)
{
	while (len) {
		ssize_t n = send_fd(q->fd, bytes, len, fd, MSG_DONTWAIT);
		if (n >= 0) {
			bytes += n;
			len -= (size_t)n;
			fd = -1;
		} else if (errno != EINTR && errno != EAGAIN) {
			return lose(q, err_errno(errno, "write to %s", q->path));
		} else if (errno == EAGAIN && !wait_for(q, POLLOUT, deadline)) {
			/* Half a command cannot be taken back. */
			return lose(q, err_new(ERR_IO, "QEMU at %s takes no commands", q->path));
		}
	}
	return NULL;
}

static struct err *send_command(struct qmp *q, const char *name, struct json_object *arguments,
				int fd, int64_t deadline)
{
	struct json_object *message = NULL;
	struct buf line = BUF_INIT;
	qmp_put_string(&message, "execute", name);
	qmp_put_number(&message, "id", ++q->last_id);
	if (message && arguments)
		json_object_object_add(message, "arguments", json_object_get(arguments));
	const char *text = json_object_to_json_string_ext(message, JSON_C_TO_STRING_PLAIN);
	buf_addf(&line, "%s\n", text ? text : "");
	struct err *e = message && text ? buf_error(&line) : err_nomem();
	json_object_put(message);
	if (!e)
		e = send_all(q, line.data, line.len, fd, deadline);
	buf_free(&line);
	return e;
}

static struct err *await_answer(struct qmp *q, const char *name, int64_t deadline,
				struct json_object **ret)
{
	for (unsigned i = 0; i < MESSAGES_MAX; i++) {
		struct json_object *message = NULL;
		struct err *e = await_message(q, deadline, &message);
		if (e)
			return e;
		if (!message)
			return err_new(ERR_IO,
				       "QEMU at %s has not answered '%s' within %d s: it hangs, or "
				       "is busy saving or migrating its machine",
				       q->path, name, QMP_WAIT_MS / 1000);
		if (is_answer(q, message)) {
			q->owed = false;
			*ret = message;
			return NULL;
		}
		json_object_put(message);
	}
	return floods(q);
}

struct err *qmp_command(struct qmp *q, const char *name, struct json_object *arguments, int fd,
			struct json_object **ret)
{
	int64_t deadline = now_ms() + QMP_WAIT_MS;
	struct json_object *message = NULL;
	struct err *e = q->fd < 0 ? is_gone(q) : take_what_came(q);
	if (!e && q->owed)
		e = err_new(ERR_IO, "QEMU at %s still has not answered an earlier command",
			    q->path);
	if (!e)
		e = send_command(q, name, arguments, fd, deadline);
	json_object_put(arguments);
	if (e)
		return e;
	q->owed = true;
	e = await_answer(q, name, deadline, &message);
	if (e)
		return e;
	struct json_object *result = qmp_member(message, "return");
	if (!result) {
		const char *why = qmp_member_string(qmp_member(message, "error"), "desc");
		e = err_new(ERR_IO, "QEMU at %s refuses '%s': %s", q->path, name,
			    why ? why : "it does not say why");
	} else if (ret) {
		*ret = json_object_get(result);
	}
	json_object_put(message);
	return e;
}

struct err *qmp_monitor(struct qmp *q, const char *line, char **ret_text)
{
	struct json_object *arguments = NULL, *text;
	qmp_put_string(&arguments, "command-line", line);
	struct err *e = qmp_command(q, "human-monitor-command", arguments, -1, &text);
	if (e)
		return e;
	if (json_object_is_type(text, json_type_string)) {
		char *copy = strdup(json_object_get_string(text));
		if (copy)
			*ret_text = copy;
		else
			e = err_nomem();
	} else {
		e = err_new(ERR_FORMAT, "QEMU at %s answers '%s' with no text", q->path, line);
	}
	json_object_put(text);
	return e;
}

struct err *qmp_take_news(struct qmp *q, unsigned *ret_news)
{
	struct err *e = q->fd < 0 ? is_gone(q) : take_what_came(q);
	if (e)
		return e;
	*ret_news = q->news;
	q->news = 0;
	return NULL;
}

unsigned qmp_peek_news(struct qmp *q)
{
	struct err *e = q->fd < 0 ? is_gone(q) : take_what_came(q);
	unsigned news = e ? QMP_NEWS_GONE : q->news;
	err_free(e);
	return news;
}

/* ---- opening ---- */

static struct err *connect_to(struct qmp *q)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct ucred peer;
	socklen_t len = sizeof(peer);
	if (strlen(q->path) >= sizeof(address.sun_path))
		return err_new(ERR_INVALID, "%s: the path of a socket has %zu bytes at most",
			       q->path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, q->path);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd < 0)
		return err_errno(errno, "make a socket");
	if (connect(q->fd, (const struct sockaddr *)&address, sizeof(address))) {
		if (errno == EAGAIN)
			return err_new(ERR_IO,
				       "%s has its one client already: give QEMU another -qmp "
				       "socket",
				       q->path);
		if (errno == ECONNREFUSED)
			return err_new(ERR_IO,
				       "connect to %s: nobody listens there: QEMU has ended, or "
				       "has its one client already",
				       q->path);
		return err_errno(errno, "connect to %s", q->path);
	}
	if (!getsockopt(q->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		q->peer = peer.pid;
	return NULL;
}

static struct err *greet(struct qmp *q)
{
	struct json_object *greeting = NULL, *answer;
	struct err *e = await_message(q, now_ms() + QMP_WAIT_MS, &greeting);
	if (e)
		return e;
	if (!greeting)
		return err_new(ERR_IO,
			       "%s: no greeting within %d s: it is no QMP socket, or has its one "
			       "client already: give QEMU another -qmp socket",
			       q->path, QMP_WAIT_MS / 1000);
	struct json_object *version =
		qmp_member(qmp_member(qmp_member(greeting, "QMP"), "version"), "qemu");
	if (!version)
		e = err_new(ERR_FORMAT, "%s does not greet as QMP does", q->path);
	else
		snprintf(q->version, sizeof(q->version), "%d.%d.%d",
			 json_object_get_int(qmp_member(version, "major")),
			 json_object_get_int(qmp_member(version, "minor")),
			 json_object_get_int(qmp_member(version, "micro")));
	json_object_put(greeting);
	if (e)
		return e;
	e = qmp_command(q, "qmp_capabilities", NULL, -1, &answer);
	if (!e)
		json_object_put(answer);
	return e;
}

struct err *qmp_open(const char *path, struct qmp **ret)
{
	struct qmp *q = calloc(1, sizeof(*q));
	if (!q)
		return err_nomem();
	q->fd = -1;
	buf_init(&q->in);
	q->path = strdup(path);
	struct err *e = q->path ? connect_to(q) : err_nomem();
	if (!e)
		e = greet(q);
	if (e) {
		qmp_close(q);
		return e;
	}
	*ret = q;
	return NULL;
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	if (q->fd >= 0)
		close(q->fd);
	buf_free(&q->in);
	free(q->path);
	free(q->gone);
	free(q);
}

const char *qmp_version(const struct qmp *q)
{
	return q->version;
}

pid_t qmp_peer(const struct qmp *q)
{
	return q->peer;
}
