/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoding the kallsyms tables, wherever the memory that holds them comes from. */
#ifndef VMCORE_NAMES_KALLSYMS_H
#define VMCORE_NAMES_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct symbols;
struct vmcoreinfo;

enum {
	KALLSYMS_TOKENS = 256,
	KALLSYMS_TOKEN_TABLE_MAX = 1 << 16, /* bytes that a u16 can index */
	KALLSYMS_TOKEN_MAX = 1024,	    /* bytes of one token */
	KALLSYMS_COUNT_MAX = 1 << 21,	    /* symbols; a big kernel has 300,000 */
	KALLSYMS_PLACES_MAX = 8,
};

/* As memory_read(): part read is success, nothing read an error. */
struct kallsyms_memory {
	void *self;
	struct err *(*read)(void *self, uint64_t address, void *out, size_t len, size_t *ret_done);
};

/* How the symbols' addresses are written: see kallsyms.c. */
enum kallsyms_encoding {
	KALLSYMS_ABSOLUTE_PERCPU,
	KALLSYMS_BASE_RELATIVE,
	KALLSYMS_PLACE_RELATIVE,
	KALLSYMS_ADDRESSES,
};

/* A table of addresses: kallsyms_offsets or kallsyms_addresses. */
struct kallsyms_places {
	uint64_t at;   /* where the table is */
	uint64_t base; /* the value of kallsyms_relative_base, where the encoding needs it */
	enum kallsyms_encoding encoding;
};

/* Where the tables are. */
struct kallsyms_tables {
	uint32_t count; /* 1..KALLSYMS_COUNT_MAX */
	uint64_t names, token_table, token_index;
	/* What may have the addresses: the one that is right is taken. */
	struct kallsyms_places places[KALLSYMS_PLACES_MAX];
	size_t place_count;
	/* They were searched for, so nobody says that they are the kernel's: the addresses that
	 * VMCOREINFO has must agree, linux_banner must be one, or _text where @text says, and not
	 * more than one of `places` may be right. Else VMCOREINFO named the tables. */
	bool found;
	uint64_t text; /* where the kernel's image begins; 0 if unknown */
};

/* Bytes that each symbol has in a table of addresses. */
size_t kallsyms_place_size(enum kallsyms_encoding encoding);
/* The address of symbol @i, where @bytes is the table at places->at. */
uint64_t kallsyms_place_address(const struct kallsyms_places *places, const uint8_t *bytes,
				uint32_t i);

/* See symbols_from_kallsyms(). */
__attribute__((warn_unused_result)) struct err *kallsyms_read(const struct kallsyms_memory *memory,
							      const struct vmcoreinfo *info,
							      struct symbols **ret);

/* The same of tables that are known; @info may be NULL where they were searched for. ERR_CORRUPT
 * when they cannot be decoded or nothing proves them. */
__attribute__((warn_unused_result)) struct err *
kallsyms_read_tables(const struct kallsyms_memory *memory, const struct kallsyms_tables *tables,
		     const struct vmcoreinfo *info, struct symbols **ret);

#endif
