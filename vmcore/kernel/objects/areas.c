// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/objects/areas.h"

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/memory/memory.h"

enum {
	DEPTH_MAX = 128,      /* of a red-black tree: 2 log2(2^64) */
	MAPLE_DEPTH_MAX = 31, /* of a maple tree, MAPLE_HEIGHT_MAX */
	VMAP_NODES_MAX = 1 << 10,
};

/* ---- red-black trees of areas ---- */

/* What the nodes of such a tree are parts of. */
struct area_tree {
	enum kernel_member node, start, end;
};

/* The area of the tree whose first node is at @node that holds @address. */
static bool find_in_tree(const struct kernel *k, const struct area_tree *tree, uint64_t node,
			 uint64_t address, uint64_t *ret)
{
	uint64_t offset, start, end;
	if (!kernel_member_offset(k, tree->node, &offset))
		return false;
	for (unsigned depth = 0; node && depth < DEPTH_MAX; depth++) {
		uint64_t area = node - offset;
		if (!kernel_get(k, area, tree->start, &start) ||
		    !kernel_get(k, area, tree->end, &end))
			return false;
		if (address >= start && address < end) {
			*ret = area;
			return true;
		}
		if (!kernel_get(k, node, address < start ? K_RB_LEFT : K_RB_RIGHT, &node))
			return false;
	}
	return false;
}

/* ---- the kernel's ---- */

static const struct area_tree vmap_tree = { K_VMAP_NODE, K_VMAP_START, K_VMAP_END };

/* In the tree of any of vmap_nodes: an area is in that of its start. */
static bool find_in_nodes(const struct kernel *k, uint64_t address, uint64_t *ret)
{
	uint64_t symbol, nodes, size, root, first;
	uint32_t count = 0;
	struct err *e = types_size(kernel_types(k), "vmap_node", &size);
	bool sized = !e;
	err_free(e);
	if (!sized || !kernel_member_offset(k, K_VMAP_NODE_BUSY, &root) ||
	    !kernel_symbol(k, "vmap_nodes", &symbol) || !kernel_get_u64(k, symbol, &nodes) ||
	    !kernel_symbol(k, "nr_vmap_nodes", &symbol))
		return false;
	err_free(kernel_read_u32(k, symbol, &count));
	for (uint32_t i = 0; i < count && i < VMAP_NODES_MAX; i++)
		if (kernel_get_u64(k, nodes + i * size + root, &first) &&
		    find_in_tree(k, &vmap_tree, first, address, ret))
			return true;
	return false;
}

bool kernel_area_find(const struct kernel *k, uint64_t address, struct kernel_area *ret)
{
	struct kernel_area area = { 0 };
	uint64_t symbol, first, found;
	if (!is_kernel_address(address))
		return false;
	bool in_tree = kernel_symbol(k, "vmap_area_root", &symbol) &&
		       kernel_get_u64(k, symbol, &first) &&
		       find_in_tree(k, &vmap_tree, first, address, &found);
	if ((!in_tree && !find_in_nodes(k, address, &found)) ||
	    !kernel_get(k, found, K_VMAP_START, &area.start) ||
	    !kernel_get(k, found, K_VMAP_END, &area.end))
		return false;
	if (kernel_get(k, found, K_VMAP_VM, &area.vm) && is_kernel_address(area.vm))
		kernel_get(k, area.vm, K_VM_CALLER, &area.caller);
	else
		area.vm = 0;
	*ret = area;
	return true;
}

/* ---- maple trees ---- */

/* Types of nodes, in bits 3 to 6 of a pointer to one (enum maple_type). */
enum { MAPLE_DENSE, MAPLE_LEAF_64, MAPLE_RANGE_64, MAPLE_ARANGE_64 };

/* The slot of the node at @node that has @index: the pivots are where each slot's range ends. */
static bool find_slot(const struct kernel *k, uint64_t node, bool arange, uint64_t index,
		      uint64_t *ret)
{
	const struct member *pivots = kernel_member(k, arange ? K_ARANGE_PIVOTS : K_RANGE_PIVOTS);
	const struct member *slots = kernel_member(k, arange ? K_ARANGE_SLOTS : K_RANGE_SLOTS);
	uint64_t n, pivot;
	for (n = 0; n < pivots->count; n++) {
		if (!kernel_get_u64(k, node + pivots->offset + 8 * n, &pivot))
			return false;
		/* What is not used is 0. */
		if (index <= pivot || (n && !pivot))
			break;
	}
	return n < slots->count && kernel_get_u64(k, node + slots->offset + 8 * n, ret);
}

static bool find_in_maple(const struct kernel *k, uint64_t tree, uint64_t index, uint64_t *ret)
{
	uint64_t entry;
	if (!kernel_get(k, tree, K_MAPLE_ROOT, &entry))
		return false;
	for (unsigned depth = 0; depth < MAPLE_DEPTH_MAX; depth++) {
		/* A pointer to a node has bit 1 set; an entry at the root has not. */
		if (!depth && (entry & 3) != 2)
			return false;
		unsigned type = entry >> 3 & 0xf;
		uint64_t node = entry & ~UINT64_C(0xff);
		if (type != MAPLE_LEAF_64 && type != MAPLE_RANGE_64 && type != MAPLE_ARANGE_64)
			return false;
		if (!find_slot(k, node, type == MAPLE_ARANGE_64, index, &entry))
			return false;
		if (type != MAPLE_LEAF_64)
			continue;
		*ret = entry;
		return entry && !(entry & 3);
	}
	return false;
}

/* ---- a process's ---- */

static const struct area_tree vma_tree = { K_VMA_NODE, K_VMA_START, K_VMA_END };

static void find_file(const struct kernel *k, struct user_area *area)
{
	uint64_t dentry, name, pages;
	if (!kernel_get(k, area->vma, K_VMA_FILE, &area->file) || !is_kernel_address(area->file)) {
		area->file = 0;
		return;
	}
	if (kernel_get(k, area->vma, K_VMA_PGOFF, &pages))
		area->file_offset = pages << PAGE_SHIFT;
	if (kernel_get(k, area->file, K_FILE_DENTRY, &dentry) &&
	    kernel_get(k, dentry, K_DENTRY_NAME, &name))
		err_free(kernel_read_string(k, name, area->file_name, sizeof(area->file_name)));
}

bool user_area_find(const struct kernel *k, uint64_t mm, uint64_t address, struct user_area *ret)
{
	struct user_area area = { 0 };
	uint64_t offset, first;
	bool found = false;
	if (kernel_member_offset(k, K_MM_MAPLE, &offset))
		found = find_in_maple(k, mm + offset, address, &area.vma);
	else if (kernel_get(k, mm, K_MM_RB, &first))
		found = find_in_tree(k, &vma_tree, first, address, &area.vma);
	if (!found || !kernel_get(k, area.vma, K_VMA_START, &area.start) ||
	    !kernel_get(k, area.vma, K_VMA_END, &area.end) || address < area.start ||
	    address >= area.end)
		return false;
	kernel_get(k, area.vma, K_VMA_FLAGS, &area.flags);
	find_file(k, &area);
	*ret = area;
	return true;
}
