// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/printable.h"
#include "server/monitor/kvm.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/vmcore.h"

enum { REGS_A_LINE = 3 };

static void add_thread(const struct vcpu *vcpu, struct buf *out)
{
	if (vcpu->task)
		buf_addf(out, " %8" PRIu32, vcpu->task->tid);
	else
		buf_addf(out, " %8s", "-");
}

void add_vcpu_titles(struct buf *out)
{
	buf_addstr(out, "     vm   id      tid  cpu  state             exit                rip"
			"                         vcpu\n");
}

struct err *add_vcpu_line(const struct vmcore *h, const struct vcpu *vcpu, struct buf *out)
{
	struct vcpu_state s;
	struct guest_regs guest;
	struct err *e = vcpu_state_read(h->kvm, vcpu, &s);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	if (e)
		return e;
	buf_addf(out, "%7" PRIu32 " %4d", vcpu->vm->pid, vcpu->id);
	add_thread(vcpu, out);
	if (vcpu->cpu >= 0)
		buf_addf(out, " %4d", vcpu->cpu);
	else
		buf_addf(out, " %4s", "-");
	buf_addf(out, "  %-16s  ", vcpu_doing_name(s.doing));
	if (s.has_exit && !s.exit_name)
		buf_addf(out, "0x%-16" PRIx64, s.exit_code);
	else
		buf_addf(out, "%-18s", s.has_exit ? s.exit_name : "-");
	buf_addf(out, "  %-26s  0x%016" PRIx64 "\n", guest_value_text(&guest, GUEST_RIP).text,
		 vcpu->address);
	return NULL;
}

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
		add_vcpu_titles(out);
	for (size_t i = 0; !e && i < vm->vcpu_count; i++)
		e = add_vcpu_line(h, &vm->vcpus[i], out);
	return e ? e : add_slots(h, vm, out);
}

static void add_regs(const struct guest_regs *r, struct buf *out)
{
	unsigned column = 0;
	for (unsigned i = 0; i < GUEST_REGS; i++) {
		const struct guest_value *v = &r->value[i];
		if (v->from == GUEST_NOWHERE)
			continue;
		const char *from = guest_from_name(v->from);
		bool last = ++column % REGS_A_LINE == 0;
		buf_addf(out, "  %-14s 0x%016" PRIx64 " ", guest_reg_name(i), v->value);
		if (last)
			buf_addf(out, "%s\n", from);
		else
			buf_addf(out, "%-6s", from);
	}
	if (column % REGS_A_LINE)
		buf_addch(out, '\n');
}

static void add_state(const struct vcpu *vcpu, const struct vcpu_state *s, struct buf *out)
{
	buf_addf(out, "state     %s", vcpu_doing_name(s->doing));
	if (s->mode)
		buf_addf(out, ", mode: %s", s->mode);
	if (vcpu->cpu >= 0)
		buf_addf(out, ", CPU %d", vcpu->cpu);
	buf_addch(out, '\n');
	if (s->has_exit)
		buf_addf(out, "exit      %s (0x%" PRIx64 ")\n",
			 s->exit_name ? s->exit_name : "unknown", s->exit_code);
	if (s->has_requests)
		buf_addf(out, "requests  0x%" PRIx64 "\n", s->requests);
	if (s->has_root)
		buf_addf(out, "root_hpa  0x%" PRIx64 "\n", s->root_hpa);
}

/* What the registers below are, when they are not simply the guest's. */
static void add_caution(const struct guest_regs *guest, struct buf *out)
{
	if (guest->is_encrypted)
		buf_addstr(out, "registers encrypted\n");
	else if (guest->all_stale)
		buf_addf(out, "registers of an earlier exit: %s\n", guest->why_stale);
	else if (guest->in_guest)
		buf_addf(out, "registers%s inside the guest, from the CPU's note\n",
			 guest->is_nested ? " of its guest (L2)" : "");
	else
		buf_addf(out, "registers%s\n", guest->is_nested ? " of its guest (L2)" : "");
}

struct err *add_vcpu_text(const struct vmcore *h, const struct vcpu *vcpu, struct buf *out)
{
	struct vcpu_state s;
	struct guest_regs guest, l1;
	struct err *e = vcpu_state_read(h->kvm, vcpu, &s);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	if (!e)
		e = guest_regs_read_l1(h->kvm, vcpu, &l1);
	if (e)
		return e;
	buf_addf(out, "vcpu      %d of vm %" PRIu32 ", struct kvm_vcpu 0x%016" PRIx64 "\n",
		 vcpu->id, vcpu->vm->pid, vcpu->address);
	if (vcpu->task) {
		buf_addf(out, "thread    %" PRIu32 " ", vcpu->task->tid);
		add_printable(out, vcpu->task->comm);
		buf_addch(out, '\n');
	}
	add_state(vcpu, &s, out);
	add_caution(&guest, out);
	if (!guest.is_encrypted)
		add_regs(&guest, out);
	if (guest.is_nested && !guest.is_encrypted) {
		buf_addstr(out, "registers that L1 goes on with\n");
		add_regs(&l1, out);
	}
	return NULL;
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
