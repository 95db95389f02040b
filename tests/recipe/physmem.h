/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's physical memory while a dump is being made: sparse, by pages of 4 KiB.
 *
 * A page that nobody mentioned is absent: no dump knows it. Writing makes a page present; a present
 * page that was never written holds zeros and takes no memory. An excluded page is RAM whose
 * content the dump leaves out, as makedumpfile does with what its dump level filters.
 */
#ifndef RECIPE_PHYSMEM_H
#define RECIPE_PHYSMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECIPE_PAGE_SHIFT	  12
#define PAGE_BYTES	  (UINT64_C(1) << RECIPE_PAGE_SHIFT)
#define PHYSMEM_ADDR_BITS 52 /* what x86-64's page tables can name */

enum page_state {
	PAGE_ABSENT,
	PAGE_PRESENT,
	PAGE_EXCLUDED,
};

struct physpage {
	uint8_t *data; /* owned by the memory; NULL: zeros */
	enum page_state state;
};

struct physmem_node;

struct physmem {
	struct physmem_node *root; /* owned; NULL while empty */
};

void physmem_init(struct physmem *m);
void physmem_free(struct physmem *m);

/* Whether [addr, addr + len) can exist at all. */
bool physmem_valid(uint64_t addr, uint64_t len);

/* The page with number @pfn, or NULL if it is absent. */
const struct physpage *physmem_page(const struct physmem *m, uint64_t pfn);

/* The bytes of @page, PAGE_BYTES of them. */
const uint8_t *physpage_bytes(const struct physpage *page);

/* The first page at or after @pfn that is not absent; false when there is none. */
bool physmem_next(const struct physmem *m, uint64_t pfn, uint64_t *ret_pfn);

/* The next three say false when memory is out; the range must be valid. */
__attribute__((warn_unused_result)) bool physmem_write(struct physmem *m, uint64_t addr,
						       const void *bytes, size_t len);

/* Every page that the range touches gets @state; content is kept unless the page becomes absent. */
__attribute__((warn_unused_result)) bool physmem_set_state(struct physmem *m, uint64_t addr,
							   uint64_t len, enum page_state state);

/* Reads through absent and excluded pages as if they held zeros. */
void physmem_read(const struct physmem *m, uint64_t addr, void *bytes, size_t len);

uint64_t physmem_read_u64(const struct physmem *m, uint64_t addr);
__attribute__((warn_unused_result)) bool physmem_write_u64(struct physmem *m, uint64_t addr,
							   uint64_t value);

#endif
