/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log buffer: the ring of records since 5.10, and the one before. */
#ifndef SERVER_KERNEL_PRINTK_H
#define SERVER_KERNEL_PRINTK_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

struct printk_record {
	uint64_t ns;	  /* since boot */
	const char *text; /* borrowed during the call; not ended by 0 */
	size_t len;
};

/*
 * Calls @found with each record, oldest first; an error from it ends the walk and is returned.
 * Records that cannot be read are passed over. ERR_NOTFOUND if the kernel's log is of no known
 * kind.
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
