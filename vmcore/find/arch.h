/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an architecture brings for finding the kernel's page tables in physical memory, before
 * anything else can be read. Every candidate is believed only when a walk through it leads to
 * something that is known to be there. ERR_NOTFOUND where none is, if a row says nothing else.
 */
#ifndef VMCORE_FIND_ARCH_H
#define VMCORE_FIND_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_note;
struct dump_info;
struct err;
struct memory;
struct symbols;
struct vmcoreinfo;
struct vspace;

struct find_arch {
	/*
	 * By VMCOREINFO, or else the page tables that QEMU's notes name. Believed when
	 * SYMBOL(init_uts_ns) leads to a structure that holds OSRELEASE (vmcoreinfo_leads()).
	 * ERR_FORMAT, ERR_CORRUPT.
	 */
	struct err *(*from_vmcoreinfo)(struct memory *m, const struct vmcoreinfo *info,
				       const struct dump_info *dump, const struct cpu_note *notes,
				       size_t note_count, struct vspace *ret);
	/*
	 * By the symbols that a running kernel lists: the top-level table through where
	 * dump->kernel_code says that _text is, or else the dump's headers. Believed when _text and
	 * linux_banner are where they must be. ERR_NOTFOUND also where @symbols lacks what is
	 * needed.
	 */
	struct err *(*from_symbols)(struct memory *m, const struct symbols *symbols,
				    const struct dump_info *dump, struct vspace *ret);
	/* Without VMCOREINFO: a QEMU note's page tables that map a kernel's image; *ret_text is
	 * where that begins. */
	struct err *(*from_notes)(struct memory *m, const struct cpu_note *notes, size_t note_count,
				  struct vspace *ret, uint64_t *ret_text);
	/* Where the kernel's image begins: the lowest address that is mapped where images are. */
	bool (*image_start)(struct memory *m, const struct vspace *space, uint64_t *ret);
	/* Changes *space, which some process's tables led to, to the kernel's own, which live
	 * longer, if @symbols has them and they map the image, that begins at @text, as *space
	 * does. */
	void (*take_own_tables)(struct memory *m, const struct symbols *symbols, uint64_t text,
				struct vspace *space);
};

#endif
