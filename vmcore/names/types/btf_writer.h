/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes BTF (Documentation/bpf/btf.rst), record by record, into memory. */
#ifndef VMCORE_NAMES_TYPES_BTF_WRITER_H
#define VMCORE_NAMES_TYPES_BTF_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "vmcore/names/types/btf.h"

struct err;

struct btf_writer {
	const struct btf_writer *base; /* borrowed; NULL, or what split BTF builds on */
	struct buf types, strings;
	struct map string_at;  /* by hash: the offset of each string */
	uint32_t first_string; /* the offset of the first of @strings */
	uint32_t next_id;      /* the number of the next record */
	bool failed;	       /* memory is out, or there are more bytes than BTF can have */
};

enum {
	BTF_WRITER_VLEN_MAX = 0xffff, /* elements of a record, as all readers know them */
	BTF_WRITER_ID_MAX = 0xfffff,  /* BTF_MAX_TYPE */
};

void btf_writer_init(struct btf_writer *w, const struct btf_writer *base);
void btf_writer_free(struct btf_writer *w);

/* The offset of @s, which is added if it is new; 0 for NULL and "". */
uint32_t btf_writer_string(struct btf_writer *w, const char *s);

/* Adds struct btf_type: @flag is kind_flag, @size the size or type number. What follows it are the
 * words that are added next: as many as @kind and @vlen want. */
void btf_writer_record(struct btf_writer *w, const char *name, enum btf_kind kind, uint32_t vlen,
		       bool flag, uint32_t size);
void btf_writer_word(struct btf_writer *w, uint32_t word);

/* Appends the header and all that was added to @out. */
__attribute__((warn_unused_result)) struct err *btf_writer_finish(const struct btf_writer *w,
								  struct buf *out);

#endif
