/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for what debuggers are told of it. */
#ifndef SERVER_TARGET_ARCH_H
#define SERVER_TARGET_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct arch;
struct crash_cpu;
struct err;
struct regs;

/* The most rows that target_arch.registers may have. */
enum { TARGET_ROWS_MAX = 64 };

struct target_arch {
	const struct arch *arch;
	const char *triple; /* lldb's: "x86_64-unknown-linux-gnu" */
	/* The rows of the features that gdb's manual has for it, in their order there, and those of
	 * them that stop replies carry: what an unwinder starts from. */
	const struct target_register *registers;
	size_t count; /* at most TARGET_ROWS_MAX */
	const uint16_t *expedited;
	size_t expedited_count;
	/* Fills the answer of target_register_ops.read() from @regs, for rows that are all in the
	 * table above. Returns how many bytes of @values these take. */
	size_t (*fill)(const struct regs *regs, size_t first, size_t count, uint8_t *values,
		       bool *known);
	/* The same rows for a target that has no threads: read() is target_read_none(). */
	const struct target_register_ops *none;
	/* What crash's protocol says of a CPU, from registers that are certain; 0 for others. */
	void (*crash_fill)(const struct regs *regs, struct crash_cpu *ret);
};

/* target_register_ops.read() of a target that has no threads. */
struct err *target_read_none(void *self, const struct target_view *view, size_t first, size_t count,
			     uint8_t *values, bool *known);

/* That of @arch; never NULL. */
const struct target_arch *target_arch_of(const struct arch *arch);

#endif
