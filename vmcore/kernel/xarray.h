/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's XArrays (include/linux/xarray.h): pointers by index. */
#ifndef VMCORE_KERNEL_XARRAY_H
#define VMCORE_KERNEL_XARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

struct xarray_walk {
	uint64_t limit; /* entries at this index and above are not looked for */
	size_t most;	/* a walk ends after so many entries */
	/* Called with each pointer, by ascending index; an error ends the walk and is its result.
	 */
	struct err *(*found)(void *closure, uint64_t index, uint64_t pointer);
	void *closure;
};

/*
 * Walks the XArray whose xa_head is @head. Marks (retry, zero, sibling entries) and values are
 * passed over. Nodes that cannot be read, or are no nodes, are left out: *ret_whole is false then,
 * and *ret_why (to free) says what the first was. An error only from @found, or ERR_NOMEM, or
 * ERR_NOTFOUND where the kernel has no struct xa_node.
 */
__attribute__((warn_unused_result)) struct err *xarray_walk(const struct kernel *k, uint64_t head,
							    const struct xarray_walk *walk,
							    bool *ret_whole, char **ret_why);

/*
 * The entry at @index: a pointer, a value (its lowest bit is 1, the rest is the value shifted left
 * by one), or 0 if there is none. Errors: ERR_NOTFOUND where the kernel has no struct xa_node,
 * ERR_CORRUPT for a node that is none, the memory kinds.
 */
__attribute__((warn_unused_result)) struct err *xarray_get(const struct kernel *k, uint64_t head,
							   uint64_t index, uint64_t *ret);

#endif
