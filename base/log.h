/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug messages by category (--debug packet,dump or --debug all), to standard error. For the
 * developer and for bug reports: what a user must know travels up as an error or a note instead.
 * The set of categories that are on is the program's only mutable global.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

struct err;
struct buf;

enum log_category {
	LOG_PACKET,  /* every packet in and out */
	LOG_TARGET,  /* each question of the protocol to what is debugged, and its answer */
	LOG_REFUSED, /* packets that were refused or failed, and why */
	LOG_SESSION, /* clients coming and going, what they negotiated */
	LOG_DUMP,    /* files, formats, pages read */
	LOG_MEMORY,  /* address translation */
	LOG_SYMBOLS, /* where symbols and types came from */
	LOG_TASKS,   /* the walks over tasks and CPUs */
	LOG_UNWIND,  /* first registers and frames */
	LOG_CATEGORIES
};

bool log_on(enum log_category c);

/* Prints "category: message" if the category is on; costs one load if it is not. */
#define log_debug(category, ...)                          \
	do {                                              \
		if (log_on(category))                     \
			log_write(category, __VA_ARGS__); \
	} while (0)

__attribute__((format(printf, 2, 3))) void log_write(enum log_category c, const char *fmt, ...);

/* Turns on the comma-separated categories in @names; "all" is every one. An unknown name is an
 * error that lists the known ones. */
__attribute__((warn_unused_result)) struct err *log_enable(const char *names);

/* "name  what it is" lines of all categories. */
void log_list(struct buf *out);

#endif
