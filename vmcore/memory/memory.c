// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The page cache: pages in one block of memory, found through a hash table with chains, replaced by
 * the clock algorithm (a page that was used since the hand passed stays for one more round). What
 * is not there takes a few bytes in a map of its own, so that looking at it pushes out one page at
 * most.
 */
#include "vmcore/memory/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/memory/translations.h"

enum {
	NONE = UINT32_MAX,
	/* When so many are known the map starts anew: 2 MiB. */
	ABSENT_MAX = 64 << 10,
	PAGES_MAX = 1 << 28, /* 1 TiB of cache; keeps the indices within 32 bits */
	RUN_MAX = 16,	     /* pages that are read in one go */
	RUNS_SEEN = 4096,    /* a power of two; 256 MiB in runs of that many */
};

struct slot {
	uint64_t pfn;
	uint32_t epoch;	   /* when it was read */
	uint32_t next;	   /* in its chain, NONE at the end */
	uint16_t from, to; /* what of the page is there */
	bool used;	   /* since the hand passed */
	bool filled;
	bool reading; /* somebody is filling it, and others may be served meanwhile */
};

struct memory {
	const struct page_source *source; /* borrowed */
	struct slot *slots;		  /* owned, as is all that follows */
	uint8_t *pages;			  /* slot n's page is at n * PAGE_SIZE */
	uint32_t *chains;		  /* heads; a power of two of them */
	uint32_t slot_count, chain_mask, hand;
	struct map absent; /* page frame to enum err_code */
	uint64_t hits, misses, faults;
	uint32_t filled;
	uint32_t epoch; /* what was read in an earlier one is as good as not there */
	struct translation translations[TRANSLATIONS];
	uint64_t runs_seen[RUNS_SEEN]; /* page frame behind the first of runs that were read */
};

struct translation *memory_translations(struct memory *m)
{
	return m->translations;
}

struct err *memory_new(const struct page_source *source, size_t cache_size, struct memory **ret)
{
	size_t count = cache_size / PAGE_SIZE;
	if (count == 0 || count > PAGES_MAX)
		return err_new(ERR_INVALID, "a page cache of %zu bytes: it must be 4 KiB to 1 TiB",
			       cache_size);
	size_t chains = 1;
	while (chains < count)
		chains *= 2;

	struct memory *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	m->source = source;
	m->slot_count = (uint32_t)count;
	m->chain_mask = (uint32_t)chains - 1;
	m->slots = calloc(count, sizeof(*m->slots));
	m->chains = malloc(chains * sizeof(*m->chains));
	/* Straight from the system: what is never filled is never made resident. */
	void *pages = mmap(NULL, count * PAGE_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	m->pages = pages == MAP_FAILED ? NULL : pages;
	if (!m->slots || !m->chains || !m->pages) {
		memory_free(m);
		return err_nomem();
	}
	memset(m->chains, 0xff, chains * sizeof(*m->chains)); /* NONE */
	*ret = m;
	return NULL;
}

void memory_free(struct memory *m)
{
	if (!m)
		return;
	if (m->pages)
		munmap(m->pages, (size_t)m->slot_count * PAGE_SIZE);
	free(m->chains);
	free(m->slots);
	map_free(&m->absent);
	free(m);
}

void memory_forget(struct memory *m)
{
	map_free(&m->absent);
	for (unsigned i = 0; i < TRANSLATIONS; i++)
		m->translations[i].space.root = 0;
	m->epoch++;
	/* What was forgotten makes room first: no more memory is used than is read at once. */
	m->hand = 0;
	if (m->source->forget)
		m->source->forget(m->source->self);
}

const struct page_source *memory_source(const struct memory *m)
{
	return m->source;
}

static uint32_t *chain_of(struct memory *m, uint64_t pfn)
{
	return &m->chains[map_hash(pfn) & m->chain_mask];
}

static void unlink_slot(struct memory *m, uint32_t index)
{
	uint32_t *link = chain_of(m, m->slots[index].pfn);
	while (*link != index)
		link = &m->slots[*link].next;
	*link = m->slots[index].next;
	m->slots[index].filled = false;
	m->filled--;
}

static struct slot *find(struct memory *m, uint64_t pfn)
{
	for (uint32_t i = *chain_of(m, pfn); i != NONE; i = m->slots[i].next) {
		if (m->slots[i].pfn != pfn)
			continue;
		if (m->slots[i].epoch == m->epoch)
			return &m->slots[i];
		unlink_slot(m, i);
		return NULL;
	}
	return NULL;
}

/* A slot that is in no chain; NONE if all are being filled. */
static uint32_t take_slot(struct memory *m)
{
	/* Twice around all are unused. */
	for (uint64_t left = (uint64_t)2 * m->slot_count + 1; left; left--) {
		uint32_t index = m->hand;
		struct slot *s = &m->slots[index];
		m->hand = index + 1 == m->slot_count ? 0 : index + 1;
		if (s->reading)
			continue;
		if (!s->filled)
			return index;
		if (!s->used || s->epoch != m->epoch) {
			unlink_slot(m, index);
			return index;
		}
		s->used = false;
	}
	return NONE;
}

/* The message of what the cache remembers as not there; the source's own said it first. */
static struct err *absent_error(enum err_code code)
{
	switch (code) {
	case ERR_EXCLUDED:
		return err_new(code, "left out when the dump was written");
	case ERR_CORRUPT:
		return err_new(code, "in the dump, but damaged");
	default:
		return err_new(code, "not in the dump");
	}
}

/* Only answers about the dump are kept: what the system refused now it may allow later. */
static void remember_absent(struct memory *m, uint64_t pfn, enum err_code code)
{
	if (!err_memory_kind(code))
		return;
	if (m->absent.used >= ABSENT_MAX)
		map_free(&m->absent);
	if (!map_put(&m->absent, pfn, code))
		map_free(&m->absent); /* out of memory: then it is asked again */
}

/* Puts the slot, which is in no chain and has the page, into its chain. */
static struct slot *link_slot(struct memory *m, uint32_t index, uint64_t pfn)
{
	struct slot *s = &m->slots[index];
	uint32_t *chain = chain_of(m, pfn);
	s->pfn = pfn;
	s->next = *chain;
	s->filled = true;
	*chain = index;
	m->filled++;
	return s;
}

static struct err *fill(struct memory *m, uint64_t pfn, struct slot **ret)
{
	uint64_t code;
	m->misses++;
	if (map_get(&m->absent, pfn, &code))
		return absent_error((enum err_code)code);

	uint32_t index = take_slot(m);
	if (index == NONE) {
		m->faults++;
		return err_new(ERR_NOMEM, "the cache has no room for another page: all of it is "
					  "being read into");
	}
	struct slot *s = &m->slots[index];
	s->epoch = m->epoch;
	s->reading = true;
	struct err *e = m->source->read_page(
		m->source->self, pfn, m->pages + (size_t)index * PAGE_SIZE, &s->from, &s->to);
	s->reading = false;
	if (e) {
		m->hand = index; /* the slot stays free, and is the next to be taken */
		remember_absent(m, pfn, err_code(e));
		m->faults += err_code(e) == ERR_IO || err_code(e) == ERR_NOMEM;
		return e;
	}
	/* Somebody else may have read the same one meanwhile. */
	struct slot *other = find(m, pfn);
	if (other)
		*ret = other;
	else
		*ret = link_slot(m, index, pfn);
	return NULL;
}

/* Copies the part of [offset, offset + len) in page @pfn that is there from @offset on. */
static struct err *copy_from_page(struct memory *m, uint64_t pfn, size_t offset, void *out,
				  size_t len, size_t *ret_done)
{
	struct slot *s = find(m, pfn);
	if (s) {
		m->hits++;
	} else {
		struct err *e = fill(m, pfn, &s);
		if (e)
			return e;
	}
	s->used = true;
	if (offset < s->from || offset >= s->to)
		return err_new(ERR_MISSING, "not in the dump, which has a part of this page only");
	if (len > s->to - offset)
		len = s->to - offset;
	const uint8_t *from = m->pages + (size_t)(s - m->slots) * PAGE_SIZE + offset;
	/* Pointers and page table entries, most reads by far, in one instruction. */
	if (len == sizeof(uint64_t))
		memcpy(out, from, sizeof(uint64_t));
	else
		memcpy(out, from, len);
	*ret_done = len;
	return NULL;
}

/* Puts a copy of @page, which is whole, into the cache if there is room. */
static void keep_page(struct memory *m, uint64_t pfn, const void *page)
{
	uint32_t index = find(m, pfn) ? NONE : take_slot(m);
	if (index == NONE)
		return;
	struct slot *s = &m->slots[index];
	memcpy(m->pages + (size_t)index * PAGE_SIZE, page, PAGE_SIZE);
	s->epoch = m->epoch;
	s->from = 0;
	s->to = PAGE_SIZE;
	link_slot(m, index, pfn)->used = true;
}

/*
 * Whether pages of a long read are kept, which took @ms: what came slowly, or is asked for again.
 * Else who reads all memory once would push out what others come back to, and a copy costs more
 * than to ask the system once more for what it has.
 */
static bool is_worth_keeping(struct memory *m, uint64_t pfn, uint64_t ms)
{
	uint64_t *seen = &m->runs_seen[map_hash(pfn) % RUNS_SEEN];
	bool again = *seen == pfn + 1;
	*seen = pfn + 1;
	return again || ms;
}

/* Reads as many whole pages from @pfn on as one read of the source brings, if that is more than
 * one that is not in the cache; returns how many bytes. */
static size_t read_run(struct memory *m, uint64_t pfn, void *out, size_t len)
{
	const struct page_source *source = m->source;
	size_t most = len / PAGE_SIZE < RUN_MAX ? len / PAGE_SIZE : RUN_MAX, count = 0;
	uint64_t code;
	while (count < most && !find(m, pfn + count) && !map_get(&m->absent, pfn + count, &code))
		count++;
	if (count < 2)
		return 0;
	uint64_t begin = clock_ms();
	count = source->read_pages(source->self, pfn, count, out);
	m->misses += count;
	if (!is_worth_keeping(m, pfn, clock_ms() - begin))
		return count * PAGE_SIZE;
	for (size_t i = 0; i < count; i++)
		keep_page(m, pfn + i, (const char *)out + i * PAGE_SIZE);
	return count * PAGE_SIZE;
}

struct err *memory_read_phys(struct memory *m, uint64_t pa, void *out, size_t len, size_t *ret_done)
{
	size_t done = 0;
	if (len > 0 && len - 1 > UINT64_MAX - pa)
		len = (size_t)(UINT64_MAX - pa) + 1;
	while (done < len) {
		uint64_t at = pa + done;
		size_t offset = at % PAGE_SIZE;
		size_t want = PAGE_SIZE - offset, got = 0;
		if (!offset && len - done >= 2 * PAGE_SIZE && m->source->read_pages) {
			got = read_run(m, at >> PAGE_SHIFT, (char *)out + done, len - done);
			done += got;
			if (got)
				continue;
		}
		if (want > len - done)
			want = len - done;
		struct err *e =
			copy_from_page(m, at >> PAGE_SHIFT, offset, (char *)out + done, want, &got);
		if (e && done == 0)
			return err_wrap(e, "physical address 0x%" PRIx64, at);
		if (e) {
			err_free(e);
			break;
		}
		done += got;
		if (got < want)
			break;
	}
	*ret_done = done;
	return NULL;
}

bool memory_next_page(const struct memory *m, uint64_t pfn, uint64_t *ret_pfn)
{
	return m->source->next_page(m->source->self, pfn, ret_pfn);
}

uint64_t memory_faults(const struct memory *m)
{
	return m->faults;
}

void memory_stats(const struct memory *m, struct memory_stats *ret)
{
	*ret = (struct memory_stats){
		.hits = m->hits,
		.misses = m->misses,
		.cached_bytes = (size_t)m->filled * PAGE_SIZE,
	};
}
