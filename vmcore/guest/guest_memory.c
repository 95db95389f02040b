// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/guest_memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "vmcore/dump/dump.h"
#include "vmcore/guest/guest_memfd.h"
#include "vmcore/kernel/kernel.h"

enum {
	/* Translations that are remembered: page tables are looked at again and again. */
	TLB_ENTRIES = 4096,
	/* makedumpfile's -d: what it keeps of the pages that can be a guest's. */
	DUMP_NO_ZERO = 1,
	DUMP_NO_CACHE = 2 | 4,
	DUMP_NO_USER = 8,
	NEXT_STEPS_MAX = 1 << 14,
	MAX_PHYSICAL_BITS = 52,
};

struct tlb_entry {
	uint64_t gfn;
	uint64_t pfn; /* plus one; 0: the entry is not in use */
};

struct guest_memory {
	struct kvm *kvm;
	struct vm *vm;
	const struct kernel *k;
	struct memory *memory;
	struct vspace space;	 /* of the owner; root is 0 until it is known */
	struct walk_space below; /* of the space that guest_memory_reader_of() was asked for */
	struct tlb_entry tlb[TLB_ENTRIES];
	bool used; /* some entry is */
};

struct err *guest_memory_new(struct kvm *kvm, struct vm *vm, struct guest_memory **ret)
{
	struct guest_memory *g = calloc(1, sizeof(*g));
	if (!g)
		return err_nomem();
	g->kvm = kvm;
	g->vm = vm;
	g->k = kvm_parts(kvm)->k;
	g->memory = kernel_memory(g->k);
	*ret = g;
	return NULL;
}

void guest_memory_forget(struct guest_memory *g)
{
	kvm_forget_slots(g->kvm, g->vm);
	g->space = (struct vspace){ 0 };
	if (g->used)
		memset(g->tlb, 0, sizeof(g->tlb));
	g->used = false;
}

void guest_memory_free(struct guest_memory *g)
{
	free(g);
}

/* ---- guest physical to the host's ---- */

/* The owner's page tables: mm_struct.pgd is their address in the direct map. */
static struct err *find_space(struct guest_memory *g)
{
	uint64_t pgd;
	struct vtop vtop;
	if (g->space.root)
		return NULL;
	if (!g->vm->mm)
		return err_new(ERR_NOTFOUND, "the VM's process (kvm.mm) is unknown");
	struct err *e = kernel_read_path(g->k, g->vm->mm, "mm_struct", "pgd", &pgd);
	if (!e)
		e = memory_vtop(g->memory, kernel_space(g->k), pgd, &vtop);
	if (e)
		return err_wrap(e, "find the page tables of the VM's process");
	g->space = *kernel_space(g->k);
	g->space.root = vtop.pa;
	g->space.process = true;
	return NULL;
}

static bool has_space(struct guest_memory *g)
{
	struct err *e = find_space(g);
	err_free(e);
	return !e;
}

struct err *guest_memory_translate(struct guest_memory *g, uint64_t gpa, struct gpa_way *ret)
{
	*ret = (struct gpa_way){ 0 };
	struct err *e = kvm_slot_at(g->kvm, g->vm, 0, gpa, &ret->slot);
	if (e)
		return e;
	if (!ret->slot)
		return err_new(ERR_NOTPRESENT,
			       "guest physical address 0x%" PRIx64 " is in no memory slot", gpa);
	e = guest_memfd_find(g->kvm, g->vm, ret->slot, gpa, &ret->is_private, &ret->index,
			     &ret->vtop.pa);
	if (e)
		return e;
	if (ret->is_private) {
		ret->vtop.page_size = PAGE_SIZE;
		return NULL;
	}
	ret->hva = ret->slot->hva + (gpa - ret->slot->gpa);
	e = find_space(g);
	if (e)
		return e;
	ret->space = g->space;
	e = memory_vtop(g->memory, &g->space, ret->hva, &ret->vtop);
	return err_wrap(e, "guest physical address 0x%" PRIx64, gpa);
}

/* Where the page of @gpa is in the host's memory; remembered. */
static struct err *find_page(struct guest_memory *g, uint64_t gpa, uint64_t *ret_pa)
{
	uint64_t gfn = gpa >> PAGE_SHIFT;
	struct tlb_entry *entry = &g->tlb[map_hash(gfn) % TLB_ENTRIES];
	if (!entry->pfn || entry->gfn != gfn) {
		struct gpa_way way;
		struct err *e = guest_memory_translate(g, gpa, &way);
		if (e)
			return e;
		g->used = true;
		*entry = (struct tlb_entry){ gfn, (way.vtop.pa >> PAGE_SHIFT) + 1 };
	}
	*ret_pa = (entry->pfn - 1) << PAGE_SHIFT | gpa % PAGE_SIZE;
	return NULL;
}

/*
 * Which -d would have kept it: guest memory is user memory, or page cache where it is shared; and
 * what is zero is left out whatever it is.
 */
static struct err *explain(const struct guest_memory *g, uint64_t gpa, struct err *e)
{
	int level = dump_info(kernel_dump(g->k))->dump_level;
	if (err_code(e) != ERR_EXCLUDED)
		return err_wrap(e, "guest physical address 0x%" PRIx64, gpa);
	err_free(e);
	if (level <= 0)
		return err_new(ERR_EXCLUDED,
			       "guest physical address 0x%" PRIx64
			       ": excluded by the dump's filter; makedumpfile -d 16 keeps it",
			       gpa);
	return err_new(
		ERR_EXCLUDED,
		"guest physical address 0x%" PRIx64
		": excluded by the dump's filter (makedumpfile -d %d); -d %d keeps it (-d %d is "
		"enough for what is neither zeros nor memory that the guest shares)",
		gpa, level, level & ~(DUMP_NO_ZERO | DUMP_NO_CACHE | DUMP_NO_USER),
		level & ~DUMP_NO_USER);
}

/* The host can read those bytes; what they say is known to the processor alone. */
static struct err *check_plain(const struct guest_memory *g)
{
	switch (g->vm->kind) {
	case VM_SEV:
	case VM_SEV_ES:
	case VM_SNP:
	case VM_TDX:
		return err_new(ERR_UNSUPPORTED, "the guest's memory is encrypted (%s)",
			       vm_kind_name(g->vm->kind));
	default:
		return NULL;
	}
}

struct err *guest_memory_read_phys(struct guest_memory *g, uint64_t gpa, void *out, size_t len,
				   size_t *ret_done)
{
	size_t done = 0;
	struct err *e = check_plain(g);
	if (e)
		return e;
	if (len > 0 && len - 1 > UINT64_MAX - gpa)
		len = (size_t)(UINT64_MAX - gpa) + 1;
	while (done < len) {
		uint64_t pa, at = gpa + done;
		size_t want = PAGE_SIZE - at % PAGE_SIZE, got = 0;
		if (want > len - done)
			want = len - done;
		e = find_page(g, at, &pa);
		if (!e) {
			e = memory_read_phys(g->memory, pa, (char *)out + done, want, &got);
			e = e ? explain(g, at, e) : NULL;
		}
		if (e && !done)
			return e;
		err_free(e);
		done += got;
		if (got < want)
			break;
	}
	*ret_done = done;
	return NULL;
}

static struct err *read_table(void *self, uint64_t pa, void *out, size_t len)
{
	size_t done;
	struct err *e = guest_memory_read_phys(self, pa, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING,
			    "guest physical address 0x%" PRIx64 ": it cannot be read whole", pa);
	return e;
}

struct walk_reader guest_memory_reader(struct guest_memory *g)
{
	return (struct walk_reader){ g, read_table };
}

/* ---- physical memory of the guest's guest ---- */

static struct err *read_host(void *self, uint64_t pa, void *out, size_t len)
{
	const struct guest_memory *g = self;
	size_t done;
	struct err *e = memory_read_phys(g->memory, pa, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING, "physical address 0x%" PRIx64 ": not in the dump",
			    pa + done);
	return e;
}

/* By the tables that KVM gave to the processor: nothing else leads there. */
static struct err *read_below(struct guest_memory *g, uint64_t address, void *out, size_t len,
			      size_t *ret_done)
{
	const struct walk_reader reader = { g, read_host };
	size_t done = 0;
	struct err *e = check_plain(g);
	if (e)
		return e;
	while (done < len && address + done >= address) {
		struct walk w;
		size_t want = len - done, got = 0;
		e = guest_walk(&reader, &g->below, address + done, &w);
		if (!e) {
			uint64_t rest = w.page_size - ((address + done) & (w.page_size - 1));
			if (want > rest)
				want = (size_t)rest;
			e = memory_read_phys(g->memory, w.pa, (char *)out + done, want, &got);
		}
		if (e && !done)
			return err_wrap(e, "physical address 0x%" PRIx64 " of the guest's guest",
					address);
		err_free(e);
		done += got;
		if (got < want)
			break;
	}
	*ret_done = done;
	return NULL;
}

static struct err *read_table_below(void *self, uint64_t pa, void *out, size_t len)
{
	size_t done;
	struct err *e = read_below(self, pa, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING,
			    "physical address 0x%" PRIx64
			    " of the guest's guest: it cannot be read whole",
			    pa);
	return e;
}

struct walk_reader guest_memory_reader_of(struct guest_memory *g, const struct walk_space *space)
{
	if (space->below.format == WALK_NONE)
		return guest_memory_reader(g);
	g->below = (struct walk_space){
		.format = space->below.format,
		.root = space->below.root,
		.levels = space->below.levels,
		.spte = true,
		.marked = space->below.marked,
		.c_mask = kernel_space(g->k)->c_mask,
	};
	return (struct walk_reader){ g, read_table_below };
}

static struct err *read_phys_of(struct guest_memory *g, const struct walk_space *space, uint64_t pa,
				void *out, size_t len, size_t *ret_done)
{
	return space->below.format == WALK_NONE ? guest_memory_read_phys(g, pa, out, len, ret_done)
						: read_below(g, pa, out, len, ret_done);
}

/* ---- guest virtual ---- */

struct err *guest_memory_read(struct guest_memory *g, const struct walk_space *space, uint64_t gva,
			      void *out, size_t len, size_t *ret_done)
{
	struct walk_reader reader = guest_memory_reader_of(g, space);
	size_t done = 0;
	if (len > 0 && len - 1 > UINT64_MAX - gva)
		len = (size_t)(UINT64_MAX - gva) + 1;
	while (done < len) {
		struct walk w;
		size_t want = len - done, got = 0;
		struct err *e = guest_walk(&reader, space, gva + done, &w);
		if (!e) {
			uint64_t rest = w.page_size - ((gva + done) & (w.page_size - 1));
			if (want > rest)
				want = (size_t)rest;
			e = read_phys_of(g, space, w.pa, (char *)out + done, want, &got);
		}
		if (e && !done)
			return err_wrap(e, "guest virtual address 0x%" PRIx64, gva);
		err_free(e);
		done += got;
		if (got < want)
			break;
	}
	*ret_done = done;
	return NULL;
}

/* ---- over holes ---- */

bool guest_memory_next_phys(struct guest_memory *g, uint64_t gpa, uint64_t *ret)
{
	const struct memslot *slots;
	size_t count;
	uint64_t next = (gpa | (PAGE_SIZE - 1)) + 1, best = UINT64_MAX;
	struct err *e = kvm_slots(g->kvm, g->vm, &slots, &count);
	if (e || !next) {
		err_free(e);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		const struct memslot *s = &slots[i];
		uint64_t at = next;
		if (s->as || s->gpa + (s->size - 1) < next)
			continue;
		if (s->gpa > at)
			at = s->gpa;
		else if (!guest_memfd_is_used(s) && has_space(g)) {
			/* Within a slot the owner's tables say where the next page is. */
			uint64_t hva = s->hva + (at - s->gpa) - PAGE_SIZE;
			if (!memory_next(g->memory, &g->space, hva, &hva) || hva < s->hva ||
			    hva - s->hva >= s->size)
				continue;
			at = s->gpa + (hva - s->hva);
		}
		if (at < best)
			best = at;
	}
	*ret = best;
	return best != UINT64_MAX && best > gpa;
}

bool guest_memory_next(struct guest_memory *g, const struct walk_space *space, uint64_t gva,
		       uint64_t *ret)
{
	struct walk_reader reader = guest_memory_reader_of(g, space);
	uint64_t at = (gva | (PAGE_SIZE - 1)) + 1;
	if (space->format == WALK_NONE && space->below.format == WALK_NONE)
		return guest_memory_next_phys(g, gva, ret);
	if (space->format == WALK_NONE) {
		/* Page by page, as many as there may be. */
		*ret = at;
		return at != 0 && at >> MAX_PHYSICAL_BITS == 0;
	}
	unsigned bits = walk_address_bits(space);
	for (unsigned i = 0; at && i < NEXT_STEPS_MAX; i++) {
		struct walk w;
		if (space->format == WALK_LONG && at >> (bits - 1) &&
		    at >> (bits - 1) != UINT64_MAX >> (bits - 1))
			at = UINT64_MAX << (bits - 1);
		else if (space->format != WALK_LONG && at >> bits)
			return false;
		struct err *e = guest_walk(&reader, space, at, &w);
		if (!e) {
			*ret = at;
			return true;
		}
		err_free(e);
		unsigned level = w.level ? w.level : 1;
		/* A table that cannot be read says nothing of all that it translates. */
		if (!w.step_count || w.steps[w.step_count - 1].level != level)
			level++;
		if (level > walk_levels(space))
			return false;
		at = (at | ((UINT64_C(1) << walk_level_shift(space, level)) - 1)) + 1;
	}
	*ret = at;
	return at != 0;
}
