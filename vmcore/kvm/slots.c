// SPDX-License-Identifier: GPL-2.0-or-later
/* A VM's memory slots: an array until 5.16, a tree of them by guest frame number later. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/memory/memory.h"

struct layout {
	struct member base_gfn, npages, hva, flags, id; /* struct kvm_memory_slot */
	struct member array, used;			/* struct kvm_memslots: until 5.16 */
	struct member root, node_idx, node;		/* later: rb_root, which of the nodes */
	struct member left, right;			/* struct rb_node */
	uint64_t slot_size;
};

struct reading {
	struct kvm *kvm;
	struct vm *vm;
	struct layout layout;
	struct memslot *list; /* owned until it is the VM's */
	size_t count, capacity;
	unsigned as;
	size_t odd; /* slots left out */
};

static struct err *find_layout(const struct type_scope *types, struct layout *l)
{
	const struct {
		struct member *member;
		const char *type, *path;
	} wanted[] = {
		{ &l->base_gfn, "kvm_memory_slot", "base_gfn" },
		{ &l->npages, "kvm_memory_slot", "npages" },
		{ &l->hva, "kvm_memory_slot", "userspace_addr" },
		{ &l->flags, "kvm_memory_slot", "flags" },
		{ &l->id, "kvm_memory_slot", "id" },
		{ &l->array, "kvm_memslots", "memslots" },
		{ &l->used, "kvm_memslots", "used_slots" },
		{ &l->root, "kvm_memslots", "gfn_tree.rb_node" },
		{ &l->node_idx, "kvm_memslots", "node_idx" },
		{ &l->node, "kvm_memory_slot", "gfn_node" },
		{ &l->left, "rb_node", "rb_left" },
		{ &l->right, "rb_node", "rb_right" },
	};
	*l = (struct layout){ 0 };
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct err *e =
			type_scope_member(types, wanted[i].type, wanted[i].path, wanted[i].member);
		e = kvm_only_nomem(e);
		if (e)
			return e;
	}
	return kvm_only_nomem(type_scope_size(types, "kvm_memory_slot", &l->slot_size));
}

/* ---- one slot ---- */

static struct err *append(struct reading *r, const struct memslot *slot)
{
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

/* Adds the struct kvm_memory_slot at @address; an empty one is none. */
static struct err *add_slot(struct reading *r, uint64_t address)
{
	const struct layout *l = &r->layout;
	uint64_t first, pages, hva, id = 0, flags = 0;
	if (!kvm_read_number(r->kvm, address, &l->base_gfn, &first) ||
	    !kvm_read_number(r->kvm, address, &l->npages, &pages) ||
	    !kvm_read_number(r->kvm, address, &l->hva, &hva)) {
		r->odd++;
		return NULL;
	}
	if (!pages)
		return NULL;
	if (!makes_sense(first, pages, hva)) {
		r->odd++;
		return NULL;
	}
	kvm_read_number(r->kvm, address, &l->id, &id);
	kvm_read_number(r->kvm, address, &l->flags, &flags);
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
	const struct layout *l = &r->layout;
	uint64_t used = 0, count = l->array.count;
	size_t odd = r->odd;
	if (l->used.size && !kvm_read_number(r->kvm, slots, &l->used, &used)) {
		r->odd++;
		return NULL;
	}
	used = (uint32_t)used;
	/* A flexible array, since 5.7, has no length of its own. */
	if (l->used.size && (!count || used < count))
		count = used;
	if (count > SLOTS_MAX || used > count) {
		r->odd++;
		count = count < SLOTS_MAX ? count : SLOTS_MAX;
	}
	struct err *e = NULL;
	for (uint64_t i = 0; !e && i < count; i++) {
		e = add_slot(r, slots + l->array.offset + i * l->slot_size);
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
	const struct layout *l = &r->layout;
	uint64_t stack[DEPTH_MAX], index;
	unsigned depth = 1;
	struct map seen = MAP_INIT;
	struct err *e = NULL;
	if (!kvm_read_number(r->kvm, slots, &l->root, &stack[0]) ||
	    !kvm_read_number(r->kvm, slots, &l->node_idx, &index) || index >= l->node.count) {
		r->odd++;
		return NULL;
	}
	uint64_t node_offset = l->node.offset + index * l->node.element_size;
	while (!e && depth) {
		uint64_t node = stack[--depth], left, right;
		bool added;
		if (!node)
			continue;
		if (!map_add(&seen, node, 0, &added)) {
			e = err_nomem();
			break;
		}
		if (!added || seen.used > SLOTS_MAX || depth + 2 > DEPTH_MAX ||
		    !kvm_read_number(r->kvm, node, &l->left, &left) ||
		    !kvm_read_number(r->kvm, node, &l->right, &right)) {
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

static struct err *read_set(struct reading *r, uint64_t slots)
{
	const struct layout *l = &r->layout;
	if (l->root.size && l->node_idx.size && l->node.count && l->left.size && l->right.size)
		return read_tree(r, slots);
	if (l->array.is_array && l->slot_size)
		return read_array(r, slots);
	r->odd++;
	return NULL;
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
	const struct member *m = &r->kvm->layout.memslots;
	uint64_t spaces = m->is_array ? m->count : 1;
	struct err *e = NULL;
	for (uint64_t as = 0; !e && as < spaces && as < ADDRESS_SPACES_MAX; as++) {
		uint64_t slots;
		r->as = (unsigned)as;
		e = kernel_read_u64(r->kvm->parts.k, r->vm->address + m->offset + 8 * as, &slots);
		if (!e && slots)
			e = read_set(r, slots);
		else if (e)
			r->odd++;
		e = kvm_only_nomem(e);
	}
	return e;
}

struct err *kvm_read_slots(struct kvm *kvm, struct vm *vm)
{
	struct reading r = { .kvm = kvm, .vm = vm };
	struct err *e = find_layout(&kvm->types, &r.layout);
	if (!e && kvm->layout.memslots.size)
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
	if (r.count)
		qsort(r.list, r.count, sizeof(*r.list), by_place);
	vm->slots = r.list;
	vm->slot_count = r.count;
	return NULL;
}
