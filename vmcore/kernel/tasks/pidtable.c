// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/pidtable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"

enum {
	HASH_SHIFT_MAX = 20, /* the kernel's own limit is 12 */
	TREE_DEPTH_MAX = 12, /* 64 bits of index, 6 a level */
	SLOTS_MAX = 64,	     /* XA_CHUNK_SIZE */
	NODES_MAX = 1 << 23, /* tree nodes or chain links, in all; twice the PIDs there can be */
};

struct walk {
	const struct kernel *k;
	uint64_t pid_tasks; /* offset of pid.tasks[PIDTYPE_PID].first */
	uint64_t task_link; /* offset of the hlist_node in task_struct */
	struct map seen;    /* tree nodes and chain links: none is walked twice */
	/* The tree's shape. */
	uint64_t slots, slot_count, shift, tag;
	struct err *(*found)(void *closure, uint64_t task);
	void *closure;
};

/* Where in the hash's structures its parts are. */
struct hash {
	uint64_t init_pid_ns;
	uint64_t chain, ns; /* offsets in struct upid */
	uint64_t numbers;   /* offset in struct pid */
};

static bool read_u64(const struct walk *w, uint64_t at, uint64_t *ret)
{
	struct err *e = kernel_read_u64(w->k, at, ret);
	if (e)
		log_debug(LOG_TASKS, "PID table: %s", err_msg(e));
	err_free(e);
	return !e;
}

/* Whether the walk goes on into the node or link at @address; *ret_new is false where it has been
 * before, or has been at too many. */
static struct err *enter(struct walk *w, uint64_t address, bool *ret_new)
{
	if (!map_add(&w->seen, address, 0, ret_new))
		return err_nomem();
	if (w->seen.used > NODES_MAX)
		*ret_new = false;
	return NULL;
}

/* A struct pid: its thread, if it still has one. */
static struct err *visit_pid(struct walk *w, uint64_t pid)
{
	uint64_t link;
	if (!read_u64(w, pid + w->pid_tasks, &link) || !link)
		return NULL;
	return w->found(w->closure, link - w->task_link);
}

/*
 * An entry of an IDR: an inner node when its low two bits are the tag, else a pointer to a struct
 * pid. Since 4.20 the tree is an XArray (include/linux/xarray.h: xa_is_node(), tag 2), before a
 * radix tree (include/linux/radix-tree.h: RADIX_TREE_INTERNAL_NODE, tag 1).
 */
static struct err *visit_entry(struct walk *w, uint64_t entry, unsigned depth)
{
	unsigned char slots[SLOTS_MAX * 8];
	bool is_new;
	if (!entry)
		return NULL;
	if ((entry & 3) != w->tag)
		return entry & 3 ? NULL : visit_pid(w, entry);
	/* Small tagged numbers are marks (retry, zero entries), not nodes. */
	if (entry <= 4096 || depth > TREE_DEPTH_MAX)
		return NULL;
	struct err *e = enter(w, entry, &is_new);
	if (e || !is_new)
		return e;
	e = kernel_read(w->k, (entry & ~UINT64_C(3)) + w->slots, slots, 8 * w->slot_count);
	if (e) {
		log_debug(LOG_TASKS, "PID table: node 0x%" PRIx64 ": %s", entry, err_msg(e));
		err_free(e);
		return NULL;
	}
	for (unsigned i = 0; i < w->slot_count; i++) {
		e = visit_entry(w, get_u64(slots + 8 * i), depth + 1);
		if (e)
			return e;
	}
	return NULL;
}

static struct err *walk_idr(struct walk *w, uint64_t init_pid_ns, bool *ret_known)
{
	struct member slots;
	uint64_t head, entry;
	const char *node;

	*ret_known = false;
	if (kernel_member_offset(w->k, K_NS_XARRAY, &head)) {
		w->tag = 2;
		node = "xa_node";
	} else if (kernel_member_offset(w->k, K_NS_RADIX_TREE, &head)) {
		w->tag = 1;
		node = "radix_tree_node";
	} else {
		return NULL;
	}
	struct err *e = types_member(kernel_types(w->k), node, "slots", &slots);
	if (e || !slots.count || slots.count > SLOTS_MAX) {
		err_free(e);
		return NULL;
	}
	*ret_known = true;
	w->slots = slots.offset;
	w->slot_count = slots.count;
	return read_u64(w, init_pid_ns + head, &entry) ? visit_entry(w, entry, 0) : NULL;
}

/* One chain of the hash; a struct upid of the first namespace is numbers[0] of its pid. */
static struct err *walk_chain(struct walk *w, const struct hash *h, uint64_t link)
{
	for (;;) {
		uint64_t upid = link - h->chain, ns;
		bool is_new;
		if (!link)
			return NULL;
		struct err *e = enter(w, link, &is_new);
		if (e || !is_new)
			return e;
		if (read_u64(w, upid + h->ns, &ns) && ns == h->init_pid_ns) {
			e = visit_pid(w, upid - h->numbers);
			if (e)
				return e;
		}
		if (!read_u64(w, link, &link))
			return NULL;
	}
}

/* Until 4.14: chains of struct upid, hashed. */
static struct err *walk_hash(struct walk *w, uint64_t init_pid_ns, bool *ret_known)
{
	struct hash h = { .init_pid_ns = init_pid_ns };
	uint64_t at, table, link;
	uint32_t shift;

	*ret_known = kernel_symbol(w->k, "pid_hash", &at) &&
		     kernel_member_offset(w->k, K_UPID_CHAIN, &h.chain) &&
		     kernel_member_offset(w->k, K_UPID_NS, &h.ns) &&
		     kernel_member_offset(w->k, K_PID_NUMBERS, &h.numbers);
	if (!*ret_known || !read_u64(w, at, &table) || !kernel_symbol(w->k, "pidhash_shift", &at))
		return NULL;
	struct err *e = kernel_read_u32(w->k, at, &shift);
	if (e || shift > HASH_SHIFT_MAX) {
		err_free(e);
		return NULL;
	}
	for (uint64_t i = 0; !e && i < UINT64_C(1) << shift; i++)
		if (read_u64(w, table + 8 * i, &link))
			e = walk_chain(w, &h, link);
	return e;
}

struct err *pidtable_walk(const struct kernel *k,
			  struct err *(*found)(void *closure, uint64_t task), void *closure)
{
	struct walk w = { .k = k, .found = found, .closure = closure };
	uint64_t init_pid_ns;
	bool known = false;

	if (!kernel_symbol(k, "init_pid_ns", &init_pid_ns) ||
	    !kernel_member_offset(k, K_PID_TASKS, &w.pid_tasks) ||
	    !kernel_member_offset(k, K_TASK_PID_LINK, &w.task_link))
		return err_new(ERR_NOTFOUND, "the kernel's PID table is of no known kind");
	struct err *e = walk_idr(&w, init_pid_ns, &known);
	if (!e && !known)
		e = walk_hash(&w, init_pid_ns, &known);
	if (!e && !known)
		e = err_new(ERR_NOTFOUND, "the kernel's PID table is of no known kind");
	map_free(&w.seen);
	return e;
}
