/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What printk.c and the two kinds of log share; others want printk.h. */
#ifndef VMCORE_KERNEL_LOG_PRINTK_PRIVATE_H
#define VMCORE_KERNEL_LOG_PRINTK_PRIVATE_H

#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/log/printk.h"
#include "vmcore/kernel/members.h"

/* The members that say of a record what struct printk_record does; size 0: this kernel has none. */
struct printk_members {
	struct member ns, len, level, facility, caller;
};

/* The ring of records. */
struct printk_ring {
	uint64_t count_bits, descs, infos, head, tail, size_bits, data;
	uint64_t desc_size, info_size;
	struct member state, begin, next; /* of prb_desc */
	uint64_t at, count;		  /* records looked at, and how many there are at most */
};

/* Records one after the other in a buffer; one of no length sends back to its start. */
struct printk_buffer {
	uint64_t address;
	uint32_t size, first, end; /* offsets of the oldest record, and behind the newest */
	uint64_t header;	   /* bytes of a record before its text */
	struct member total;	   /* its length with all that belongs to it */
	uint32_t at;
	uint64_t bytes; /* of the records so far */
	bool wrapped, ended;
};

struct printk_log {
	const struct kernel *k; /* borrowed */
	bool is_ring;
	struct printk_ring ring;
	struct printk_buffer buffer;
	struct printk_members members;
	uint64_t unreadable;
	char *why; /* owned; of the first */
	char text[PRINTK_TEXT_MAX];
};

/* Where a record's header is, and its text. */
struct printk_place {
	uint64_t header, text;
	uint64_t text_max; /* no text is longer */
};

/* The structure that describes a record: struct printk_info (since 5.10), printk_log, log (until
 * 3.10). */
enum printk_form { PRINTK_INFO, PRINTK_LOG, PRINTK_OLD_LOG };
/* Finds its members. */
__attribute__((warn_unused_result)) struct err *printk_members_find(struct printk_log *log,
								    enum printk_form form);

/*
 * printk_ring.c and printk_old.c. `open` reads what places the records, `next` goes to the next
 * one: false in *ret_found at the end. One without text has none: ret->header is 0 then. A failure
 * to read memory is that of this record alone, and the next call goes on behind it, if
 * *ret_go_on is set.
 */
__attribute__((warn_unused_result)) struct err *printk_ring_open(struct printk_log *log,
								 uint64_t prb);
__attribute__((warn_unused_result)) struct err *printk_ring_next(struct printk_log *log,
								 struct printk_place *ret,
								 bool *ret_found, bool *ret_go_on);
__attribute__((warn_unused_result)) struct err *printk_buffer_open(struct printk_log *log);
__attribute__((warn_unused_result)) struct err *
printk_buffer_next(struct printk_log *log, struct printk_place *ret, bool *ret_found);

#endif
