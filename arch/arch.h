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

struct arch {
	/* As uname -m and a kdump's header call it, and as sentences do. */
	const char *name, *title;
	uint16_t elf_machine; /* EM_*, of dumps and of vmlinux */

	const struct arch_regs *regs;	  /* base/regs.h */
	const struct unwind_arch *unwind; /* unwind/arch.h */
	const struct code_arch *code;	  /* vmcore/code/arch.h */
};

/* The one of @elf_machine, or called @name; NULL if there is none. */
const struct arch *arch_of_elf(uint16_t elf_machine);
const struct arch *arch_of_name(const char *name);
/* That of dumps that do not say which. */
const struct arch *arch_unnamed(void);

#endif
