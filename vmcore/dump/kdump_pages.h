/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages of a kdump-compressed dump whose headers were checked. The bits that are set in the
 * bitmap before that of a page frame are the number of its page descriptor, which says where its
 * data lies and how it is compressed. What was compressed by a method whose library this program
 * was built without is left to libkdumpfile, which is opened when the first such page is read.
 */
#ifndef VMCORE_DUMP_KDUMP_PAGES_H
#define VMCORE_DUMP_KDUMP_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump_file;
struct err;
struct kdump_header;
struct kdump_pages;

/* page_desc_t in makedumpfile's diskdump_mod.h; page_flags is not used */
struct kdump_descriptor {
	uint64_t offset; /* of the page's data in the file */
	uint32_t size;
	uint32_t flags;
};

/*
 * The pages in the @count @files whose @headers those are; both are borrowed and must outlive the
 * result. Errors: ERR_FORMAT if there are none, or the files are pieces of different dumps, ERR_IO,
 * ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *kdump_pages_open(const struct dump_file *files,
								 const struct kdump_header *headers,
								 size_t count,
								 struct kdump_pages **ret);
void kdump_pages_free(struct kdump_pages *p);

/* How many there are: in all files, and in file @piece. */
uint64_t kdump_pages_all(const struct kdump_pages *p);
uint64_t kdump_pages_in(const struct kdump_pages *p, size_t piece);

/*
 * Reads the descriptor of the @n-th page in file @piece. ERR_MISSING behind the end of the file,
 * ERR_IO.
 */
__attribute__((warn_unused_result)) struct err *
kdump_pages_descriptor(struct kdump_pages *p, size_t piece, uint64_t n,
		       struct kdump_descriptor *ret);

/* What makes a descriptor of file @piece unusable: ERR_MISSING, ERR_CORRUPT; NULL if nothing does.
 */
__attribute__((warn_unused_result)) struct err *
kdump_pages_check(const struct kdump_pages *p, size_t piece, const struct kdump_descriptor *page);

/* Reads page frame @pfn, all of it. Errors: ERR_EXCLUDED, ERR_MISSING, ERR_CORRUPT, ERR_IO. */
__attribute__((warn_unused_result)) struct err *kdump_pages_read(struct kdump_pages *p,
								 uint64_t pfn, void *page);

/* The first page frame >= @pfn that was written; false if there is none. */
bool kdump_pages_next(struct kdump_pages *p, uint64_t pfn, uint64_t *ret_pfn);

#endif
