// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/paging.h"

#include "base/err.h"

#define MAPPED_PAGES_MAX (1 << 24) /* by one call; a typing error is more */
#define ENTRIES		 512
#define ENTRY_PRESENT	 UINT64_C(0x001)
#define ENTRY_WRITE	 UINT64_C(0x002)
#define ENTRY_USER	 UINT64_C(0x004)
#define ENTRY_ACCESSED	 UINT64_C(0x020)
#define ENTRY_DIRTY	 UINT64_C(0x040)
#define ENTRY_LARGE	 UINT64_C(0x080)
#define ENTRY_GLOBAL	 UINT64_C(0x100)
#define ENTRY_NOEXEC	 (UINT64_C(1) << 63)
#define EPT_RWX		 UINT64_C(0x007)
#define EPT_WRITE	 UINT64_C(0x002)
#define EPT_EXEC	 UINT64_C(0x004)
#define EPT_WRITEBACK	 UINT64_C(0x030) /* memory type 6 in bits 5:3 of a leaf */
#define ENTRY_ADDR	 UINT64_C(0x000ffffffffff000)

static unsigned int level_shift(unsigned int level)
{
	return RECIPE_PAGE_SHIFT + 9 * (level - 1);
}

static uint64_t entry_addr(uint64_t table, uint64_t va, unsigned int level)
{
	return table + 8 * (va >> level_shift(level) & (ENTRIES - 1));
}

static uint64_t address_in(const struct paging *p, uint64_t entry)
{
	return entry & ENTRY_ADDR & ~p->encrypted;
}

static bool is_present(const struct paging *p, uint64_t entry)
{
	return entry & (p->kind == PAGING_EPT ? EPT_RWX : ENTRY_PRESENT);
}

static uint64_t table_bits(const struct paging *p)
{
	if (p->kind == PAGING_EPT)
		return EPT_RWX;
	return ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_ACCESSED | p->encrypted;
}

static uint64_t leaf_bits(const struct paging *p, unsigned int level, unsigned int flags)
{
	uint64_t bits = level > 1 ? ENTRY_LARGE : 0;
	if (p->kind == PAGING_EPT) {
		bits |= EPT_WRITEBACK;
		if (!(flags & PAGING_NOT_PRESENT))
			bits |= EPT_RWX;
		if (flags & PAGING_READONLY)
			bits &= ~EPT_WRITE;
		if (flags & PAGING_NOEXEC)
			bits &= ~EPT_EXEC;
		return bits;
	}
	bits |= ENTRY_ACCESSED | ENTRY_DIRTY | p->encrypted;
	if (!(flags & PAGING_NOT_PRESENT))
		bits |= ENTRY_PRESENT;
	if (!(flags & PAGING_READONLY))
		bits |= ENTRY_WRITE;
	if (flags & PAGING_USER)
		bits |= ENTRY_USER;
	if (flags & PAGING_GLOBAL)
		bits |= ENTRY_GLOBAL;
	if (flags & PAGING_NOEXEC)
		bits |= ENTRY_NOEXEC;
	return bits;
}

/* The table of @level for @va, made from the pool where it is missing. */
static struct err *table_for(struct paging *p, uint64_t va, unsigned int level, uint64_t *ret_table)
{
	uint64_t table = p->root;
	for (unsigned int above = p->levels; above > level; above--) {
		uint64_t where = entry_addr(table, va, above);
		uint64_t entry = physmem_read_u64(p->mem, where);
		if (is_present(p, entry)) {
			if (above <= 3 && entry & ENTRY_LARGE)
				return err_new(ERR_INVALID,
					       "%#jx is mapped by a larger page already",
					       (uintmax_t)va);
			table = address_in(p, entry);
			continue;
		}
		table = p->pool;
		p->pool += PAGE_BYTES;
		if (!physmem_set_state(p->mem, table, PAGE_BYTES, PAGE_PRESENT) ||
		    !physmem_write_u64(p->mem, where, table | table_bits(p)))
			return err_nomem();
	}
	*ret_table = table;
	return NULL;
}

struct err *paging_set_entry(struct paging *p, uint64_t va, unsigned int level, uint64_t value)
{
	uint64_t table = 0;
	struct err *e = table_for(p, va, level, &table);
	if (e)
		return e;
	return physmem_write_u64(p->mem, entry_addr(table, va, level), value) ? NULL : err_nomem();
}

struct err *paging_map(struct paging *p, uint64_t va, uint64_t pa, uint64_t size, uint64_t page,
		       unsigned int flags)
{
	if ((va | pa | size) & (page - 1))
		return err_new(ERR_INVALID, "addresses and size must be multiples of %#jx",
			       (uintmax_t)page);
	if (size / page > MAPPED_PAGES_MAX)
		return err_new(ERR_INVALID, "more than %d pages in one statement",
			       MAPPED_PAGES_MAX);
	unsigned int level = 1;
	while (level_shift(level) < PHYSMEM_ADDR_BITS && UINT64_C(1) << level_shift(level) != page)
		level++;
	for (uint64_t done = 0; done < size; done += page) {
		uint64_t entry = (pa + done) | leaf_bits(p, level, flags);
		struct err *e = paging_set_entry(p, va + done, level, entry);
		if (e)
			return e;
	}
	return NULL;
}

struct err *paging_share_kernel(struct paging *p, const struct paging *from)
{
	if (p->levels != from->levels)
		return err_new(ERR_INVALID, "tables of %u and %u levels share nothing", p->levels,
			       from->levels);
	for (unsigned int i = ENTRIES / 2; i < ENTRIES; i++) {
		uint64_t entry = physmem_read_u64(from->mem, from->root + 8 * i);
		if (!physmem_write_u64(p->mem, p->root + 8 * i, entry))
			return err_nomem();
	}
	return NULL;
}

bool paging_translate(const struct paging *p, uint64_t va, uint64_t *ret_pa)
{
	uint64_t table = p->root;
	for (unsigned int level = p->levels; level; level--) {
		uint64_t entry = physmem_read_u64(p->mem, entry_addr(table, va, level));
		if (!is_present(p, entry))
			return false;
		if (level > 1 && (level > 3 || !(entry & ENTRY_LARGE))) {
			table = address_in(p, entry);
			continue;
		}
		uint64_t offset_mask = (UINT64_C(1) << level_shift(level)) - 1;
		*ret_pa = (address_in(p, entry) & ~offset_mask) | (va & offset_mask);
		return true;
	}
	return false;
}
