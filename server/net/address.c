// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "server/net/outer.h"

enum { BACKLOG = 64 };

/* ---- Unix sockets ---- */

/* Whether a socket is at @name with nobody accepting behind it. */
static bool left_over(const struct sockaddr_un *name)
{
	/* Non-blocking: a server whose queue is full is alive. */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead = fd >= 0 && connect(fd, (const struct sockaddr *)name, sizeof(*name)) &&
		    errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return dead;
}

/* Makes room for a socket at @name; nothing but an old socket is removed. */
static struct err *clear_path(const struct sockaddr_un *name)
{
	struct stat st;
	if (lstat(name->sun_path, &st))
		return NULL;
	if (!S_ISSOCK(st.st_mode))
		return err_new(ERR_INVALID,
			       "there is a file that is no socket; remove it or take another path");
	if (!left_over(name))
		return err_new(ERR_INVALID, "another server listens there; take another path");
	if (unlink(name->sun_path))
		return err_errno(errno, "remove the socket that was left there");
	return NULL;
}

/* For its owner only from the first moment on. */
static struct err *bind_unix(int fd, const struct sockaddr_un *name)
{
	mode_t old = umask(0177);
	int failed = bind(fd, (const struct sockaddr *)name, sizeof(*name));
	int why = errno;
	umask(old);
	return failed ? err_errno(why, "make the socket") : NULL;
}

/* Before anybody can connect. */
static struct err *give_away(const struct listener *l)
{
	bool group = l->group != (gid_t)-1;
	if (!group && l->owner == (uid_t)-1)
		return NULL;
	if (lchown(l->path, l->owner, l->group) || (group && chmod(l->path, 0660)))
		return err_errno(errno, "give the socket to those who may connect");
	return NULL;
}

static struct err *start_unix(struct listener *l)
{
	if (l->outer)
		return outer_bind(l->outer, l->name, &l->fd);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	strcpy(name.sun_path, l->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(errno, "make a socket");
	struct err *e = clear_path(&name);
	if (!e)
		e = bind_unix(fd, &name);
	if (e) {
		close(fd);
		return e;
	}
	e = give_away(l);
	if (e) {
		close(fd);
		unlink(l->path);
		return e;
	}
	struct stat st;
	if (!lstat(l->path, &st)) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	l->fd = fd;
	return NULL;
}

static void remove_unix(const struct listener *l)
{
	struct stat st;
	if (l->outer)
		outer_unlink(l->outer, l->path);
	else if (l->inode && !lstat(l->path, &st) && st.st_dev == l->device &&
		 st.st_ino == l->inode)
		unlink(l->path);
}

static struct err *open_unix(const char *path, struct outer *outer, struct listener *ret)
{
	struct sockaddr_un name;
	struct buf text = BUF_INIT;
	if (!*path || strlen(path) >= sizeof(name.sun_path))
		return err_new(ERR_INVALID,
			       "listen at unix:%s: a path of 1 to %zu characters is needed", path,
			       sizeof(name.sun_path) - 1);
	buf_addf(&text, "unix:%s", path);
	*ret = (struct listener){
		.fd = -1,
		.path = strdup(path),
		.name = text.failed ? NULL : strdup(text.data),
		.outer = outer,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
	buf_free(&text);
	if (ret->path && ret->name)
		return NULL;
	listener_close(ret);
	return err_nomem();
}

/* ---- TCP ---- */

/* "[::1]:1234", "host:1234", ":1234" to host and port, both copies. */
static struct err *split_tcp(const char *address, char **ret_host, char **ret_port)
{
	const char *colon = strrchr(address, ':');
	uint64_t port;
	if (!colon || !number_parse(colon + 1, false, &port) || port > 65535)
		return err_new(ERR_INVALID,
			       "listen at '%s': it must be HOST:PORT, :PORT, unix:PATH, "
			       "unixdir:PATH, fd:N or stdio, with a port from 0 to 65535",
			       address);
	const char *host = address;
	size_t len = (size_t)(colon - address);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	*ret_host = len ? strndup(host, len) : strdup("127.0.0.1");
	*ret_port = strdup(colon + 1);
	if (*ret_host && *ret_port)
		return NULL;
	free(*ret_host);
	free(*ret_port);
	return err_nomem();
}

static int bind_tcp(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
			ai->ai_protocol);
	int on = 1;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen)) {
		int why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

/* The first address that can be had: "localhost" may stand for one of IPv6 on a machine that has
 * none. */
static int bind_any(const struct addrinfo *list)
{
	int fd = -1;
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = bind_tcp(ai);
	return fd;
}

static struct err *address_error(int why, const char *address)
{
	struct err *e = err_errno(why, "listen at %s", address);
	if (why == EADDRINUSE)
		e = err_wrap(e, "another port may be free (--listen :0 picks one)");
	return e;
}

/* "127.0.0.1:40123", with the port that the kernel chose. */
static struct err *tcp_name(int fd, char **ret)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	char host[NI_MAXHOST], port[NI_MAXSERV];
	struct buf text = BUF_INIT;
	if (getsockname(fd, (struct sockaddr *)&name, &len) ||
	    getnameinfo((struct sockaddr *)&name, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return err_new(ERR_IO, "ask where the socket listens");
	buf_addf(&text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	*ret = text.failed ? NULL : strdup(text.data);
	buf_free(&text);
	return *ret ? NULL : err_nomem();
}

static struct err *bind_address(const char *address, int *ret)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
	char *host = NULL, *port = NULL;
	struct err *e = split_tcp(address, &host, &port);
	if (e)
		return e;
	int bad = getaddrinfo(host, port, &hints, &list);
	free(host);
	free(port);
	if (bad)
		return err_new(ERR_IO, "listen at %s: %s", address, gai_strerror(bad));
	int fd = bind_any(list);
	int why = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return address_error(why, address);
	*ret = fd;
	return NULL;
}

static struct err *open_tcp(const char *address, struct outer *outer, struct listener *ret)
{
	int fd;
	struct err *e = outer ? outer_bind(outer, address, &fd) : bind_address(address, &fd);
	if (e)
		return e;
	*ret = (struct listener){ .fd = fd };
	e = tcp_name(fd, &ret->name);
	if (e) {
		listener_close(ret);
		return err_wrap(e, "listen at %s", address);
	}
	return NULL;
}

/* ---- sockets that somebody else has made ---- */

static bool listens(int fd)
{
	int type, accepts;
	socklen_t len = sizeof(type);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) || type != SOCK_STREAM)
		return false;
	len = sizeof(accepts);
	return !getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &len) && accepts;
}

static struct err *unix_name(int fd, struct listener *l)
{
	struct sockaddr_un name = { 0 };
	struct buf text = BUF_INIT;
	socklen_t len = sizeof(name) - 1;
	if (getsockname(fd, (struct sockaddr *)&name, &len))
		return err_errno(errno, "ask where the socket listens");
	/* Names that begin with a 0 are no files. */
	buf_addf(&text, "unix:%s%s", name.sun_path[0] ? "" : "@",
		 name.sun_path + !name.sun_path[0]);
	l->name = text.failed ? NULL : strdup(text.data);
	l->path = text.failed ? NULL : strdup(text.data + strlen("unix:"));
	buf_free(&text);
	return l->name && l->path ? NULL : err_nomem();
}

static struct err *open_given(const char *address, struct listener *ret)
{
	uint64_t fd;
	struct sockaddr_storage name;
	socklen_t len = sizeof(name);
	if (!number_parse(address + strlen("fd:"), false, &fd) || fd > INT_MAX || !listens((int)fd))
		return err_new(ERR_INVALID,
			       "listen at '%s': that is no descriptor of a stream socket that "
			       "listens, as systemd passes it on from number 3 on",
			       address);
	*ret = (struct listener){
		.fd = (int)fd, .given = true, .owner = (uid_t)-1, .group = (gid_t)-1
	};
	int flags = fcntl(ret->fd, F_GETFL);
	struct err *e = NULL;
	if (fcntl(ret->fd, F_SETFD, FD_CLOEXEC) || flags < 0 ||
	    fcntl(ret->fd, F_SETFL, flags | O_NONBLOCK) ||
	    getsockname(ret->fd, (struct sockaddr *)&name, &len))
		e = err_errno(errno, "prepare the socket");
	else if (name.ss_family == AF_UNIX)
		e = unix_name(ret->fd, ret);
	else
		e = tcp_name(ret->fd, &ret->name);
	if (!e)
		return NULL;
	listener_close(ret);
	return err_wrap(e, "listen at %s", address);
}

/* ---- all ---- */

struct err *listener_open(const char *address, struct outer *outer, struct listener *ret)
{
	if (!strncmp(address, "unix:", 5))
		return open_unix(address + 5, outer, ret);
	if (!strncmp(address, "fd:", 3))
		return open_given(address, ret);
	return open_tcp(address, outer, ret);
}

struct err *listener_start(struct listener *l)
{
	if (l->given)
		return NULL;
	struct err *e = l->path ? start_unix(l) : NULL;
	if (e)
		return err_wrap(e, "listen at %s", l->name);
	/* The outer process did that with its own. */
	if (l->path && l->outer)
		return NULL;
	return listen(l->fd, BACKLOG) ? address_error(errno, l->name) : NULL;
}

void listener_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	if (l->path && !l->given)
		remove_unix(l);
	free(l->path);
	free(l->name);
	*l = (struct listener){ .fd = -1 };
}

bool listener_is_public(const struct listener *l)
{
	return !l->path && strncmp(l->name, "127.", 4) != 0 && strncmp(l->name, "[::1]", 5) != 0;
}

void listener_gdb_name(const struct listener *l, struct buf *out)
{
	const char *loopback = "127.0.0.1";
	if (l->path)
		buf_addstr(out, l->path);
	else if (!strncmp(l->name, loopback, strlen(loopback)))
		buf_addstr(out, l->name + strlen(loopback));
	else
		buf_addstr(out, l->name);
}
