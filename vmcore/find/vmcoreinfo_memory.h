/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMCOREINFO in the memory of a dump that was taken without it, and what it proves. */
#ifndef VMCORE_FIND_VMCOREINFO_MEMORY_H
#define VMCORE_FIND_VMCOREINFO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"

struct dump_info;
struct err;
struct symbols;
struct vmcoreinfo;

/* What a set of page tables must lead to. */
struct vmcoreinfo_proof {
	uint64_t uts; /* address of init_uts_ns */
	const char *release;
};

/* Whether @space leads to it. */
bool vmcoreinfo_leads(struct memory *m, const struct vspace *space,
		      const struct vmcoreinfo_proof *proof);

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
