/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one door to libkdumpfile: pages of kdump-compressed files whose headers were checked. */
#ifndef VMCORE_DUMP_KDUMPFILE_H
#define VMCORE_DUMP_KDUMPFILE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kdump_reader;

/* Opens the dump in @count files; the descriptors are borrowed and must stay open. */
__attribute__((warn_unused_result)) struct err *kdump_reader_open(const int *fds, size_t count,
								  struct kdump_reader **ret);
void kdump_reader_close(struct kdump_reader *r);

/* Reads page frame @pfn, all of it. Errors: ERR_MISSING, ERR_CORRUPT, ERR_IO. */
__attribute__((warn_unused_result)) struct err *kdump_reader_page(struct kdump_reader *r,
								  uint64_t pfn, void *page);

#endif
