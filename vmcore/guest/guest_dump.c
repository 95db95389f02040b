// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/guest/guest_dump.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/prstatus.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_note.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"

struct guest_dump {
	struct kvm *kvm; /* borrowed, as are the next two */
	struct vm *vm;
	const struct guest_linux *linux_kernel;
	struct guest_memory *memory; /* owned */
};

/* ---- pages ---- */

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	struct guest_dump *g = self;
	size_t done = 0;
	struct err *e =
		guest_memory_read_phys(g->memory, pfn << PAGE_SHIFT, page, PAGE_SIZE, &done);
	*ret_from = 0;
	*ret_to = (uint16_t)done;
	return e;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	struct guest_dump *g = self;
	struct gpa_way way;
	uint64_t gpa = pfn << PAGE_SHIFT;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return false;
	struct err *e = guest_memory_translate(g->memory, gpa, &way);
	bool found = !e;
	err_free(e);
	if (!found && !guest_memory_next_phys(g->memory, gpa, &gpa))
		return false;
	*ret_pfn = gpa >> PAGE_SHIFT;
	return true;
}

/* ---- CPUs ---- */

/* One PRSTATUS and one of QEMU's for each vCPU whose registers are known, all PRSTATUS first. */
static struct err *add_notes(struct guest_dump *g, struct buf *out)
{
	struct buf second = BUF_INIT;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < g->vm->vcpu_count; i++) {
		struct guest_regs regs;
		struct cpu_note note = { .pid = (uint32_t)i + 1, .from_qemu = true };
		e = guest_regs_read(g->kvm, &g->vm->vcpus[i], &regs);
		if (e || regs.is_nested || regs.is_encrypted || !g->vm->vcpus[i].has_run ||
		    !guest_note_fill(&regs, &note))
			continue;
		guest_note_add(&note, out, &second);
	}
	buf_add(out, second.data, second.len);
	if (!e)
		e = buf_error(&second);
	buf_free(&second);
	return e ? e : buf_error(out);
}

/* ---- the dump ---- */

static struct err *memory_end(struct guest_dump *g, uint64_t *ret_bytes, uint64_t *ret_max_pfn)
{
	const struct memslot *slots;
	size_t count;
	struct err *e = kvm_slots(g->kvm, g->vm, &slots, &count);
	*ret_bytes = *ret_max_pfn = 0;
	for (size_t i = 0; !e && i < count; i++) {
		uint64_t end = (slots[i].gpa + (slots[i].size - 1)) >> PAGE_SHIFT;
		if (slots[i].as)
			continue;
		*ret_bytes += slots[i].size;
		if (end >= *ret_max_pfn)
			*ret_max_pfn = end + 1;
	}
	return e;
}

struct err *guest_dump_new_dump(struct guest_dump *g, struct dump **ret)
{
	const struct dump_info *outer = dump_info(kernel_dump(kvm_parts(g->kvm)->k));
	struct buf notes = BUF_INIT;
	char format[128];
	struct made_dump parts = {
		.pages = { .self = g, .read_page = read_page, .next_page = next_page },
		.format = format,
		.filtered = outer->filtered,
		.dump_level = outer->dump_level,
		.date = outer->date,
		.vmcoreinfo = g->linux_kernel->vmcoreinfo,
		.vmcoreinfo_len = g->linux_kernel->vmcoreinfo_len,
	};
	snprintf(format, sizeof(format), "virtual machine %" PRIu32 " in %s", g->vm->pid,
		 outer->format);
	struct err *e = memory_end(g, &parts.memory_bytes, &parts.max_pfn);
	if (!e)
		e = add_notes(g, &notes);
	parts.notes = notes.data;
	parts.notes_len = notes.len;
	if (!e)
		e = dump_make(&parts, ret);
	buf_free(&notes);
	return e;
}

struct err *guest_dump_open(struct kvm *kvm, struct vm *vm, struct guest_dump **ret)
{
	const struct guest_linux *found;
	struct err *e = guest_linux_find(kvm, vm, &found);
	if (!e && !found->found)
		e = err_new(ERR_UNSUPPORTED, "no Linux kernel was found in the guest: %s",
			    found->why);
	if (e)
		return e;
	struct guest_dump *g = calloc(1, sizeof(*g));
	if (!g)
		return err_nomem();
	*g = (struct guest_dump){ .kvm = kvm, .vm = vm, .linux_kernel = found };
	e = guest_memory_new(kvm, g->vm, &g->memory);
	if (e) {
		guest_dump_free(g);
		return e;
	}
	*ret = g;
	return NULL;
}

void guest_dump_free(struct guest_dump *g)
{
	if (!g)
		return;
	guest_memory_free(g->memory);
	free(g);
}
