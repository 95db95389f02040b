/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control registers and descriptor tables, as a feature of our own in target.xml. Their names are
 * those that QEMU's gdb stub has for the control registers. */
#ifndef SERVER_TARGET_SYSTEM_REGISTERS_H
#define SERVER_TARGET_SYSTEM_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct system_regs;

/* In the order of enum system_reg. */
enum { SYSTEM_REGISTER_COUNT = 9 };
extern const struct target_register system_registers[SYSTEM_REGISTER_COUNT];

/* Rows @first to @first + @count - 1, as target_register_ops.read() answers them. */
void system_registers_fill(const struct system_regs *regs, size_t first, size_t count,
			   uint8_t *values, bool *known);

#endif
