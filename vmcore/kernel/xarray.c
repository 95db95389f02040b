// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/xarray.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"

enum {
	SLOTS_MAX = 64,	    /* XA_CHUNK_SIZE */
	SHIFT_MAX = 60,	    /* 64 bits of index, 6 or 4 a level */
	INTERNAL_MAX = 4096 /* internal entries up to here are marks, not nodes */
};

struct state {
	const struct kernel *k;
	const struct xarray_walk *walk;
	struct member slots, shift; /* of struct xa_node */
	struct map seen;
	size_t count;
	char *why; /* owned; what could not be walked, NULL if all could */
};

static void give_up_node(struct state *s, uint64_t node, const char *why)
{
	if (!s->why && asprintf(&s->why, "node 0x%" PRIx64 ": %s", node, why) < 0)
		s->why = NULL;
}

static struct err *visit_node(struct state *s, uint64_t node, uint64_t first, uint64_t above);

/* The entry that stands for the indices from @index on; @above is the shift of the node that holds
 * it (SHIFT_MAX + 1 for the head). */
static struct err *visit_entry(struct state *s, uint64_t entry, uint64_t index, uint64_t above)
{
	if (!entry || index >= s->walk->limit || s->count >= s->walk->most)
		return NULL;
	if ((entry & 3) == 2)
		return entry > INTERNAL_MAX ? visit_node(s, entry - 2, index, above) : NULL;
	if (entry & 3)
		return NULL;
	s->count++;
	return s->walk->found(s->walk->closure, index, entry);
}

/* Reads the slots; false, with the reason kept, if this is no node. */
static bool read_node(struct state *s, uint64_t node, uint64_t above, unsigned char *slots,
		      uint64_t *ret_shift)
{
	struct err *e = kernel_read_member(s->k, node, &s->shift, ret_shift);
	if (!e)
		e = kernel_read(s->k, node + s->slots.offset, slots, 8 * s->slots.count);
	if (e)
		give_up_node(s, node, err_msg(e));
	else if (*ret_shift >= above || *ret_shift > SHIFT_MAX)
		give_up_node(s, node, "its level makes no sense");
	else
		return err_free(e), true;
	err_free(e);
	return false;
}

/* Levels sink with every step, so the depth is bounded. */
static struct err *visit_node(struct state *s, uint64_t node, uint64_t first, uint64_t above)
{
	unsigned char slots[SLOTS_MAX * 8];
	uint64_t shift;
	bool added;
	if (!map_add(&s->seen, node, 0, &added))
		return err_nomem();
	if (!added) {
		give_up_node(s, node, "the tree goes round in a circle");
		return NULL;
	}
	if (!read_node(s, node, above, slots, &shift))
		return NULL;
	for (uint64_t i = 0; i < s->slots.count; i++) {
		uint64_t step = i << shift;
		if (step >> shift != i || first + step < first)
			break;
		struct err *e = visit_entry(s, get_u64(slots + 8 * i), first + step, shift);
		if (e)
			return e;
	}
	return NULL;
}

struct err *xarray_walk(const struct kernel *k, uint64_t head, const struct xarray_walk *walk,
			bool *ret_whole, char **ret_why)
{
	struct state s = { .k = k, .walk = walk };
	struct err *e = types_member(kernel_types(k), "xa_node", "slots", &s.slots);
	if (!e)
		e = types_member(kernel_types(k), "xa_node", "shift", &s.shift);
	if (!e && (!s.slots.count || s.slots.count > SLOTS_MAX))
		e = err_new(ERR_NOTFOUND, "struct xa_node is of no known kind");
	if (!e)
		e = visit_entry(&s, head, 0, SHIFT_MAX + 1);
	map_free(&s.seen);
	if (e) {
		free(s.why);
		return e;
	}
	*ret_whole = !s.why;
	*ret_why = s.why;
	return NULL;
}

/* ---- one entry ---- */

/* The slot of @node that stands for @index; *ret_shift is what is left of the index below it. */
static struct err *read_slot(const struct kernel *k, const struct member *slots,
			     const struct member *shift, uint64_t node, uint64_t above,
			     uint64_t index, uint64_t *ret_shift, uint64_t *ret)
{
	uint64_t entry;
	struct err *e = kernel_read_member(k, node, shift, ret_shift);
	if (!e && (*ret_shift >= above || *ret_shift > SHIFT_MAX))
		e = err_new(ERR_CORRUPT, "its level makes no sense");
	uint64_t slot = e ? 0 : index >> *ret_shift;
	/* The top node says how far the indices go; below it the rest of them counts. */
	if (!e && above > SHIFT_MAX && slot >= slots->count) {
		*ret = 0;
		return NULL;
	}
	slot %= slots->count;
	if (!e)
		e = kernel_read_u64(k, node + slots->offset + 8 * slot, &entry);
	/* A sibling: the entry is of several indices, and in the first one's slot. */
	if (!e && (entry & 3) == 2 && entry >> 2 < slot)
		e = kernel_read_u64(k, node + slots->offset + 8 * (entry >> 2), &entry);
	if (e)
		return err_wrap(e, "node 0x%" PRIx64 " of an XArray", node);
	*ret = entry;
	return NULL;
}

struct err *xarray_get(const struct kernel *k, uint64_t head, uint64_t index, uint64_t *ret)
{
	struct member slots, shift;
	uint64_t entry = head, above = SHIFT_MAX + 1;
	struct err *e = types_member(kernel_types(k), "xa_node", "slots", &slots);
	if (!e)
		e = types_member(kernel_types(k), "xa_node", "shift", &shift);
	if (!e && (!slots.count || slots.count > SLOTS_MAX || slots.count & (slots.count - 1)))
		e = err_new(ERR_NOTFOUND, "struct xa_node is of no known kind");
	if (e)
		return e;
	/* The head itself is the entry of index 0. */
	if ((entry & 3) != 2 && index)
		entry = 0;
	/* Levels sink with every step. */
	while ((entry & 3) == 2 && entry > INTERNAL_MAX) {
		e = read_slot(k, &slots, &shift, entry - 2, above, index, &above, &entry);
		if (e)
			return e;
		if (!above)
			break;
	}
	/* What is left of internal entries are marks: reserved, or to be tried again. */
	*ret = (entry & 3) == 2 ? 0 : entry;
	return NULL;
}
