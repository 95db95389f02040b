/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A debug file without what is large: build-id, symbols, call frame information, and BTF in the
 * place of DWARF. It is an ELF file as `objcopy --only-keep-debug` makes them, for every tool.
 */
#ifndef VMCORE_NAMES_FILES_ELF_REDUCE_H
#define VMCORE_NAMES_FILES_ELF_REDUCE_H

struct buf;
struct err;

/*
 * Writes what is to be kept of the ELF file open as @fd (borrowed), a vmlinux or a module, to the
 * file open as @out (borrowed, empty, to read and write), with @btf for its section .BTF:
 *
 * - headers of all sections that are loaded, at their addresses, without content; notes with it;
 * - .symtab and its names;
 * - .debug_frame, in a module with its relocations; without it .eh_frame.
 *
 * ERR_FORMAT when the file is damaged, ERR_IO when @out cannot be written. Messages do not name the
 * files.
 */
__attribute__((warn_unused_result)) struct err *elf_reduce(int fd, const struct buf *btf, int out);

#endif
