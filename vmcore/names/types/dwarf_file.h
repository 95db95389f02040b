/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening the DWARF of an ELF file, executable or relocatable. */
#ifndef VMCORE_NAMES_TYPES_DWARF_FILE_H
#define VMCORE_NAMES_TYPES_DWARF_FILE_H

#include <elfutils/libdw.h>

struct err;
struct dwarf_file;

/*
 * @fd is borrowed and must stay open; @path is for messages. The debug sections of a relocatable
 * file (a .ko) are relocated in memory: their references to strings are meaningless before.
 * ERR_NOTFOUND when there is no DWARF, ERR_UNSUPPORTED when it is compressed in a way that libdw
 * cannot undo or lies in .dwo files.
 */
__attribute__((warn_unused_result)) struct err *dwarf_file_open(int fd, const char *path,
								struct dwarf_file **ret);
/*
 * The same of @elf, opened from @fd and relocated if need be; borrowed, must outlive the result.
 */
__attribute__((warn_unused_result)) struct err *
dwarf_file_of_elf(Elf *elf, int fd, const char *path, struct dwarf_file **ret);
void dwarf_file_close(struct dwarf_file *f);

/* Borrowed. */
Dwarf *dwarf_file_dwarf(const struct dwarf_file *f);

#endif
