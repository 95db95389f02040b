/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of x86-64 as gdb's target descriptions number them. */
#ifndef ARCH_X86_64_TARGET_REGISTERS_H
#define ARCH_X86_64_TARGET_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct regs;

/* Rows of gdb's features org.gnu.gdb.i386.core (gdb insists on the x87 registers in it), .segments
 * and .linux. */
enum { X86_REGISTER_COUNT = 43, X86_EXPEDITED_COUNT = 8 };
extern const struct target_register x86_registers[X86_REGISTER_COUNT];

/* Those that stop replies carry: what an unwinder starts from. */
extern const uint16_t x86_expedited[X86_EXPEDITED_COUNT];

/* Fills the answer of target_register_ops.read() from @regs, for rows that are all in the table
 * above. Returns how many bytes of @values these take. */
size_t x86_registers_fill(const struct regs *regs, size_t first, size_t count, uint8_t *values,
			  bool *known);

#endif
