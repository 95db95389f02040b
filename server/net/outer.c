// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/outer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/close_from.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/send_fd.h"
#include "server/files/debuginfod.h"
#include "server/net/address.h"
#include "server/net/captive.h"
#include "server/net/index_process.h"
#include "server/net/kept.h"
#include "server/net/outer_private.h"
#include "server/net/survival.h"

enum { IDS_MAX = 256 };

enum what {
	OPEN = 'o',
	STAT = 's',
	REAL = 'r',
	TEMPORARY = 't',
	KEEP = 'k',   /* with the file */
	APPEND = 'a', /* the path, a 0, the line */
	BIND = 'b',
	UNLINK = 'u',
	DOWNLOAD = 'd',
	INDEX = 'i', /* with the file */
	START_COMMAND = 'x', /* with the address that it is told */
	CLIENT = 'n',	     /* with its connection, and its place */
	GONE = 'g',	     /* that client */
	READY = 'y',
	END = 'e',
};

/* ---- messages ---- */

static bool send_message(int fd, const void *bytes, size_t len, int passed)
{
	ssize_t n;
	do {
		n = send_fd(fd, bytes, len, passed, 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* *ret_passed is the caller's, or -1. Returns 0 at the end. */
static size_t receive_message(int fd, void *bytes, size_t size, int *ret_passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { bytes, size };
	struct msghdr m = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;
	*ret_passed = -1;
	do {
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_passed, CMSG_DATA(c), sizeof(int));
	return (size_t)n;
}

/* ---- the outer process ---- */

struct made_socket {
	char *address; /* owned: as it was asked for; several may be of one, as of port 0 */
	struct listener listener;
	bool taken; /* by the process that is served now */
	struct made_socket *next;
};

static bool steps_up(const char *path)
{
	for (const char *at = path; (at = strstr(at, "..")); at += 2)
		if ((at == path || at[-1] == '/') && (!at[2] || at[2] == '/'))
			return true;
	return false;
}

/* Whether @path is @place or below it. */
static bool is_within(const char *path, const char *place)
{
	size_t len = strlen(place);
	while (len && place[len - 1] == '/')
		len--;
	return !strncmp(path, place, len) && (!path[len] || path[len] == '/') &&
	       !steps_up(path + len);
}

static bool may_read(const struct outside *o, const char *path)
{
	const struct outer_options *may = o->options;
	for (size_t i = 0; i < may->read_count; i++)
		if (is_within(path, may->reads[i]))
			return true;
	for (size_t i = 0; i < o->place_count; i++)
		if (!strcmp(path, o->places[i]))
			return true;
	return (may->keeps && is_within(path, may->keeps)) ||
	       (may->writes && !strcmp(path, may->writes)) ||
	       (may->appends && !strcmp(path, may->appends));
}

/* Whether a kernel's source lies where its compiler saw it may be asked; it may not be read. */
static bool may_ask(const struct outside *o, const char *path)
{
	static const char source[] = "/init/main.c";
	size_t len = strlen(path), end = sizeof(source) - 1;
	return may_read(o, path) || (len > end && !strcmp(path + len - end, source));
}

static bool is_folder_of(const char *folder, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return !strcmp(folder, ".");
	if (slash == path)
		return !strcmp(folder, "/");
	size_t len = (size_t)(slash - path);
	return strlen(folder) == len && !memcmp(folder, path, len);
}

/* In folders for temporary files everybody may make some. */
static bool may_make_in(const struct outside *o, const char *folder)
{
	const struct outer_options *may = o->options;
	const char *own = getenv("TMPDIR");
	return (may->keeps && !strcmp(folder, may->keeps)) ||
	       (may->writes && is_folder_of(folder, may->writes)) ||
	       !strcmp(folder, own && *own ? own : "/var/tmp") || !strcmp(folder, "/var/tmp");
}

static bool may_keep(const struct outside *o, const char *path)
{
	const struct outer_options *may = o->options;
	return (may->keeps && is_within(path, may->keeps) && strcmp(path, may->keeps) != 0) ||
	       (may->writes && !strcmp(path, may->writes));
}

/* Only a file that has no name yet. */
static bool is_nameless(int fd)
{
	struct stat st;
	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && !st.st_nlink;
}

static bool may_listen(const struct outside *o, const char *address)
{
	const struct outer_options *may = o->options;
	for (size_t i = 0; i < may->listen_count; i++) {
		const char *listen = may->listens[i];
		size_t len = strlen(listen);
		char last = len ? listen[len - 1] : 0;
		if (!strcmp(address, listen))
			return true;
		if ((last == '/' || last == ':') && !strncmp(address, listen, len) &&
		    !strchr(address + len, '/') && !steps_up(address + len) &&
		    (last == '/' || strspn(address + len, "0123456789") == strlen(address + len)))
			return true;
	}
	return false;
}

/* Opens a pinned file again, though another may have its name by now. */
static int open_again(const struct pinned *p)
{
	struct stat was, is;
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p->fd);
	int fd = files_directly.open(NULL, name);
	if (fd >= 0)
		return fd;
	/* Where there is no /proc. */
	fd = files_directly.open(NULL, p->path);
	if (fd >= 0 && !fstat(p->fd, &was) && !fstat(fd, &is) && was.st_dev == is.st_dev &&
	    was.st_ino == is.st_ino)
		return fd;
	if (fd >= 0)
		close(fd);
	errno = ESTALE;
	return -1;
}

/* What is read must be the same file when another process goes on with it. */
static void pin(struct outside *o, const char *path, int fd)
{
	struct stat st;
	if (!o->clients || o->pinned_count == OUTER_PINNED_MAX || fstat(fd, &st) ||
	    !S_ISREG(st.st_mode))
		return;
	struct pinned *p = &o->pinned[o->pinned_count];
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	p->path = p->fd < 0 ? NULL : strdup(path);
	if (p->path)
		o->pinned_count++;
	else if (p->fd >= 0)
		close(p->fd);
}

static int open_named(struct outside *o, const char *path, int *ret)
{
	for (size_t i = 0; i < o->pinned_count; i++)
		if (!strcmp(path, o->pinned[i].path)) {
			*ret = open_again(&o->pinned[i]);
			return *ret < 0 ? errno : 0;
		}
	*ret = files_directly.open(NULL, path);
	if (*ret < 0)
		return errno;
	pin(o, path, *ret);
	return 0;
}

/* A device or a pipe is for nobody but who named it. */
static int open_for(struct outside *o, const char *path, int *ret)
{
	struct stat st;
	int fd;
	for (size_t i = 0; i < o->options->read_count; i++)
		if (!strcmp(path, o->options->reads[i]))
			return open_named(o, path, ret);
	fd = files_directly.open(NULL, path);
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
		close(fd);
		return EINVAL;
	}
	*ret = fd;
	return 0;
}

static int name_for(struct outside *o, const char *path)
{
	char *real = files_directly.real(NULL, path);
	if (!real)
		return errno;
	if (strlen(real) >= sizeof(o->reply.text)) {
		free(real);
		return ENAMETOOLONG;
	}
	strcpy(o->reply.text, real);
	if (may_read(o, real) || o->place_count == OUTER_PLACES_MAX)
		free(real);
	else
		o->places[o->place_count++] = real;
	return 0;
}

/* The message of @e, which is freed, is for the reply. */
static int tell(struct outside *o, struct err *e)
{
	snprintf(o->reply.text, sizeof(o->reply.text), "%s", err_msg(e));
	o->reply.kind = 1;
	err_free(e);
	return EIO;
}

static int bind_for(struct outside *o, const char *address, int *ret)
{
	struct made_socket **end = &o->sockets;
	for (; *end; end = &(*end)->next) {
		struct made_socket *m = *end;
		if (m->taken || m->listener.fd < 0 || strcmp(m->address, address) != 0)
			continue;
		*ret = fcntl(m->listener.fd, F_DUPFD_CLOEXEC, 0);
		m->taken = *ret >= 0;
		return *ret < 0 ? errno : 0;
	}
	struct made_socket *made = calloc(1, sizeof(*made));
	if (!made)
		return ENOMEM;
	made->address = strdup(address);
	struct err *e = made->address ? listener_open(address, NULL, &made->listener) : err_nomem();
	if (!e && made->listener.path) {
		made->listener.owner = o->options->socket_owner;
		made->listener.group = o->options->socket_group;
		e = listener_start(&made->listener);
		if (e)
			listener_close(&made->listener);
	}
	if (e) {
		free(made->address);
		free(made);
		return tell(o, e);
	}
	*ret = fcntl(made->listener.fd, F_DUPFD_CLOEXEC, 0);
	int why = *ret < 0 ? errno : 0;
	made->taken = true;
	/* Another process goes on listening with it. */
	if (!o->clients) {
		close(made->listener.fd);
		made->listener.fd = -1;
	}
	/* In the order in which the next process will ask. */
	*end = made;
	return why;
}

static void unlink_for(struct outside *o, const char *path)
{
	for (struct made_socket **at = &o->sockets; *at; at = &(*at)->next) {
		struct made_socket *made = *at;
		if (path && (!made->listener.path || strcmp(made->listener.path, path) != 0))
			continue;
		*at = made->next;
		listener_close(&made->listener);
		free(made->address);
		free(made);
		return;
	}
}

static int append_for(struct outside *o, size_t len)
{
	const char *path = o->request.text;
	size_t name = strlen(path) + 1;
	if (!o->options->appends || strcmp(path, o->options->appends) != 0 || name >= len)
		return EACCES;
	return files_directly.append(NULL, path, path + name, len - name, o->request.number & 0666)
		       ? errno
		       : 0;
}

static int download_for(struct outside *o, size_t len, int *ret)
{
	const char *ids[IDS_MAX];
	size_t count = 0;
	for (size_t at = 0; at < len && count < IDS_MAX; at += strlen(o->request.text + at) + 1)
		ids[count++] = o->request.text + at;
	int fd = o->options->debuginfod ? debuginfod_spawn(o->options->debuginfod, ids, count) : -1;
	if (fd < 0)
		return o->options->debuginfod ? errno : EACCES;
	*ret = fd;
	return 0;
}

static int index_for(struct outside *o, int file, int *ret)
{
	struct index_process who;
	struct stat st;
	if (!o->options->index || file < 0 || fstat(file, &st) || !S_ISREG(st.st_mode))
		return EACCES;
	who = *o->options->index;
	int fd = index_process_start(&who, file);
	if (fd < 0)
		return errno;
	*ret = fd;
	return 0;
}

/* ---- clients ---- */

/* Takes a copy of @passed, for the next process. */
static int keep_client(struct outside *o, int passed)
{
	uint32_t place = o->request.number;
	if (!o->clients || place >= o->options->clients || o->clients[place] != -1)
		return EINVAL;
	int fd = passed < 0 ? NO_DESCRIPTOR : fcntl(passed, F_DUPFD_CLOEXEC, 0);
	if (fd == -1)
		return errno;
	o->clients[place] = fd;
	return 0;
}

static int let_client_go(struct outside *o)
{
	uint32_t place = o->request.number;
	if (!o->clients || place >= o->options->clients)
		return EINVAL;
	if (o->clients[place] >= 0)
		close(o->clients[place]);
	o->clients[place] = -1;
	return 0;
}

/* Once; another process finds it started. */
static int start_command(struct outside *o, const char *address)
{
	if (!o->options->captive)
		return EACCES;
	if (o->command_started)
		return 0;
	o->command_started = true;
	struct err *e = captive_start(o->options->captive, address);
	return e ? tell(o, e) : 0;
}

/* ---- requests ---- */

/* @len bytes of text have come, with @passed. */
static int answer(struct outside *o, size_t len, int passed, int *ret)
{
	const char *text = o->request.text;
	switch ((enum what)o->request.what) {
	case OPEN:
		return may_read(o, text) ? open_for(o, text, ret) : EACCES;
	case STAT:
		if (!may_ask(o, text))
			return EACCES;
		return files_directly.stat(NULL, text, &o->reply.st) ? errno : 0;
	case REAL:
		return may_read(o, text) ? name_for(o, text) : EACCES;
	case TEMPORARY:
		if (!may_make_in(o, text))
			return EACCES;
		*ret = files_directly.temporary(NULL, text, o->request.number & 0666);
		return *ret < 0 ? errno : 0;
	case KEEP:
		if (!may_keep(o, text) || !is_nameless(passed))
			return EACCES;
		return files_directly.keep(NULL, passed, text) ? errno : 0;
	case APPEND:
		return append_for(o, len);
	case BIND:
		return may_listen(o, text) ? bind_for(o, text, ret) : EACCES;
	case UNLINK:
		unlink_for(o, text);
		return 0;
	case DOWNLOAD:
		return download_for(o, len, ret);
	case INDEX:
		return index_for(o, passed, ret);
	case START_COMMAND:
		return start_command(o, text);
	case CLIENT:
		return keep_client(o, passed);
	case GONE:
		return let_client_go(o);
	case READY:
		o->ready = true;
		return 0;
	case END:
		/* Who says that it is over waits for this. */
		outside_remove_sockets(o);
		return 0;
	}
	return EINVAL;
}

bool outside_serve(struct outside *o)
{
	const size_t head = offsetof(struct outer_request, text);
	int passed, ret = -1;
	size_t len = receive_message(o->fd, &o->request, sizeof(o->request) - 1, &passed);
	bool more = len > head;
	if (more) {
		((char *)&o->request)[len] = 0;
		memset(&o->reply, 0, sizeof(o->reply));
		o->reply.error = answer(o, len - head, passed, &ret);
		more = send_message(o->fd, &o->reply, sizeof(o->reply), ret) &&
		       o->request.what != END;
	}
	if (ret >= 0)
		close(ret);
	if (passed >= 0)
		close(passed);
	return more;
}

void outside_remove_sockets(struct outside *o)
{
	while (o->sockets)
		unlink_for(o, NULL);
	if (o->options->folder)
		rmdir(o->options->folder);
}

/* In a process group of its own, so that what ends the server, at a terminal say, does not end it
 * first. Standard error stays, for those who download. */
__attribute__((noreturn)) static void be_outer(int fd, const struct outer_options *options)
{
	struct outside *o = calloc(1, sizeof(*o));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!o || null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(EXIT_FAILURE);
	/* The listening ends, and the end of a pipe that --run's command waits at, are not its own.
	 */
	enum { ONLY = STDERR_FILENO + 1 };
	if (fd != ONLY && dup3(fd, ONLY, O_CLOEXEC) < 0)
		_exit(EXIT_FAILURE);
	close_from(ONLY + 1);
	fd = ONLY;
	setsid();
	prctl(PR_SET_NAME, "vmcore-outer");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Those who download are nobody's to wait for. */
	signal(SIGCHLD, SIG_IGN);
	o->fd = fd;
	o->options = options;
	while (outside_serve(o))
		;
	outside_remove_sockets(o);
	_exit(EXIT_SUCCESS);
}

/* ---- asking it ---- */

static bool ask(struct outer *o, enum what what, const char *text, size_t len, int passed,
		int *ret_fd)
{
	int fd = -1;
	if (len > sizeof(o->request.text) - 1) {
		errno = ENAMETOOLONG;
		return false;
	}
	o->request.what = what;
	memcpy(o->request.text, text, len);
	size_t got = 0;
	if (send_message(o->fd, &o->request, offsetof(struct outer_request, text) + len, passed))
		got = receive_message(o->fd, &o->reply, sizeof(o->reply), &fd);
	if (got != sizeof(o->reply)) {
		memset(&o->reply, 0, sizeof(o->reply));
		o->reply.error = EIO;
	}
	if (ret_fd)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	if (!o->reply.error && (!ret_fd || fd >= 0))
		return true;
	errno = o->reply.error ? o->reply.error : EIO;
	return false;
}

static bool ask_of(struct outer *o, enum what what, const char *path, int passed, int *ret_fd)
{
	return ask(o, what, path, strlen(path) + 1, passed, ret_fd);
}

static int open_outside(void *self, const char *path)
{
	int fd;
	return ask_of(self, OPEN, path, -1, &fd) ? fd : -1;
}

static int stat_outside(void *self, const char *path, struct stat *ret)
{
	struct outer *o = self;
	if (!ask_of(o, STAT, path, -1, NULL))
		return -1;
	*ret = o->reply.st;
	return 0;
}

static char *real_outside(void *self, const char *path)
{
	struct outer *o = self;
	return ask_of(o, REAL, path, -1, NULL) ? strdup(o->reply.text) : NULL;
}

static int temporary_outside(void *self, const char *folder, mode_t mode)
{
	struct outer *o = self;
	int fd;
	o->request.number = mode;
	return ask_of(o, TEMPORARY, folder, -1, &fd) ? fd : -1;
}

static int keep_outside(void *self, int fd, const char *path)
{
	return ask_of(self, KEEP, path, fd, NULL) ? 0 : -1;
}

static int append_outside(void *self, const char *path, const char *line, size_t len, mode_t mode)
{
	struct outer *o = self;
	struct buf text = BUF_INIT;
	buf_add(&text, path, strlen(path) + 1);
	buf_add(&text, line, len);
	o->request.number = mode;
	errno = ENOMEM;
	int failed = text.failed || !ask(o, APPEND, text.data, text.len, -1, NULL) ? -1 : 0;
	int why = errno;
	buf_free(&text);
	errno = why;
	return failed;
}

struct err *outer_bind(struct outer *o, const char *address, int *ret)
{
	if (ask_of(o, BIND, address, -1, ret))
		return NULL;
	if (o->reply.kind)
		return err_new(ERR_IO, "%s", o->reply.text);
	return err_errno(errno, "listen at %s", address);
}

void outer_unlink(struct outer *o, const char *path)
{
	(void)ask_of(o, UNLINK, path, -1, NULL);
}

int outer_download(void *self, const char *const *ids, size_t count)
{
	struct buf text = BUF_INIT;
	int fd;
	for (size_t i = 0; i < count; i++)
		buf_add(&text, ids[i], strlen(ids[i]) + 1);
	bool good = !text.failed && ask(self, DOWNLOAD, text.data, text.len, -1, &fd);
	if (text.failed)
		errno = ENOMEM;
	buf_free(&text);
	return good ? fd : -1;
}

int outer_index(void *self, int file)
{
	int fd;
	return ask_of(self, INDEX, "", file, &fd) ? fd : -1;
}

const struct files_ops *outer_files(const struct outer *o)
{
	return &o->files;
}

void outside_begin(struct outside *o)
{
	o->ready = false;
	for (struct made_socket *m = o->sockets; m; m = m->next)
		m->taken = false;
}

void outside_forget(struct outside *o)
{
	while (o->sockets) {
		struct made_socket *made = o->sockets;
		o->sockets = made->next;
		if (made->listener.fd >= 0)
			close(made->listener.fd);
		free(made->listener.path);
		free(made->listener.name);
		free(made->address);
		free(made);
	}
	for (size_t i = 0; i < o->pinned_count; i++) {
		close(o->pinned[i].fd);
		free(o->pinned[i].path);
	}
	for (size_t i = 0; i < o->place_count; i++)
		free(o->places[i]);
	free(o->clients);
	free(o);
}

bool outer_start_command(struct outer *o, const char *address)
{
	return ask_of(o, START_COMMAND, address, -1, NULL);
}

bool outer_is_parent(const struct outer *o)
{
	return o && o->is_parent;
}

/* ---- clients that outlive this process ---- */

struct kept *outer_keep(struct outer *o, int fd, const char *target, const char *name)
{
	size_t i = 0;
	while (i < o->place_count && o->places[i].used)
		i++;
	if (i == o->place_count)
		return NULL;
	o->request.number = (uint32_t)i;
	if (!ask_of(o, CLIENT, "", fd, NULL))
		return NULL;
	kept_begin(&o->places[i], target, name, fd);
	return &o->places[i];
}

void outer_let_go(struct outer *o, struct kept *kept)
{
	if (!kept)
		return;
	o->request.number = (uint32_t)(kept - o->places);
	kept_end(kept);
	(void)ask_of(o, GONE, "", -1, NULL);
}

struct kept *outer_left(struct outer *o, size_t *at, int *ret_fd)
{
	for (; *at < o->place_count; ++*at)
		if (o->clients[*at] != -1) {
			*ret_fd = o->clients[*at];
			o->clients[*at] = -1;
			return &o->places[(*at)++];
		}
	return NULL;
}

const char *outer_note(const struct outer *o)
{
	return o ? o->note : NULL;
}

uint64_t outer_since(const struct outer *o)
{
	return o->since;
}

void outer_is_ready(struct outer *o)
{
	if (o->is_parent)
		(void)ask_of(o, READY, "", -1, NULL);
}

/* ---- starting and ending ---- */

struct outer *outer_new(int fd, pid_t pid)
{
	struct outer *o = calloc(1, sizeof(*o));
	if (!o)
		return NULL;
	o->fd = fd;
	o->pid = pid;
	o->files = (struct files_ops){
		.open = open_outside,
		.stat = stat_outside,
		.real = real_outside,
		.temporary = temporary_outside,
		.keep = keep_outside,
		.append = append_outside,
		.self = o,
	};
	return o;
}

struct err *outer_start(const struct outer_options *options, struct outer **ret)
{
	int ends[2];
	if (options->clients)
		return survival_start(options, ret);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(errno, "start the outer process");
	pid_t pid = fork();
	if (!pid)
		be_outer(ends[1], options);
	int why = errno;
	close(ends[1]);
	if (pid > 0)
		*ret = outer_new(ends[0], pid);
	if (pid > 0 && *ret)
		return NULL;
	close(ends[0]);
	return pid < 0 ? err_errno(why, "start the outer process") : err_nomem();
}

void outer_end(struct outer *o)
{
	if (!o)
		return;
	(void)ask_of(o, END, "", -1, NULL);
	close(o->fd);
	if (!o->is_parent)
		waitpid(o->pid, NULL, 0);
	free(o->clients);
	free(o->note);
	free(o);
}
