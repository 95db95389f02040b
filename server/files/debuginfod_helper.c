// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/debuginfod_helper.h"

#include "config.h"

#ifndef HAVE_DEBUGINFOD

#include <stdlib.h>

bool debuginfod_helper_built(void)
{
	return false;
}

_Noreturn void debuginfod_helper(const char *const *build_ids, size_t count)
{
	(void)build_ids, (void)count;
	exit(EXIT_FAILURE);
}

#else

#include <dlfcn.h>
#include <elfutils/debuginfod.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum {
	/* Seconds for one file, unless DEBUGINFOD_MAXTIME says something else. One that crawls is
	 * given up much earlier, by DEBUGINFOD_TIMEOUT. */
	TIME_MAX = 1800,
	/* Behind that, for libdebuginfod to notice. */
	GRACE = 15,
	/* Bytes that wait to be read before progress is not told any more. */
	UNREAD_MAX = 16 << 10,
	/* Bytes left in a file system that is full: a failed download has been removed again. */
	FULL = 16 << 20,
	/* How long libdebuginfod (0.188) remembers that no server has a file. */
	MISS_SECONDS = 600,
};

/* Of a file. The largest vmlinux known has 1 GB. */
#define SIZE_MAX_BYTES (8L << 30)

/*
 * libdebuginfod is loaded here and nowhere else: it brings an HTTP client, TLS and what those need,
 * which would take longer to load than a dump to open.
 */
struct library {
	__typeof__(&debuginfod_begin) begin;
	__typeof__(&debuginfod_end) end;
	__typeof__(&debuginfod_set_progressfn) set_progressfn;
	__typeof__(&debuginfod_set_user_data) set_user_data;
	__typeof__(&debuginfod_get_url) get_url;
	__typeof__(&debuginfod_find_debuginfo) find_debuginfo;
};

struct transfer {
	time_t deadline, told; /* of the monotonic clock */
	bool late, large;
};

bool debuginfod_helper_built(void)
{
	return true;
}

static time_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Everything is said in whole lines at once. */
static void say(const char *word, const char *text)
{
	printf("%s %s\n", word, text);
	fflush(stdout);
}

static bool load(struct library *l)
{
	void *handle = dlopen(DEBUGINFOD_SONAME, RTLD_NOW | RTLD_GLOBAL);
	const struct {
		const char *name;
		void *where;
	} functions[] = {
		{ "debuginfod_begin", &l->begin },
		{ "debuginfod_end", &l->end },
		{ "debuginfod_set_progressfn", &l->set_progressfn },
		{ "debuginfod_set_user_data", &l->set_user_data },
		{ "debuginfod_get_url", &l->get_url },
		{ "debuginfod_find_debuginfo", &l->find_debuginfo },
	};
	for (size_t i = 0; handle && i < sizeof(functions) / sizeof(*functions); i++) {
		void *found = dlsym(handle, functions[i].name);
		if (!found)
			return false;
		memcpy(functions[i].where, &found, sizeof(found));
	}
	return handle;
}

/* on_progress() gets nothing of the caller's but @client, and load() has made the names global. */
static struct transfer *transfer_of(debuginfod_client *client)
{
	__typeof__(&debuginfod_get_user_data) get_user_data;
	void *found = dlsym(RTLD_DEFAULT, "debuginfod_get_user_data");
	memcpy(&get_user_data, &found, sizeof(found));
	return found ? get_user_data(client) : NULL;
}

/*
 * Called every second at least. Before the size is known @done may count something else than bytes.
 * Anything but 0 ends the transfer.
 */
static int on_progress(debuginfod_client *client, long done, long total)
{
	struct transfer *t = transfer_of(client);
	time_t at = now();
	int unread;
	if (!t)
		return 1;
	t->late = at > t->deadline;
	t->large = done > SIZE_MAX_BYTES || total > SIZE_MAX_BYTES;
	if (t->late || t->large)
		return 1;
	/* Nobody reads, perhaps for hours: the results must have room. */
	if (at == t->told || total <= 0 || ioctl(STDOUT_FILENO, FIONREAD, &unread) ||
	    unread > UNREAD_MAX)
		return 0;
	t->told = at;
	printf("progress %ld %ld\n", done, total);
	fflush(stdout);
	return 0;
}

static long time_limit(void)
{
	const char *text = getenv(DEBUGINFOD_MAXTIME_ENV_VAR);
	long seconds = text ? strtol(text, NULL, 10) : 0;
	return seconds > 0 && seconds < TIME_MAX * 1000L ? seconds : TIME_MAX;
}

/* errno(3) as debuginfod_find_debuginfo(3) uses it. */
static const char *reason(int number)
{
	switch (number) {
	case ENOENT:
		/* libdebuginfod says the same to 404, to 429, 500 and 503, and to some downloads
		 * that broke off. */
		return "it has no debug file of that build-id, or could not answer";
	case ETIME:
		return "it took too long (DEBUGINFOD_TIMEOUT, DEBUGINFOD_MAXTIME)";
	case EFBIG:
		return "the file is larger than DEBUGINFOD_MAXSIZE";
	case ECONNREFUSED:
		return "it refuses connections";
	case EHOSTUNREACH:
		return "its name or its host cannot be found";
	case EIO:
		return "it answered with an error, or broke off";
	case ECONNRESET:
	case ECONNABORTED:
	case ECOMM:
		return "the connection broke";
	case EACCES:
	case EPERM:
	case EROFS:
		return "the cache folder cannot be written by this user; DEBUGINFOD_CACHE_PATH "
		       "names another";
	case ENOSPC:
	case EDQUOT:
		return "there is no room in the cache folder; DEBUGINFOD_CACHE_PATH names another";
	default:
		return strerror(number);
	}
}

/*
 * An empty file stands for one that no server has (debuginfod-client-config(7)): until it is
 * MISS_SECONDS old, unless the file `cache_miss_s` says something else, no server is asked again.
 */
static bool find_miss(const char *build_id, char *path, size_t size, struct stat *ret)
{
	const char *cache = getenv(DEBUGINFOD_CACHE_PATH_ENV_VAR);
	int len = snprintf(path, size, "%s/%s/debuginfo", cache ? cache : "", build_id);
	return cache && len > 0 && (size_t)len < size && !lstat(path, ret) &&
	       S_ISREG(ret->st_mode) && !ret->st_size;
}

static long miss_seconds(void)
{
	char path[PATH_MAX];
	long seconds = MISS_SECONDS;
	snprintf(path, sizeof(path), "%s/cache_miss_s", getenv(DEBUGINFOD_CACHE_PATH_ENV_VAR));
	FILE *file = fopen(path, "re");
	if (file && (fscanf(file, "%ld", &seconds) != 1 || seconds < 0))
		seconds = MISS_SECONDS;
	if (file)
		fclose(file);
	return seconds;
}

/* Puts down when libdebuginfod asks for @build_id again; "" if it does so at once. */
static void say_when_again(const char *build_id, char *out, size_t size)
{
	char path[PATH_MAX], clock[16];
	struct stat st;
	struct tm tm;
	*out = 0;
	if (!find_miss(build_id, path, sizeof(path), &st))
		return;
	time_t again = st.st_mtime + miss_seconds();
	if (again > time(NULL) && localtime_r(&again, &tm) &&
	    strftime(clock, sizeof(clock), "%H:%M:%S", &tm))
		snprintf(out, size, "; it is asked again from %s on, and by 'symbols --fetch'",
			 clock);
}

/* What a user asks for by name is asked for, whatever a server said some minutes ago. */
static void forget_miss(const char *build_id)
{
	char path[PATH_MAX];
	struct stat st;
	if (find_miss(build_id, path, sizeof(path), &st))
		unlink(path);
}

static bool is_full(void)
{
	const char *cache = getenv(DEBUGINFOD_CACHE_PATH_ENV_VAR);
	struct statvfs st;
	return cache && !statvfs(cache, &st) && st.f_bavail * st.f_frsize < FULL;
}

static void say_failed(const struct library *l, debuginfod_client *client, const struct transfer *t,
		       const char *build_id, int number)
{
	const char *url = l->get_url(client), *why = reason(number);
	char text[1024], again[80] = "";
	/* Where libdebuginfod's own limit ended it, it may say that there is no such file. */
	if (t->late || now() >= t->deadline)
		why = "it took longer than DEBUGINFOD_MAXTIME allows, or half an hour";
	else if (t->large)
		why = "the file would be larger than 8 GiB";
	else if (number == EIO && is_full())
		why = reason(ENOSPC);
	else if (number == ENOENT)
		say_when_again(build_id, again, sizeof(again));
	if (!url || !*url)
		url = getenv(DEBUGINFOD_URLS_ENV_VAR);
	/* One address, without the password that one may hold: other users may see the sentence. */
	const char *scheme = url ? strstr(url, "://") : NULL;
	const char *host = scheme ? scheme + strlen("://") : "";
	size_t len = strcspn(host, "/ \n"), user = 0;
	for (size_t i = 0; i < len; i++)
		if (host[i] == '@')
			user = i + 1;
	snprintf(text, sizeof(text), "%.*s%.*s: %s%s", scheme ? (int)(host - url) : 0,
		 url ? url : "", (int)(len - user), host + user, why, again);
	say("failed", text);
}

static void download(const struct library *l, debuginfod_client *client, const char *build_id)
{
	long limit = time_limit();
	struct transfer t = { .deadline = now() + limit };
	char *path = NULL;
	if (*build_id == DEBUGINFOD_ANEW) {
		build_id++;
		forget_miss(build_id);
	}
	/* Where the library does not even call back; the signal ends us. */
	alarm((unsigned)(limit + GRACE));
	l->set_user_data(client, &t);
	int fd = l->find_debuginfo(client, (const unsigned char *)build_id, 0, &path);
	alarm(0);
	if (fd < 0)
		say_failed(l, client, &t, build_id, -fd);
	else
		say("done", path && !strchr(path, '\n') ? path : "?");
	if (fd >= 0)
		close(fd);
	free(path);
}

/* Makes @folder with those above it; false, with errno, if it cannot be had or not be written. */
static bool make_folder(const char *folder)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s", folder) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *p = path + 1; *path && *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(path, 0777) && errno != EEXIST)
			return false;
		*p = '/';
	}
	if (mkdir(path, 0777) && errno != EEXIST)
		return false;
	return access(path, W_OK | X_OK) == 0;
}

/* Why nothing can be downloaded at all; "" if something can. */
static void find_obstacle(bool loaded, char *text, size_t size)
{
	const char *cache = getenv(DEBUGINFOD_CACHE_PATH_ENV_VAR);
	*text = 0;
	if (!loaded)
		snprintf(text, size, DEBUGINFOD_SONAME " is not installed");
	else if (cache && strchr(cache, '\n'))
		snprintf(text, size, "DEBUGINFOD_CACHE_PATH is no path");
	/* libdebuginfod would say that the servers have no such file. */
	else if (cache && !make_folder(cache))
		snprintf(text, size,
			 "the cache folder %s cannot be written (%s); DEBUGINFOD_CACHE_PATH names "
			 "another",
			 cache, strerror(errno));
}

_Noreturn void debuginfod_helper(const char *const *build_ids, size_t count)
{
	struct library library;
	char obstacle[PATH_MAX + 256];
	/* libdebuginfod (0.188) that has tried again after a time-out says, and remembers for ten
	 * minutes, that there is no such file. Users who want that anyway may say so. */
	setenv(DEBUGINFOD_RETRY_LIMIT_ENV_VAR, "0", 0);
	find_obstacle(load(&library), obstacle, sizeof(obstacle));
	debuginfod_client *client = *obstacle ? NULL : library.begin();
	if (client)
		library.set_progressfn(client, on_progress);
	for (size_t i = 0; i < count; i++) {
		if (client)
			download(&library, client, build_ids[i]);
		else
			say("failed", *obstacle ? obstacle : "libdebuginfod cannot be started");
	}
	if (client)
		library.end(client);
	/* What the libraries left is of no interest. */
	_exit(EXIT_SUCCESS);
}

#endif
