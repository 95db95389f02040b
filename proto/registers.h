/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Register values as packets show them: hex digits, and xx for what is not known. */
#ifndef PROTO_REGISTERS_H
#define PROTO_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/target.h"

struct buf;

/* Where the registers of a target are among the bytes of a register_values. */
struct register_layout {
	const struct target_register_ops *ops; /* borrowed */
	const struct target *target;	       /* borrowed */
	uint16_t *offset;		       /* owned: count + 1 entries, the last is the end */
	size_t pc, sp;			       /* the rows of rip and rsp; count if there is none */
	/* The rows from the first to the last of those that stop replies carry, and of rip. */
	size_t stop_first, stop_count;
};

/* The table must be one that tdesc_build() accepts. */
ERR_MUST_CHECK struct err *register_layout_make(struct register_layout *ret_layout,
						const struct target *target);
void register_layout_free(struct register_layout *layout);

struct register_values {
	uint8_t bytes[TARGET_REGISTERS_MAX];
	bool known[TARGET_REGISTERS_MAX]; /* by row; a register takes at least a byte */
};

/*
 * Fills in rows @first to @first + @count - 1 of @values, which lie within the table; the others
 * are left as they are. Where the target cannot tell, none is known: a thread without registers is
 * still a thread.
 */
void registers_read(const struct register_layout *layout, const struct target_view *view,
		    size_t first, size_t count, struct register_values *values);

/* Adds the digits of rows @first to @first + @count - 1, which were filled in. */
void registers_add_hex(const struct register_layout *layout, const struct register_values *values,
		       size_t first, size_t count, struct buf *out);

#endif
