// SPDX-License-Identifier: GPL-2.0-or-later
/* Proof of where the list of a process's threads is. */
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/proof/layout_private.h"

enum {
	WORD = 8,
	HALF = 4,
	SIGNAL_MAX = 2048, /* struct signal_struct has 1 KiB */
	THREADS_MAX = 1 << 16,
	NOT_FIRST = 2,
};

/* The head, if that and @t are all of the list at @offset. */
static bool is_alone(const struct sample *s, const struct sample_task *t, uint64_t offset,
		     uint64_t *ret_head)
{
	uint64_t link = t->address + offset, head = sample_word(t, offset), next, back;
	if (head != sample_word(t, offset + WORD) || head == link || !is_kernel_address(head) ||
	    !kernel_get_u64(s->k, head, &next) || !kernel_get_u64(s->k, head + WORD, &back) ||
	    next != link || back != link)
		return false;
	*ret_head = head;
	return true;
}

static bool is_kthreadd(const struct sample_task *t)
{
	return !strcmp(t->comm, "kthreadd");
}

/* A kernel thread has one thread, so its list is alone with its head. */
static enum verdict judge_node(const struct sample *s, const struct sample_task *t, uint64_t offset,
			       const void *closure)
{
	uint64_t head, next, before;
	(void)closure;
	if (t->idle || !sample_has(t, offset, 2 * WORD))
		return SAYS_NOTHING;
	if (is_alone(s, t, offset, &head))
		return SAYS_YES;
	return !is_kthreadd(t) && sample_follow(s->k, t->address + offset, 0, &next) &&
			       sample_follow(s->k, t->address + offset, WORD, &before) &&
			       next != t->address + offset
		       ? SAYS_NOTHING
		       : SAYS_NO;
}

struct head_search {
	uint64_t node;
	uint64_t head; /* in signal_struct */
};

/* The pointer to what has the head in the same place in all of them. */
static enum verdict judge_signal(const struct sample *s, const struct sample_task *t,
				 uint64_t offset, const void *closure)
{
	const struct head_search *h = closure;
	uint64_t head, signal = sample_word(t, offset);
	if (t->idle || !sample_has(t, offset, WORD) || !is_alone(s, t, h->node, &head))
		return SAYS_NOTHING;
	return signal && signal + h->head == head ? SAYS_YES : SAYS_NO;
}

/* The pointer and the head's place, which kthreadd's list proposes. */
static bool find_signal(const struct sample *s, struct head_search *h, uint64_t *ret_signal)
{
	const struct sample_task *kthreadd = NULL;
	uint64_t head, signal;
	size_t found = 0;
	for (size_t i = 0; !kthreadd && i < s->count; i++)
		if (is_kthreadd(&s->list[i]))
			kthreadd = &s->list[i];
	if (!kthreadd || !is_alone(s, kthreadd, h->node, &head))
		return false;
	for (uint64_t at = 0; at + WORD <= kthreadd->len; at += WORD) {
		uint64_t distance = head - sample_word(kthreadd, at);
		struct head_search tried = { h->node, distance };
		if (distance >= SIGNAL_MAX ||
		    !sample_find(s, WORD, NOT_FIRST, judge_signal, &tried, &signal) || signal != at)
			continue;
		h->head = distance;
		*ret_signal = signal;
		found++;
	}
	return found == 1;
}

/* Whether the list of the process that @t leads comes back, and has its threads and itself. */
static bool are_threads(const struct layout *l, const struct sample_task *t, uint64_t head,
			uint64_t node, struct map *seen)
{
	const struct kernel *k = l->sample->k;
	uint32_t wanted = sample_half(t, l->pid), pid, tgid;
	uint64_t link = head;
	bool itself = false;
	for (size_t n = 0; n < THREADS_MAX; n++) {
		bool added;
		if (!sample_follow(k, link, 0, &link))
			return false;
		if (link == head)
			return itself;
		uint64_t task = link - node;
		struct err *e = kernel_read_u32(k, task + l->pid, &pid);
		if (!e)
			e = kernel_read_u32(k, task + l->pid + HALF, &tgid);
		bool good = !e && tgid == wanted && pid && map_add(seen, pid, 0, &added) && added;
		err_free(e);
		if (!good)
			return false;
		itself |= task == t->address;
	}
	return false;
}

static bool check_lists(const struct layout *l, const struct head_search *h, uint64_t signal)
{
	const struct sample *s = l->sample;
	struct map seen = MAP_INIT;
	bool good = true;
	for (size_t i = 0; good && i < s->count; i++) {
		const struct sample_task *t = &s->list[i];
		uint64_t owner = sample_word(t, signal);
		if (!t->idle && owner && sample_has(t, h->node, 2 * WORD))
			good = are_threads(l, t, owner + h->head, h->node, &seen);
	}
	map_free(&seen);
	return good;
}

struct err *layout_prove_threads(struct layout *l)
{
	static const char how[] =
		"the list of each process's threads: it comes back, and all have its "
		"tgid";
	struct head_search h = { 0 };
	uint64_t signal;
	if (!sample_find(l->sample, WORD, NOT_FIRST, judge_node, NULL, &h.node) ||
	    !find_signal(l->sample, &h, &signal) || !check_lists(l, &h, signal))
		return NULL;
	struct err *e = layout_tell(l, "task_struct", "thread_node.next", h.node, WORD, how);
	if (!e)
		e = layout_tell(l, "task_struct", "signal", signal, WORD, how);
	return e ? e : layout_tell(l, "signal_struct", "thread_head.next", h.head, WORD, how);
}
