/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical and virtual memory of the machine that is looked at: a page source (a dump) with a page
 * cache in front, and walks through page tables over it.
 *
 * Memory that is not there comes in four kinds, and they stay apart all the way to the user:
 * ERR_EXCLUDED (filtered by makedumpfile), ERR_NOTPRESENT (the page tables say so), ERR_MISSING
 * (not in the dump: hole, truncated), ERR_CORRUPT (in the dump, cannot be decoded). Zeros are never
 * made up.
 */
#ifndef VMCORE_MEMORY_MEMORY_H
#define VMCORE_MEMORY_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT };

/* Where pages come from. */
struct page_source {
	void *self;
	/*
	 * Reads the page frame @pfn into @page (PAGE_SIZE bytes). *ret_from and *ret_to (in bytes,
	 * 0..PAGE_SIZE) bound what of it is really there: an ELF segment may start or end inside a
	 * page. Errors: the memory kinds.
	 */
	struct err *(*read_page)(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
				 uint16_t *ret_to);
	/*
	 * Reads up to @count whole page frames from @pfn on into @pages, one behind the other and
	 * in one go. Returns how many; 0: they are to be read one by one, which says why. NULL if
	 * that saves nothing.
	 */
	size_t (*read_pages)(void *self, uint64_t pfn, size_t count, void *pages);
	/* The first page frame number >= @pfn that may be readable; false if none is. */
	bool (*next_page)(void *self, uint64_t pfn, uint64_t *ret_pfn);
	/*
	 * Reads @len bytes at the virtual address @va of the kernel, all or nothing, as the kernel
	 * that runs translates it: without a look at page tables, and in one go. What is not mapped
	 * may read as zeros. NULL if the source has no such thing; ERR_MISSING for addresses that
	 * it does not have.
	 */
	struct err *(*read_mapped)(void *self, uint64_t va, void *out, size_t len);
	/* What the source keeps of pages is old; NULL if it keeps nothing that grows old. */
	void (*forget)(void *self);
};

struct memory;

/* @source is borrowed and must outlive the result. @cache_size in bytes, at least one page. */
__attribute__((warn_unused_result)) struct err *memory_new(const struct page_source *source,
							   size_t cache_size, struct memory **ret);
void memory_free(struct memory *m);

/* From now on everything is read anew, what was not there too: for a source whose memory changes
 * all the time. Takes the same time however much there is in the cache. */
void memory_forget(struct memory *m);

/* Borrowed. */
const struct page_source *memory_source(const struct memory *m);

/*
 * Reads @len bytes at physical address @pa. Part read (up to the first byte that is not there) is
 * success and *ret_done says how much; nothing read is an error. The result of pages that are not
 * there is cached like the others; pages of a long read are kept if it was slow, or asked for
 * again.
 */
__attribute__((warn_unused_result)) struct err *
memory_read_phys(struct memory *m, uint64_t pa, void *out, size_t len, size_t *ret_done);

/* The first page frame number >= @pfn that may be readable; false if none is. */
bool memory_next_page(const struct memory *m, uint64_t pfn, uint64_t *ret_pfn);

/* An address space: where x86-64 page tables (Intel SDM vol. 3, chapter 4) start. */
struct vspace {
	uint64_t root;	 /* physical address of the top-level table; 0 if there is none */
	uint8_t levels;	 /* 4 or 5 */
	uint64_t c_mask; /* bits of an entry that are no address: the memory encryption bit */
	/* A Linux process's: what is PROT_NONE in its half is translated, though the processor
	 * would not. NUMA balancing does that to any of its pages for a moment. */
	bool process;
};

/* What Linux calls an entry of @level (1 to space->levels): the top one is the PGD, however many
 * levels there are. */
const char *vspace_entry_name(const struct vspace *space, unsigned level);

/* One step of a walk: an entry that was read. */
struct vtop_step {
	uint8_t level;		/* 5 (PML5) .. 1 (page table) */
	uint64_t entry_address; /* physical address of the entry */
	uint64_t entry;
};

struct vtop {
	uint64_t pa;
	uint64_t page_size;		 /* 4 KiB, 2 MiB or 1 GiB: of the mapping that holds it */
	bool writable, user, executable; /* all levels together */
	uint8_t level; /* the walk ended here: it has the mapping or the reason why there is none */
	struct vtop_step steps[5];
	unsigned step_count;
};

/*
 * Translates @va. ERR_NOTPRESENT when a table says so or @va is not canonical; ERR_CORRUPT for
 * entries with reserved bits set; the error of a table page that cannot be read otherwise, with the
 * level in its message. When it fails, ret->level, steps and step_count are filled all the same
 * with what was walked; level is 0 if nothing was.
 */
__attribute__((warn_unused_result)) struct err *
memory_vtop(struct memory *m, const struct vspace *space, uint64_t va, struct vtop *ret);

/* As memory_read_phys(), through page tables. Reads that would pass the last address end there. */
__attribute__((warn_unused_result)) struct err *memory_read(struct memory *m,
							    const struct vspace *space, uint64_t va,
							    void *out, size_t len,
							    size_t *ret_done);

/* All or nothing: a part is an error too. */
__attribute__((warn_unused_result)) struct err *
memory_read_all(struct memory *m, const struct vspace *space, uint64_t va, void *out, size_t len);

/*
 * Reads @len bytes of the kernel's memory at @va anew, all or nothing, with as few reads of the
 * source as can be. For what is certain to be mapped while it is read, or whose being gone is
 * noticed afterwards: what is not mapped may read as zeros. Where the source needs page tables for
 * it (@space, the kernel's), it is memory_read_all(), and as old as the last memory_forget().
 */
__attribute__((warn_unused_result)) struct err *memory_read_mapped(struct memory *m,
								   const struct vspace *space,
								   uint64_t va, void *out,
								   size_t len);

/*
 * The first address above @va whose page may be readable, skipping what the tables leave out in
 * steps of the level that says so. False when there is none. Bounded: it may answer an address that
 * turns out not to be readable.
 */
bool memory_next(struct memory *m, const struct vspace *space, uint64_t va, uint64_t *ret_next);

struct memory_stats {
	uint64_t hits, misses;
	size_t cached_bytes;
};
void memory_stats(const struct memory *m, struct memory_stats *ret);

/* How often a page could not be read for a reason that may be gone the next time: what the system
 * refused, or memory that was out. What was made of that is no fact of the dump. */
uint64_t memory_faults(const struct memory *m);

#endif
