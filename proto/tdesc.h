/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target.xml (gdb manual, "Target Description Format") from a register table. */
#ifndef PROTO_TDESC_H
#define PROTO_TDESC_H

#include "base/err.h"

struct buf;
struct target_register_ops;

/*
 * Appends the document to @out. ERR_INVALID for a table that gdb would refuse: no rows, a size
 * that is no whole number of bytes or above 512 bits, values above TARGET_REGISTERS_MAX, or a
 * feature whose rows do not stand together.
 */
ERR_MUST_CHECK struct err *tdesc_build(const struct target_register_ops *registers,
				       struct buf *out);

#endif
