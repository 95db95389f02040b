/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as people write them: in digits, or by the names of the kernel and its modules. */
#ifndef SERVER_MONITOR_MEMORY_NAMED_ADDRESS_H
#define SERVER_MONITOR_MEMORY_NAMED_ADDRESS_H

#include <stdint.h>

struct err;
struct vmcore;

/*
 * The address that @text is: hexadecimal digits, with or without 0x, since addresses are copied
 * from backtraces and listings; the kernel's symbol of that name, else the only one of a module's;
 * or MODULE:NAME. ERR_INVALID when it is none of these, when several symbols have the name (the
 * message lists them), and for a module's per-CPU variable, which has no address of its own.
 */
__attribute__((warn_unused_result)) struct err *named_address(struct vmcore *h, const char *text,
							      uint64_t *ret);

#endif
