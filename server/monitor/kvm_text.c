// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/printable.h"
#include "server/monitor/kvm.h"
#include "server/monitor/vcpu_rows.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

static struct err *add_slots(const struct vmcore *h, struct vm *vm, struct buf *out)
{
	const struct memslot *slots;
	size_t count;
	struct err *e = kvm_slots(h->kvm, vm, &slots, &count);
	if (e)
		return e;
	for (size_t i = 0; i < count; i++)
		buf_addf(out,
			 "  slot %d%s  gpa 0x%" PRIx64 "-0x%" PRIx64 "  hva 0x%" PRIx64 "  %" PRIu64
			 " KiB\n",
			 slots[i].id, slots[i].as ? " (SMM)" : "", slots[i].gpa,
			 slots[i].gpa + slots[i].size - 1, slots[i].hva, slots[i].size >> 10);
	return NULL;
}

void add_guest_linux(const struct guest_linux *g, struct buf *out)
{
	buf_addstr(out, "Linux ");
	add_printable(out, g->release);
	if (g->placed)
		buf_addf(out, ", text at 0x%" PRIx64, g->text);
	else
		buf_addstr(out, ", where its text lies is not known");
	if (g->placed && g->slide)
		buf_addf(out, ", moved by 0x%" PRIx64 " (KASLR)", g->slide);
	if (*g->build_id)
		buf_addf(out, ", build-id %s", g->build_id);
}

struct err *add_vm_text(const struct vmcore *h, struct vm *vm, struct buf *out)
{
	buf_addf(out, "vm %" PRIu32 " ", vm->pid);
	add_printable(out, vm->owner ? vm->owner->comm : "(its process is gone)");
	buf_addf(out, "  %s, %s, %zu vCPU%s, struct kvm 0x%016" PRIx64 "\n",
		 kvm_vendor_name(kvm_vendor(h->kvm)), vm_kind_name(vm->kind), vm->vcpu_count,
		 vm->vcpu_count == 1 ? "" : "s", vm->address);
	const struct guest_linux *guest;
	struct err *e = guest_linux_find(h->kvm, vm, &guest);
	if (e)
		return e;
	if (guest->found) {
		buf_addstr(out, "  ");
		add_guest_linux(guest, out);
		buf_addch(out, '\n');
	} else if (guest->unreadable) {
		buf_addf(out, "  its system is not known: %s\n", guest->why);
	}
	if (vm->vcpu_count)
		vcpu_titles(out);
	for (size_t i = 0; !e && i < vm->vcpu_count; i++)
		e = vcpu_print(h, &vm->vcpus[i], PRINT_TEXT, out);
	return e ? e : add_slots(h, vm, out);
}

void add_kvm_notes(const struct vmcore *h, struct buf *out)
{
	for (const char *at = kvm_notes(h->kvm); *at;) {
		size_t len = strcspn(at, "\n");
		buf_addstr(out, "note: ");
		buf_add(out, at, len);
		buf_addch(out, '\n');
		at += len + (at[len] == '\n');
	}
}
