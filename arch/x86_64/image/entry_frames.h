/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How to unwind what a real vmlinux has no CFI for: a small ELF file to be loaded beside it, with
 * names of nothing and no place in memory but one byte that no kernel uses.
 *
 * It covers the functions whose ORC says that registers of an interrupted context lie there (entry
 * code), that nothing called them, or that they change the stack; and assembly known by name. A
 * debugger looks at vmlinux first, so that functions in C are unwound by their own CFI. Of modules
 * it covers everything, for as they are installed they have ORC alone; the libraries that gdb is
 * given put it behind those that have more. Code that was made at run time (BPF) is there, too. And
 * it says that stacks end in user mode.
 */
#ifndef ARCH_X86_64_IMAGE_ENTRY_FRAMES_H
#define ARCH_X86_64_IMAGE_ENTRY_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct entry_frames;
struct err;
struct image_source;

/* Its only section is to be loaded at arch_map.hole. In the file it is at 0, and all else relative to
 * that: gdb takes the address of a section for the distance that it was moved. */

/* Makes nothing yet. What @source points at is borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *entry_frames_new(const struct image_source *source,
								 struct entry_frames **ret);
void entry_frames_free(struct entry_frames *f);

/*
 * Does a part of the work, some 20 ms; the last part appends the file to @out, which is empty until
 * then, and sets *ret_done. After that, or an error, there is nothing left but to free it. Of a
 * kernel without ORC it has little more than that stacks end in user mode.
 */
__attribute__((warn_unused_result)) struct err *entry_frames_step(struct entry_frames *f,
								  struct buf *out, bool *ret_done);

/*
 * The functions of the kernel's image whose ORC says that they change the stack: their addresses as
 * linked, ascending, in *ret (freed by the caller).
 */
__attribute__((warn_unused_result)) struct err *
entry_frames_stack_changers(const struct image_source *source, uint64_t **ret, size_t *ret_count);

#endif
