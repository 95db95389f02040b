/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * makedumpfile's flattened format, a dump as a stream (makedumpfile -F, and what QEMU writes): a
 * header of 4096 bytes, then records of data, each with the place in the file where it belongs.
 * libkdumpfile reads it from 0.5.3 on only.
 */
#ifndef VMCORE_DUMP_FLATTEN_H
#define VMCORE_DUMP_FLATTEN_H

struct dump_file;
struct dump_options;
struct err;

/*
 * Puts the flattened file @f together in a temporary file that has no name, in $TMPDIR or else
 * /var/tmp, and makes @f that file. If the stream ends too early, @f->cut says so, and what is
 * there is used. ERR_FORMAT for damaged records; ERR_IO when there is no room, among others.
 */
__attribute__((warn_unused_result)) struct err *flatten_undo(struct dump_file *f,
							     const struct dump_options *options);

#endif
