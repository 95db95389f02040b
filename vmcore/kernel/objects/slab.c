// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/objects/slab.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/objects/page_map.h"
#include "vmcore/kernel/objects/slab_private.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/memory/memory.h"

enum {
	CACHES_MAX = 1 << 16,	  /* control groups had copies of each until 5.8 */
	OBJECTS_MAX = 1 << 15,	  /* slab.objects has 15 bits */
	SIZE_MAX_BYTES = 1 << 26, /* of an object with its padding: kmalloc's largest is 4 MiB */
	KEPT = 64,		  /* slabs whose free objects are remembered; a power of two */
};

/* The free objects of a slab. */
struct kept {
	uint64_t slab; /* 0: none */
	uint64_t base; /* where its first object would begin without a red zone */
	size_t objects;
	unsigned char *free, *on_cpu; /* owned; a bit an object */
	const char *why; /* the lists do not hold together: what is not in them is unknown */
};

struct slabs {
	struct slab_layout layout;
	struct slab_cache_private *caches; /* owned */
	size_t count, capacity;
	struct map by_address; /* struct kmem_cache -> index */
	struct kept kept[KEPT];
};

/* ---- layout ---- */

void slab_find_members(const struct kernel *k, const struct slab_wanted *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		*wanted[i].member = *kernel_member(k, wanted[i].which);
}

/* Those without which there is nothing. */
static struct err *need_members(const struct kernel *k, bool own_type)
{
	const enum kernel_member needed[] = {
		own_type ? K_SLAB_CACHE : K_PAGE_SLAB_CACHE,
		own_type ? K_SLAB_FREELIST : K_PAGE_FREELIST,
		own_type ? K_SLAB_INUSE : K_PAGE_INUSE,
		own_type ? K_SLAB_OBJECTS : K_PAGE_OBJECTS,
	};
	struct err *e = kernel_need_vital(k, KERNEL_SLABS);
	struct member m;
	for (size_t i = 0; !e && i < sizeof(needed) / sizeof(*needed); i++)
		e = kernel_need_member(k, needed[i], &m);
	return err_wrap(e, "find slab objects");
}

static struct err *find_layout(const struct kernel *k, struct slab_layout *l)
{
	struct types *t = kernel_types(k);
	bool own = kernel_has_member(k, K_SLAB_CACHE);
	const struct slab_wanted wanted[] = {
		{ &l->list, K_CACHE_LIST },
		{ &l->name, K_CACHE_NAME },
		{ &l->size, K_CACHE_SIZE },
		{ &l->object_size, K_CACHE_OBJECT_SIZE },
		{ &l->offset, K_CACHE_OFFSET },
		{ &l->flags, K_CACHE_FLAGS },
		{ &l->random, K_CACHE_RANDOM },
		{ &l->red_left_pad, K_CACHE_RED_LEFT_PAD },
		{ &l->cpu_slab, K_CACHE_CPU_SLAB },
		{ &l->cpu_freelist, K_CACHE_CPU_FREELIST },
		{ &l->cpu_page, K_CACHE_CPU_SLAB_PAGE },
		{ &l->slab_cache, own ? K_SLAB_CACHE : K_PAGE_SLAB_CACHE },
		{ &l->freelist, own ? K_SLAB_FREELIST : K_PAGE_FREELIST },
		{ &l->inuse, own ? K_SLAB_INUSE : K_PAGE_INUSE },
		{ &l->objects, own ? K_SLAB_OBJECTS : K_PAGE_OBJECTS },
	};
	struct err *e = need_members(k, own);
	if (e)
		return e;
	slab_find_members(k, wanted, sizeof(wanted) / sizeof(*wanted));
	slab_sheaves_layout(k, &l->sheaves);
	page_map_find_mark(l->pages, "slab", &l->is_slab);
	int64_t bit;
	struct err *none = types_enumerator(t, "_slab_flag_bits", "_SLAB_RED_ZONE", &bit);
	/* A macro until 6.9. */
	l->red_zone = !none && bit >= 0 && bit < 32 ? UINT64_C(1) << bit : 0x400;
	err_free(none);
	return NULL;
}

/* ---- caches ---- */

/* False if what is at @address cannot be a cache. */
static bool read_cache(const struct slab_layout *l, uint64_t address,
		       struct slab_cache_private *ret)
{
	struct slab_cache_private c = { .public = { .address = address } };
	uint64_t name, flags = 0;
	if (!kernel_get_member(l->k, address, &l->name, &name) ||
	    !kernel_get_member(l->k, address, &l->size, &c.public.size) ||
	    !kernel_get_member(l->k, address, &l->object_size, &c.public.object_size) ||
	    !kernel_get_member(l->k, address, &l->offset, &c.offset))
		return false;
	/* Some of them are signed. */
	if (!c.public.size || c.public.size > SIZE_MAX_BYTES || c.offset >= c.public.size ||
	    c.public.object_size > c.public.size)
		return false;
	struct err *e = kernel_read_string(l->k, name, c.public.name, sizeof(c.public.name));
	if (e)
		snprintf(c.public.name, sizeof(c.public.name), "0x%" PRIx64, address);
	err_free(e);
	kernel_get_member(l->k, address, &l->random, &c.random);
	kernel_get_member(l->k, address, &l->cpu_slab, &c.cpu_slab);
	if (kernel_get_member(l->k, address, &l->flags, &flags) && flags & l->red_zone)
		kernel_get_member(l->k, address, &l->red_left_pad, &c.red_left);
	if (c.red_left >= c.public.size)
		return false;
	*ret = c;
	return true;
}

static struct err *add_cache(struct slabs *s, const struct slab_cache_private *cache)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 256;
		struct slab_cache_private *grown =
			reallocarray(s->caches, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		s->caches = grown;
		s->capacity = capacity;
	}
	if (!map_put(&s->by_address, cache->public.address, s->count))
		return err_nomem();
	s->caches[s->count++] = *cache;
	return NULL;
}

/* Follows the list from @head by the pointers at @step (0: next, 8: prev) to what is damaged or
 * known. */
static struct err *walk_caches(struct slabs *s, uint64_t head, uint64_t step)
{
	uint64_t here = head, known;
	while (s->count < CACHES_MAX) {
		struct slab_cache_private cache;
		struct err *e = kernel_read_u64(s->layout.k, here + step, &here);
		uint64_t address = here - s->layout.list.offset;
		bool ends = e || here == head || !is_kernel_address(here) || here & 7 ||
			    map_get(&s->by_address, address, &known);
		err_free(e);
		if (ends || !read_cache(&s->layout, address, &cache))
			return NULL;
		e = add_cache(s, &cache);
		if (e)
			return e;
	}
	return NULL;
}

static struct err *read_caches(struct slabs *s)
{
	uint64_t head;
	struct err *e = kernel_need_symbol(s->layout.k, "slab_caches", "find slab objects", &head);
	if (!e)
		e = walk_caches(s, head, 0);
	/* What a damaged list loses one way the other may have. */
	if (!e)
		e = walk_caches(s, head, 8);
	if (!e && !s->count)
		e = err_new(ERR_CORRUPT, "the list of slab caches holds nothing");
	return e;
}

struct err *slabs_new(const struct kernel *k, const struct page_map *pages, const struct cpus *cpus,
		      struct slabs **ret)
{
	struct slabs *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->layout = (struct slab_layout){ .k = k, .pages = pages, .cpus = cpus };
	struct err *e = find_layout(k, &s->layout);
	if (!e)
		e = read_caches(s);
	if (e) {
		slabs_free(s);
		return e;
	}
	*ret = s;
	return NULL;
}

void slabs_free(struct slabs *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		free(s->caches[i].cpu_slabs);
		map_free(&s->caches[i].in_sheaves);
	}
	for (size_t i = 0; i < KEPT; i++) {
		free(s->kept[i].free);
		free(s->kept[i].on_cpu);
	}
	free(s->caches);
	map_free(&s->by_address);
	free(s);
}

size_t slabs_count(const struct slabs *s)
{
	return s->count;
}

const struct slab_cache *slabs_nth(const struct slabs *s, size_t n)
{
	return &s->caches[n].public;
}

const char *slab_state_name(enum slab_state state)
{
	static const char *const names[] = {
		[SLAB_ALLOCATED] = "allocated", [SLAB_FREE] = "free", [SLAB_UNKNOWN] = "unknown"
	};
	return names[state];
}

size_t slab_cache_name_len(const struct slab_cache *cache)
{
	return strcspn(cache->name, "(");
}

/* ---- what CPUs keep of a cache ---- */

static struct err *read_cpus(const struct slab_layout *l, struct slab_cache_private *c)
{
	struct err *e = NULL;
	if (c->cpus_read)
		return NULL;
	c->cpu_slabs = calloc(l->cpus->count + 1, sizeof(*c->cpu_slabs));
	if (!c->cpu_slabs)
		return err_nomem();
	for (size_t i = 0; c->cpu_slab && i < l->cpus->count; i++) {
		struct slab_of_cpu *of = &c->cpu_slabs[c->cpu_slab_count];
		uint64_t at = c->cpu_slab + l->cpus->list[i].offset;
		if (kernel_get_member(l->k, at, &l->cpu_page, &of->slab) && of->slab &&
		    kernel_get_member(l->k, at, &l->cpu_freelist, &of->freelist))
			c->cpu_slab_count++;
	}
	e = slab_sheaves_read(l, c);
	c->cpus_read = !e;
	if (e) {
		free(c->cpu_slabs);
		c->cpu_slabs = NULL;
		c->cpu_slab_count = 0;
	}
	return e;
}

/* ---- lists of free objects ---- */

/* The number of the object at @address, which must be the start of one. */
static bool object_number(const struct slab_cache_private *c, const struct kept *kept,
			  uint64_t address, size_t *ret)
{
	uint64_t from = address - kept->base - c->red_left;
	if (from % c->public.size || from / c->public.size >= kept->objects)
		return false;
	*ret = (size_t)(from / c->public.size);
	return true;
}

static bool bit_get(const unsigned char *bits, size_t n)
{
	return bits[n / 8] >> n % 8 & 1;
}

static void bit_set(unsigned char *bits, size_t n)
{
	bits[n / 8] |= (unsigned char)(1 << n % 8);
}

/*
 * The pointer to the next free object, which lies in a free one. With CONFIG_SLAB_FREELIST_HARDENED
 * it is mixed with kmem_cache.random and its own address, the bytes of which are in reverse order
 * since 5.7.
 */
static uint64_t decode(const struct slab_cache_private *c, uint64_t stored, uint64_t at, bool swap)
{
	if (!c->random)
		return stored;
	return stored ^ c->random ^ (swap ? __builtin_bswap64(at) : at);
}

/*
 * Follows a list of free objects from @first: each must be an object of the slab, met for the first
 * time. Sets their bits in @bits and says how many there are; false if the list does not hold
 * together.
 */
static bool follow(const struct slab_layout *l, const struct slab_cache_private *c,
		   const struct kept *kept, uint64_t first, bool swap, unsigned char *bits,
		   size_t *ret_count)
{
	size_t n, count = 0;
	uint64_t next = first;
	while (next) {
		if (!object_number(c, kept, next, &n) || bit_get(bits, n))
			return false;
		bit_set(bits, n);
		count++;
		uint64_t at = next + c->offset, stored;
		struct err *e = kernel_read_u64(l->k, at, &stored);
		if (e) {
			err_free(e);
			return false;
		}
		next = decode(c, stored, at, swap);
	}
	*ret_count = count;
	return true;
}

/* The same under both ways to mix; a list of one kernel makes no sense under the other's. */
static bool follow_any(const struct slab_layout *l, const struct slab_cache_private *c,
		       const struct kept *kept, uint64_t first, unsigned char *bits,
		       size_t *ret_count)
{
	size_t len = kept->objects / 8 + 1;
	unsigned char before[OBJECTS_MAX / 8 + 1], plain[OBJECTS_MAX / 8 + 1];
	memcpy(before, bits, len);
	if (follow(l, c, kept, first, true, bits, ret_count))
		return true;
	if (!c->random)
		return false;
	memcpy(plain, before, len);
	if (!follow(l, c, kept, first, false, plain, ret_count))
		return false; /* @bits has what could be followed */
	memcpy(bits, plain, len);
	return true;
}

/* Fills in which objects are free. */
static void find_free(const struct slab_layout *l, const struct slab_cache_private *c,
		      struct kept *kept)
{
	uint64_t first, inuse;
	size_t count = 0;
	if (!kernel_get_member(l->k, kept->slab, &l->freelist, &first) ||
	    !kernel_get_member(l->k, kept->slab, &l->inuse, &inuse)) {
		kept->why = "its slab cannot be read";
		return;
	}
	if (!follow_any(l, c, kept, first, kept->free, &count))
		kept->why = "its slab's list of free objects is damaged";
	else if (inuse > kept->objects || kept->objects - inuse != count)
		kept->why = "its slab's list of free objects and their number disagree";
	for (size_t i = 0; i < c->cpu_slab_count; i++) {
		if (c->cpu_slabs[i].slab != kept->slab)
			continue;
		if (!follow_any(l, c, kept, c->cpu_slabs[i].freelist, kept->on_cpu, &count))
			kept->why = "a CPU's list of free objects is damaged";
	}
	for (size_t n = 0; n < kept->objects; n++) {
		uint64_t from, start = kept->base + n * c->public.size + c->red_left;
		if (map_get(&c->in_sheaves, start, &from))
			bit_set(from ? kept->on_cpu : kept->free, n);
	}
}

/* ---- looking one up ---- */

static struct err *keep(struct slabs *s, struct slab_cache_private *c, uint64_t slab, uint64_t base,
			size_t objects, const struct kept **ret)
{
	struct kept *kept = &s->kept[map_hash(slab) & (KEPT - 1)];
	*ret = kept;
	if (kept->slab == slab)
		return NULL;
	struct err *e = read_cpus(&s->layout, c);
	if (e)
		return e;
	free(kept->free);
	free(kept->on_cpu);
	*kept = (struct kept){ .base = base, .objects = objects };
	kept->free = calloc(objects / 8 + 1, 1);
	kept->on_cpu = calloc(objects / 8 + 1, 1);
	if (!kept->free || !kept->on_cpu)
		return err_nomem();
	kept->slab = slab;
	find_free(&s->layout, c, kept);
	return NULL;
}

/* The slab that the page of @address is part of; false if it is no slab's. */
static bool find_slab(struct slabs *s, uint64_t address, uint64_t *ret_slab, uint64_t *ret_base,
		      struct slab_cache_private **ret)
{
	const struct page_map *pages = s->layout.pages;
	uint64_t pa, head, head_pa, offset, cache, n;
	if (!page_map_physical(pages, address, &pa) ||
	    !page_map_head(pages, page_map_page(pages, pa), &head) ||
	    page_map_is(pages, head, &s->layout.is_slab) != PAGE_IS ||
	    !page_map_described(pages, head, &head_pa, &offset) ||
	    !kernel_get_member(s->layout.k, head, &s->layout.slab_cache, &cache) ||
	    !map_get(&s->by_address, cache, &n))
		return false;
	*ret_slab = head;
	*ret_base = pages->direct + head_pa;
	*ret = &s->caches[n];
	return true;
}

/* Whether the struct page at @page begins a slab. */
static bool begins_slab(struct slabs *s, uint64_t page, uint64_t base, struct slab_span *ret)
{
	uint64_t slab, first, objects;
	struct slab_cache_private *c;
	if (!find_slab(s, base, &slab, &first, &c) || slab != page ||
	    !kernel_get_member(s->layout.k, slab, &s->layout.objects, &objects) ||
	    objects >= OBJECTS_MAX)
		return false;
	*ret = (struct slab_span){ &c->public, base + c->red_left, (size_t)objects };
	return true;
}

bool slabs_next(struct slabs *s, uint64_t *pfn, size_t most, bool *ret_found, struct slab_span *ret)
{
	const struct page_map *pages = s->layout.pages;
	const uint64_t end = pages->end >> PAGE_SHIFT;
	*ret_found = false;
	for (size_t n = 0; n < most && *pfn < end && !*ret_found; n++) {
		uint64_t pa = *pfn << PAGE_SHIFT, page = page_map_page(pages, pa), next;
		enum page_is is = page_map_is(pages, page, &s->layout.is_slab);
		if (is == PAGE_IS)
			*ret_found = begins_slab(s, page, pages->direct + pa, ret);
		if (is != PAGE_IS_UNKNOWN) {
			++*pfn;
			continue;
		}
		/* A hole of the page array. */
		if (!memory_next(kernel_memory(s->layout.k), kernel_space(s->layout.k), page,
				 &next) ||
		    next <= page)
			return false;
		uint64_t to = (next - pages->vmemmap) / pages->page_size;
		*pfn = to > *pfn ? to : *pfn + 1;
	}
	return *pfn < end || *ret_found;
}

struct err *slabs_find(struct slabs *s, uint64_t address, bool *ret_found, struct slab_object *ret)
{
	uint64_t slab, base, objects;
	struct slab_cache_private *c;
	const struct kept *kept;
	*ret_found = false;
	if (!find_slab(s, address, &slab, &base, &c) ||
	    !kernel_get_member(s->layout.k, slab, &s->layout.objects, &objects) ||
	    objects >= OBJECTS_MAX)
		return NULL;
	struct slab_object object = { .cache = &c->public, .slab = slab, .state = SLAB_UNKNOWN };
	uint64_t from = address - base, n = from / c->public.size;
	*ret_found = true;
	*ret = object;
	/* Behind the last object, or in a red zone before one. */
	if (n >= objects || from % c->public.size < c->red_left)
		return NULL;
	struct err *e = keep(s, c, slab, base, (size_t)objects, &kept);
	if (e)
		return e;
	object.start = base + n * c->public.size + c->red_left;
	object.offset = address - object.start;
	object.on_cpu = bit_get(kept->on_cpu, n);
	if (object.on_cpu || bit_get(kept->free, n))
		object.state = SLAB_FREE;
	else if (kept->why)
		object.why = kept->why;
	else
		object.state = SLAB_ALLOCATED;
	*ret = object;
	return NULL;
}
