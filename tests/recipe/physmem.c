// SPDX-License-Identifier: GPL-2.0-or-later
/* A radix tree over page numbers, like the page tables themselves: ordered, and sparse. */
#include "tests/recipe/physmem.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

#define NODE_BITS  8
#define NODE_SLOTS (1 << NODE_BITS)
#define LEVELS	   ((PHYSMEM_ADDR_BITS - RECIPE_PAGE_SHIFT) / NODE_BITS)

struct physmem_node {
	union {
		struct physmem_node *child[NODE_SLOTS]; /* above the lowest level; owned */
		struct physpage page[NODE_SLOTS];	/* at the lowest level */
	};
};

static const uint8_t zero_page[PAGE_BYTES];

void physmem_init(struct physmem *m)
{
	m->root = NULL;
}

static void node_free(struct physmem_node *node, unsigned int level)
{
	if (!node)
		return;
	for (unsigned int i = 0; i < NODE_SLOTS; i++) {
		if (level)
			node_free(node->child[i], level - 1);
		else
			free(node->page[i].data);
	}
	free(node);
}

void physmem_free(struct physmem *m)
{
	node_free(m->root, LEVELS - 1);
	m->root = NULL;
}

bool physmem_valid(uint64_t addr, uint64_t len)
{
	return range_within(addr, len, UINT64_C(1) << PHYSMEM_ADDR_BITS);
}

static unsigned int slot_of(uint64_t pfn, unsigned int level)
{
	return pfn >> level * NODE_BITS & (NODE_SLOTS - 1);
}

/* The page's place in the tree, made if it is not there yet; NULL when memory is out. */
static struct physpage *page_slot(struct physmem *m, uint64_t pfn)
{
	struct physmem_node **link = &m->root;
	for (unsigned int level = LEVELS - 1;; level--) {
		if (!*link)
			*link = calloc(1, sizeof(**link));
		if (!*link)
			return NULL;
		if (!level)
			return &(*link)->page[slot_of(pfn, 0)];
		link = &(*link)->child[slot_of(pfn, level)];
	}
}

const struct physpage *physmem_page(const struct physmem *m, uint64_t pfn)
{
	const struct physmem_node *node = m->root;
	for (unsigned int level = LEVELS - 1; node && level; level--)
		node = node->child[slot_of(pfn, level)];
	if (!node || node->page[slot_of(pfn, 0)].state == PAGE_ABSENT)
		return NULL;
	return &node->page[slot_of(pfn, 0)];
}

const uint8_t *physpage_bytes(const struct physpage *page)
{
	return page->data ? page->data : zero_page;
}

static bool node_next(const struct physmem_node *node, unsigned int level, uint64_t pfn,
		      uint64_t *ret_pfn)
{
	uint64_t step = UINT64_C(1) << level * NODE_BITS;
	for (unsigned int i = slot_of(pfn, level); i < NODE_SLOTS; i++) {
		if (!level && node->page[i].state != PAGE_ABSENT) {
			*ret_pfn = pfn;
			return true;
		}
		if (level && node->child[i] && node_next(node->child[i], level - 1, pfn, ret_pfn))
			return true;
		pfn = (pfn | (step - 1)) + 1; /* where the next slot begins */
	}
	return false;
}

bool physmem_next(const struct physmem *m, uint64_t pfn, uint64_t *ret_pfn)
{
	if (!m->root || pfn >> (PHYSMEM_ADDR_BITS - RECIPE_PAGE_SHIFT))
		return false;
	return node_next(m->root, LEVELS - 1, pfn, ret_pfn);
}

bool physmem_write(struct physmem *m, uint64_t addr, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	while (len) {
		uint64_t offset = addr & (PAGE_BYTES - 1);
		size_t n = len < PAGE_BYTES - offset ? len : (size_t)(PAGE_BYTES - offset);
		struct physpage *page = page_slot(m, addr >> RECIPE_PAGE_SHIFT);
		if (!page)
			return false;
		if (!page->data)
			page->data = calloc(1, PAGE_BYTES);
		if (!page->data)
			return false;
		memcpy(page->data + offset, from, n);
		page->state = PAGE_PRESENT;
		addr += n;
		from += n;
		len -= n;
	}
	return true;
}

bool physmem_set_state(struct physmem *m, uint64_t addr, uint64_t len, enum page_state state)
{
	if (!len)
		return true;
	for (uint64_t pfn = addr >> RECIPE_PAGE_SHIFT; pfn <= (addr + len - 1) >> RECIPE_PAGE_SHIFT; pfn++) {
		struct physpage *page = page_slot(m, pfn);
		if (!page)
			return false;
		page->state = state;
		if (state == PAGE_ABSENT) {
			free(page->data);
			page->data = NULL;
		}
	}
	return true;
}

void physmem_read(const struct physmem *m, uint64_t addr, void *bytes, size_t len)
{
	uint8_t *to = bytes;
	while (len) {
		uint64_t offset = addr & (PAGE_BYTES - 1);
		size_t n = len < PAGE_BYTES - offset ? len : (size_t)(PAGE_BYTES - offset);
		const struct physpage *page = physmem_page(m, addr >> RECIPE_PAGE_SHIFT);
		memcpy(to, page ? physpage_bytes(page) + offset : zero_page, n);
		addr += n;
		to += n;
		len -= n;
	}
}

uint64_t physmem_read_u64(const struct physmem *m, uint64_t addr)
{
	uint8_t bytes[8];
	physmem_read(m, addr, bytes, sizeof(bytes));
	return get_u64(bytes);
}

bool physmem_write_u64(struct physmem *m, uint64_t addr, uint64_t value)
{
	uint8_t bytes[8];
	put_u64(bytes, value);
	return physmem_write(m, addr, bytes, sizeof(bytes));
}
