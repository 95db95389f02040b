/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's log buffer: the ring of records since 5.10 (kernel/printk/printk_ringbuffer.h), and
 * the buffer of records before (kernel/printk/printk.c of 3.5 to 5.9).
 */
#ifndef VMCORE_KERNEL_LOG_PRINTK_H
#define VMCORE_KERNEL_LOG_PRINTK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct printk_log;

/* The most of a record's text that is read; the kernel's own limit is 1 or 2 KiB. */
#define PRINTK_TEXT_MAX 4096

struct printk_record {
	uint64_t ns;	   /* since boot */
	unsigned level;	   /* 0 (emergency) to 7 (debug) */
	unsigned facility; /* 0: the kernel's own; others were written by a process */
	/* Who wrote it (include/linux/printk.h: printk_caller_id): a task's id, or a CPU's number
	 * with bit 31 set; 0 if unknown. */
	uint32_t caller;
	const char *text; /* borrowed until the next call; not ended by 0, lines apart by \n */
	size_t len;
};

/*
 * The log of @k, which is borrowed, from its oldest record on. ERR_NOTFOUND if it is of no known
 * kind, ERR_CORRUPT if its sizes make no sense.
 */
__attribute__((warn_unused_result)) struct err *printk_open(const struct kernel *k,
							    struct printk_log **ret);
void printk_close(struct printk_log *log);

/*
 * The next record; false in *ret_found (and *ret untouched) at the end. Those that cannot be read
 * are passed over and counted. An error ends the log.
 */
__attribute__((warn_unused_result)) struct err *
printk_next(struct printk_log *log, struct printk_record *ret, bool *ret_found);

/* How many records were passed over until now, and why the first was (borrowed; NULL if none). */
uint64_t printk_unreadable(const struct printk_log *log, const char **ret_why);

/*
 * Calls @found with each record, oldest first; an error from it ends the walk and is returned.
 * Otherwise as printk_open() and printk_next().
 */
__attribute__((warn_unused_result)) struct err *
printk_walk(const struct kernel *k,
	    struct err *(*found)(void *closure, const struct printk_record *record), void *closure);

/*
 * Why the kernel went down, in its own words: the last "Kernel panic - not syncing: ..." line, or
 * else the last line that tells of an oops. *ret is NULL if there is none, and owned by the caller.
 */
__attribute__((warn_unused_result)) struct err *printk_panic(const struct kernel *k, char **ret);

#endif
