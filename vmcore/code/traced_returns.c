// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/traced_returns.h"

#include <stdlib.h>

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/names/types/types.h"

enum {
	RECORDS_MAX = 1024, /* of one task; the function graph tracer has room for 50 */
	HASH_LISTS = 64,    /* KPROBE_TABLE_SIZE */
	/* kernel/trace/fgraph.c since 6.11: an entry's last word says in these bits how many words
	 * it has. */
	FRAME_WORDS = 0x1ff,
	GRAPH_WORDS_MAX = 4096 / 8,
};

struct records {
	struct traced_return *list; /* owned */
	size_t count;
};

/* ---- the layout ---- */

static void find_trampolines(const struct kernel *k, struct traced_layout *l)
{
	static const char *const names[TRACED_TRAMPOLINES] = {
		"arch_rethook_trampoline", /* since 5.18 */
		"__kretprobe_trampoline",  /* since 5.16 */
		"kretprobe_trampoline",
		"return_to_handler", /* the function graph tracer's; since 6.11 fprobe's, too */
	};
	for (size_t i = 0; i < TRACED_TRAMPOLINES; i++) {
		uint64_t address;
		if (kernel_symbol(k, names[i], &address))
			l->trampolines[l->trampoline_count++] = address;
	}
}

static void find_lists(const struct kernel *k, struct traced_layout *l)
{
	l->rethooks.known = kernel_member_offset(k, K_TASK_RETHOOKS, &l->rethooks.first) &&
			    kernel_member_offset(k, K_RETHOOK_NEXT, &l->rethooks.link) &&
			    kernel_member_offset(k, K_RETHOOK_ADDRESS, &l->rethooks.address) &&
			    kernel_member_offset(k, K_RETHOOK_SLOT, &l->rethooks.slot);
	l->instances.known = kernel_member_offset(k, K_TASK_KRETPROBES, &l->instances.first) &&
			     kernel_member_offset(k, K_KRETPROBE_NEXT, &l->instances.link) &&
			     kernel_member_offset(k, K_KRETPROBE_ADDRESS, &l->instances.address) &&
			     kernel_member_offset(k, K_KRETPROBE_SLOT, &l->instances.slot);
	l->hashed.known = kernel_symbol(k, "kretprobe_inst_table", &l->hashed.table) &&
			  kernel_member_offset(k, K_KRETPROBE_HASH_NEXT, &l->hashed.link) &&
			  kernel_member_offset(k, K_KRETPROBE_TASK, &l->hashed.task) &&
			  kernel_member_offset(k, K_KRETPROBE_ADDRESS, &l->hashed.address) &&
			  kernel_member_offset(k, K_KRETPROBE_SLOT, &l->hashed.slot);
}

static void find_graph(const struct kernel *k, struct traced_layout *l)
{
	const struct member *stack = kernel_member(k, K_TASK_GRAPH);
	if (!kernel_has_member(k, K_TASK_GRAPH))
		return;
	l->graph.stack = stack->offset;
	l->graph.words = !stack->type_name;
	struct err *e = types_size(kernel_types(k), "ftrace_ret_stack", &l->graph.size);
	l->graph.known = !e && stack->is_pointer && l->graph.size &&
			 kernel_member_offset(k, K_TASK_GRAPH_DEPTH, &l->graph.current) &&
			 kernel_member_offset(k, K_GRAPH_ADDRESS, &l->graph.address) &&
			 kernel_member_offset(k, K_GRAPH_SLOT, &l->graph.slot);
	err_free(e);
}

void traced_layout_find(const struct kernel *k, struct traced_layout *ret)
{
	*ret = (struct traced_layout){ 0 };
	find_trampolines(k, ret);
	if (!ret->trampoline_count)
		return;
	find_lists(k, ret);
	find_graph(k, ret);
}

bool traced_is_trampoline(const struct traced_layout *l, uint64_t address)
{
	for (size_t i = 0; i < l->trampoline_count; i++)
		if (l->trampolines[i] == address)
			return true;
	return false;
}

/* ---- records ---- */

/* Records of a trampoline say that another tracer was there before, whose record has more. */
static struct err *add(const struct kernel *k, const struct traced_layout *l, uint64_t slot_at,
		       uint64_t address_at, struct records *r)
{
	struct traced_return record;
	if (!kernel_get_u64(k, slot_at, &record.slot) ||
	    !kernel_get_u64(k, address_at, &record.address) || !is_kernel_address(record.slot) ||
	    !is_kernel_address(record.address) || traced_is_trampoline(l, record.address) ||
	    r->count == RECORDS_MAX)
		return NULL;
	/* Powers of two are when there is no room left. */
	if (!(r->count & (r->count - 1))) {
		struct traced_return *list =
			reallocarray(r->list, r->count ? 2 * r->count : 1, sizeof(*list));
		if (!list)
			return err_nomem();
		r->list = list;
	}
	r->list[r->count++] = record;
	return NULL;
}

static struct err *read_rethooks(const struct kernel *k, const struct traced_layout *l,
				 uint64_t task, struct records *r)
{
	uint64_t at;
	struct err *e = NULL;
	bool more = l->rethooks.known && kernel_get_u64(k, task + l->rethooks.first, &at);
	for (unsigned n = 0; !e && more && at && n < RECORDS_MAX; n++) {
		uint64_t node = at - l->rethooks.link;
		e = add(k, l, node + l->rethooks.slot, node + l->rethooks.address, r);
		more = kernel_get_u64(k, at, &at);
	}
	return e;
}

static struct err *read_instances(const struct kernel *k, const struct traced_layout *l,
				  uint64_t task, struct records *r)
{
	uint64_t at;
	struct err *e = NULL;
	bool more = l->instances.known && kernel_get_u64(k, task + l->instances.first, &at);
	for (unsigned n = 0; !e && more && at && n < RECORDS_MAX; n++) {
		uint64_t node = at - l->instances.link;
		e = add(k, l, node + l->instances.slot, node + l->instances.address, r);
		more = kernel_get_u64(k, at, &at);
	}
	return e;
}

/* Until 5.10: those of all tasks in one table. */
static struct err *read_hashed(const struct kernel *k, const struct traced_layout *l, uint64_t task,
			       struct records *r)
{
	struct err *e = NULL;
	unsigned n = 0;
	for (unsigned i = 0; !e && l->hashed.known && i < HASH_LISTS; i++) {
		uint64_t at, owner;
		bool more = kernel_get_u64(k, l->hashed.table + 8 * i, &at);
		for (; !e && more && at && n < RECORDS_MAX; n++) {
			uint64_t node = at - l->hashed.link;
			if (kernel_get_u64(k, node + l->hashed.task, &owner) && owner == task)
				e = add(k, l, node + l->hashed.slot, node + l->hashed.address, r);
			more = kernel_get_u64(k, at, &at);
		}
	}
	return e;
}

static struct err *read_graph_entries(const struct kernel *k, const struct traced_layout *l,
				      uint64_t stack, int32_t current, struct records *r)
{
	struct err *e = NULL;
	for (int32_t i = 0; !e && i <= current && i < RECORDS_MAX; i++) {
		uint64_t entry = stack + (uint64_t)i * l->graph.size;
		e = add(k, l, entry + l->graph.slot, entry + l->graph.address, r);
	}
	return e;
}

/* From the end: the word before an entry's end says where it begins. */
static struct err *read_graph_words(const struct kernel *k, const struct traced_layout *l,
				    uint64_t stack, int32_t current, struct records *r)
{
	struct err *e = NULL;
	uint64_t word;
	while (!e && current > 0 && current <= GRAPH_WORDS_MAX &&
	       kernel_get_u64(k, stack + 8 * ((uint64_t)current - 1), &word)) {
		int32_t length = (int32_t)(word & FRAME_WORDS);
		if (!length || length > current)
			break;
		current -= length;
		uint64_t entry = stack + 8 * (uint64_t)current;
		e = add(k, l, entry + l->graph.slot, entry + l->graph.address, r);
	}
	return e;
}

static struct err *read_graph(const struct kernel *k, const struct traced_layout *l, uint64_t task,
			      struct records *r)
{
	uint64_t stack, word;
	if (!l->graph.known || !kernel_get_u64(k, task + l->graph.stack, &stack) || !stack ||
	    !kernel_get_u64(k, task + l->graph.current, &word))
		return NULL;
	int32_t current = (int32_t)(uint32_t)word; /* an int */
	return l->graph.words ? read_graph_words(k, l, stack, current, r)
			      : read_graph_entries(k, l, stack, current, r);
}

static int by_slot(const void *a, const void *b)
{
	const struct traced_return *x = a, *y = b;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* One a slot; none where they contradict each other. */
static void tidy(struct records *r)
{
	size_t kept = 0;
	if (r->count)
		qsort(r->list, r->count, sizeof(*r->list), by_slot);
	for (size_t i = 0, next; i < r->count; i = next) {
		bool agree = true;
		for (next = i + 1; next < r->count && r->list[next].slot == r->list[i].slot; next++)
			agree &= r->list[next].address == r->list[i].address;
		if (agree)
			r->list[kept++] = r->list[i];
	}
	r->count = kept;
}

struct err *traced_returns_read(const struct kernel *k, const struct traced_layout *l,
				uint64_t task, struct traced_returns *ret)
{
	struct records r = { 0 };
	struct err *e = read_rethooks(k, l, task, &r);
	if (!e)
		e = read_instances(k, l, task, &r);
	if (!e)
		e = read_hashed(k, l, task, &r);
	if (!e)
		e = read_graph(k, l, task, &r);
	if (e) {
		free(r.list);
		return e;
	}
	tidy(&r);
	*ret = (struct traced_returns){ r.list, r.count };
	return NULL;
}

void traced_returns_free(struct traced_returns *t)
{
	free(t->list);
	*t = (struct traced_returns){ 0 };
}

bool traced_returns_find(const struct traced_returns *t, uint64_t slot, uint64_t *ret)
{
	const struct traced_return key = { .slot = slot };
	if (!t->count)
		return false;
	const struct traced_return *found = bsearch(&key, t->list, t->count, sizeof(key), by_slot);
	if (found)
		*ret = found->address;
	return found;
}
