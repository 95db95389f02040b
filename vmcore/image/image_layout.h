/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the generated image says that things are: the kernel's image in sections, every module and
 * all BPF code, each as a section without bytes (what lies there is read from the machine).
 *
 * Addresses are those of a kernel that KASLR has not moved, as in a vmlinux, so that both debuggers
 * move the file the way they move a vmlinux: gdb by qOffsets' TextSeg, lldb by its offsets. Modules
 * and BPF code get their address less the same distance and so end up where they are. Per-CPU
 * variables that begin at 0 (up to 6.14) do not move: their section is in no segment, and gdb moves
 * nothing else.
 */
#ifndef VMCORE_IMAGE_IMAGE_LAYOUT_H
#define VMCORE_IMAGE_IMAGE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct made_code;
struct elf_writer;
struct err;
struct kernel;
struct modules;

struct image_part {
	uint64_t low, high; /* [low, high), as in memory */
	bool code;
	unsigned section; /* its index in the file */
};

struct image_layout {
	uint64_t slide;		  /* memory's addresses less the file's */
	struct image_part *parts; /* owned; by address, and apart from each other */
	size_t count;
	struct image_part *percpu; /* owned; by address, apart; those that do not move */
	size_t percpu_count;
};

/*
 * Adds the sections and segments to @w. ERR_NOTFOUND if it is not known where the kernel's image
 * is. Modules and BPF code that overlap what is there are left out.
 */
__attribute__((warn_unused_result)) struct err *
image_layout_make(const struct kernel *k, const struct modules *modules,
		  const struct made_code *bpf, struct elf_writer *w, struct image_layout *ret);
void image_layout_free(struct image_layout *l);

/* The part that @address lies in, or at the very end of; NULL if there is none. */
const struct image_part *image_layout_find(const struct image_layout *l, uint64_t address);

/* The same among the per-CPU parts that do not move. */
const struct image_part *image_layout_find_percpu(const struct image_layout *l, uint64_t address);

#endif
