/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files that libelf maps, which may be cut off or written while they are in use. */
#ifndef VMCORE_NAMES_ELF_GUARD_H
#define VMCORE_NAMES_ELF_GUARD_H

#include <libelf.h>
#include <stdbool.h>

struct err;

/*
 * elf_begin(3) of @fd, with a mapping that does not end the process when the file shrinks
 * (base/file_map.h). @cmd is ELF_C_READ_MMAP or ELF_C_READ_MMAP_PRIVATE; @path is for messages, and
 * may be NULL. NULL as there, also when the file shrank meanwhile. What it returns is ended by
 * elf_guard_end() alone.
 */
Elf *elf_guard_begin(int fd, Elf_Cmd cmd, const char *path);
/* The same for @elf of another library, which opened it from @fd; false if it is not to be used. It
 * is given back by elf_guard_leave() before that library ends it. NULL is allowed. */
bool elf_guard_take(Elf *elf, int fd, const char *path);
void elf_guard_leave(Elf *elf);
/* NULL is allowed. */
void elf_guard_end(Elf *elf);

/* Whether what was read of @elf may be wrong: ERR_IO that says so, or NULL. @elf may be NULL. */
__attribute__((warn_unused_result)) struct err *elf_guard_check(const Elf *elf);
bool elf_guard_is_bad(const Elf *elf);

#endif
