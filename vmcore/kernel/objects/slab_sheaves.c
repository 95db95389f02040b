// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sheaves of SLUB (6.18): arrays of free objects that are on no slab's list. Each CPU has up to
 * three; full ones wait in the barns of nodes.
 */
#include "arch/address.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/objects/slab_private.h"
#include "vmcore/kernel/tasks/cpus.h"

enum {
	NODES_MAX = 1024,      /* CONFIG_NODES_SHIFT is 10 at most */
	SHEAVES_MAX = 1 << 10, /* of a barn; MAX_FULL_SHEAVES is 10 */
	SHEAF_MAX = 1 << 12,   /* objects of a sheaf; a cache's own capacity may be some hundred */
};

void slab_sheaves_layout(const struct kernel *k, struct slab_sheaves_layout *ret)
{
	struct slab_sheaves_layout l = { 0 };
	const struct slab_wanted wanted[] = {
		{ &l.cpu_sheaves, K_CACHE_SHEAVES }, { &l.main, K_SHEAVES_MAIN },
		{ &l.spare, K_SHEAVES_SPARE },	     { &l.rcu_free, K_SHEAVES_RCU_FREE },
		{ &l.size, K_SHEAF_SIZE },	     { &l.objects, K_SHEAF_OBJECTS },
		{ &l.link, K_SHEAF_LINK },	     { &l.nodes, K_CACHE_NODES },
		{ &l.node_barn, K_CACHE_NODE_BARN }, { &l.full, K_BARN_FULL },
	};
	slab_find_members(k, wanted, sizeof(wanted) / sizeof(*wanted));
	if (kernel_has_member(k, K_CACHE_PER_NODE) &&
	    kernel_member_offset(k, K_PER_NODE_BARN, &l.barn_offset)) {
		l.nodes = *kernel_member(k, K_CACHE_PER_NODE);
		l.direct = true;
	}
	*ret = l;
}

static bool read_pointer(const struct slab_layout *l, uint64_t at, uint64_t *ret)
{
	return kernel_get_u64(l->k, at, ret) && is_kernel_address(*ret);
}

/* The objects of a sheaf; @of_cpu says whether a CPU has it. */
static struct err *add_sheaf(const struct slab_layout *l, struct slab_cache_private *c,
			     uint64_t sheaf, bool of_cpu)
{
	uint64_t count, object;
	if (!kernel_get_member(l->k, sheaf, &l->sheaves.size, &count) || count > SHEAF_MAX)
		return NULL;
	for (uint64_t i = 0; i < count; i++)
		if (read_pointer(l, sheaf + l->sheaves.objects.offset + 8 * i, &object) &&
		    !map_put(&c->in_sheaves, object, of_cpu))
			return err_nomem();
	return NULL;
}

static struct err *add_of_cpu(const struct slab_layout *l, struct slab_cache_private *c,
			      uint64_t sheaves)
{
	const struct member *members[] = { &l->sheaves.main, &l->sheaves.spare,
					   &l->sheaves.rcu_free };
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(members) / sizeof(*members); i++) {
		uint64_t sheaf;
		if (kernel_get_member(l->k, sheaves, members[i], &sheaf) &&
		    is_kernel_address(sheaf))
			e = add_sheaf(l, c, sheaf, true);
	}
	return e;
}

static struct err *add_barn(const struct slab_layout *l, struct slab_cache_private *c,
			    uint64_t barn)
{
	uint64_t head = barn + l->sheaves.full.offset, here = head;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < SHEAVES_MAX; i++) {
		if (!read_pointer(l, here, &here) || here == head)
			break;
		e = add_sheaf(l, c, here - l->sheaves.link.offset, false);
	}
	return e;
}

/* The barn of the @n-th node; false if it has none. */
static bool find_barn(const struct slab_layout *l, const struct slab_cache_private *c, uint64_t n,
		      uint64_t *ret)
{
	uint64_t at = c->public.address + l->sheaves.nodes.offset +
		      n * l->sheaves.nodes.element_size,
		 node;
	if (l->sheaves.direct)
		return read_pointer(l, at + l->sheaves.barn_offset, ret);
	return read_pointer(l, at, &node) &&
	       kernel_get_member(l->k, node, &l->sheaves.node_barn, ret) && is_kernel_address(*ret);
}

/* As many as this kernel has: a cache has no room for more. */
static uint64_t node_count(const struct slab_layout *l)
{
	uint64_t symbol;
	uint32_t count = 1;
	if (kernel_symbol(l->k, "nr_node_ids", &symbol))
		err_free(kernel_read_u32(l->k, symbol, &count));
	return count < NODES_MAX ? count : NODES_MAX;
}

struct err *slab_sheaves_read(const struct slab_layout *l, struct slab_cache_private *c)
{
	const struct slab_sheaves_layout *s = &l->sheaves;
	uint64_t percpu, barn;
	struct err *e = NULL;
	if (!kernel_get_member(l->k, c->public.address, &s->cpu_sheaves, &percpu) || !percpu ||
	    !s->objects.offset)
		return NULL;
	for (size_t i = 0; !e && i < l->cpus->count; i++)
		e = add_of_cpu(l, c, percpu + l->cpus->list[i].offset);
	uint64_t nodes = s->full.size && s->nodes.count ? node_count(l) : 0;
	for (uint64_t n = 0; !e && n < nodes; n++)
		if (find_barn(l, c, n, &barn))
			e = add_barn(l, c, barn);
	return e;
}
