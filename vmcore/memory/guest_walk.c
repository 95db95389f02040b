// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/memory/guest_walk.h"

#include <inttypes.h>

#include "base/bytes.h"
#include "base/err.h"

/* Bits of an entry outside of EPT (SDM tables 4-4 to 4-20). */
#define X86_PRESENT  (UINT64_C(1) << 0)
#define X86_WRITABLE (UINT64_C(1) << 1)
#define X86_USER     (UINT64_C(1) << 2)
#define X86_ACCESSED (UINT64_C(1) << 5)
#define X86_DIRTY    (UINT64_C(1) << 6)
#define X86_NX	     (UINT64_C(1) << 63)
/* In EPT (SDM table 29-1 and following). */
#define EPT_READ     (UINT64_C(1) << 0)
#define EPT_WRITE    (UINT64_C(1) << 1)
#define EPT_EXECUTE  (UINT64_C(1) << 2)
#define EPT_ACCESSED (UINT64_C(1) << 8)
#define EPT_DIRTY    (UINT64_C(1) << 9)
/* In both: it maps a page, at a level above the lowest. */
#define ENTRY_LARGE   (UINT64_C(1) << 7)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)
/* PAT of a large page outside of EPT; the other bits below its address are reserved. */
#define LARGE_PAT (UINT64_C(1) << 12)
/* KVM: SPTE_MMU_PRESENT_MASK; and, before that was, a bit of every MMIO entry that no address of
 * memory has (kvm_mmu_set_mmio_spte_mask()). */
#define SPTE_PRESENT (UINT64_C(1) << 11)
#define SPTE_MMIO    (UINT64_C(1) << 51)

enum { SHIFT_4K = 12, BYTES_MAX = 4096 };

unsigned walk_levels(const struct walk_space *space)
{
	switch (space->format) {
	case WALK_NONE:
		return 0;
	case WALK_LEGACY:
		return 2;
	case WALK_PAE:
		return 3;
	default:
		return space->levels;
	}
}

unsigned walk_entry_bytes(const struct walk_space *space)
{
	return space->format == WALK_LEGACY ? 4 : 8;
}

unsigned walk_level_shift(const struct walk_space *space, unsigned level)
{
	unsigned bits = space->format == WALK_LEGACY ? 10 : 9;
	return SHIFT_4K + (level - 1) * bits;
}

unsigned walk_address_bits(const struct walk_space *space)
{
	if (space->format == WALK_NONE)
		return 64;
	if (space->format == WALK_LEGACY || space->format == WALK_PAE)
		return 32;
	return walk_level_shift(space, space->levels + 1u);
}

bool walk_is_signed(const struct walk_space *space)
{
	return space->format == WALK_LONG && (!space->spte || space->shadow);
}

unsigned walk_table_entries(const struct walk_space *space, unsigned level)
{
	if (space->format == WALK_PAE && level == 3)
		return 4;
	return BYTES_MAX / walk_entry_bytes(space);
}

const char *walk_level_name(unsigned level)
{
	static const char *const names[] = { "", "PT", "PD", "PDPT", "PML4", "PML5" };
	return level < sizeof(names) / sizeof(*names) ? names[level] : "";
}

/* ---- entries ---- */

static uint64_t entry_address(const struct walk_space *space, uint64_t entry)
{
	return entry & ENTRY_ADDRESS & ~space->c_mask;
}

static bool is_large(const struct walk_space *space, unsigned level, uint64_t entry)
{
	if (level == 1 || !(entry & ENTRY_LARGE))
		return false;
	if (space->format == WALK_LEGACY)
		return space->pse;
	/* The top of PAE's three has no such bit: it is reserved there, as it is from level 4 on.
	 */
	return true;
}

/* SDM table 4-4: a page of 4 MiB has bits 39:32 of its address in 20:13 (PSE-36). */
static uint64_t legacy_large_address(uint64_t entry)
{
	return (entry & 0xffc00000) | (entry >> 13 & 0xff) << 32;
}

/* Whether @entry leads anywhere at all, by the format's rules and, in KVM's tables, its own. */
static bool is_present(const struct walk_space *space, uint64_t entry)
{
	if (space->spte && space->marked)
		return entry & SPTE_PRESENT;
	if (space->format != WALK_EPT) {
		if (space->spte && entry_address(space, entry) & SPTE_MMIO)
			return false;
		return entry & X86_PRESENT;
	}
	if (!(entry & (EPT_READ | EPT_WRITE | EPT_EXECUTE)))
		return false;
	/* Writable but not readable is a misconfiguration, by which KVM marks MMIO. */
	return !space->spte || entry & EPT_READ || !(entry & EPT_WRITE);
}

enum walk_entry_kind walk_entry(const struct walk_space *space, unsigned level, uint64_t entry,
				uint64_t *ret_address)
{
	uint64_t below = (UINT64_C(1) << walk_level_shift(space, level)) - 1;
	if (!is_present(space, entry))
		return WALK_ABSENT;
	if (space->format == WALK_EPT && !space->spte && !(entry & EPT_READ) && entry & EPT_WRITE)
		return WALK_DAMAGED;
	bool large = is_large(space, level, entry);
	if (space->format == WALK_LEGACY) {
		*ret_address = large ? legacy_large_address(entry) : entry & 0xfffff000;
		return large || level == 1 ? WALK_PAGE : WALK_TABLE;
	}
	uint64_t address = entry_address(space, entry);
	if (!large && level > 1) {
		*ret_address = address;
		return WALK_TABLE;
	}
	uint64_t reserved = level > 1 ? below & ~(space->format == WALK_EPT ? 0 : LARGE_PAT) : 0;
	if (level > 3 || (space->format == WALK_PAE && level == 3) || address & reserved)
		return WALK_DAMAGED;
	*ret_address = address & ~below;
	return WALK_PAGE;
}

void walk_restrict(const struct walk_space *space, uint64_t entry, struct walk_rights *rights)
{
	if (space->format == WALK_EPT) {
		rights->readable &= (entry & EPT_READ) != 0;
		rights->writable &= (entry & EPT_WRITE) != 0;
		rights->executable &= (entry & EPT_EXECUTE) != 0;
		return;
	}
	rights->writable &= (entry & X86_WRITABLE) != 0;
	rights->user &= (entry & X86_USER) != 0;
	if (space->format != WALK_LEGACY)
		rights->executable &= (entry & X86_NX) == 0;
}

/* The entry for a PAE directory holds an address and whether it is there: no rights (SDM table
 * 4-8). */
static bool has_rights(const struct walk_space *space, unsigned level)
{
	return space->format != WALK_PAE || level < 3;
}

bool walk_is_tracked(const struct walk_space *space, uint64_t entry)
{
	return space->spte && space->marked && space->format == WALK_EPT &&
	       !(entry & (EPT_READ | EPT_WRITE | EPT_EXECUTE));
}

/* ---- walking ---- */

static bool is_translated(const struct walk_space *space, uint64_t address)
{
	unsigned bits = walk_address_bits(space);
	if (bits == 64)
		return true;
	if (!walk_is_signed(space))
		return address >> bits == 0;
	uint64_t high = address >> (bits - 1);
	return high == 0 || high == UINT64_MAX >> (bits - 1);
}

static struct err *check_space(const struct walk_space *space, uint64_t address)
{
	if ((space->format == WALK_LONG || space->format == WALK_EPT) && space->levels != 4 &&
	    space->levels != 5)
		return err_new(ERR_INVALID, "page tables of %u levels", space->levels);
	if (!is_translated(space, address))
		return err_new(ERR_NOTPRESENT, "address 0x%" PRIx64 " is not mapped: it is %s",
			       address,
			       walk_is_signed(space) ? "not canonical"
						     : "beyond what the tables translate");
	return NULL;
}

static struct err *read_step(const struct walk_reader *reader, const struct walk_space *space,
			     uint64_t table, unsigned level, uint64_t address, struct walk *w)
{
	uint8_t bytes[8] = { 0 };
	unsigned size = walk_entry_bytes(space);
	uint64_t index =
		address >> walk_level_shift(space, level) & (walk_table_entries(space, level) - 1);
	struct err *e = reader->read(reader->self, table + index * size, bytes, size);
	if (e)
		return err_wrap(e, "translate 0x%" PRIx64 ": read the page table of level %u (%s)",
				address, level, walk_level_name(level));
	w->steps[w->step_count++] = (struct walk_step){
		.level = (uint8_t)level,
		.index = (uint16_t)index,
		.table = table,
		.entry = get_u64(bytes),
	};
	return NULL;
}

static struct err *entry_error(enum walk_entry_kind kind, uint64_t address,
			       const struct walk_space *space, const struct walk_step *s)
{
	uint64_t at = s->table + (uint64_t)s->index * walk_entry_bytes(space);
	if (kind == WALK_ABSENT)
		return err_new(ERR_NOTPRESENT,
			       "address 0x%" PRIx64 " is not mapped: its %s entry at 0x%" PRIx64
			       " is 0x%" PRIx64,
			       address, walk_level_name(s->level), at, s->entry);
	return err_new(ERR_CORRUPT,
		       "translate 0x%" PRIx64 ": the %s entry at 0x%" PRIx64 ", 0x%" PRIx64
		       ", has reserved bits set",
		       address, walk_level_name(s->level), at, s->entry);
}

static void finish(const struct walk_space *space, uint64_t address, uint64_t page, uint64_t entry,
		   struct walk *w)
{
	bool ept = space->format == WALK_EPT;
	w->page_size = UINT64_C(1) << walk_level_shift(space, w->level);
	w->pa = page | (address & (w->page_size - 1));
	w->accessed = entry & (ept ? EPT_ACCESSED : X86_ACCESSED);
	w->dirty = entry & (ept ? EPT_DIRTY : X86_DIRTY);
}

/* PAE's top table is 32 bytes large and lies at any multiple of that; KVM's own is a page's start.
 */
uint64_t walk_root_table(const struct walk_space *space)
{
	switch (space->format) {
	case WALK_LEGACY:
		return space->root & 0xfffff000;
	case WALK_PAE:
		return space->spte ? space->root : space->root & 0xffffffe0;
	default:
		return entry_address(space, space->root);
	}
}

struct err *guest_walk(const struct walk_reader *reader, const struct walk_space *space,
		       uint64_t address, struct walk *ret)
{
	*ret = (struct walk){ .rights = { true, true, true, true } };
	struct err *e = check_space(space, address);
	if (e)
		return e;
	if (space->format == WALK_NONE) {
		ret->pa = address;
		ret->page_size = BYTES_MAX;
		return NULL;
	}
	uint64_t next = walk_root_table(space);
	for (unsigned level = walk_levels(space); level; level--) {
		ret->level = (uint8_t)level;
		e = read_step(reader, space, next, level, address, ret);
		if (e)
			return e;
		const struct walk_step *s = &ret->steps[ret->step_count - 1];
		enum walk_entry_kind kind = walk_entry(space, level, s->entry, &next);
		if (kind == WALK_ABSENT || kind == WALK_DAMAGED)
			return entry_error(kind, address, space, s);
		ret->tracked = kind == WALK_PAGE && walk_is_tracked(space, s->entry);
		if (has_rights(space, level) && !ret->tracked)
			walk_restrict(space, s->entry, &ret->rights);
		if (kind == WALK_PAGE) {
			finish(space, address, next, s->entry, ret);
			return NULL;
		}
	}
	return err_new(ERR_CORRUPT, "translate 0x%" PRIx64 ": the tables map nothing", address);
}

struct err *guest_walk_find_rules(const struct walk_reader *reader, struct walk_space *space)
{
	uint8_t table[BYTES_MAX];
	bool marked = false;
	if (walk_levels(space) < 4)
		return NULL;
	struct err *e = reader->read(reader->self, walk_root_table(space), table, sizeof(table));
	if (e)
		return err_wrap(e, "read the top-level table");
	for (size_t i = 0; i < sizeof(table); i += 8)
		marked |= (get_u64(table + i) & SPTE_PRESENT) != 0;
	space->marked = marked;
	return NULL;
}
