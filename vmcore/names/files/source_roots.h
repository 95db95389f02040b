/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the compiler saw a kernel's source, as its vmlinux tells. */
#ifndef VMCORE_NAMES_FILES_SOURCE_ROOTS_H
#define VMCORE_NAMES_FILES_SOURCE_ROOTS_H

#include <stddef.h>

struct err;

enum { SOURCE_ROOTS_MAX = 3 };

/* Folders, each absolute or relative, as debuggers put them before names of files. Printable
 * ASCII. */
struct source_roots {
	char *list[SOURCE_ROOTS_MAX]; /* owned */
	size_t count;
};

/*
 * The folders that files of the kernel's source lie in by the DWARF of the ELF file open as @fd
 * (borrowed), called @path in messages: DW_AT_comp_dir, or what DW_AT_name begins with where that
 * is absolute. C and assembly may differ. A kernel is told by files that every one has; a file with
 * none of them has the folder of its first unit. Folders from which files are reached by ".." are
 * left out: to move those helps no debugger.
 *
 * An error as of dwarf_file_open(). source_roots_free() frees what is in @ret.
 */
__attribute__((warn_unused_result)) struct err *source_roots_read(int fd, const char *path,
								  struct source_roots *ret);
void source_roots_free(struct source_roots *r);

#endif
