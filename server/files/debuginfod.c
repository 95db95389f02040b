// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/debuginfod.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/close_from.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "server/files/debuginfod_helper.h"

enum {
	HELPERS_MAX = 4,	/* at work at once */
	BATCH_MAX = 256,	/* files that one is told to get */
	ITEMS_MAX = 8192,	/* files in all */
	LINE_MAX_LENGTH = 8192, /* of what a helper says; a path is the longest */
	BUILD_ID_MAX = 128,	/* digits */
	WAIT_MS = 200,
};

struct item {
	char *argument; /* owned: DEBUGINFOD_ANEW and the build-id */
	const char *build_id;
	bool anew; /* whatever libdebuginfod remembers */
	enum download_state state;
	bool taken; /* by a helper that has not ended */
	uint64_t done, total;
	char *text; /* owned */
};

struct helper {
	int fd;		/* what it says; owned, -1 when it has ended */
	size_t *batch;	/* owned; indexes of items */
	size_t count;	/* in it */
	size_t current; /* in it: the first that has no result */
	struct buf said;
};

struct debuginfod {
	debuginfod_starter *starter; /* with the next; NULL: this process */
	void *starter_self;
	char *cache;	     /* owned; NULL if unknown */
	const char *why_not; /* static */
	struct item *items;  /* owned */
	size_t item_count;
	struct helper helpers[HELPERS_MAX];
	size_t helper_count;
	unsigned arrived;
};

/* ---- the environment ---- */

/* Where libdebuginfod keeps files (debuginfod-client-config(7), "CACHE"); NULL if it cannot. */
static struct err *find_cache(char **ret)
{
	const char *told = getenv("DEBUGINFOD_CACHE_PATH"), *home = getenv("HOME");
	const char *xdg = getenv("XDG_CACHE_HOME");
	struct buf path = BUF_INIT;
	struct stat st;
	if (told && *told) {
		buf_addstr(&path, told);
	} else {
		/* As it was called before 0.180, if it is there. */
		if (home && *home)
			buf_addf(&path, "%s/.debuginfod_client_cache", home);
		if (!path.len || stat(path.data, &st) || !S_ISDIR(st.st_mode)) {
			buf_reset(&path);
			if (xdg && *xdg)
				buf_addf(&path, "%s/debuginfod_client", xdg);
			else if (home && *home)
				buf_addf(&path, "%s/.cache/debuginfod_client", home);
		}
	}
	struct err *e = buf_error(&path);
	*ret = e || !path.len ? NULL : strdup(path.data);
	if (!e && path.len && !*ret)
		e = err_nomem();
	buf_free(&path);
	return e;
}

struct err *debuginfod_new(const struct debuginfod_options *options, struct debuginfod **ret)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	struct debuginfod *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	if (!debuginfod_helper_built())
		d->why_not = "this server was built without libdebuginfod";
	else if (!urls || !urls[strspn(urls, " ")])
		d->why_not = "DEBUGINFOD_URLS, which names the servers to ask, is not set";
	d->starter = options->starter;
	d->starter_self = options->starter_self;
	struct err *e = NULL;
	if (!options->cache)
		e = find_cache(&d->cache);
	else if (!(d->cache = strdup(options->cache)))
		e = err_nomem();
	if (!e && !d->why_not && !d->cache)
		d->why_not = "there is no folder to download to: set DEBUGINFOD_CACHE_PATH";
	if (e) {
		debuginfod_free(d);
		return e;
	}
	*ret = d;
	return NULL;
}

const char *debuginfod_why_not(const struct debuginfod *d)
{
	return d->why_not;
}

const char *debuginfod_cache(const struct debuginfod *d)
{
	return d->cache;
}

/* ---- helpers ---- */

static void free_helper(struct helper *h)
{
	if (h->fd >= 0)
		close(h->fd);
	free(h->batch);
	buf_free(&h->said);
}

/* Those that work end when we do. */
void debuginfod_free(struct debuginfod *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->helper_count; i++)
		free_helper(&d->helpers[i]);
	for (size_t i = 0; i < d->item_count; i++) {
		free(d->items[i].argument);
		free(d->items[i].text);
	}
	free(d->items);
	free(d->cache);
	free(d);
}

/* In the child: becomes the helper, with nothing of ours but standard error. */
static _Noreturn void run_helper(const struct debuginfod *d, char *const *argv, int out,
				 pid_t parent)
{
	sigset_t none;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	signal(SIGPIPE, SIG_DFL);
	/* Ctrl-C on the terminal is for debuggers, or ends us, and that ends this. */
	signal(SIGINT, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int in = open("/dev/null", O_RDONLY);
	if (in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(EXIT_FAILURE);
	close_from(STDERR_FILENO + 1);
	/* It would write to the terminal. */
	unsetenv("DEBUGINFOD_PROGRESS");
	setenv("DEBUGINFOD_CACHE_PATH", d->cache, 1);
	execv("/proc/self/exe", argv);
	_exit(EXIT_FAILURE);
}

static bool is_build_id(const char *text)
{
	size_t len = strlen(text);
	if (len < 4 || len > BUILD_ID_MAX || len % 2)
		return false;
	for (; *text; text++)
		if (!isxdigit((unsigned char)*text) || isupper((unsigned char)*text))
			return false;
	return true;
}

static bool are_build_ids(const char *const *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!is_build_id(ids[i] + (*ids[i] == DEBUGINFOD_ANEW)))
			return false;
	return count > 0;
}

int debuginfod_spawn(const struct debuginfod *d, const char *const *ids, size_t count)
{
	static const char program[] = "vmcore-gdbserver", option[] = "--" OPTION_DEBUGINFOD_HELPER;
	int ends[2];
	if (d->why_not || !are_build_ids(ids, count)) {
		errno = EINVAL;
		return -1;
	}
	const char **argv = calloc(count + 3, sizeof(*argv));
	if (!argv)
		return -1;
	argv[0] = program;
	argv[1] = option;
	memcpy(argv + 2, ids, count * sizeof(*argv));
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		free(argv);
		return -1;
	}
	/* The helper's end waits. */
	fcntl(ends[1], F_SETFL, 0);
	pid_t parent = getpid(), pid = fork();
	if (!pid)
		run_helper(d, (char *const *)(uintptr_t)argv, ends[1], parent);
	int failure = errno;
	close(ends[1]);
	free(argv);
	if (pid > 0)
		return ends[0];
	close(ends[0]);
	errno = failure;
	return -1;
}

static struct err *spawn(struct debuginfod *d, struct helper *h)
{
	const char *ids[BATCH_MAX];
	for (size_t i = 0; i < h->count; i++)
		ids[i] = d->items[h->batch[i]].argument + !d->items[h->batch[i]].anew;
	h->fd = d->starter ? d->starter(d->starter_self, ids, h->count)
			   : debuginfod_spawn(d, ids, h->count);
	return h->fd < 0 ? err_errno(errno, "start a process to download") : NULL;
}

/* Gives what waits to a new helper, if another one may be started. */
static struct err *start_waiting(struct debuginfod *d)
{
	if (d->helper_count == HELPERS_MAX)
		return NULL;
	struct helper *h = &d->helpers[d->helper_count];
	*h = (struct helper){ .fd = -1, .said = BUF_INIT };
	h->batch = calloc(BATCH_MAX, sizeof(*h->batch));
	if (!h->batch)
		return err_nomem();
	for (size_t i = 0; i < d->item_count && h->count < BATCH_MAX; i++)
		if (d->items[i].state == DOWNLOAD_WAITING && !d->items[i].taken)
			h->batch[h->count++] = i;
	struct err *e = h->count ? spawn(d, h) : NULL;
	if (e || !h->count) {
		free_helper(h);
		return e;
	}
	for (size_t i = 0; i < h->count; i++)
		d->items[h->batch[i]].taken = true;
	d->items[h->batch[0]].state = DOWNLOAD_RUNNING;
	d->helper_count++;
	log_debug(LOG_SYMBOLS, "debuginfod: a process downloads %zu files", h->count);
	return NULL;
}

/* ---- what they say ---- */

static void finish_item(struct debuginfod *d, struct helper *h, enum download_state state,
			const char *text)
{
	struct item *item = &d->items[h->batch[h->current]];
	free(item->text);
	item->text = strdup(text);
	item->state = state;
	item->taken = false;
	d->arrived += state == DOWNLOAD_DONE;
	log_debug(LOG_SYMBOLS, "debuginfod: %s: %s", item->build_id, text);
	if (++h->current < h->count)
		d->items[h->batch[h->current]].state = DOWNLOAD_RUNNING;
}

static void take_line(struct debuginfod *d, struct helper *h, const char *line)
{
	static const char done[] = "done ", failed[] = "failed ";
	uint64_t bytes, total;
	if (h->current == h->count)
		return;
	if (!strncmp(line, done, strlen(done))) {
		finish_item(d, h, DOWNLOAD_DONE, line + strlen(done));
	} else if (!strncmp(line, failed, strlen(failed))) {
		finish_item(d, h, DOWNLOAD_FAILED, line + strlen(failed));
	} else if (sscanf(line, "progress %" SCNu64 " %" SCNu64, &bytes, &total) == 2) {
		d->items[h->batch[h->current]].done = bytes < total ? bytes : total;
		d->items[h->batch[h->current]].total = total;
	}
}

static void take_lines(struct debuginfod *d, struct helper *h)
{
	char *end;
	while ((end = memchr(h->said.data, '\n', h->said.len))) {
		*end = 0;
		take_line(d, h, h->said.data);
		buf_drop(&h->said, (size_t)(end - h->said.data) + 1);
	}
}

/* Reads what there is; the end of it is the helper's end. */
static void listen_to(struct debuginfod *d, struct helper *h)
{
	while (h->fd >= 0) {
		char part[4096];
		ssize_t n = read(h->fd, part, sizeof(part));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0) {
			buf_add(&h->said, part, (size_t)n);
			take_lines(d, h);
		}
		if (n <= 0 || h->said.len > LINE_MAX_LENGTH || h->said.failed) {
			close(h->fd);
			h->fd = -1;
		}
	}
}

/* The rest of its work is left for another; the file that it was at is not tried again. */
static void end_helper(struct debuginfod *d, struct helper *h)
{
	if (h->current < h->count)
		finish_item(d, h, DOWNLOAD_FAILED,
			    "the process that downloads it ended early, or was stopped for taking "
			    "too long");
	for (size_t i = h->current; i < h->count; i++) {
		d->items[h->batch[i]].state = DOWNLOAD_WAITING;
		d->items[h->batch[i]].taken = false;
	}
	h->count = h->current;
}

unsigned debuginfod_poll(struct debuginfod *d)
{
	for (size_t i = 0; i < d->helper_count;) {
		struct helper *h = &d->helpers[i];
		listen_to(d, h);
		if (h->fd < 0)
			end_helper(d, h);
		if (h->fd >= 0) {
			i++;
			continue;
		}
		free_helper(h);
		*h = d->helpers[--d->helper_count];
	}
	struct err *e = start_waiting(d);
	if (e)
		log_debug(LOG_SYMBOLS, "debuginfod: %s", err_msg(e));
	err_free(e);
	return d->arrived;
}

/* ---- asking ---- */

static struct item *find_item(const struct debuginfod *d, const char *build_id)
{
	for (size_t i = 0; i < d->item_count; i++)
		if (!strcmp(d->items[i].build_id, build_id))
			return &d->items[i];
	return NULL;
}

static struct err *add_item(struct debuginfod *d, const char *build_id, bool anew)
{
	struct item *item = find_item(d, build_id);
	if (!item) {
		if (!is_build_id(build_id))
			return err_new(ERR_INVALID,
				       "debuginfod cannot be asked for '%s', which is no build-id",
				       build_id);
		if (d->item_count == ITEMS_MAX)
			return err_new(ERR_UNSUPPORTED, "no more than %d files are downloaded",
				       ITEMS_MAX);
		struct item *items = reallocarray(d->items, d->item_count + 1, sizeof(*items));
		if (!items)
			return err_nomem();
		d->items = items;
		item = &items[d->item_count];
		struct buf argument = BUF_INIT;
		buf_addf(&argument, "%c%s", DEBUGINFOD_ANEW, build_id);
		if (argument.failed) {
			buf_free(&argument);
			return err_nomem();
		}
		*item = (struct item){ .argument = argument.data, .build_id = argument.data + 1 };
		d->item_count++;
	}
	if (item->state == DOWNLOAD_RUNNING || item->taken)
		return NULL;
	item->state = DOWNLOAD_WAITING;
	item->anew = anew;
	item->done = item->total = 0;
	return NULL;
}

struct err *debuginfod_fetch(struct debuginfod *d, const char *const *build_ids, size_t count,
			     bool anew)
{
	struct err *e = NULL;
	if (d->why_not)
		return err_new(ERR_UNSUPPORTED, "%s", d->why_not);
	for (size_t i = 0; !e && i < count; i++)
		e = add_item(d, build_ids[i], anew);
	return e ? e : start_waiting(d);
}

struct download debuginfod_state(const struct debuginfod *d, const char *build_id)
{
	const struct item *item = find_item(d, build_id);
	if (!item)
		return (struct download){ .state = DOWNLOAD_NONE };
	return (struct download){
		.state = item->state,
		.done = item->done,
		.total = item->total,
		.text = item->text ? item->text : "",
	};
}

static const struct item *first_running(const struct debuginfod *d)
{
	for (size_t i = 0; i < d->item_count; i++)
		if (d->items[i].state == DOWNLOAD_RUNNING)
			return &d->items[i];
	return NULL;
}

void debuginfod_wait(struct debuginfod *d,
		     void (*progress)(void *closure, const char *build_id, uint64_t done,
				      uint64_t total),
		     void *closure)
{
	for (;;) {
		struct pollfd fds[HELPERS_MAX];
		debuginfod_poll(d);
		/* Without a helper that could be started, nothing will come. */
		if (!d->helper_count)
			return;
		for (size_t i = 0; i < d->helper_count; i++)
			fds[i] = (struct pollfd){ .fd = d->helpers[i].fd, .events = POLLIN };
		const struct item *item = first_running(d);
		if (item && progress)
			progress(closure, item->build_id, item->done, item->total);
		poll(fds, d->helper_count, WAIT_MS);
	}
}
