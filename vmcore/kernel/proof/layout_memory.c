// SPDX-License-Identifier: GPL-2.0-or-later
/* Proof of where a process's memory and its page tables are. */
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/proof/layout_private.h"
#include "vmcore/kernel/tasks/arch.h"

enum {
	WORD = 8,
	MM_MAX = 1024, /* of mm_struct, which has pgd in front of most else */
};

/* mm and active_mm: the same in a process; a thread of the kernel's has but the second, at times.
 */
static enum verdict judge_mm(const struct sample *s, const struct sample_task *t, uint64_t offset,
			     const void *closure)
{
	uint64_t mm = sample_word(t, offset), active = sample_word(t, offset + WORD);
	(void)s;
	(void)closure;
	if (!sample_has(t, offset, 2 * WORD))
		return SAYS_NOTHING;
	if (!mm)
		return !active || is_kernel_address(active) ? SAYS_NOTHING : SAYS_NO;
	if (t->idle || !strcmp(t->comm, "kthreadd") || mm != active || !is_kernel_address(mm) ||
	    mm & (WORD - 1))
		return SAYS_NO;
	return SAYS_YES;
}

static bool is_pgd(const struct sample *s, uint64_t mm, uint64_t offset)
{
	uint64_t seen = 0, table;
	size_t agree = 0;
	for (size_t i = 0; i < s->count; i++) {
		uint64_t at = sample_word(&s->list[i], mm);
		if (!at || at == seen)
			continue;
		if (!kernel_get_u64(s->k, at + offset, &table) ||
		    !kernel_arch(s->k)->tasks->is_page_table(s->k, table))
			return false;
		agree++;
		seen = at;
	}
	return agree > 0;
}

struct err *layout_prove_memory(struct layout *l)
{
	const struct sample *s = l->sample;
	uint64_t mm, pgd = 0;
	size_t found = 0;
	if (!sample_find(s, WORD, 1, judge_mm, NULL, &mm))
		return NULL;
	for (uint64_t at = 0; at < MM_MAX; at += WORD) {
		if (!is_pgd(s, mm, at))
			continue;
		pgd = at;
		found++;
	}
	if (found != 1)
		return NULL;
	struct err *e =
		layout_tell(l, "task_struct", "mm", mm, WORD,
			    "the same as active_mm behind it in each process, 0 in kernel threads");
	return e ? e
		 : layout_tell(l, "mm_struct", "pgd", pgd, WORD,
			       "leads to a page table that has the kernel's image where it is");
}
