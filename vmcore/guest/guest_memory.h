/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's memory as its host's dump has it. Guest physical memory is what its memory slots make
 * of the owner's virtual memory, found through the owner's page tables: that needs no EPT or NPT,
 * and holds pages that the guest never touched as well. Guest virtual memory is found through the
 * guest's own tables in there.
 */
#ifndef VMCORE_GUEST_GUEST_MEMORY_H
#define VMCORE_GUEST_GUEST_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "vmcore/kvm/kvm.h"
#include "vmcore/memory/guest_walk.h"
#include "vmcore/memory/memory.h"

struct err;
struct guest_memory;
struct guest_regs;

/* Of the VM @vm (borrowed, as @kvm is; both must outlive the result). Reads nothing yet. */
__attribute__((warn_unused_result)) struct err *guest_memory_new(struct kvm *kvm, struct vm *vm,
								 struct guest_memory **ret);
void guest_memory_free(struct guest_memory *g);
/* On a machine that runs: drops what was read of slots and page tables. */
void guest_memory_forget(struct guest_memory *g);

/* From a guest physical address to the host's memory. */
struct gpa_way {
	const struct memslot *slot; /* NULL: no slot holds it */
	bool is_private; /* it is of the slot's guest_memfd: `index` is its page of the file, vtop
			    has the physical address alone, and hva and space mean nothing */
	uint64_t index;
	uint64_t hva;	     /* in the owner's address space */
	struct vspace space; /* the owner's */
	struct vtop vtop;    /* of hva */
};

/*
 * Translates @gpa (of the normal address space, not SMM's). ERR_NOTPRESENT where no slot holds it,
 * or the owner, or the file of private memory, has no page there; the kind of a table that cannot
 * be read otherwise. When it fails, *ret holds what was found all the same.
 */
__attribute__((warn_unused_result)) struct err *
guest_memory_translate(struct guest_memory *g, uint64_t gpa, struct gpa_way *ret);

/*
 * Reads @len (1 or more) bytes of guest physical memory. A part, up to what cannot be read, is
 * success, and *ret_done says how much. ERR_UNSUPPORTED for a guest whose memory is encrypted;
 * ERR_EXCLUDED where the dump's filter left it out, with a makedumpfile level that keeps it.
 */
__attribute__((warn_unused_result)) struct err *guest_memory_read_phys(struct guest_memory *g,
								       uint64_t gpa, void *out,
								       size_t len,
								       size_t *ret_done);
/* For guest_walk(): all or nothing. Borrows @g. */
struct walk_reader guest_memory_reader(struct guest_memory *g);
/* The same of the physical memory that the tables @space are in: the guest's, or its guest's. Good
 * until it is asked for another space. */
struct walk_reader guest_memory_reader_of(struct guest_memory *g, const struct walk_space *space);

/* The same by guest virtual address, through the guest's tables @space. */
__attribute__((warn_unused_result)) struct err *guest_memory_read(struct guest_memory *g,
								  const struct walk_space *space,
								  uint64_t gva, void *out,
								  size_t len, size_t *ret_done);

/* The first guest physical address above @gpa where memory may be readable; false if none is. */
bool guest_memory_next_phys(struct guest_memory *g, uint64_t gpa, uint64_t *ret);
/* The same for virtual addresses; bounded, so it may answer one that is not readable after all. */
bool guest_memory_next(struct guest_memory *g, const struct walk_space *space, uint64_t gva,
		       uint64_t *ret);

/*
 * The guest's own page tables, by its control registers: which mode they are of, and where.
 * *ret_stale says that one of the registers is an old value: the tables are those that the guest
 * used then, which the user must be told. ERR_UNSUPPORTED where the guest's state is encrypted,
 * ERR_NOTFOUND where CR0, CR3, CR4 or EFER is not known at all.
 */
__attribute__((warn_unused_result)) struct err *
guest_paging(const struct guest_regs *regs, struct walk_space *ret, bool *ret_stale);
/*
 * Where these are the registers of the guest's guest, sets space->below to the tables by which KVM
 * gives that one its memory, if it does: its physical addresses are not the guest's then.
 * ERR_NOTFOUND where those cannot be told, and nothing is known of that memory.
 */
__attribute__((warn_unused_result)) struct err *guest_paging_below(struct kvm *kvm,
								   const struct vcpu *vcpu,
								   const struct guest_regs *regs,
								   struct walk_space *space);
/* Of a Linux guest, whose tables may come in pairs, the second of which lacks the kernel: the
 * tables
 * @space as they are (@half 0), then the other ones of the pair, if @space are such (1). False if
 * there are none. */
bool guest_paging_half(const struct walk_space *space, int half, struct walk_space *ret);
/* "4 levels, long mode", "paging is off" ... */
const char *guest_paging_name(const struct walk_space *space);

#endif
