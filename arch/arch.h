/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The architectures that dumps may be of. What holds for one alone is in a folder below arch/,
 * behind one struct for each layer that asks; nothing else includes a file of such a folder.
 *
 * To add an architecture: a folder arch/NAME/, in which each of the structs below is filled in
 * (the comment of each says what its members are), a struct arch of them, and its row in arch.c.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <stddef.h>
#include <stdint.h>

/* Where Linux has what in its half of the addresses. A list ends with 0. */
struct arch_map {
	/* The kernel's image lies at or above the first, and so does all code that it can call:
	 * modules, BPF programs, trampolines. Modules of kernels that KASLR moves lie at or above
	 * the second; of others they begin lower. Nothing of it lies at or above the third. */
	uint64_t image, modules, code_end;
	uint64_t image_bytes;	     /* as far from the first an image's headers may say */
	uint64_t hole;		     /* a page that is never mapped, for what clients are given */
	const uint64_t *direct_maps; /* of physical memory, without KASLR of memory regions */
	const uint64_t *page_arrays; /* of struct page, the same */
	unsigned physical_bits;	     /* of a physical address, at most */
};

struct arch {
	/* As uname -m and a kdump's header call it, and as sentences do. */
	const char *name, *title;
	uint16_t elf_machine; /* EM_*, of dumps and of vmlinux */

	const struct arch_map *map;
	const struct arch_regs *regs;	  /* base/regs.h */
	const struct unwind_arch *unwind; /* unwind/arch.h */
	const struct files_arch *files;	  /* vmcore/names/files/arch.h */
	const struct dump_arch *dump;	  /* vmcore/dump/arch.h */
	const struct find_arch *find;	  /* vmcore/find/arch.h */
	const struct tasks_arch *tasks;	  /* vmcore/kernel/tasks/arch.h */
	const struct code_arch *code;	  /* vmcore/code/arch.h */
	const struct image_arch *image;	  /* vmcore/image/arch.h */
};

/* The one of @elf_machine, or called @name; NULL if there is none. */
const struct arch *arch_of_elf(uint16_t elf_machine);
const struct arch *arch_of_name(const char *name);
/* That of dumps that do not say which. */
const struct arch *arch_unnamed(void);

#endif
