// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is neither an object nor a symbol: pages, areas of the kernel and of processes,
 * guests' memory. */
#include <inttypes.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "server/monitor/memory/what_facts.h"
#include "vmcore/code/code_map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/objects/areas.h"
#include "vmcore/kernel/objects/page_map.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

/* ---- guests ---- */

/* The slot of @vm that the process's address @hva lies in; NULL if there is none. */
static const struct memslot *slot_of(struct vmcore *h, struct vm *vm, uint64_t hva)
{
	const struct memslot *slots = NULL;
	size_t count = 0;
	struct err *e = kvm_slots(h->kvm, vm, &slots, &count);
	for (size_t i = 0; !e && i < count; i++)
		if (hva >= slots[i].hva && hva - slots[i].hva < slots[i].size)
			return &slots[i];
	err_free(e);
	return NULL;
}

static void guest_fact(struct facts *f, const struct vm *vm, const struct memslot *slot,
		       uint64_t hva)
{
	uint64_t gpa = slot->gpa + (hva - slot->hva);
	fact_begin(f, "guest");
	fact_say(f, "memory of VM %" PRIu32 ", slot %d: guest physical 0x%" PRIx64, vm->pid,
		 slot->id, gpa);
	fact_number(f, "vm", vm->pid);
	fact_hex(f, "kvm", vm->address);
	fact_number(f, "slot", (uint64_t)slot->id);
	fact_hex(f, "gpa", gpa);
	fact_end(f);
}

/* Whether the process of @vm has @pa at @hva. */
static bool is_mapped(const struct vmcore *h, const struct vm *vm, uint64_t hva, uint64_t pa)
{
	struct vspace space;
	struct vtop v;
	struct err *e = vm->owner ? task_space(h->kernel, vm->owner, &space)
				  : err_new(ERR_NOTFOUND, "its process has ended");
	if (!e)
		e = memory_vtop(h->memory, &space, hva, &v);
	bool is = !e && v.pa == pa;
	err_free(e);
	return is;
}

/* Anonymous memory's page says at which address its process has it; the page tables prove it. */
static void facts_of_guest_page(struct facts *f, uint64_t hva, uint64_t pa)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(f->h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++) {
		const struct memslot *slot = slot_of(f->h, &vms[i], hva);
		if (slot && is_mapped(f->h, &vms[i], hva, pa))
			guest_fact(f, &vms[i], slot, hva);
	}
	err_free(e);
}

/* ---- pages ---- */

/* What its flags and its type say of a page, by the first that holds. */
static const char *page_role(const struct page_map *p, uint64_t head)
{
	static const struct {
		const char *mark, *role;
	} roles[] = {
		{ "buddy", "free" },	  { "table", "a page table" },	 { "slab", "of a slab" },
		{ "offline", "offline" }, { "hugetlb", "of hugetlbfs" },
	};
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		struct page_mark mark;
		page_map_find_mark(p, roles[i].mark, &mark);
		if (page_map_is(p, head, &mark) == PAGE_IS)
			return roles[i].role;
	}
	return page_map_has_flag(p, head, "reserved") == PAGE_IS ? "reserved" : NULL;
}

static void say_mapping(struct facts *f, const struct page_map *p, uint64_t head)
{
	uint64_t mapping, inode;
	/* The lowest bits say what it points to (PAGE_MAPPING_FLAGS). */
	if (!kernel_get(p->k, head, K_PAGE_MAPPING, &mapping) || !is_kernel_address(mapping))
		return;
	if (mapping & 3) {
		if ((mapping & 3) == 1) {
			fact_say(f, ", anonymous");
			fact_str(f, "role", "anonymous");
		}
		return;
	}
	if (kernel_get(p->k, mapping, K_MAPPING_HOST, &inode) && is_kernel_address(inode)) {
		fact_say(f, ", of the file with the inode at 0x%" PRIx64, inode);
		fact_str(f, "role", "file");
		fact_hex(f, "inode", inode);
	}
}

static void page_members(struct facts *f, const struct page_map *p, uint64_t page)
{
	uint64_t head, count, number;
	fact_hex(f, "page", page);
	if (!page_map_head(p, page, &head))
		return;
	const char *role = page_role(p, head);
	if (head != page) {
		fact_say(f, ", %" PRIu64 " behind the head at 0x%" PRIx64,
			 (page - head) / p->page_size, head);
		fact_hex(f, "head", head);
	}
	if (role) {
		fact_say(f, ", %s", role);
		fact_str(f, "role", role);
	} else {
		say_mapping(f, p, head);
	}
	if (kernel_get(p->k, head, K_PAGE_REFCOUNT, &count)) {
		number = (uint32_t)count;
		fact_say(f, ", refcount %" PRId32, (int32_t)number);
		if ((int32_t)number >= 0)
			fact_number(f, "refcount", number);
	}
}

/* The address in its process that an anonymous page is for; false if it is none. */
static bool anonymous_address(const struct page_map *p, uint64_t page, uint64_t *ret)
{
	uint64_t head, mapping, index;
	if (!page_map_head(p, page, &head) || !kernel_get(p->k, head, K_PAGE_MAPPING, &mapping) ||
	    (mapping & 3) != 1 || page_role(p, head) ||
	    !kernel_get(p->k, head, K_PAGE_INDEX, &index))
		return false;
	*ret = (index + (page - head) / p->page_size) << PAGE_SHIFT;
	return true;
}

void facts_of_page(struct facts *f)
{
	uint64_t pa, offset, hva;
	const struct page_map *p = is_kernel_address(f->address) ? vmcore_pages(f->h, NULL) : NULL;
	if (!p)
		return;
	if (page_map_described(p, f->address, &pa, &offset)) {
		fact_begin(f, "page");
		fact_say(f, "struct page");
		if (offset)
			fact_say(f, "+0x%" PRIx64, offset);
		fact_say(f, " of the page at physical 0x%" PRIx64, pa);
		fact_hex(f, "offset", offset);
		fact_hex(f, "physical", pa);
		page_members(f, p, f->address - offset);
		fact_end(f);
	} else if (page_map_physical(p, f->address, &pa)) {
		uint64_t page = page_map_page(p, pa);
		if (anonymous_address(p, page, &hva))
			facts_of_guest_page(f, hva + pa % PAGE_SIZE, pa);
		fact_begin(f, "memory");
		fact_say(f, "all memory is mapped here: physical 0x%" PRIx64, pa);
		fact_hex(f, "physical", pa);
		page_members(f, p, page);
		fact_end(f);
	}
}

/* ---- areas ---- */

void facts_of_kernel_area(struct facts *f)
{
	struct kernel_area area;
	struct symbol caller;
	if (!kernel_area_find(f->h->kernel, f->address, &area))
		return;
	fact_begin(f, "vmap");
	fact_say(f, "area of vmalloc 0x%016" PRIx64 "..0x%016" PRIx64, area.start, area.end);
	fact_hex(f, "start", area.start);
	fact_hex(f, "end", area.end);
	if (area.vm)
		fact_hex(f, "vm_struct", area.vm);
	if (area.caller && code_map_symbol(f->h->code, area.caller, &caller)) {
		fact_say(f, ", made by ");
		fact_say_text(f, caller.name);
		fact_str(f, "caller", caller.name);
	}
	fact_end(f);
}

static void say_rights(struct facts *f, uint64_t flags)
{
	/* VM_READ, VM_WRITE, VM_EXEC, VM_SHARED (include/linux/mm.h) */
	const char rights[] = { flags & 1 ? 'r' : '-', flags & 2 ? 'w' : '-', flags & 4 ? 'x' : '-',
				flags & 8 ? 's' : 'p', 0 };
	fact_say(f, " %s", rights);
	fact_str(f, "rights", rights);
}

static void user_area_fact(struct facts *f, const struct task *task, const struct user_area *area)
{
	fact_begin(f, "user");
	fact_say(f, "of process %" PRIu32 " ", task->pid);
	fact_say_text(f, task->comm);
	fact_say(f, ": 0x%" PRIx64 "..0x%" PRIx64, area->start, area->end);
	fact_number(f, "pid", task->pid);
	fact_str(f, "comm", task->comm);
	fact_hex(f, "vma", area->vma);
	fact_hex(f, "start", area->start);
	fact_hex(f, "end", area->end);
	say_rights(f, area->flags);
	if (area->file) {
		uint64_t offset = area->file_offset + (f->address - area->start);
		fact_say(f, ", file ");
		fact_say_text(f, area->file_name);
		fact_say(f, "+0x%" PRIx64, offset);
		fact_str(f, "file", area->file_name);
		fact_hex(f, "file_offset", offset);
	}
	fact_end(f);
}

void facts_of_user(struct facts *f)
{
	const struct task *task = tasks_find(&f->h->tasks, f->tid);
	struct user_area area;
	struct vm *vms;
	size_t count;
	if (!is_user_address(f->address) || !task || !task->mm)
		return;
	struct err *e = kvm_vms(f->h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++) {
		const struct memslot *slot =
			vms[i].mm == task->mm ? slot_of(f->h, &vms[i], f->address) : NULL;
		if (slot)
			guest_fact(f, &vms[i], slot, f->address);
	}
	err_free(e);
	if (user_area_find(f->h->kernel, task->mm, f->address, &area))
		user_area_fact(f, task, &area);
}
