/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks through the page tables that a virtual machine is made of: a guest's own, of every mode of
 * x86, and those that translate its physical addresses (EPT, NPT) or stand in for its own (shadow
 * tables). Tables are read through a callback, for those of a guest lie in guest physical memory.
 *
 * A walk takes one step a level, so tables that lead back to themselves cannot hold it up.
 */
#ifndef VMCORE_MEMORY_GUEST_WALK_H
#define VMCORE_MEMORY_GUEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Where tables are read from. */
struct walk_reader {
	void *self;
	/* Reads @len bytes at physical address @pa, all or nothing. Errors: the memory kinds. */
	struct err *(*read)(void *self, uint64_t pa, void *out, size_t len);
};

/* Intel SDM vol. 3, chapter 4 and 29.3.2; AMD APM vol. 2, chapter 5 and 15.25. */
enum walk_format {
	WALK_NONE,   /* paging is off: every address stands for itself */
	WALK_LEGACY, /* 2 levels of 4-byte entries */
	WALK_PAE,    /* 3 levels, 4 entries in the top one */
	WALK_LONG,   /* 4 or 5 levels: long mode, and AMD's nested tables */
	WALK_EPT,    /* 4 or 5 levels, Intel's */
};

enum { WALK_LEVELS_MAX = 5 };

/* The tables that stand below another set's. */
struct walk_below {
	enum walk_format format; /* WALK_NONE: there are none */
	uint64_t root;
	uint8_t levels;
	bool marked;
};

struct walk_space {
	enum walk_format format;
	uint64_t root;	/* physical address of the top-level table */
	uint8_t levels; /* of WALK_LONG and WALK_EPT */
	bool pse;	/* WALK_LEGACY: CR4.PSE, there are pages of 4 MiB */
	bool spte;	/* KVM's own tables: its software rules hold; see guest_walk_find_rules() */
	bool marked;	/* of those: every entry that leads on has bit 11 set */
	bool shadow; /* of those: they stand in for a guest's own, and translate virtual addresses
		      */
	bool tree;   /* no table has two places; walk_ranges.h holds them to it */
	struct walk_below below; /* of a guest's guest: by what its physical addresses are
				    translated; guest_walk() does not look at it */
	uint64_t c_mask; /* bits of an entry that are no address: the memory encryption bit */
};

/* One entry that was read. */
struct walk_step {
	uint8_t level; /* 5 .. 1 */
	uint16_t index;
	uint64_t table; /* physical address of the table; the entry is index * its size further */
	uint64_t entry;
};

/* What the entries allow, all levels together. */
struct walk_rights {
	bool readable, writable, executable;
	bool user; /* of WALK_LEGACY, _PAE, _LONG: user mode may */
};

struct walk {
	uint64_t pa;
	uint64_t page_size; /* bytes: of the mapping that holds it; 4 KiB where paging is off */
	struct walk_rights rights;
	bool accessed, dirty; /* of the last entry */
	bool tracked; /* KVM took all rights away to see whether the page is used; `rights` are then
			 those of the tables above */
	uint8_t level; /* the walk ended here: it has the mapping or the reason why there is none */
	struct walk_step steps[WALK_LEVELS_MAX];
	unsigned step_count;
};

/*
 * Translates @address. ERR_NOTPRESENT when a table says so, or @address is beyond what the tables
 * translate (not canonical); ERR_CORRUPT for entries with reserved bits set; the error of a table
 * that cannot be read otherwise. When it fails, ret->level, steps and step_count hold what was
 * walked all the same.
 */
__attribute__((warn_unused_result)) struct err *guest_walk(const struct walk_reader *reader,
							   const struct walk_space *space,
							   uint64_t address, struct walk *ret);

/*
 * Sets space->marked for tables of KVM, by their top level: since 5.14 KVM sets bit 11 of every
 * entry that leads on (SPTE_MMU_PRESENT_MASK, arch/x86/kvm/mmu/spte.h), which no entry for a table
 * had before. Tables of three levels or less have no such entry, and nothing is said.
 */
__attribute__((warn_unused_result)) struct err *
guest_walk_find_rules(const struct walk_reader *reader, struct walk_space *space);

/* Entries a table of @level has, and bytes an entry. */
unsigned walk_table_entries(const struct walk_space *space, unsigned level);
unsigned walk_entry_bytes(const struct walk_space *space);
/* The bits of an address that an entry of @level does not translate. */
unsigned walk_level_shift(const struct walk_space *space, unsigned level);
/* The number of levels, whatever the format. */
unsigned walk_levels(const struct walk_space *space);
/* How many bits of an address are translated; those above are 0, or all like the highest one where
 * walk_is_signed(). */
unsigned walk_address_bits(const struct walk_space *space);
/* Whether they translate virtual addresses of long mode. */
bool walk_is_signed(const struct walk_space *space);

enum walk_entry_kind { WALK_ABSENT, WALK_TABLE, WALK_PAGE, WALK_DAMAGED };

/* What @entry of a table of @level is, and for WALK_TABLE and WALK_PAGE where it leads. */
enum walk_entry_kind walk_entry(const struct walk_space *space, unsigned level, uint64_t entry,
				uint64_t *ret_address);
/* Takes away from @rights what @entry does not allow. */
void walk_restrict(const struct walk_space *space, uint64_t entry, struct walk_rights *rights);

/* Whether KVM took away the rights of the page that @entry maps, to see whether it is used, as it
 * does where EPT has no accessed bits. */
bool walk_is_tracked(const struct walk_space *space, uint64_t entry);
/* Physical address of the top-level table: the root without what CR3 or EPTP hold beside it. */
uint64_t walk_root_table(const struct walk_space *space);

/* "PML5", "PML4", "PDPT", "PD", "PT" */
const char *walk_level_name(unsigned level);

#endif
