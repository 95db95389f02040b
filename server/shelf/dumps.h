/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The dumps of a shelf: what is known of each, and the index that keeps it, so that a dump is
 * looked at once. The index is text: a first line that says what it is, then a line a dump, of
 * fields (base/fields.h) with a hash of the line in front. A line that is not whole is as if it
 * were not there: its dump is looked at again.
 */
#ifndef SERVER_SHELF_DUMPS_H
#define SERVER_SHELF_DUMPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct buf;
struct stat;

enum dump_state {
	DUMP_NEW,  /* not looked at yet */
	DUMP_GOOD, /* its facts are known */
	DUMP_BAD,  /* it cannot be opened: `why` */
};

/* What tells a file from another one, and from itself when it was shorter. */
struct dump_stamp {
	uint64_t device, inode, size;
	int64_t seconds, nanoseconds; /* of its last change */
};

/* What a process that has opened it says of a dump; texts are owned, any bytes but 0, never NULL.
 */
struct dump_facts {
	char *release, *build_id, *panic, *functions, *why;
	int64_t date;	    /* seconds since 1970; 0: unknown */
	uint64_t signature; /* 0: unknown */
};

struct shelf_dump {
	uint64_t id; /* from 1 on, never another dump's */
	char *path;  /* owned */
	struct dump_stamp stamp;
	enum dump_state state;
	struct dump_facts facts;
	bool seen; /* by the scan that is under way */
};

struct shelf_dumps {
	struct shelf_dump *list; /* owned; by id */
	size_t count, room;
	uint64_t last_id;
};

#define SHELF_DUMPS_INIT      \
	{                     \
		NULL, 0, 0, 0 \
	}

void shelf_dumps_free(struct shelf_dumps *d);

struct dump_stamp dump_stamp_of(const struct stat *st);
bool dump_stamp_is(const struct dump_stamp *a, const struct dump_stamp *b);

/* NULL if there is none. Borrowed, until one is added. */
struct shelf_dump *shelf_dumps_by_id(const struct shelf_dumps *d, uint64_t id);

/* Adds one that is new. @path is copied. */
ERR_MUST_CHECK struct err *shelf_dumps_add(struct shelf_dumps *d, const char *path,
					   const struct dump_stamp *stamp, struct shelf_dump **ret);
/* Takes the facts (which are its own then) of a dump that was looked at, or the reason why it
 * cannot be opened (facts->why), if @bad. */
void shelf_dump_know(struct shelf_dump *d, struct dump_facts *facts, bool bad);
/* It has changed: nothing is known. */
ERR_MUST_CHECK struct err *shelf_dump_forget(struct shelf_dump *d, const struct dump_stamp *stamp);
/* Removes those that were not seen. */
void shelf_dumps_drop_unseen(struct shelf_dumps *d);

/* The facts as a line of fields, without the line's end, and back: for who looks at a dump. */
void dump_facts_add(const struct dump_facts *f, struct buf *out);
/* @line is changed. ERR_CORRUPT if it is none. */
ERR_MUST_CHECK struct err *dump_facts_read(char *line, struct dump_facts *ret);
void dump_facts_free(struct dump_facts *f);

/* The whole as text, and back. Lines that are none are passed over; *ret_damaged says how many, and
 * is -1 if it is no such text at all. */
void shelf_dumps_write(const struct shelf_dumps *d, struct buf *out);
ERR_MUST_CHECK struct err *shelf_dumps_read(struct buf *text, struct shelf_dumps *ret,
					    long *ret_damaged);

#endif
