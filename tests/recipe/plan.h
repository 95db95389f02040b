/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a dump file shall look like, and what shall be wrong with it. */
#ifndef RECIPE_PLAN_H
#define RECIPE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct err;

enum dump_format {
	DUMP_ELF,
	DUMP_KDUMP,
};

enum compression {
	COMPRESS_NONE,
	COMPRESS_ZLIB,
	COMPRESS_LZO,
	COMPRESS_SNAPPY,
	COMPRESS_ZSTD,
};

#define UTS_FIELDS 6  /* sysname nodename release version machine domainname */
#define UTS_BYTES  65 /* __NEW_UTS_LEN + 1 */

/* A PT_LOAD of its own, beside those for the memory that is there. */
struct plan_segment {
	uint64_t vaddr, paddr, size;
};

enum fault_kind {
	FAULT_HEADER,	/* header field @field (of page or segment @index) := @value or @bytes */
	FAULT_CORRUPT,	/* damage the stored data of the page at physical @where */
	FAULT_PATCH,	/* @bytes at file offset @where */
	FAULT_TRUNCATE, /* cut to @where bytes */
	FAULT_DROP,	/* do not write this piece */
};

struct fault {
	enum fault_kind kind;
	unsigned int piece; /* 1.., or 0: every piece */
	uint64_t where, value;
	struct buf field; /* owned */
	struct buf bytes; /* owned */
	bool has_bytes;
	char *origin; /* owned; FILE:LINE */
};

struct plan {
	enum dump_format format;
	enum compression compression;
	unsigned int pieces; /* 1: not split */
	bool flatten;
	uint64_t flatten_record; /* largest record, in bytes */
	bool flatten_reversed;	 /* records in descending order of offset */
	uint64_t page_offset;	 /* p_vaddr of memory is its address plus this */
	bool vaddr_zero;	 /* p_vaddr is 0, as QEMU writes it without paging */
	unsigned int dump_level;
	uint64_t phys_base;
	char uts[UTS_FIELDS][UTS_BYTES];
	struct plan_segment *segments; /* owned */
	size_t segment_count;
	struct fault *faults; /* owned */
	size_t fault_count;
};

void plan_init(struct plan *p);
void plan_free(struct plan *p);

/* "elf", "kdump-none", ..., "kdump-zstd"; false if @text is none of them. */
bool plan_set_format(struct plan *p, const char *text);

/* Takes over what @f owns, also on failure. */
struct err *plan_add_fault(struct plan *p, struct fault *f);
struct err *plan_add_segment(struct plan *p, struct plan_segment s);

#endif
