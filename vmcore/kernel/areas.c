// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/areas.h"

#include "base/address.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/memory/memory.h"

enum {
	DEPTH_MAX = 128,      /* of a red-black tree: 2 log2(2^64) */
	MAPLE_DEPTH_MAX = 31, /* of a maple tree, MAPLE_HEIGHT_MAX */
	VMAP_NODES_MAX = 1 << 10,
};

static bool find_member(const struct kernel *k, const char *type, const char *path,
			struct member *ret)
{
	struct err *e = types_member(kernel_types(k), type, path, ret);
	bool found = !e;
	err_free(e);
	return found;
}

static bool read_path(const struct kernel *k, uint64_t base, const char *type, const char *path,
		      uint64_t *ret)
{
	struct err *e = kernel_read_path(k, base, type, path, ret);
	bool ok = !e;
	err_free(e);
	return ok;
}

static bool read_word(const struct kernel *k, uint64_t at, uint64_t *ret)
{
	struct err *e = kernel_read_u64(k, at, ret);
	bool ok = !e;
	err_free(e);
	return ok;
}

/* ---- red-black trees of areas ---- */

/* What the nodes of such a tree are parts of. */
struct area_tree {
	const char *type, *node, *start, *end;
};

/* The area of the tree whose first node is at @node that holds @address. */
static bool find_in_tree(const struct kernel *k, const struct area_tree *tree, uint64_t node,
			 uint64_t address, uint64_t *ret)
{
	uint64_t offset, start, end;
	if (!types_offset(kernel_types(k), tree->type, tree->node, &offset))
		return false;
	for (unsigned depth = 0; node && depth < DEPTH_MAX; depth++) {
		uint64_t area = node - offset;
		if (!read_path(k, area, tree->type, tree->start, &start) ||
		    !read_path(k, area, tree->type, tree->end, &end))
			return false;
		if (address >= start && address < end) {
			*ret = area;
			return true;
		}
		if (!read_path(k, node, "rb_node", address < start ? "rb_left" : "rb_right", &node))
			return false;
	}
	return false;
}

/* ---- the kernel's ---- */

static const struct area_tree vmap_tree = { "vmap_area", "rb_node", "va_start", "va_end" };

/* In the tree of any of vmap_nodes: an area is in that of its start. */
static bool find_in_nodes(const struct kernel *k, uint64_t address, uint64_t *ret)
{
	uint64_t symbol, nodes, size, root, first;
	uint32_t count = 0;
	struct err *e = types_size(kernel_types(k), "vmap_node", &size);
	bool sized = !e;
	err_free(e);
	if (!sized || !types_offset(kernel_types(k), "vmap_node", "busy.root.rb_node", &root) ||
	    !kernel_symbol(k, "vmap_nodes", &symbol) || !read_word(k, symbol, &nodes) ||
	    !kernel_symbol(k, "nr_vmap_nodes", &symbol))
		return false;
	err_free(kernel_read_u32(k, symbol, &count));
	for (uint32_t i = 0; i < count && i < VMAP_NODES_MAX; i++)
		if (read_word(k, nodes + i * size + root, &first) &&
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
		       read_word(k, symbol, &first) &&
		       find_in_tree(k, &vmap_tree, first, address, &found);
	if ((!in_tree && !find_in_nodes(k, address, &found)) ||
	    !read_path(k, found, "vmap_area", "va_start", &area.start) ||
	    !read_path(k, found, "vmap_area", "va_end", &area.end))
		return false;
	if (read_path(k, found, "vmap_area", "vm", &area.vm) && is_kernel_address(area.vm))
		read_path(k, area.vm, "vm_struct", "caller", &area.caller);
	else
		area.vm = 0;
	*ret = area;
	return true;
}

/* ---- maple trees ---- */

/* Types of nodes, in bits 3 to 6 of a pointer to one (enum maple_type). */
enum { MAPLE_DENSE, MAPLE_LEAF_64, MAPLE_RANGE_64, MAPLE_ARANGE_64 };

/* The slot of the node at @node that has @index: the pivots are where each slot's range ends. */
static bool find_slot(const struct kernel *k, uint64_t node, const char *type, uint64_t index,
		      uint64_t *ret)
{
	struct member pivots, slots;
	uint64_t n, pivot;
	if (!find_member(k, type, "pivot", &pivots) || !find_member(k, type, "slot", &slots))
		return false;
	for (n = 0; n < pivots.count; n++) {
		if (!read_word(k, node + pivots.offset + 8 * n, &pivot))
			return false;
		/* What is not used is 0. */
		if (index <= pivot || (n && !pivot))
			break;
	}
	return n < slots.count && read_word(k, node + slots.offset + 8 * n, ret);
}

static bool find_in_maple(const struct kernel *k, uint64_t tree, uint64_t index, uint64_t *ret)
{
	uint64_t entry;
	if (!read_path(k, tree, "maple_tree", "ma_root", &entry))
		return false;
	for (unsigned depth = 0; depth < MAPLE_DEPTH_MAX; depth++) {
		/* A pointer to a node has bit 1 set; an entry at the root has not. */
		if (!depth && (entry & 3) != 2)
			return false;
		unsigned type = entry >> 3 & 0xf;
		uint64_t node = entry & ~UINT64_C(0xff);
		if (type != MAPLE_LEAF_64 && type != MAPLE_RANGE_64 && type != MAPLE_ARANGE_64)
			return false;
		if (!find_slot(k, node,
			       type == MAPLE_ARANGE_64 ? "maple_arange_64" : "maple_range_64",
			       index, &entry))
			return false;
		if (type != MAPLE_LEAF_64)
			continue;
		*ret = entry;
		return entry && !(entry & 3);
	}
	return false;
}

/* ---- a process's ---- */

static const struct area_tree vma_tree = { "vm_area_struct", "vm_rb", "vm_start", "vm_end" };

static void find_file(const struct kernel *k, struct user_area *area)
{
	uint64_t dentry, name, pages;
	if (!read_path(k, area->vma, "vm_area_struct", "vm_file", &area->file) ||
	    !is_kernel_address(area->file)) {
		area->file = 0;
		return;
	}
	if (read_path(k, area->vma, "vm_area_struct", "vm_pgoff", &pages))
		area->file_offset = pages << PAGE_SHIFT;
	if (read_path(k, area->file, "file", "f_path.dentry", &dentry) &&
	    read_path(k, dentry, "dentry", "d_name.name", &name))
		err_free(kernel_read_string(k, name, area->file_name, sizeof(area->file_name)));
}

bool user_area_find(const struct kernel *k, uint64_t mm, uint64_t address, struct user_area *ret)
{
	struct types *t = kernel_types(k);
	struct user_area area = { 0 };
	uint64_t offset, first;
	bool found = false;
	if (types_offset(t, "mm_struct", "mm_mt", &offset))
		found = find_in_maple(k, mm + offset, address, &area.vma);
	else if (read_path(k, mm, "mm_struct", "mm_rb.rb_node", &first))
		found = find_in_tree(k, &vma_tree, first, address, &area.vma);
	if (!found || !read_path(k, area.vma, "vm_area_struct", "vm_start", &area.start) ||
	    !read_path(k, area.vma, "vm_area_struct", "vm_end", &area.end) ||
	    address < area.start || address >= area.end)
		return false;
	read_path(k, area.vma, "vm_area_struct", "vm_flags", &area.flags);
	find_file(k, &area);
	*ret = area;
	return true;
}
