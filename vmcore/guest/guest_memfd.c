// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/guest_memfd.h"

#include <inttypes.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/xarray.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/kvm/x86/mmu.h"
#include "vmcore/memory/memory.h"

/* Flags of a slot: KVM_MEM_GUEST_MEMFD (include/uapi/linux/kvm.h), and KVM's own
 * KVM_MEMSLOT_GMEM_ONLY (include/linux/kvm_host.h). */
#define GUEST_MEMFD (UINT32_C(1) << 2)
#define GMEM_ONLY   (UINT32_C(1) << 17)
/* KVM_MEMORY_ATTRIBUTE_PRIVATE, of a value in kvm.mem_attr_array. */
#define PRIVATE (UINT64_C(1) << 3)

enum { ORDER_MAX = 18 }; /* a folio of 1 GiB */

/* ---- private or not ---- */

/* By kvm.mem_attr_array, from frame number to attributes; where there is none, no page is. */
static struct err *is_private(struct kvm *kvm, const struct vm *vm, uint64_t gfn, bool *ret)
{
	const struct member *m;
	uint64_t entry = 0;
	*ret = false;
	bool exists;
	struct err *e = kvm_find_member(kvm, M_KVM_MEM_ATTRS, &exists, &m);
	if (e || !exists)
		return e;
	uint64_t head;
	e = kernel_read_member(kvm_parts(kvm)->k, vm->address, m, &head);
	if (!e)
		e = xarray_get(kvm_parts(kvm)->k, head, gfn, &entry);
	if (!e && entry && !(entry & 1))
		e = err_new(ERR_CORRUPT, "attributes of memory are no pointer");
	*ret = !e && entry >> 1 & PRIVATE;
	return e;
}

/* ---- the page ---- */

/* @what is the member's name for a message. */
static struct err *read_known(struct kvm *kvm, uint64_t base, enum kvm_member which,
			      const char *what, uint64_t *ret)
{
	const struct member *m;
	bool exists;
	struct err *e = kvm_find_member(kvm, which, &exists, &m);
	if (!e && !exists)
		e = err_new(ERR_NOTFOUND, "this kernel has no %s", what);
	return e ? e : kernel_read_member(kvm_parts(kvm)->k, base, m, ret);
}

/* The frame whose struct page is at @page. */
static struct err *find_frame(struct kvm *kvm, uint64_t page, uint64_t *ret)
{
	uint64_t size, base = 0;
	struct err *e = kvm_page_array(kvm, &base, &size);
	if (!e &&
	    (page < base || (page - base) % size || (page - base) / size >> (52 - PAGE_SHIFT)))
		e = err_new(ERR_CORRUPT, "0x%" PRIx64 " is no struct page", page);
	if (!e)
		*ret = (page - base) / size;
	return e;
}

/* @folio, which the file's pages @mapping have at @index, must say the same of itself. */
static struct err *check_folio(struct kvm *kvm, uint64_t folio, uint64_t mapping, uint64_t index,
			       uint64_t *ret_first)
{
	const bool has_folios = kvm_has_member(kvm, M_FOLIO_MAPPING);
	uint64_t its, first = 0;
	struct err *e = read_known(kvm, folio, has_folios ? M_FOLIO_MAPPING : M_PAGE_MAPPING,
				   "page.mapping", &its);
	if (!e)
		e = read_known(kvm, folio, has_folios ? M_FOLIO_INDEX : M_PAGE_INDEX, "page.index",
			       &first);
	if (!e && (its != mapping || first > index || (index - first) >> ORDER_MAX))
		e = err_new(ERR_CORRUPT, "the page at 0x%" PRIx64 " is of another file", folio);
	*ret_first = first;
	return e;
}

/* Page @index of the file at @file. */
static struct err *find_page(struct kvm *kvm, uint64_t file, uint64_t index, uint64_t *ret_pa)
{
	uint64_t inode = 0, mapping = 0, head = 0, folio = 0, first, frame = 0;
	struct err *e = read_known(kvm, file, M_FILE_INODE, "file.f_inode", &inode);
	if (!e)
		e = read_known(kvm, inode, M_INODE_MAPPING, "inode.i_mapping", &mapping);
	if (!e)
		e = read_known(kvm, mapping, M_MAPPING_PAGES, "address_space.i_pages", &head);
	if (!e)
		e = xarray_get(kvm_parts(kvm)->k, head, index, &folio);
	if (e)
		return e;
	if (!folio || folio & 1)
		return err_new(ERR_NOTPRESENT, "the file has no such page");
	e = check_folio(kvm, folio, mapping, index, &first);
	if (!e)
		e = find_frame(kvm, folio, &frame);
	if (!e)
		*ret_pa = (frame + (index - first)) << PAGE_SHIFT;
	return e;
}

bool guest_memfd_is_used(const struct memslot *slot)
{
	return slot->flags & GUEST_MEMFD;
}

struct err *guest_memfd_find(struct kvm *kvm, const struct vm *vm, const struct memslot *slot,
			     uint64_t gpa, bool *ret_private, uint64_t *ret_index, uint64_t *ret_pa)
{
	uint64_t file = 0, offset = 0, pa = 0;
	*ret_private = false;
	if (!guest_memfd_is_used(slot))
		return NULL;
	struct err *e = NULL;
	if (slot->flags & GMEM_ONLY)
		*ret_private = true;
	else
		e = is_private(kvm, vm, gpa >> PAGE_SHIFT, ret_private);
	if (e)
		return err_wrap(e,
				"whether guest physical address 0x%" PRIx64
				" is private (guest_memfd) is unknown",
				gpa);
	if (!*ret_private)
		return NULL;
	e = read_known(kvm, slot->address, M_SLOT_GMEM_FILE, "kvm_memory_slot.gmem", &file);
	if (!e)
		e = read_known(kvm, slot->address, M_SLOT_GMEM_PGOFF, "kvm_memory_slot.gmem",
			       &offset);
	uint64_t index = offset + ((gpa - slot->gpa) >> PAGE_SHIFT);
	if (!e)
		*ret_index = index;
	if (!e && !file)
		e = err_new(ERR_NOTPRESENT, "its file is gone");
	if (!e)
		e = find_page(kvm, file, index, &pa);
	if (e)
		return err_wrap(e,
				"guest physical address 0x%" PRIx64
				" is private (guest_memfd), page 0x%" PRIx64 " of its file",
				gpa, index);
	*ret_pa = pa | gpa % PAGE_SIZE;
	return NULL;
}
