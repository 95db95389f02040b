/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kdump-compressed files, as makedumpfile and QEMU write them: a header, a sub header, two bitmaps
 * (the page frames that are memory; those that were written), a page descriptor for each written
 * page, and the pages. A split set is several such files, each with all of the bitmaps and the
 * pages of a range of page frames.
 *
 * The headers are checked here; kdump_pages.h reads pages of files whose headers were.
 */
#ifndef VMCORE_DUMP_KDUMP_H
#define VMCORE_DUMP_KDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/dump/dump.h"

struct dump_file;
struct dump_parts; /* source.h */

/* A range of bytes in a file. */
struct extent {
	uint64_t offset, len;
};

/*
 * What the headers say, checked: the names are those of struct disk_dump_header and struct
 * kdump_sub_header in makedumpfile's diskdump_mod.h (IMPLEMENTATION in its source has the
 * versions). Offsets are in bytes from the start of the file.
 */
struct kdump_header {
	int version;	      /* header_version: 1 or more */
	uint32_t status;      /* DUMP_DH_COMPRESSED_... and more flags */
	int64_t date;	      /* timestamp.tv_sec */
	char release[65];     /* utsname.release, often empty */
	uint64_t phys_base;   /* where the kernel's text was loaded, for all that is known */
	uint64_t max_mapnr;   /* page frames that the bitmaps tell of */
	int dump_level;	      /* makedumpfile -d */
	bool split;	      /* a piece of a split set, with the pages of */
	uint64_t start_pfn;   /* this page frame */
	uint64_t end_pfn;     /* to the one before this; 0 and max_mapnr if not split */
	uint64_t bitmap1;     /* offset of the page frames that are memory; == bitmap2 if there */
	uint64_t bitmap2;     /* is one only; of those that were written */
	uint64_t bitmap_size; /* of each, in bytes */
	uint64_t descriptors; /* offset of the first page descriptor */
	struct extent vmcoreinfo, notes;
};

enum {
	KDUMP_BLOCK = 4096,    /* block_size, the unit of the header's sizes */
	KDUMP_DESCRIPTOR = 24, /* bytes of a page descriptor (page_desc_t) */
};

/* page_desc_t.flags and disk_dump_header.status */
enum {
	KDUMP_ZLIB = 0x01,
	KDUMP_LZO = 0x02,
	KDUMP_SNAPPY = 0x04,
	KDUMP_INCOMPLETE = 0x08, /* in status only: makedumpfile ran out of room */
	KDUMP_ZSTD = 0x20,
	KDUMP_COMPRESSED = KDUMP_ZLIB | KDUMP_LZO | KDUMP_SNAPPY | KDUMP_ZSTD,
};

/*
 * Reads and checks the header of @f. ERR_FORMAT for headers that make no sense or point behind the
 * end of the file, ERR_UNSUPPORTED for dumps of other architectures and for the older diskdump.
 */
__attribute__((warn_unused_result)) struct err *kdump_check(const struct dump_file *f,
							    struct kdump_header *ret);

/*
 * Checks that the @count files are one dump: a file that is not split, or all pieces of one split
 * dump, in any order. @headers[i] is of @files[i]. The ERR_FORMAT error names the pieces or page
 * frames that are missing or there twice.
 */
__attribute__((warn_unused_result)) struct err *
kdump_check_set(const struct dump_file *files, const struct kdump_header *headers, size_t count);

/*
 * Opens the dump in the @count @files, which are borrowed and must outlive the source. Adds to the
 * notes, and fills what of the info comes from headers and bitmaps; what an error leaves of @parts
 * is to be freed.
 */
__attribute__((warn_unused_result)) struct err *
kdump_dump_source(const struct dump_file *files, size_t count, const struct dump_options *options,
		  struct dump_parts *parts);

#endif
