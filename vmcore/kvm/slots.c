// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's memory slots: an array until 5.16, a tree of them by guest frame number later. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/memory/memory.h"

/* Room for a struct kvm_memory_slot: 64 to 136 bytes in all kernels so far. */
enum { SLOT_BYTES = 256 };

struct reading {
	struct kvm *kvm;
	struct vm *vm;
	uint64_t slot_size;   /* of a struct kvm_memory_slot; 0 if that is unknown */
	struct memslot *list; /* owned until it is the VM's */
	size_t count, capacity;
	unsigned as;
	size_t odd;		/* slots left out */
	bool too_many;		/* all VMs together */
	const struct vm *other; /* whose the same set is; NULL: nobody's */
};

/* ---- one slot ---- */

static struct err *append(struct reading *r, const struct memslot *slot)
{
	if (r->kvm->slot_total + r->count >= SLOTS_ALL_MAX) {
		r->too_many = true;
		return NULL;
	}
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 16;
		struct memslot *grown = reallocarray(r->list, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		r->list = grown;
		r->capacity = capacity;
	}
	r->list[r->count++] = *slot;
	return NULL;
}

/* Whether [@first, @first + @pages) in pages and [@hva, ...) in bytes can be memory. */
static bool makes_sense(uint64_t first, uint64_t pages, uint64_t hva)
{
	const uint64_t frames = UINT64_C(1) << (52 - PAGE_SHIFT); /* MAXPHYADDR is 52 at most */
	return first < frames && pages <= frames - first && hva + (pages << PAGE_SHIFT) >= hva;
}

/* The whole of a struct kvm_memory_slot, in one read where that is possible. */
struct slot_bytes {
	uint64_t address;
	bool whole;
	unsigned char bytes[SLOT_BYTES];
};

static void read_slot(const struct reading *r, uint64_t address, struct slot_bytes *ret)
{
	ret->address = address;
	ret->whole = false;
	if (!r->slot_size || r->slot_size > sizeof(ret->bytes))
		return;
	struct err *e = kernel_read(r->kvm->parts.k, address, ret->bytes, r->slot_size);
	ret->whole = !e;
	err_free(e);
}

static bool get(const struct reading *r, const struct slot_bytes *s, enum kvm_member which,
		uint64_t *ret)
{
	const struct member *m = kvm_member(r->kvm, which);
	if (!s->whole || !m->size || !member_is_number(m) || m->offset > r->slot_size ||
	    m->size > r->slot_size - m->offset)
		return kvm_get(r->kvm, s->address, which, ret);
	*ret = member_value(m, s->bytes + m->offset);
	return true;
}

/* Adds the struct kvm_memory_slot at @address; an empty one is none. */
static struct err *add_slot(struct reading *r, uint64_t address)
{
	uint64_t first, pages, hva, id = 0, flags = 0;
	struct slot_bytes s;
	read_slot(r, address, &s);
	if (!get(r, &s, M_SLOT_BASE_GFN, &first) || !get(r, &s, M_SLOT_NPAGES, &pages) ||
	    !get(r, &s, M_SLOT_HVA, &hva)) {
		r->odd++;
		return NULL;
	}
	if (!pages)
		return NULL;
	if (!makes_sense(first, pages, hva)) {
		r->odd++;
		return NULL;
	}
	get(r, &s, M_SLOT_ID, &id);
	get(r, &s, M_SLOT_FLAGS, &flags);
	const struct memslot slot = {
		.address = address,
		.as = r->as,
		.id = (int)(int32_t)(uint32_t)id,
		.gpa = first << PAGE_SHIFT,
		.size = pages << PAGE_SHIFT,
		.hva = hva,
		.flags = (uint32_t)flags,
	};
	return append(r, &slot);
}

/* ---- a set of slots ---- */

static struct err *read_array(struct reading *r, uint64_t slots)
{
	const struct member *array = kvm_member(r->kvm, M_SLOTS_ARRAY);
	const bool has_used = kvm_has_member(r->kvm, M_SLOTS_USED);
	uint64_t used = 0, count = array->count;
	size_t odd = r->odd;
	if (has_used && !kvm_get(r->kvm, slots, M_SLOTS_USED, &used)) {
		r->odd++;
		return NULL;
	}
	used = (uint32_t)used;
	/* A flexible array, since 5.7, has no length of its own. */
	if (has_used && (!count || used < count))
		count = used;
	if (count > SLOTS_MAX || used > count) {
		r->odd++;
		count = count < SLOTS_MAX ? count : SLOTS_MAX;
	}
	struct err *e = NULL;
	for (uint64_t i = 0; !e && i < count && !r->too_many; i++) {
		e = add_slot(r, slots + array->offset + i * r->slot_size);
		/* Where the memory ends, so does what a made-up count promises. */
		if (r->odd > odd + 64)
			break;
	}
	return e;
}

/* The nodes to visit; a tree of so many slots that is this deep would be no red-black tree. */
enum { DEPTH_MAX = 128 };

static struct err *read_tree(struct reading *r, uint64_t slots)
{
	const struct member *nodes = kvm_member(r->kvm, M_SLOT_NODE);
	uint64_t stack[DEPTH_MAX], index;
	unsigned depth = 1;
	struct map seen = MAP_INIT;
	struct err *e = NULL;
	if (!kvm_get(r->kvm, slots, M_SLOTS_TREE, &stack[0]) ||
	    !kvm_get(r->kvm, slots, M_SLOTS_NODE_IDX, &index) || index >= nodes->count) {
		r->odd++;
		return NULL;
	}
	uint64_t node_offset = nodes->offset + index * nodes->element_size;
	while (!e && depth && !r->too_many) {
		uint64_t node = stack[--depth], left, right;
		bool added;
		if (!node)
			continue;
		if (!map_add(&seen, node, 0, &added)) {
			e = err_nomem();
			break;
		}
		if (!added || seen.used > SLOTS_MAX || depth + 2 > DEPTH_MAX ||
		    !kvm_get(r->kvm, node, M_RB_LEFT, &left) ||
		    !kvm_get(r->kvm, node, M_RB_RIGHT, &right)) {
			r->odd++;
			continue;
		}
		e = add_slot(r, node - node_offset);
		stack[depth++] = left;
		stack[depth++] = right;
	}
	map_free(&seen);
	return e;
}

static bool has_tree(const struct kvm *kvm)
{
	return kvm_has_member(kvm, M_SLOTS_TREE) && kvm_has_member(kvm, M_SLOTS_NODE_IDX) &&
	       kvm_has_member(kvm, M_SLOT_NODE) && kvm_has_member(kvm, M_RB_LEFT) &&
	       kvm_has_member(kvm, M_RB_RIGHT);
}

static struct err *read_set(struct reading *r, uint64_t slots)
{
	if (has_tree(r->kvm))
		return read_tree(r, slots);
	if (kvm_member(r->kvm, M_SLOTS_ARRAY)->is_array && r->slot_size)
		return read_array(r, slots);
	r->odd++;
	return NULL;
}

/* Each VM has sets of its own: where two have the same one, nobody knows whose it is. It is read
 * once, for who was asked for first. */
static struct err *read_once(struct reading *r, uint64_t slots)
{
	uint64_t i;
	bool added;
	size_t own = (size_t)(r->vm - r->kvm->vms);
	if (map_get(&r->kvm->slots_of, slots, &i) && i != own && i < r->kvm->vm_count) {
		const struct vm *other = &r->kvm->vms[i];
		/* On a machine that runs it may have been another one's, which has ended. */
		if (other->slots_read &&
		    (other->slot_sets[0] == slots || other->slot_sets[1] == slots)) {
			r->other = other;
			return NULL;
		}
		map_remove(&r->kvm->slots_of, slots);
	}
	if (!map_add(&r->kvm->slots_of, slots, own, &added))
		return err_nomem();
	r->vm->slot_sets[r->as] = slots;
	return read_set(r, slots);
}

static int by_place(const void *a, const void *b)
{
	const struct memslot *x = a, *y = b;
	if (x->as != y->as)
		return x->as < y->as ? -1 : 1;
	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* kvm.memslots: a pointer to the set until 4.3, later one an address space. */
static struct err *read_spaces(struct reading *r)
{
	const struct member *m = kvm_member(r->kvm, M_KVM_MEMSLOTS);
	uint64_t spaces = m->is_array ? m->count : 1;
	struct err *e = NULL;
	for (uint64_t as = 0; !e && as < spaces && as < ADDRESS_SPACES_MAX; as++) {
		uint64_t slots;
		r->as = (unsigned)as;
		e = kernel_read_u64(r->kvm->parts.k, r->vm->address + m->offset + 8 * as, &slots);
		if (!e && slots)
			e = read_once(r, slots);
		else if (e)
			r->odd++;
		e = kvm_only_nomem(e);
	}
	return e;
}

struct err *kvm_read_slots(struct kvm *kvm, struct vm *vm)
{
	struct reading r = { .kvm = kvm, .vm = vm };
	struct err *e =
		kvm_only_nomem(type_scope_size(&kvm->types, "kvm_memory_slot", &r.slot_size));
	if (!e && kvm_has_member(kvm, M_KVM_MEMSLOTS))
		e = read_spaces(&r);
	if (e) {
		free(r.list);
		return e;
	}
	if (r.odd)
		kvm_note(kvm,
			 "the VM at 0x%" PRIx64
			 ": its memory slots are damaged or not in the dump: %zu were found",
			 vm->address, r.count);
	if (r.other)
		kvm_note(kvm,
			 "the VM at 0x%" PRIx64
			 ": its memory slots are those of the VM at 0x%" PRIx64 " as well",
			 vm->address, r.other->address);
	if (r.too_many)
		kvm_note(kvm,
			 "the VM at 0x%" PRIx64
			 ": not all of its memory slots are read: there are more than %d of all "
			 "VMs",
			 vm->address, SLOTS_ALL_MAX);
	if (r.count)
		qsort(r.list, r.count, sizeof(*r.list), by_place);
	vm->slots = r.list;
	vm->slot_count = r.count;
	kvm->slot_total += r.count;
	return NULL;
}
