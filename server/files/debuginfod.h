/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug files from debuginfod servers. libdebuginfod asks them, in processes of their own, so that
 * a server that hangs, lies or sends rubbish holds up nobody and reaches nothing of ours. The files
 * come into libdebuginfod's cache, where kernel/debug_search.h and kernel/module_search.h find
 * them, and are verified there like any other.
 *
 * What rules libdebuginfod rules this, too (debuginfod-client-config(7)): DEBUGINFOD_URLS says
 * which servers are asked (none: nothing is), DEBUGINFOD_CACHE_PATH, DEBUGINFOD_TIMEOUT,
 * DEBUGINFOD_MAXTIME, DEBUGINFOD_MAXSIZE and so on.
 */
#ifndef SERVER_FILES_DEBUGINFOD_H
#define SERVER_FILES_DEBUGINFOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct debuginfod;
struct err;

enum download_state {
	DOWNLOAD_NONE,	  /* was not asked for */
	DOWNLOAD_WAITING, /* for those before it */
	DOWNLOAD_RUNNING,
	DOWNLOAD_DONE,
	DOWNLOAD_FAILED,
};

struct download {
	enum download_state state;
	uint64_t done, total; /* bytes, while it runs; total is 0 if it is not known */
	const char *text;     /* borrowed: its path when it is done, one sentence when it failed */
};

/*
 * Starts a process that downloads the files of @ids (debuginfod_helper.h); returns the end of a
 * pipe to read what it says from, for the caller to own, or -1 with errno.
 */
typedef int debuginfod_starter(void *self, const char *const *ids, size_t count);

/* Who starts it; NULL: this process. And where libdebuginfod keeps files, as debuginfod_cache() has
 * told before; NULL: as the environment says. Both borrowed. */
struct debuginfod_options {
	debuginfod_starter *starter;
	void *starter_self;
	const char *cache;
};

/* Takes the environment as it is now; starts nothing. */
__attribute__((warn_unused_result)) struct err *
debuginfod_new(const struct debuginfod_options *options, struct debuginfod **ret);
/* The starter of the process that calls it: for @d's folder, whose servers are the environment's.
 * It believes nothing of @ids. */
int debuginfod_spawn(const struct debuginfod *d, const char *const *ids, size_t count);
/* Downloads that run are given up. NULL is allowed. */
void debuginfod_free(struct debuginfod *d);

/* Why no server can be asked, a sentence without a full stop; NULL if one can. */
const char *debuginfod_why_not(const struct debuginfod *d);
/* The folder that has BUILD-ID/debuginfo of what was downloaded; NULL if none can be told. */
const char *debuginfod_cache(const struct debuginfod *d);

/*
 * Starts the download of the debug files of @build_ids (@count of them, hex digits), one after the
 * other, and returns at once. Those that are under way or have come are left out, those that failed
 * are tried again. libdebuginfod remembers for ten minutes that no server has a file, and takes a
 * server that is busy or broken for one that has none: with @anew servers are asked all the same.
 * ERR_UNSUPPORTED with debuginfod_why_not()'s words.
 */
__attribute__((warn_unused_result)) struct err *
debuginfod_fetch(struct debuginfod *d, const char *const *build_ids, size_t count, bool anew);

/* Takes in what has happened since; never waits. Returns how many files have come so far: when
 * that grows, it is worth to look again. */
unsigned debuginfod_poll(struct debuginfod *d);

/*
 * Waits until nothing is under way any more. @progress (may be NULL) is called now and then with
 * the build-id of the file that comes.
 */
void debuginfod_wait(struct debuginfod *d,
		     void (*progress)(void *closure, const char *build_id, uint64_t done,
				      uint64_t total),
		     void *closure);

/* As of the last debuginfod_poll(). */
struct download debuginfod_state(const struct debuginfod *d, const char *build_id);

#endif
