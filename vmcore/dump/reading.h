/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the files of a dump are read by who has others to serve meanwhile. */
#ifndef VMCORE_DUMP_READING_H
#define VMCORE_DUMP_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct reading {
	void *self;
	/*
	 * As pread(2). Before it returns others may have read of the same dump: whoever calls it
	 * keeps what it works on to itself, or looks again afterwards.
	 */
	ssize_t (*read)(void *self, int fd, void *out, size_t len, uint64_t offset);
	/*
	 * Has @work(@closure) called by another thread, some time before the files are read in
	 * another way again, or not at all. False: it will not be.
	 */
	bool (*start)(void *self, void (*work)(void *closure), void *closure);
};

#endif
