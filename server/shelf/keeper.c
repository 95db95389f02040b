// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/shelf/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/close_from.h"
#include "base/err.h"
#include "server/shelf/dumps.h"
#include "server/shelf/scan.h"

enum {
	SERVERS_MOST = 32,	 /* dumps that are open at a time */
	SCAN_LEAST_MS = 1000,	 /* between two scans that clients ask for */
	SCAN_MS = 30000,	 /* and between those that nobody asks for */
	LOOK_MOST_MS = 120000,	 /* to look at a dump */
	SETTLED_S = 5,		 /* a file that has changed since is still being written */
	SUMMARY_MOST = 64 << 10, /* bytes that who looks at one may say */
	INDEX_MOST = 512 << 20,
	SAVE_MS = 5000, /* between two times that the index is kept */
};

struct server_process {
	pid_t pid;   /* 0: the place is free */
	int fd;	     /* owned; -1: nobody comes to it any more, and it ends by itself */
	uint64_t id; /* 0 then */
	bool ready;
};

/* The dump that is being looked at. */
struct look {
	pid_t pid; /* 0: none */
	int fd;	   /* owned: what it says */
	uint64_t id, since;
	struct dump_stamp stamp;
	struct buf said;
};

struct keeper {
	const struct keeper_options *options;
	int front; /* owned */
	struct shelf_dumps dumps;
	uint64_t scanned, saved; /* by clock_ms(); 0: never */
	bool changed;		 /* since the index was kept */
	size_t left_out;
	struct look look;
	struct server_process servers[SERVERS_MOST];
	struct keeper_message message;
};

/* ---- messages ---- */

static void tell(const struct keeper *k, enum keeper_what what, uint64_t id, const char *text)
{
	struct keeper_message m = { .what = what, .id = id };
	m.len = (uint32_t)strnlen(text, KEEPER_BYTES - 1);
	memcpy(m.bytes, text, m.len);
	(void)keeper_send(k->front, &m, -1);
}

/* ---- the index ---- */

/* What another could have written is not believed. */
static bool is_own(int fd, const struct stat *st)
{
	(void)fd;
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & 022) &&
	       st->st_size <= INDEX_MOST;
}

static bool read_whole(int fd, size_t size, struct buf *out)
{
	if (!buf_reserve(out, size + 1))
		return false;
	while (out->len < size) {
		ssize_t n = pread(fd, out->data + out->len, size - out->len, (off_t)out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		out->len += (size_t)n;
	}
	out->data[out->len] = 0;
	return true;
}

static void load(struct keeper *k)
{
	struct buf text = BUF_INIT;
	struct stat st;
	long damaged = 0;
	int fd = k->options->index
			 ? open(k->options->index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
			 : -1;
	if (fd < 0)
		return;
	if (fstat(fd, &st) || !is_own(fd, &st)) {
		fprintf(stderr,
			"vmcore-gdbserver: the index %s is not read: it is no file of this user's "
			"alone\n",
			k->options->index);
	} else if (read_whole(fd, (size_t)st.st_size, &text)) {
		err_free(shelf_dumps_read(&text, &k->dumps, &damaged));
		if (damaged)
			fprintf(stderr,
				"vmcore-gdbserver: the index %s is damaged: what is missing is "
				"looked at again\n",
				k->options->index);
	}
	close(fd);
	buf_free(&text);
}

static bool write_whole(int fd, const char *bytes, size_t len)
{
	while (len) {
		ssize_t n = write(fd, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

/* In one step: it is there as it was, or as it is. */
static void save(struct keeper *k)
{
	struct buf text = BUF_INIT, beside = BUF_INIT;
	k->saved = clock_ms();
	k->changed = false;
	if (!k->options->index)
		return;
	shelf_dumps_write(&k->dumps, &text);
	buf_addf(&beside, "%s.%ld.tmp", k->options->index, (long)getpid());
	if (!text.failed && !beside.failed) {
		int fd = open(beside.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			      0600);
		bool good = fd >= 0 && write_whole(fd, text.data, text.len) && !fdatasync(fd);
		if (fd >= 0)
			close(fd);
		if (!good || rename(beside.data, k->options->index))
			unlink(beside.data);
	}
	buf_free(&text);
	buf_free(&beside);
}

/* ---- starting this program ---- */

/* @fds: standard output and error of the new process (-1: they stay, /dev/null), and @kept, which
 * it gets as descriptor 3. Between fork() and exec(). */
__attribute__((noreturn)) static void execute(const struct keeper *k, const char *const *first,
					      const char *path, int output, int kept)
{
	const struct keeper_options *o = k->options;
	const char **list = calloc(o->argument_count + 8, sizeof(*list));
	size_t n = 0;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!list || null < 0)
		_exit(127);
	dup2(null, STDIN_FILENO);
	dup2(output >= 0 ? output : null, STDOUT_FILENO);
	if (output >= 0)
		dup2(output, STDERR_FILENO);
	if (kept >= 0 && dup2(kept, STDERR_FILENO + 1) < 0)
		_exit(127);
	if (kept == STDERR_FILENO + 1)
		fcntl(kept, F_SETFD, 0);
	close_from(STDERR_FILENO + 1 + (kept >= 0));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	list[n++] = "vmcore-gdbserver";
	while (*first)
		list[n++] = *first++;
	for (size_t i = 0; i < o->argument_count; i++)
		list[n++] = o->arguments[i];
	list[n++] = "--";
	list[n++] = path;
	execv("/proc/self/exe", (char *const *)(uintptr_t)list);
	_exit(127);
}

/* ---- looking at a dump ---- */

static bool is_settled(const struct shelf_dump *d)
{
	return d->stamp.seconds + SETTLED_S <= time(NULL);
}

static bool begin_look(struct keeper *k, const struct shelf_dump *d)
{
	static const char *const first[] = { "--print-summary", NULL };
	int ends[2];
	if (pipe2(ends, O_CLOEXEC))
		return false;
	pid_t pid = fork();
	if (!pid) {
		setpgid(0, 0);
		(void)!nice(10);
		execute(k, first, d->path, ends[1], -1);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return false;
	}
	k->look.pid = pid;
	k->look.fd = ends[0];
	k->look.id = d->id;
	k->look.stamp = d->stamp;
	k->look.since = clock_ms();
	buf_reset(&k->look.said);
	return true;
}

static void begin_next_look(struct keeper *k)
{
	for (size_t i = 0; !k->look.pid && i < k->dumps.count; i++)
		if (k->dumps.list[i].state == DUMP_NEW && is_settled(&k->dumps.list[i])) {
			(void)begin_look(k, &k->dumps.list[i]);
			return;
		}
}

/* Why it cannot be opened, of what the process said: the last line. */
static void take_why(struct buf *said, struct dump_facts *facts)
{
	static const char name[] = "vmcore-gdbserver: ";
	while (said->len && said->data[said->len - 1] == '\n')
		said->data[--said->len] = 0;
	const char *line = strrchr(said->data, '\n');
	line = line ? line + 1 : said->data;
	if (!strncmp(line, name, sizeof(name) - 1))
		line += sizeof(name) - 1;
	*facts = (struct dump_facts){ .release = strdup(""),
				      .build_id = strdup(""),
				      .panic = strdup(""),
				      .functions = strdup(""),
				      .why = strdup(*line ? line : "it cannot be opened") };
}

static bool is_whole(const struct dump_facts *f)
{
	return f->release && f->build_id && f->panic && f->functions && f->why;
}

static void end_look(struct keeper *k, int status)
{
	struct shelf_dump *d = shelf_dumps_by_id(&k->dumps, k->look.id);
	struct dump_facts facts = { 0 };
	struct buf *said = &k->look.said;
	buf_addstr(said, "");
	bool good = WIFEXITED(status) && !WEXITSTATUS(status) && !said->failed;
	if (good) {
		size_t len = strcspn(said->data, "\n");
		said->data[len] = 0;
		struct err *e = dump_facts_read(said->data, &facts);
		good = !e;
		err_free(e);
	}
	if (!good)
		take_why(said, &facts);
	/* It may have changed meanwhile: then it is looked at again. */
	if (d && is_whole(&facts) && dump_stamp_is(&d->stamp, &k->look.stamp)) {
		shelf_dump_know(d, &facts, !good);
		k->changed = true;
	}
	dump_facts_free(&facts);
	close(k->look.fd);
	k->look.pid = 0;
}

/* What the process says; at its end it is waited for. */
static void go_on_looking(struct keeper *k)
{
	char bytes[4096];
	int status = -1;
	ssize_t n = read(k->look.fd, bytes, sizeof(bytes));
	if (n < 0 && errno == EINTR)
		return;
	if (n > 0 && k->look.said.len < SUMMARY_MOST) {
		buf_add(&k->look.said, bytes, (size_t)n);
		return;
	}
	kill(-k->look.pid, SIGKILL);
	while (waitpid(k->look.pid, &status, 0) < 0 && errno == EINTR)
		;
	end_look(k, status);
}

static void end_long_look(struct keeper *k)
{
	if (!k->look.pid || clock_ms() - k->look.since < LOOK_MOST_MS)
		return;
	kill(-k->look.pid, SIGKILL);
	buf_reset(&k->look.said);
	buf_addf(&k->look.said, "it takes longer than %d s to open", LOOK_MOST_MS / 1000);
}

/* ---- scanning ---- */

static struct err *scan(struct keeper *k)
{
	size_t count = k->dumps.count;
	uint64_t last = k->dumps.last_id;
	struct err *e = shelf_scan(k->options->folder, &k->dumps, &k->left_out);
	k->scanned = clock_ms();
	k->changed |= count != k->dumps.count || last != k->dumps.last_id;
	return e;
}

static void scan_if_old(struct keeper *k, uint64_t most_ms)
{
	if (!k->scanned || clock_ms() - k->scanned >= most_ms)
		err_free(scan(k));
}

/* As a file in memory. */
static void send_list(struct keeper *k)
{
	struct keeper_message m = { .what = KEEPER_LIST };
	struct buf text = BUF_INIT;
	scan_if_old(k, SCAN_LEAST_MS);
	shelf_dumps_write(&k->dumps, &text);
	int fd = memfd_create("dumps", MFD_CLOEXEC);
	if (fd >= 0 && !text.failed && write_whole(fd, text.data, text.len))
		(void)keeper_send(k->front, &m, fd);
	else
		tell(k, KEEPER_LIST, 0, "");
	if (fd >= 0)
		close(fd);
	buf_free(&text);
}

/* ---- servers ---- */

static struct server_process *server_of(struct keeper *k, uint64_t id)
{
	for (size_t i = 0; i < SERVERS_MOST; i++)
		if (k->servers[i].pid && k->servers[i].id == id)
			return &k->servers[i];
	return NULL;
}

static struct server_process *start_server(struct keeper *k, const struct shelf_dump *d)
{
	static const char *const first[] = { "--from-shelf", "3", "-q", NULL };
	struct server_process *s = NULL;
	int ends[2];
	for (size_t i = 0; i < SERVERS_MOST && !s; i++)
		s = k->servers[i].pid ? NULL : &k->servers[i];
	if (!s || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return NULL;
	pid_t pid = fork();
	if (!pid)
		execute(k, first, d->path, -1, ends[1]);
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return NULL;
	}
	*s = (struct server_process){ pid, ends[0], d->id, false };
	return s;
}

static void end_server(struct keeper *k, struct server_process *s, const char *why)
{
	if (!s->ready)
		tell(k, KEEPER_FAILED, s->id, why);
	close(s->fd);
	s->fd = -1;
	s->id = 0;
}

static void open_dump(struct keeper *k, uint64_t id)
{
	const struct shelf_dump *d = shelf_dumps_by_id(&k->dumps, id);
	struct server_process *s = server_of(k, id);
	if (!d)
		scan_if_old(k, SCAN_LEAST_MS);
	d = shelf_dumps_by_id(&k->dumps, id);
	if (s && s->ready)
		tell(k, KEEPER_READY, id, "");
	else if (!d)
		tell(k, KEEPER_FAILED, id, "there is no such dump: 'info os dumps' lists them");
	else if (!s && !start_server(k, d))
		tell(k, KEEPER_FAILED, id,
		     "too many dumps are open, or the system is short of "
		     "memory: try again later");
}

static void pass_client(struct keeper *k, int fd)
{
	struct server_process *s = server_of(k, k->message.id);
	if (s && keeper_send(s->fd, &k->message, fd) < 0) {
		/* It was idle, and ended just now. Its client comes again. */
		end_server(k, s, "");
	}
}

static void hear_server(struct keeper *k, struct server_process *s)
{
	struct keeper_message m;
	int fd, got = keeper_receive(s->fd, &m, &fd);
	if (fd >= 0)
		close(fd);
	if (!got)
		return;
	if (got > 0 && m.what == KEEPER_READY) {
		s->ready = true;
		tell(k, KEEPER_READY, s->id, "");
		return;
	}
	if (got > 0 && m.what == KEEPER_FAILED) {
		char text[KEEPER_BYTES];
		memcpy(text, m.bytes, m.len < sizeof(text) ? m.len : sizeof(text) - 1);
		text[m.len < sizeof(text) ? m.len : sizeof(text) - 1] = 0;
		end_server(k, s, text);
		return;
	}
	end_server(k, s, "it cannot be opened");
}

/* ---- the loop ---- */

/* False at the end. */
static bool hear_front(struct keeper *k)
{
	int fd, got = keeper_receive(k->front, &k->message, &fd);
	if (got < 0)
		return false;
	if (got && k->message.what == KEEPER_LIST)
		send_list(k);
	else if (got && k->message.what == KEEPER_OPEN)
		open_dump(k, k->message.id);
	else if (got && k->message.what == KEEPER_CLIENT && fd >= 0)
		pass_client(k, fd);
	if (fd >= 0)
		close(fd);
	return true;
}

static bool turn(struct keeper *k)
{
	struct pollfd polled[SERVERS_MOST + 2];
	struct server_process *of[SERVERS_MOST + 2] = { NULL };
	nfds_t n = 0;
	polled[n++] = (struct pollfd){ k->front, POLLIN, 0 };
	polled[n++] = (struct pollfd){ k->look.pid ? k->look.fd : -1, POLLIN, 0 };
	for (size_t i = 0; i < SERVERS_MOST; i++)
		if (k->servers[i].pid && k->servers[i].fd >= 0) {
			of[n] = &k->servers[i];
			polled[n++] = (struct pollfd){ k->servers[i].fd, POLLIN, 0 };
		}
	int ready = poll(polled, n, 1000);
	if (ready < 0 && errno != EINTR)
		return false;
	for (nfds_t i = 2; ready > 0 && i < n; i++)
		if (polled[i].revents)
			hear_server(k, of[i]);
	if (ready > 0 && polled[1].revents)
		go_on_looking(k);
	return ready <= 0 || !polled[0].revents || hear_front(k);
}

static void keep_up(struct keeper *k)
{
	end_long_look(k);
	scan_if_old(k, SCAN_MS);
	begin_next_look(k);
	if (k->changed && (!k->look.pid || clock_ms() - k->saved >= SAVE_MS))
		save(k);
	for (size_t i = 0; i < SERVERS_MOST; i++) {
		struct server_process *s = &k->servers[i];
		if (!s->pid || waitpid(s->pid, NULL, WNOHANG) != s->pid)
			continue;
		/* What it said last may say why. */
		if (s->fd >= 0)
			hear_server(k, s);
		if (s->fd >= 0)
			end_server(k, s, "it cannot be opened");
		s->pid = 0;
	}
}

__attribute__((noreturn)) static void be_keeper(const struct keeper_options *options, int fd)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (!k || null < 0)
		_exit(EXIT_FAILURE);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	enum { ONLY = STDERR_FILENO + 1 };
	if (fd != ONLY && dup3(fd, ONLY, O_CLOEXEC) < 0)
		_exit(EXIT_FAILURE);
	close_from(ONLY + 1);
	setsid();
	prctl(PR_SET_NAME, "vmcore-keeper");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	k->options = options;
	k->front = ONLY;
	k->dumps = (struct shelf_dumps)SHELF_DUMPS_INIT;
	buf_init(&k->look.said);
	load(k);
	do {
		keep_up(k);
	} while (turn(k));
	if (k->look.pid)
		kill(-k->look.pid, SIGKILL);
	for (size_t i = 0; i < SERVERS_MOST; i++)
		if (k->servers[i].pid)
			kill(k->servers[i].pid, SIGTERM);
	if (k->changed)
		save(k);
	_exit(EXIT_SUCCESS);
}

struct err *keeper_start(const struct keeper_options *options, int *ret_fd)
{
	int ends[2], status;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(errno, "start the keeper of %s", options->folder);
	/* By two: it is nobody's child to wait for. */
	pid_t pid = fork();
	if (!pid) {
		pid = fork();
		if (!pid)
			be_keeper(options, ends[1]);
		_exit(pid < 0);
	}
	int why = errno;
	close(ends[1]);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status)) {
		*ret_fd = ends[0];
		return NULL;
	}
	close(ends[0]);
	return err_errno(pid < 0 ? why : EAGAIN, "start the keeper of %s", options->folder);
}

struct err *keeper_list(const struct keeper_options *options, struct shelf_dumps *ret)
{
	struct keeper k = { .options = options, .front = -1, .look = { .said = BUF_INIT } };
	load(&k);
	struct err *e = scan(&k);
	for (size_t i = 0; !e && i < k.dumps.count; i++) {
		const struct shelf_dump *d = &k.dumps.list[i];
		if (d->state != DUMP_NEW || !is_settled(d) || !begin_look(&k, d))
			continue;
		fprintf(stderr, "looks at %s\n", d->path);
		while (k.look.pid) {
			struct pollfd polled = { k.look.fd, POLLIN, 0 };
			if (poll(&polled, 1, 1000) > 0)
				go_on_looking(&k);
			end_long_look(&k);
		}
		if (clock_ms() - k.saved >= SAVE_MS)
			save(&k);
	}
	if (k.changed)
		save(&k);
	buf_free(&k.look.said);
	if (e)
		shelf_dumps_free(&k.dumps);
	else
		*ret = k.dumps;
	return e;
}
