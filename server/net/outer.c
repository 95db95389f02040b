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

enum {
	TEXT_MAX = 48 << 10, /* of a request: 256 build-ids, or a path */
	PLACES_MAX = 512,    /* real names of files that were told */
	IDS_MAX = 256,
};

enum what {
	OPEN = 'o',
	STAT = 's',
	REAL = 'r',
	TEMPORARY = 't',
	KEEP = 'k', /* with the file */
	BIND = 'b',
	UNLINK = 'u',
	DOWNLOAD = 'd',
	END_COMMAND = 'c',
	END = 'e',
};

struct request {
	uint32_t what;
	uint32_t mode; /* of a temporary file */
	char text[TEXT_MAX];
};

struct reply {
	int error; /* 0, or of errno(3) */
	char kind; /* of an error that is none of errno's: its struct err's message is the text */
	struct stat st;
	char text[PATH_MAX];
};

struct outer {
	int fd; /* this process's end, owned */
	pid_t pid;
	struct files_ops files;
	struct request request; /* both for one at a time */
	struct reply reply;
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
	struct listener listener;
	struct made_socket *next;
};

struct outside {
	int fd;
	const struct outer_options *options;
	char *places[PLACES_MAX]; /* owned: real names of what may be read */
	size_t place_count;
	struct made_socket *sockets; /* owned list */
	struct request request;
	struct reply reply;
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
	       (may->writes && !strcmp(path, may->writes));
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

/* A device or a pipe is for nobody but who named it. */
static int open_for(struct outside *o, const char *path, int *ret)
{
	struct stat st;
	int fd = files_directly.open(NULL, path);
	if (fd < 0)
		return errno;
	for (size_t i = 0; i < o->options->read_count; i++)
		if (!strcmp(path, o->options->reads[i])) {
			*ret = fd;
			return 0;
		}
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
	if (may_read(o, real) || o->place_count == PLACES_MAX)
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
	struct made_socket *made = calloc(1, sizeof(*made));
	if (!made)
		return ENOMEM;
	struct err *e = listener_open(address, NULL, &made->listener);
	if (!e && made->listener.path) {
		made->listener.owner = o->options->socket_owner;
		made->listener.group = o->options->socket_group;
		e = listener_start(&made->listener);
		if (e)
			listener_close(&made->listener);
	}
	if (e) {
		free(made);
		return tell(o, e);
	}
	*ret = made->listener.fd;
	made->listener.fd = -1;
	made->next = o->sockets;
	o->sockets = made;
	return 0;
}

static void unlink_for(struct outside *o, const char *path)
{
	for (struct made_socket **at = &o->sockets; *at; at = &(*at)->next) {
		struct made_socket *made = *at;
		if (path && (!made->listener.path || strcmp(made->listener.path, path) != 0))
			continue;
		*at = made->next;
		listener_close(&made->listener);
		free(made);
		return;
	}
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
		*ret = files_directly.temporary(NULL, text, o->request.mode & 0666);
		return *ret < 0 ? errno : 0;
	case KEEP:
		if (!may_keep(o, text) || !is_nameless(passed))
			return EACCES;
		return files_directly.keep(NULL, passed, text) ? errno : 0;
	case BIND:
		return may_listen(o, text) ? bind_for(o, text, ret) : EACCES;
	case UNLINK:
		unlink_for(o, text);
		return 0;
	case DOWNLOAD:
		return download_for(o, len, ret);
	case END_COMMAND:
		if (o->options->command <= 0)
			return EACCES;
		return kill(o->options->command, SIGTERM) ? errno : 0;
	case END:
		return 0;
	}
	return EINVAL;
}

static void serve(struct outside *o)
{
	const size_t head = offsetof(struct request, text);
	int passed;
	bool more = true;
	while (more) {
		size_t len = receive_message(o->fd, &o->request, sizeof(o->request) - 1, &passed);
		if (len <= head) {
			more = false;
		} else {
			int ret = -1;
			((char *)&o->request)[len] = 0;
			memset(&o->reply, 0, sizeof(o->reply));
			o->reply.error = answer(o, len - head, passed, &ret);
			more = o->request.what != END;
			if (!more)
				break;
			more = send_message(o->fd, &o->reply, sizeof(o->reply), ret);
			if (ret >= 0)
				close(ret);
		}
		if (passed >= 0)
			close(passed);
	}
	while (o->sockets)
		unlink_for(o, NULL);
	if (o->options->folder)
		rmdir(o->options->folder);
	/* Who said that it is over waits for this. */
	(void)send_message(o->fd, &o->reply, sizeof(o->reply), -1);
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
	serve(o);
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
	if (send_message(o->fd, &o->request, offsetof(struct request, text) + len, passed))
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
	o->request.mode = mode;
	return ask_of(o, TEMPORARY, folder, -1, &fd) ? fd : -1;
}

static int keep_outside(void *self, int fd, const char *path)
{
	return ask_of(self, KEEP, path, fd, NULL) ? 0 : -1;
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

void outer_end_command(struct outer *o)
{
	(void)ask_of(o, END_COMMAND, "", -1, NULL);
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

const struct files_ops *outer_files(const struct outer *o)
{
	return &o->files;
}

/* ---- starting and ending ---- */

struct err *outer_start(const struct outer_options *options, struct outer **ret)
{
	int ends[2];
	struct outer *o = calloc(1, sizeof(*o));
	if (!o)
		return err_nomem();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		free(o);
		return err_errno(errno, "start the outer process");
	}
	o->pid = fork();
	if (!o->pid) {
		be_outer(ends[1], options);
	}
	int why = errno;
	close(ends[1]);
	o->fd = ends[0];
	if (o->pid < 0) {
		close(ends[0]);
		free(o);
		return err_errno(why, "start the outer process");
	}
	o->files = (struct files_ops){
		.open = open_outside,
		.stat = stat_outside,
		.real = real_outside,
		.temporary = temporary_outside,
		.keep = keep_outside,
		.self = o,
	};
	*ret = o;
	return NULL;
}

void outer_end(struct outer *o)
{
	if (!o)
		return;
	(void)ask_of(o, END, "", -1, NULL);
	close(o->fd);
	waitpid(o->pid, NULL, 0);
	free(o);
}
