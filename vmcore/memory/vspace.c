// SPDX-License-Identifier: GPL-2.0-or-later
/* Walks through x86-64 page tables: Intel SDM vol. 3, 4.5 "4-level paging and 5-level paging". */
#include "vmcore/memory/memory.h"

#include <inttypes.h>

#include "arch/address.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/memory/translations.h"

/* Bits of an entry (SDM tables 4-14 to 4-20). */
#define ENTRY_PRESENT  (UINT64_C(1) << 0)
#define ENTRY_WRITABLE (UINT64_C(1) << 1)
#define ENTRY_USER     (UINT64_C(1) << 2)
#define ENTRY_LARGE    (UINT64_C(1) << 7) /* in level 2 and 3; at level 1 it is PAT */
#define ENTRY_NX       (UINT64_C(1) << 63)
/* Of an entry that is not present, where Linux keeps it out of swap entries
 * (arch/x86/include/asm/pgtable_types.h: _PAGE_PROTNONE). */
#define ENTRY_PROTNONE (UINT64_C(1) << 8)
#define ENTRY_ADDRESS  UINT64_C(0x000ffffffffff000)
/* PAT of a large page; the other bits below its address are reserved. */
#define LARGE_PAT (UINT64_C(1) << 12)

enum {
	INDEX_BITS = 9,
	/* How many entries memory_next() looks at before it answers what it has come to. */
	NEXT_STEPS_MAX = 1 << 16,
};

/* The bits of an address that an entry of @level does not translate. */
static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + (level - 1) * INDEX_BITS;
}

/* All bits above the translated ones must be like the highest of those. */
static bool is_canonical(const struct vspace *space, uint64_t va)
{
	unsigned bits = level_shift(space->levels + 1u);
	uint64_t high = va >> (bits - 1);
	return high == 0 || high == UINT64_MAX >> (bits - 1);
}

static uint64_t entry_address(const struct vspace *space, uint64_t entry)
{
	return entry & ENTRY_ADDRESS & ~space->c_mask;
}

static bool is_protnone(const struct vspace *space, uint64_t va, const struct vtop_step *s)
{
	return space->process && is_user_address(va) && !(s->entry & ENTRY_PRESENT) &&
	       s->entry & ENTRY_PROTNONE && (s->level == 1 || s->entry & ENTRY_LARGE);
}

/* Since the mitigation of L1TF the address of such an entry is inverted
 * (arch/x86/include/asm/pgtable-invert.h): of the two, one is far beyond what memory there is. */
static uint64_t protnone_address(const struct vspace *space, uint64_t entry)
{
	uint64_t plain = entry_address(space, entry), inverted = entry_address(space, ~entry);
	return plain < inverted ? plain : inverted;
}

/* What the entry @s of @va leads to. */
static uint64_t step_address(const struct vspace *space, uint64_t va, const struct vtop_step *s)
{
	return is_protnone(space, va, s) ? protnone_address(space, s->entry)
					 : entry_address(space, s->entry);
}

const char *vspace_entry_name(const struct vspace *space, unsigned level)
{
	static const char *const names[] = { "", "PTE", "PMD", "PUD", "P4D", "PGD" };
	return level == space->levels ? "PGD" : names[level];
}

/* Reads the entry for @va of the table at @table and adds it to the steps. */
static struct err *read_entry(struct memory *m, const struct vspace *space, uint64_t table,
			      unsigned level, uint64_t va, struct vtop *t)
{
	uint64_t index = va >> level_shift(level) & ((1u << INDEX_BITS) - 1);
	uint64_t address = table + index * sizeof(uint64_t);
	uint8_t bytes[8];
	size_t done;
	struct err *e = memory_read_phys(m, address, bytes, sizeof(bytes), &done);
	if (!e && done < sizeof(bytes))
		e = err_new(ERR_MISSING, "physical address 0x%" PRIx64 ": not in the dump",
			    address + done);
	if (e)
		return err_wrap(e, "translate 0x%" PRIx64 ": read the page table of level %u (%s)",
				va, level, vspace_entry_name(space, level));
	t->steps[t->step_count++] = (struct vtop_step){
		.level = (uint8_t)level,
		.entry_address = address,
		.entry = get_u64(bytes),
	};
	return NULL;
}

/* Checks the entry of the last step; *ret_maps says whether it maps a page. */
static struct err *check_entry(const struct vspace *space, uint64_t va, const struct vtop *t,
			       bool *ret_maps)
{
	const struct vtop_step *s = &t->steps[t->step_count - 1];
	bool large = s->level > 1 && s->entry & ENTRY_LARGE;
	uint64_t below = (UINT64_C(1) << level_shift(s->level)) - 1;

	if (!(s->entry & ENTRY_PRESENT) && !is_protnone(space, va, s))
		return err_new(ERR_NOTPRESENT,
			       "virtual address 0x%" PRIx64
			       " is not mapped: its %s at physical address 0x%" PRIx64
			       " is 0x%" PRIx64,
			       va, vspace_entry_name(space, s->level), s->entry_address, s->entry);
	if (large && (s->level > 3 || entry_address(space, s->entry) & below & ~LARGE_PAT))
		return err_new(ERR_CORRUPT,
			       "translate 0x%" PRIx64 ": the %s at physical address 0x%" PRIx64
			       ", 0x%" PRIx64 ", has reserved bits set",
			       va, vspace_entry_name(space, s->level), s->entry_address, s->entry);
	*ret_maps = large || s->level == 1;
	return NULL;
}

static void finish(const struct vspace *space, uint64_t va, struct vtop *t)
{
	const struct vtop_step *s = &t->steps[t->step_count - 1];
	uint64_t below = (UINT64_C(1) << level_shift(s->level)) - 1;
	t->page_size = below + 1;
	t->pa = (step_address(space, va, s) & ~below) | (va & below);
}

static struct err *check_space(const struct vspace *space, uint64_t va)
{
	if (space->levels != 4 && space->levels != 5)
		return err_new(ERR_INVALID, "page tables of %u levels", space->levels);
	if (space->root == 0)
		return err_new(ERR_NOTPRESENT,
			       "virtual address 0x%" PRIx64
			       " is not mapped: there are no page tables",
			       va);
	if (!is_canonical(space, va))
		return err_new(ERR_NOTPRESENT,
			       "virtual address 0x%" PRIx64 " is not mapped: it is not canonical",
			       va);
	return NULL;
}

struct err *memory_vtop(struct memory *m, const struct vspace *space, uint64_t va, struct vtop *ret)
{
	*ret = (struct vtop){ .writable = true, .user = true, .executable = true };
	struct err *e = check_space(space, va);
	if (e)
		return e;
	uint64_t table = entry_address(space, space->root);
	bool maps = false;
	for (unsigned level = space->levels; !maps; level--) {
		ret->level = (uint8_t)level;
		e = read_entry(m, space, table, level, va, ret);
		if (!e)
			e = check_entry(space, va, ret, &maps);
		if (e)
			return e;
		uint64_t entry = ret->steps[ret->step_count - 1].entry;
		ret->writable &= (entry & ENTRY_WRITABLE) != 0;
		ret->user &= (entry & ENTRY_USER) != 0;
		ret->executable &= (entry & ENTRY_NX) == 0;
		table = entry_address(space, entry);
	}
	finish(space, va, ret);
	return NULL;
}

/* What memory_vtop() says of @va, as far as reading needs it; *ret_rest is how much the mapping has
 * from there on. */
static struct err *translate(struct memory *m, const struct vspace *space, uint64_t va,
			     uint64_t *ret_pa, uint64_t *ret_rest)
{
	struct translation *known = translation_of(m, va);
	uint64_t below = va & (PAGE_SIZE - 1);
	if (!translation_is_of(known, space, va)) {
		struct vtop t;
		struct err *e = memory_vtop(m, space, va, &t);
		if (e)
			return e;
		*known = (struct translation){
			.space = *space,
			.page = va - below,
			.pa = t.pa - below,
			.rest = t.page_size - ((va - below) & (t.page_size - 1)),
		};
	}
	*ret_pa = known->pa + below;
	*ret_rest = known->rest - below;
	return NULL;
}

/* Reads no further than the end of the mapping that holds @va. */
static struct err *read_mapping(struct memory *m, const struct vspace *space, uint64_t va,
				void *out, size_t len, size_t *ret_want, size_t *ret_done)
{
	uint64_t pa, rest;
	struct err *e = translate(m, space, va, &pa, &rest);
	if (e)
		return e;
	if (len > rest)
		len = (size_t)rest;
	e = memory_read_phys(m, pa, out, len, ret_done);
	*ret_want = len;
	/* Most reads succeed. */
	return e ? err_wrap(e, "virtual address 0x%" PRIx64, va) : NULL;
}

struct err *memory_read(struct memory *m, const struct vspace *space, uint64_t va, void *out,
			size_t len, size_t *ret_done)
{
	size_t done = 0;
	if (len > 0 && len - 1 > UINT64_MAX - va)
		len = (size_t)(UINT64_MAX - va) + 1;
	while (done < len) {
		size_t want, got;
		struct err *e = read_mapping(m, space, va + done, (char *)out + done, len - done,
					     &want, &got);
		if (e && done == 0)
			return e;
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

struct err *memory_read_all(struct memory *m, const struct vspace *space, uint64_t va, void *out,
			    size_t len)
{
	size_t done, more;
	struct err *e = memory_read(m, space, va, out, len, &done);
	if (e || done == len)
		return e;
	if (va + done < va)
		return err_new(ERR_INVALID, "%zu bytes at 0x%" PRIx64 " pass the last address", len,
			       va);
	/* What stopped it says so when the rest is asked for. */
	e = memory_read(m, space, va + done, (char *)out + done, len - done, &more);
	if (!e)
		e = err_new(ERR_MISSING, "virtual address 0x%" PRIx64 ": not in the dump",
			    va + done + more);
	return e;
}

struct err *memory_read_mapped(struct memory *m, const struct vspace *space, uint64_t va, void *out,
			       size_t len)
{
	const struct page_source *source = memory_source(m);
	struct err *e =
		source->read_mapped ? source->read_mapped(source->self, va, out, len) : NULL;
	if (source->read_mapped && (!e || err_code(e) != ERR_MISSING))
		return e;
	err_free(e);
	return memory_read_all(m, space, va, out, len);
}

/*
 * The first address at or above @va within the mapping @t of @va whose physical page may be there;
 * false if the mapping has none.
 */
static bool next_in_mapping(const struct memory *m, uint64_t va, const struct vtop *t,
			    uint64_t *ret)
{
	uint64_t pfn, first = t->pa >> PAGE_SHIFT;
	uint64_t left = (t->page_size - (va & (t->page_size - 1)) + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (!memory_next_page(m, first, &pfn) || pfn - first >= left)
		return false;
	*ret = va + ((pfn - first) << PAGE_SHIFT);
	return true;
}

static uint64_t upper_half(const struct vspace *space)
{
	return ~UINT64_C(0) << (level_shift(space->levels + 1u) - 1);
}

/*
 * The first address behind what the walk @t of @va has told about: the range of the last entry, or
 * all that a table translates which cannot be read. False at the end of the address space.
 */
static bool skip(const struct vspace *space, uint64_t va, const struct vtop *t, uint64_t *ret)
{
	unsigned level = t->level;
	bool entry_read = t->step_count > 0 && t->steps[t->step_count - 1].level == level;
	if (!entry_read)
		level++;
	if (level > space->levels)
		return false;
	uint64_t next = (va | ((UINT64_C(1) << level_shift(level)) - 1)) + 1;
	*ret = is_canonical(space, next) ? next : upper_half(space);
	return next != 0;
}

bool memory_next(struct memory *m, const struct vspace *space, uint64_t va, uint64_t *ret_next)
{
	if (space->root == 0 || (space->levels != 4 && space->levels != 5))
		return false;
	uint64_t at = (va | (PAGE_SIZE - 1)) + 1;
	if (at == 0)
		return false;
	if (!is_canonical(space, at))
		at = upper_half(space);
	for (unsigned i = 0; i < NEXT_STEPS_MAX; i++) {
		struct vtop t;
		struct err *e = memory_vtop(m, space, at, &t);
		if (!e && next_in_mapping(m, at, &t, ret_next))
			return true;
		err_free(e);
		if (!skip(space, at, &t, &at))
			return false;
	}
	*ret_next = at;
	return true;
}
