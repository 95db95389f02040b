/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One file of a dump: open for reading only, its size known, every read bounded. */
#ifndef VMCORE_DUMP_FILE_H
#define VMCORE_DUMP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct err;
struct reading;

struct dump_file {
	int fd;			 /* owned; -1 if none */
	char *path;		 /* owned; as the user gave it */
	uint64_t size;		 /* in bytes, when it was opened */
	struct timespec written; /* when it was written last, then */
	bool flattened;		 /* @fd is a reassembled copy, not what lies at @path */
	bool cut;		 /* known to be shorter than it should be */
	/* Borrowed: how it is read by who has others to serve; NULL: by pread(). */
	const struct reading *reading;
};

#define DUMP_FILE_INIT    \
	{                 \
		.fd = -1, \
	}

/*
 * Opens the regular file @path. What cannot be a dump (a folder, a pipe, a device, an empty file)
 * is an ERR_FORMAT error, what the system refuses ERR_IO.
 */
__attribute__((warn_unused_result)) struct err *dump_file_open(const char *path,
							       struct dump_file *ret);

/* Whether the file was written since it was opened. A copy is not, whatever becomes of the file at
 * @path. */
bool dump_file_changed(const struct dump_file *f);

/* Closes and frees what @f owns and makes it DUMP_FILE_INIT. */
void dump_file_close(struct dump_file *f);

/*
 * Reads up to @len bytes at @offset; *ret_done is less only where the file ends. ERR_IO when the
 * system cannot read it.
 */
__attribute__((warn_unused_result)) struct err *dump_file_read_part(const struct dump_file *f,
								    uint64_t offset, void *out,
								    size_t len, size_t *ret_done);

/*
 * The first byte at or behind @offset that lies in no hole of the file; its size if there is none.
 * A hole reads as zeros. Where the file system cannot tell, that is @offset.
 */
uint64_t dump_file_next_data(const struct dump_file *f, uint64_t offset);

/* All @len bytes, or an error: ERR_FORMAT, naming @what, when the file ends before. */
__attribute__((warn_unused_result)) struct err *
dump_file_read(const struct dump_file *f, uint64_t offset, void *out, size_t len, const char *what);

#endif
