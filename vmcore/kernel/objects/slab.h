/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of the SLUB allocator (mm/slub.c): which cache an address belongs to, where the object
 * around it begins, and whether it is in use. Free ones are told by the lists of free objects that
 * slabs, CPUs and, since 6.18, sheaves have; what is on none of these is in use.
 */
#ifndef VMCORE_KERNEL_OBJECTS_SLAB_H
#define VMCORE_KERNEL_OBJECTS_SLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpus;
struct err;
struct kernel;
struct page_map;
struct slabs;

enum {
	SLAB_NAME_MAX = 63, /* longer names are cut */
};

struct slab_cache {
	uint64_t address; /* struct kmem_cache */
	char name[SLAB_NAME_MAX + 1];
	uint64_t size;	      /* from object to object, in bytes */
	uint64_t object_size; /* what was asked for */
};

enum slab_state { SLAB_ALLOCATED, SLAB_FREE, SLAB_UNKNOWN };

struct slab_object {
	const struct slab_cache *cache; /* borrowed from the struct slabs */
	uint64_t slab;			/* its struct slab, or struct page */
	uint64_t start;			/* of the object; 0 if the address is in none */
	uint64_t offset;		/* of the address in it */
	enum slab_state state;
	const char *why; /* why that is not known: a clause, static; else NULL */
	bool on_cpu;	 /* free, and kept by a CPU for itself */
};

/*
 * Reads the list of caches, slab_caches. All is borrowed and must outlive the result. ERR_NOTFOUND
 * when types, symbols or members are missing, or the kernel has another allocator; ERR_CORRUPT when
 * the list holds nothing; ERR_NOMEM.
 */
__attribute__((warn_unused_result)) struct err *slabs_new(const struct kernel *k,
							  const struct page_map *pages,
							  const struct cpus *cpus,
							  struct slabs **ret);
void slabs_free(struct slabs *s);

/*
 * The object around @address, which need not be its start. *ret_found is false if the page there
 * is no slab's, or says so of a cache that is in no list. An address between objects (padding, a
 * red zone) is found with start 0. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
slabs_find(struct slabs *s, uint64_t address, bool *ret_found, struct slab_object *ret);

/* The objects of a slab. */
struct slab_span {
	const struct slab_cache *cache; /* borrowed, as above */
	uint64_t start;			/* of the first one */
	size_t count;			/* cache->size bytes apart */
};

/*
 * The next slab in memory, from the page frame *pfn on, which is then the one to go on with. Looks
 * at
 * @most pages: *ret_found is false if none of them begins a slab. False at the end of memory.
 */
bool slabs_next(struct slabs *s, uint64_t *pfn, size_t most, bool *ret_found,
		struct slab_span *ret);

size_t slabs_count(const struct slabs *s);
const struct slab_cache *slabs_nth(const struct slabs *s, size_t n);

/* "allocated", "free" or "unknown". */
const char *slab_state_name(enum slab_state state);

/*
 * The name that @cache was made under: without the "(12:group)" that a control group's copy has
 * behind it (until 5.8). How many characters of the name that is.
 */
size_t slab_cache_name_len(const struct slab_cache *cache);

#endif
