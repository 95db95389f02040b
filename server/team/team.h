/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who looks at a dump now: the clients of all its targets, with the names that they give
 * themselves, and what they show each other. A client is moved only if it has said that it follows,
 * and only when it continues.
 */
#ifndef SERVER_TEAM_TEAM_H
#define SERVER_TEAM_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "proto/target.h"

struct buf;
struct team;

/* What somebody shows. */
struct team_point {
	char *words;  /* owned, printable */
	uint64_t tid; /* 0: no thread */
	unsigned frame;
};

/* Points that wait for a client: the last ones, at most. */
enum { TEAM_POINTS_MAX = 16 };

/* Read by others, changed here. */
struct target_member {
	struct team *team;
	const struct target *target; /* borrowed */
	struct target_visitor visitor;
	unsigned number;     /* from 1 on, as they came */
	char *name;	     /* owned; NULL: it gave itself none */
	const char *program; /* NULL: it is not certain */
	int64_t since;	     /* seconds since 1970 */
	bool follows, waits;
	struct team_point points[TEAM_POINTS_MAX]; /* the oldest first */
	size_t point_count;
	char *shown;		    /* owned: the words that were last handed out */
	struct target_member *next; /* in the order in which they came */
};

/* @owner is who started this process, as far as others are concerned. NULL when memory is out. */
struct team *team_new(uid_t owner);
/* After its last member has left. NULL is allowed. */
void team_free(struct team *t);

/* All that are here now, the first that came; NULL: nobody. */
const struct target_member *team_members(const struct team *t);

/* What a target's clients ask of a struct team, which is its team_self. */
extern const struct target_team_ops team_ops;

/*
 * Gives @m a name. ERR_INVALID for one that is none (letters, digits, and ._@- between them), and
 * for one that a client of another user has.
 */
ERR_MUST_CHECK struct err *team_rename(struct target_member *m, const char *name);
void team_set_follows(struct target_member *m, bool follows);

/* "alice (uid 1000)", "uid 1000 (client 3)", "client 3"; of NULL it is the owner. */
void team_add_who(const struct team *t, const struct target_member *m, struct buf *out);

/* Who is addressed by @to: those with this name, or the one with this number. NULL: all. */
bool team_is_addressed(const struct target_member *m, const char *to);

/*
 * Shows @words (printable, copied), and thread @tid's frame @frame unless it is 0, to all others of
 * the same target that follow and are addressed by @to. *ret_count is how many that are.
 */
ERR_MUST_CHECK struct err *team_point(struct target_member *from, const char *to, uint64_t tid,
				      unsigned frame, const char *words, size_t *ret_count);

#endif
