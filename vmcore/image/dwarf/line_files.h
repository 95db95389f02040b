/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names of source files in the header of a unit's line table (DWARF 5, 6.2.4, and the older
 * one of DWARF 2 to 4), each as a number that is the same wherever the same name is. The lines
 * themselves, which are most of a line table, are not read.
 */
#ifndef VMCORE_IMAGE_DWARF_LINE_FILES_H
#define VMCORE_IMAGE_DWARF_LINE_FILES_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* Bytes of a section; NULL and 0 where a file has none. */
struct line_section {
	const unsigned char *bytes; /* borrowed */
	size_t len;
};

struct line_sections {
	struct line_section line, line_str, str;
};

struct line_files {
	uint64_t *names; /* owned; by the number that DW_AT_decl_file has: FNV-1a of
			  * folder and file, with their ends */
	size_t count;	 /* 0: not known */
	size_t room;
};

/*
 * Reads the table whose header is at @offset of .debug_line. @f is reused from unit to unit; it
 * begins as { 0 }. What is damaged, or too large, is not known: then f->count is 0. The error is
 * ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *
line_files_read(const struct line_sections *sections, uint64_t offset, struct line_files *f);
void line_files_free(struct line_files *f);

#endif
