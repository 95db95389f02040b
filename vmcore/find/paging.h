/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the kernel's page tables in physical memory, before anything else can be read. Every
 * candidate is believed only when a walk through it leads to something that is known to be there.
 */
#ifndef VMCORE_FIND_PAGING_H
#define VMCORE_FIND_PAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"

struct cpu_note;
struct dump_info;
struct err;
struct symbols;
struct vmcoreinfo;

/* Where the kernel's text is mapped from (__START_KERNEL_map,
 * arch/x86/include/asm/page_64_types.h). */
#define START_KERNEL_MAP UINT64_C(0xffffffff80000000)

/*
 * The top-level table's address in CR3, without the PCID and what else the low bits hold. Under
 * page table isolation a process has two in a row, and in user mode CR3 holds the second, which
 * lacks the kernel (arch/x86/mm/pti.c); without it a table may well be in an odd page.
 */
#define CR3_ADDRESS   UINT64_C(0x000ffffffffff000)
#define CR3_USER_HALF UINT64_C(0x1000)

/*
 * By VMCOREINFO: swapper_pg_dir through phys_base, else the QEMU notes' CR3. Believed when
 * SYMBOL(init_uts_ns) leads to a structure that holds OSRELEASE.
 */
__attribute__((warn_unused_result)) struct err *
paging_from_vmcoreinfo(struct memory *m, const struct vmcoreinfo *info,
		       const struct dump_info *dump, const struct cpu_note *notes,
		       size_t note_count, struct vspace *ret);

/*
 * By the symbols that a running kernel lists: the top-level table through where dump->kernel_code
 * says that _text is, or else the dump's headers. Believed when _text and linux_banner are where
 * they must be. ERR_NOTFOUND when no such tables are found or @symbols lacks what is needed.
 */
__attribute__((warn_unused_result)) struct err *paging_from_symbols(struct memory *m,
								    const struct symbols *symbols,
								    const struct dump_info *dump,
								    struct vspace *ret);

/*
 * Without VMCOREINFO: CR3 of a QEMU note whose tables map something at or above START_KERNEL_MAP;
 * *ret_text is the lowest such address, where the kernel's image begins.
 */
__attribute__((warn_unused_result)) struct err *
paging_from_cr3(struct memory *m, const struct cpu_note *notes, size_t note_count,
		struct vspace *ret, uint64_t *ret_text);

/* The lowest mapped address at or above START_KERNEL_MAP, which is where the kernel's image begins;
 * false if there is none. */
bool paging_image_start(struct memory *m, const struct vspace *space, uint64_t *ret);

/*
 * Changes *space, which some process's CR3 led to, to the kernel's own tables, which live longer,
 * if
 * @symbols has them and they map the image, that begins at @text, as *space does.
 */
void paging_take_own_tables(struct memory *m, const struct symbols *symbols, uint64_t text,
			    struct vspace *space);

/*
 * The VMCOREINFO note in memory (vmcoreinfo_note, kernel/vmcore_info.c: a page of its own since
 * 4.13, a variable before), for dumps that were taken without it. With @space the first whose
 * symbols fit it is taken; if that is NULL, the first that leads to page tables by itself. Looks
 * through every page. ERR_NOTFOUND if there is none. *ret_text is owned by the caller.
 */
__attribute__((warn_unused_result)) struct err *paging_find_vmcoreinfo(
	struct memory *m, const struct page_source *pages, const struct dump_info *dump,
	const struct vspace *space,
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total),
	void *closure, char **ret_text, size_t *ret_len);

/*
 * The text of the VMCOREINFO note at the physical address @pa, owned by the caller and with a zero
 * byte behind it; *ret_text is NULL if there is none. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
paging_read_vmcoreinfo(struct memory *m, uint64_t pa, char **ret_text, size_t *ret_len);

/*
 * The same by @symbols, without a search: the variable vmcoreinfo_note is the note (before 4.13),
 * or points to it. ERR_NOTFOUND if there is none.
 */
__attribute__((warn_unused_result)) struct err *
paging_vmcoreinfo_of_symbols(struct memory *m, const struct vspace *space,
			     const struct symbols *symbols, char **ret_text, size_t *ret_len);

#endif
