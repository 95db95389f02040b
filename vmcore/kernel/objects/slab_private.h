/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that read SLUB's structures share. */
#ifndef VMCORE_KERNEL_OBJECTS_SLAB_PRIVATE_H
#define VMCORE_KERNEL_OBJECTS_SLAB_PRIVATE_H

#include "base/map.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/objects/page_map.h"
#include "vmcore/kernel/objects/slab.h"
#include "vmcore/names/types/types.h"

/* A member; all zero afterwards if the kernel does not have it. */
struct slab_wanted {
	struct member *member;
	enum kernel_member which;
};
void slab_find_members(const struct kernel *k, const struct slab_wanted *wanted, size_t count);

/* Sheaves: arrays of free objects, a few for each CPU and more in each node's barn (6.18). */
struct slab_sheaves_layout {
	struct member cpu_sheaves;	     /* of struct kmem_cache */
	struct member main, spare, rcu_free; /* of struct slub_percpu_sheaves */
	struct member size, objects, link;   /* of struct slab_sheaf */
	/* Of struct kmem_cache: an array with, for each node, a pointer to what has its barn, or
	 * the barn's own at barn_offset. */
	struct member nodes, node_barn, full;
	uint64_t barn_offset;
	bool direct; /* the array holds the barns' pointers themselves */
};

struct slab_layout {
	const struct kernel *k;
	const struct page_map *pages;
	const struct cpus *cpus;
	/* struct kmem_cache */
	struct member list, name, size, object_size, offset, flags, random, red_left_pad, cpu_slab;
	/* struct kmem_cache_cpu */
	struct member cpu_freelist, cpu_page;
	/* struct slab or page */
	struct member slab_cache, freelist, inuse, objects;
	uint64_t red_zone; /* the bit of flags */
	struct page_mark is_slab;
	struct slab_sheaves_layout sheaves;
};

struct slab_of_cpu {
	uint64_t slab, freelist;
};

struct slab_cache_private {
	struct slab_cache public;
	uint64_t offset; /* of the pointer to the next one in a free object */
	uint64_t random;
	uint64_t red_left; /* a red zone before each object, in bytes */
	uint64_t cpu_slab; /* per-CPU pointer; 0 if there is none */
	bool cpus_read;
	/* Owned, once cpus_read. */
	struct slab_of_cpu *cpu_slabs;
	size_t cpu_slab_count;
	struct map in_sheaves; /* free object -> whether a CPU has it for itself */
};

/* slab_sheaves.c */
void slab_sheaves_layout(const struct kernel *k, struct slab_sheaves_layout *ret);
/* Fills c->in_sheaves; what is damaged is left out. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *slab_sheaves_read(const struct slab_layout *l,
								  struct slab_cache_private *c);

#endif
