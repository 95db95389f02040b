// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/survival.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "proto/saved.h"
#include "server/net/captive.h"
#include "server/net/kept.h"
#include "server/net/outer_private.h"

enum {
	/* Deaths one after the other before the dump was open, from the second process on. */
	UNREADY_MAX = 3,
	/* Deaths in so many milliseconds that are the end. */
	DEATHS_MAX = 50,
	DEATHS_MS = 600000,
	/* While one client's packet was being answered: that client is the end of. */
	BLAMED_MAX = 5,
	BLAMED_MS = 60000,
	SHOWN = 60, /* characters of a packet that are shown */
};

/* A number of things within a time. */
struct rate {
	unsigned count;
	uint64_t since;
};

struct survival {
	struct outside *outside;
	const struct outer_options *options;
	struct kept *places;
	struct rate *blamed; /* a place each */
	struct rate deaths;
	unsigned unready; /* deaths one after the other */
	char *note;	  /* of the last death; NULL: there was none */
	uint64_t died;	  /* when, by clock_ms() */
	int signals;	  /* signalfd(2) */
	sigset_t before;
	pid_t reader;
	int told;	    /* the signal that this is to end by; 0: none */
	bool command_ended; /* --run's */
	int command_status;
};

static unsigned rate_add(struct rate *r, uint64_t now, uint64_t within)
{
	if (now - r->since > within)
		*r = (struct rate){ 0, now };
	return ++r->count;
}

/* ---- signals, and the end ---- */

static struct err *take_signals(struct survival *s)
{
	sigset_t taken;
	sigemptyset(&taken);
	sigaddset(&taken, SIGTERM);
	sigaddset(&taken, SIGINT);
	sigaddset(&taken, SIGHUP);
	sigaddset(&taken, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &taken, &s->before))
		return err_errno(errno, "block signals");
	s->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? err_errno(errno, "wait for signals") : NULL;
}

static bool command_runs(const struct survival *s)
{
	const struct captive *c = s->options->captive;
	return c && c->pid && s->outside->command_started && !s->command_ended;
}

static _Noreturn void end(struct survival *s, int status)
{
	outside_remove_sockets(s->outside);
	if (command_runs(s))
		kill(s->options->captive->pid, SIGTERM);
	_exit(s->command_ended ? s->command_status : status);
}

/* As who was ended by @number would. */
static _Noreturn void end_by(struct survival *s, int number)
{
	sigset_t all;
	outside_remove_sockets(s->outside);
	if (command_runs(s))
		kill(s->options->captive->pid, SIGTERM);
	signal(number, SIG_DFL);
	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	raise(number);
	_exit(128 + number);
}

static _Noreturn void end_saying(struct survival *s, const char *sentence)
{
	fprintf(stderr, "vmcore-gdbserver: %s\n", sentence);
	end(s, EXIT_FAILURE);
}

/* Ctrl-C on the terminal reaches both processes, and is for --run's debugger if there is one. */
static void pass_on(struct survival *s, const struct signalfd_siginfo *info)
{
	int number = (int)info->ssi_signo;
	if (number == SIGINT && s->options->captive && s->options->captive->pid)
		return;
	s->told = number;
	if (number != SIGINT || info->ssi_code <= 0)
		kill(s->reader, number);
}

/* True when the reader has ended, by *ret_status of wait(2). Others are those who download. */
static bool reap(struct survival *s, int *ret_status)
{
	const struct captive *captive = s->options->captive;
	bool ended = false;
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->reader) {
			*ret_status = status;
			ended = true;
		} else if (captive && pid == captive->pid) {
			s->command_ended = true;
			s->command_status =
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			s->told = SIGTERM;
			kill(s->reader, SIGTERM);
		}
	}
	return ended;
}

static bool take_signal(struct survival *s, int *ret_status)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			pass_on(s, &info);
	}
	return reap(s, ret_status);
}

/* Serves the reader until it ends. */
static int await_end(struct survival *s)
{
	int status = 0;
	for (;;) {
		struct pollfd ends[] = { { s->signals, POLLIN, 0 }, { s->outside->fd, POLLIN, 0 } };
		if (poll(ends, 2, -1) < 0 && errno != EINTR)
			return status;
		if (ends[1].revents && !outside_serve(s->outside)) {
			close(s->outside->fd);
			s->outside->fd = -1;
		}
		if (ends[0].revents && take_signal(s, &status))
			return status;
	}
}

/* ---- a death ---- */

static const char *name_of(int number)
{
	switch (number) {
	case SIGSEGV:
		return "SIGSEGV";
	case SIGBUS:
		return "SIGBUS";
	case SIGABRT:
		return "SIGABRT";
	case SIGSYS:
		return "SIGSYS (seccomp)";
	case SIGKILL:
		return "SIGKILL (by somebody, or for want of memory)";
	case SIGILL:
		return "SIGILL";
	case SIGFPE:
		return "SIGFPE";
	}
	return strsignal(number);
}

/* The beginning of it, printable. */
static void show(const struct kept *k, struct buf *out)
{
	const char *at = k->kind == KEPT_CRASH ? k->in : memchr(k->in, '$', k->in_len);
	size_t left = at ? k->in_len - (size_t)(at - k->in) : 0;
	for (size_t i = 0; i < left && i < SHOWN && at[i] != '#' && at[i]; i++)
		buf_addch(out, at[i] < ' ' || at[i] > '~' ? '.' : at[i]);
}

static void drop(struct survival *s, size_t i)
{
	int *fd = &s->outside->clients[i];
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	kept_end(&s->places[i]);
}

/* What is left of clients: those that another process can go on with stay. Says in @about what was
 * asked for. */
static void look_at_clients(struct survival *s, struct buf *about, unsigned *ret_stay)
{
	*ret_stay = 0;
	for (size_t i = 0; i < s->options->clients; i++) {
		struct kept *k = &s->places[i];
		if (s->outside->clients[i] == -1 || !kept_take_over(k, s->outside->clients[i])) {
			drop(s, i);
			continue;
		}
		bool asked = k->answering;
		if (asked) {
			buf_addstr(about, about->len ? ", '" : " while it answered '");
			show(k, about);
			buf_addch(about, '\'');
		}
		if (asked && rate_add(&s->blamed[i], s->died, BLAMED_MS) > BLAMED_MAX) {
			fprintf(stderr,
				"vmcore-gdbserver: a client is turned away: what it asks for has "
				"ended the process that reads the dump %d times in a minute\n",
				BLAMED_MAX);
			drop(s, i);
			continue;
		}
		++*ret_stay;
	}
}

static void keep_note(struct survival *s, const char *why)
{
	time_t now = time(NULL);
	struct tm tm;
	struct buf text = BUF_INIT;
	char at[16] = "";
	if (localtime_r(&now, &tm))
		strftime(at, sizeof(at), "%H:%M:%S", &tm);
	buf_addf(&text,
		 "note: the process that reads the dump was ended by %s at %s and started again; "
		 "what was asked then was answered with an error",
		 why, at);
	free(s->note);
	s->note = text.failed ? NULL : strdup(text.data);
	buf_free(&text);
}

/* @number is the signal. Returns if another process is to go on. */
static void survive(struct survival *s, int number)
{
	struct buf about = BUF_INIT;
	unsigned stay;
	const char *why = name_of(number);
	s->died = clock_ms();
	bool first = !s->note && !s->outside->ready;
	s->unready = s->outside->ready ? 0 : s->unready + 1;
	look_at_clients(s, &about, &stay);
	fprintf(stderr, "vmcore-gdbserver: the process that reads the dump was ended by %s%s%s\n",
		why, s->outside->ready ? "" : " while it opened it", about.len ? about.data : "");
	buf_free(&about);
	if (first || s->unready >= UNREADY_MAX)
		end_saying(s, "the dump cannot be opened: that is a fault of this program; please "
			      "report it, and try --no-confinement for a core dump");
	if (rate_add(&s->deaths, s->died, DEATHS_MS) > DEATHS_MAX)
		end_saying(s, "it has died too often: this is the end; please report it");
	fprintf(stderr, "vmcore-gdbserver: another one is started; %u client%s stay%s connected\n",
		stay, stay == 1 ? "" : "s", stay == 1 ? "s" : "");
	keep_note(s, why);
}

/* ---- a process ---- */

/* In the new process, before the dump is open again: that may take longer than clients wait. */
static struct err *answer_lost(struct outer *o, size_t i, struct kept *k)
{
	static const char why[] =
		"the process that reads the dump died of it, and was started again; ask for "
		"something else, and please report it";
	struct buf out = BUF_INIT;
	size_t used = 0;
	int fd = o->clients[i] == NO_DESCRIPTOR ? STDOUT_FILENO : o->clients[i];
	buf_add(&out, k->out + k->out_at, k->out_len);
	struct err *e = rsp_answer_lost(&k->state, k->in, k->in_len, why, &out, &used);
	if (!e && used) {
		kept_set_input(k, k->in + used, k->in_len - used);
		kept_set_output(k, out.data, out.len);
		k->state.in_progress = false;
		kept_writes(k);
		ssize_t n = write(fd, out.data, out.len);
		kept_written(k, n > 0 ? (size_t)n : 0);
	}
	buf_free(&out);
	return e;
}

static struct err *be_reader(struct survival *s, int fd, struct outer **ret)
{
	struct outer *o = outer_new(fd, getppid());
	int *clients = calloc(s->options->clients, sizeof(*clients));
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
	prctl(PR_SET_NAME, "vmcore-reader");
	close(s->signals);
	/* Its command waits for the end of all who have this. */
	if (s->options->captive)
		captive_free(s->options->captive);
	if (!o || !clients)
		return err_nomem();
	memcpy(clients, s->outside->clients, s->options->clients * sizeof(*clients));
	o->is_parent = true;
	o->clients = clients;
	o->places = s->places;
	o->place_count = s->options->clients;
	o->since = s->died;
	o->note = s->note;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < o->place_count; i++) {
		struct kept *k = &o->places[i];
		if (o->clients[i] != -1 && k->kind == KEPT_GDB && k->answering)
			e = answer_lost(o, i, k);
		k->answering = false;
	}
	*ret = o;
	return e;
}

/* *ret stays NULL in the process that stays outside. */
static struct err *start_reader(struct survival *s, struct outer **ret)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_errno(errno, "start the process that reads the dump");
	outside_begin(s->outside);
	fflush(NULL);
	s->reader = fork();
	if (!s->reader) {
		close(ends[1]);
		return be_reader(s, ends[0], ret);
	}
	int why = errno;
	close(ends[0]);
	s->outside->fd = ends[1];
	return s->reader < 0 ? err_errno(why, "start the process that reads the dump") : NULL;
}

static struct err *prepare(const struct outer_options *options, struct survival *s)
{
	*s = (struct survival){ .options = options };
	s->outside = calloc(1, sizeof(*s->outside));
	s->blamed = calloc(options->clients, sizeof(*s->blamed));
	int *clients = malloc(options->clients * sizeof(*clients));
	if (!s->outside || !s->blamed || !clients) {
		free(clients);
		return err_nomem();
	}
	for (size_t i = 0; i < options->clients; i++)
		clients[i] = -1;
	s->outside->options = options;
	s->outside->clients = clients;
	struct err *e = kept_new(options->clients, &s->places);
	return e ? e : take_signals(s);
}

static void release(struct survival *s)
{
	if (s->outside)
		outside_forget(s->outside);
	free(s->blamed);
}

struct err *survival_start(const struct outer_options *options, struct outer **ret)
{
	struct survival s;
	*ret = NULL;
	struct err *e = prepare(options, &s);
	for (bool again = false; !e; again = true) {
		e = start_reader(&s, ret);
		if (*ret || (e && !again))
			break;
		if (e) {
			fprintf(stderr, "vmcore-gdbserver: %s\n", err_msg(e));
			end(&s, EXIT_FAILURE);
		}
		int status = await_end(&s);
		if (s.outside->fd >= 0)
			close(s.outside->fd);
		s.outside->fd = -1;
		if (WIFEXITED(status))
			end(&s, WEXITSTATUS(status));
		if (s.told)
			end_by(&s, s.told);
		survive(&s, WTERMSIG(status));
	}
	release(&s);
	return e;
}
