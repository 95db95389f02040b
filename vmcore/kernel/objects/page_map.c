// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/objects/page_map.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/memory/memory.h"
#include "vmcore/names/vmcoreinfo.h"

/* ---- where they are ---- */

/* The variable @name, which holds a base; false if there is none. */
static bool read_base(const struct kernel *k, const char *name, uint64_t *ret)
{
	uint64_t symbol, value;
	if (!kernel_symbol(k, name, &symbol))
		return false;
	if (!kernel_get_u64(k, symbol, &value) || !is_kernel_address(value) ||
	    value & (PAGE_SIZE - 1))
		return false;
	*ret = value;
	return true;
}

/* Whether the page tables translate @va to @pa. */
static bool is_mapped_to(const struct kernel *k, uint64_t va, uint64_t pa)
{
	struct vtop v;
	struct err *e = memory_vtop(kernel_memory(k), kernel_space(k), va, &v);
	bool ok = !e && v.pa == pa;
	err_free(e);
	return ok;
}

/* Physical memory that is surely mapped: where the top page table lies. */
static bool find_direct(const struct kernel *k, uint64_t *ret)
{
	const uint64_t *bases = kernel_arch(k)->map->direct_maps;
	uint64_t pa = kernel_space(k)->root & ~(uint64_t)(PAGE_SIZE - 1), base;
	if (read_base(k, "page_offset_base", &base) && is_mapped_to(k, base + pa, pa)) {
		*ret = base;
		return true;
	}
	for (size_t i = 0; bases[i]; i++) {
		if (!is_mapped_to(k, bases[i] + pa, pa))
			continue;
		*ret = bases[i];
		return true;
	}
	return false;
}

/* Whether a struct page can be read for the memory that the top page table lies in. */
static bool has_page(const struct page_map *p, uint64_t vmemmap)
{
	uint64_t word, pfn = kernel_space(p->k)->root >> PAGE_SHIFT;
	return kernel_get_u64(p->k, vmemmap + pfn * p->page_size, &word);
}

static bool find_vmemmap(const struct page_map *p, uint64_t *ret)
{
	const uint64_t *bases = kernel_arch(p->k)->map->page_arrays;
	if (read_base(p->k, "vmemmap_base", ret))
		return has_page(p, *ret);
	for (size_t i = 0; bases[i]; i++) {
		if (!has_page(p, bases[i]))
			continue;
		*ret = bases[i];
		return true;
	}
	return false;
}

/* Bytes of physical memory, as the kernel counts them; as much as there can be if it does not. */
static uint64_t find_end(const struct kernel *k)
{
	const uint64_t most = UINT64_C(1) << kernel_arch(k)->map->physical_bits;
	uint64_t symbol, pages = 0;
	if (kernel_symbol(k, "max_pfn", &symbol))
		kernel_get_u64(k, symbol, &pages);
	return pages && pages < most >> PAGE_SHIFT ? pages << PAGE_SHIFT : most;
}

/* PG_tail, which there was beside first_page; 0 if there is none. */
static uint64_t find_tail_flag(const struct kernel *k)
{
	int64_t tail;
	struct err *e = types_enumerator(kernel_types(k), "pageflags", "PG_tail", &tail);
	uint64_t flag = !e && tail >= 0 && tail < 64 ? UINT64_C(1) << tail : 0;
	err_free(e);
	return flag;
}

struct err *page_map_open(const struct kernel *k, struct page_map *ret)
{
	struct page_map p = { .k = k };
	if (!find_direct(k, &p.direct))
		return err_new(ERR_NOTFOUND, "where this kernel maps all memory is not known");
	struct err *e = types_size(kernel_types(k), "page", &p.page_size);
	if (e)
		return e;
	p.end = find_end(k);
	if (!p.page_size || p.page_size > PAGE_SIZE)
		return err_new(ERR_FORMAT, "a struct page of %" PRIu64 " bytes makes no sense",
			       p.page_size);
	if (!find_vmemmap(&p, &p.vmemmap))
		return err_new(ERR_NOTFOUND, "the kernel's array of struct page was not found");
	p.tail_flag = find_tail_flag(k);
	*ret = p;
	return NULL;
}

/* ---- addresses ---- */

bool page_map_physical(const struct page_map *p, uint64_t va, uint64_t *ret)
{
	if (va < p->direct || va - p->direct >= p->end)
		return false;
	*ret = va - p->direct;
	return true;
}

uint64_t page_map_page(const struct page_map *p, uint64_t pa)
{
	return p->vmemmap + (pa >> PAGE_SHIFT) * p->page_size;
}

bool page_map_described(const struct page_map *p, uint64_t page, uint64_t *ret_pa,
			uint64_t *ret_offset)
{
	if (page < p->vmemmap)
		return false;
	uint64_t pfn = (page - p->vmemmap) / p->page_size;
	if (pfn >= p->end >> PAGE_SHIFT)
		return false;
	*ret_pa = pfn << PAGE_SHIFT;
	*ret_offset = (page - p->vmemmap) % p->page_size;
	return true;
}

/* ---- compound pages ---- */

/* What a tail page has to say: a pointer to its head, or, in compound_head's successor, a mask with
 * all of its upper half set. */
static uint64_t head_by(uint64_t page, uint64_t info, bool is_info)
{
	if (is_info && info >> 32 == UINT32_MAX)
		return page & (info - 1);
	return info - 1;
}

bool page_map_head(const struct page_map *p, uint64_t page, uint64_t *ret)
{
	uint64_t info, flags, pa, offset;
	uint64_t head = page;
	bool is_info = kernel_has_member(p->k, K_PAGE_HEAD_INFO);
	if (is_info || kernel_has_member(p->k, K_PAGE_HEAD)) {
		if (!kernel_get(p->k, page, is_info ? K_PAGE_HEAD_INFO : K_PAGE_HEAD, &info))
			return false;
		if (info & 1)
			head = head_by(page, info, is_info);
	} else if (kernel_has_member(p->k, K_PAGE_FIRST_PAGE) && p->tail_flag) {
		if (!kernel_get(p->k, page, K_PAGE_FLAGS, &flags))
			return false;
		if (flags & p->tail_flag && !kernel_get(p->k, page, K_PAGE_FIRST_PAGE, &head))
			return false;
	} else {
		return false;
	}
	if (!page_map_described(p, head, &pa, &offset) || offset || head > page)
		return false;
	*ret = head;
	return true;
}

/* ---- what a page is ---- */

/* The constant "PREFIXname"; false if there is none. */
static bool find_constant(const struct page_map *p, const char *enumeration, const char *prefix,
			  const char *name, int64_t *ret)
{
	char constant[64];
	int len = snprintf(constant, sizeof(constant), "%s%s", prefix, name);
	if (len < 0 || (size_t)len >= sizeof(constant))
		return false;
	struct err *e = types_enumerator(kernel_types(p->k), enumeration, constant, ret);
	bool found = !e;
	err_free(e);
	return found;
}

static enum page_is as_answer(bool yes)
{
	return yes ? PAGE_IS : PAGE_IS_NOT;
}

static bool find_flag(const struct page_map *p, const char *flag, uint8_t *ret)
{
	int64_t bit;
	if (!find_constant(p, "pageflags", "PG_", flag, &bit) || bit < 0 || bit > 63)
		return false;
	*ret = (uint8_t)bit;
	return true;
}

static enum page_is has_bit(const struct page_map *p, uint64_t page, uint8_t bit)
{
	uint64_t flags;
	return kernel_get(p->k, page, K_PAGE_FLAGS, &flags) ? as_answer(flags >> bit & 1)
							    : PAGE_IS_UNKNOWN;
}

enum page_is page_map_has_flag(const struct page_map *p, uint64_t page, const char *flag)
{
	uint8_t bit;
	return find_flag(p, flag, &bit) ? has_bit(p, page, bit) : PAGE_IS_UNKNOWN;
}

void page_map_find_mark(const struct page_map *p, const char *what, struct page_mark *ret)
{
	struct page_mark mark = { .has_flag = find_flag(p, what, &mark.flag) };
	int64_t constant;
	char number[64], capitals[32];
	if (find_constant(p, NULL, "PGTY_", what, &constant)) {
		mark.by_type = PAGE_TYPE_BYTE;
		mark.type = (uint64_t)constant;
	} else if (find_constant(p, "pagetype", "PG_", what, &constant)) {
		mark.by_type = PAGE_TYPE_BITS;
		mark.type = (uint64_t)constant;
	} else {
		snprintf(capitals, sizeof(capitals), "%s", what);
		for (char *c = capitals; *c; c++)
			*c = (char)toupper((unsigned char)*c);
		snprintf(number, sizeof(number), "PAGE_%s_MAPCOUNT_VALUE", capitals);
		if (vmcoreinfo_number(kernel_vmcoreinfo(p->k), number, &mark.type))
			mark.by_type = PAGE_TYPE_VALUE;
	}
	*ret = mark;
}

enum page_is page_map_is(const struct page_map *p, uint64_t page, const struct page_mark *mark)
{
	uint64_t type;
	enum page_is is = mark->has_flag ? has_bit(p, page, mark->flag) : PAGE_IS_UNKNOWN;
	if (is != PAGE_IS_UNKNOWN || mark->by_type == PAGE_TYPE_UNKNOWN ||
	    !kernel_get(p->k, page,
			kernel_has_member(p->k, K_PAGE_TYPE) ? K_PAGE_TYPE : K_PAGE_MAPCOUNT,
			&type))
		return is;
	type = (uint32_t)type;
	switch (mark->by_type) {
	case PAGE_TYPE_BYTE:
		return as_answer(type >> 24 == mark->type);
	case PAGE_TYPE_BITS:
		/* 6.10 and 6.11: bits that are 0 in pages of the type, below 1s. */
		return as_answer(type >> 31 && !(type & mark->type));
	default:
		/* As makedumpfile is told: _mapcount or page_type has this value. */
		return as_answer(type == (uint32_t)mark->type);
	}
}
