/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a file is, told by its content. */
#ifndef VMCORE_DUMP_IDENTIFY_H
#define VMCORE_DUMP_IDENTIFY_H

struct dump_file;
struct err;

enum dump_kind {
	DUMP_ELF,
	DUMP_KDUMP,
	DUMP_LIME,
	DUMP_FLATTENED, /* one of the others, as a stream */
};

/*
 * The format of @f, as its first bytes have it. For what is not a dump an error that says what it
 * is instead and what to do: ERR_UNSUPPORTED for dumps in other formats, otherwise ERR_FORMAT.
 */
__attribute__((warn_unused_result)) struct err *dump_identify(const struct dump_file *f,
							      enum dump_kind *ret);

#endif
