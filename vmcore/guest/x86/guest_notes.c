// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which vCPU's registers a note of QEMU's holds. QEMU notes what a CPU has at the moment; of one
 * that is inside a guest of the dumped machine's KVM these are the guest's registers, and nothing
 * in the note says which guest it is.
 *
 * It is told by exclusion alone. Every note is of one CPU and every CPU that runs a task has one,
 * so once the other notes are known to be of other CPUs, a note that only one CPU can have is that
 * CPU's, and so is the only note that a CPU can have. What a CPU cannot have: a note whose control
 * registers are not those that KVM gave the vCPU there, or whose rip leads nowhere in its guest's
 * memory. Where anything does not add up nothing is believed.
 */
#include "vmcore/guest/x86/guest_notes.h"

#include <stdlib.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/dump/notes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/code_map.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_private.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpu_notes.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm_private.h"
#include "vmcore/kvm/vcpu_state.h"

/* Pairs of a note and a CPU that are looked at. Beyond, all registers stay stale. */
enum { PAIRS_MAX = 1 << 18 };

#define CR0_MP	  (UINT64_C(1) << 1)
#define CR0_TS	  (UINT64_C(1) << 3)
#define CR0_PG	  (UINT64_C(1) << 31)
#define CR4_MCE	  (UINT64_C(1) << 6)
#define CR4_VMXE  (UINT64_C(1) << 13)
#define CR3_TABLE UINT64_C(0x000ffffffffff000)

/* A CPU that has no note of the host's registers. */
struct seat {
	const struct cpu *cpu;
	const struct vcpu *vcpu; /* that it was inside of, or NULL */
	bool needs_note;	 /* it runs a task, so there is one of it */
	struct guest_regs known; /* of vcpu, as KVM has them */
	struct guest_hardware hardware;
	size_t choices; /* notes left that it can have */
};

struct puzzle {
	struct kvm *kvm; /* borrowed, as is the next */
	const struct guest_notes *notes;
	struct seat *seats; /* owned, as is all that follows */
	size_t seat_count;
	bool *can;	 /* [note * seat_count + seat] */
	size_t *choices; /* by note: seats left that can have it */
	size_t *owner;	 /* by note: 1 + its seat, 0 while there is none */
};

/* ---- the CPUs without a note ---- */

/* What KVM itself says is loaded on the CPU (kvm_running_vcpu, since 5.6) does not contradict. */
static bool is_loaded_on(struct kvm *kvm, const struct vcpu *vcpu, const struct cpu *cpu)
{
	uint64_t place, running;
	if (vcpu->cpu != (int)cpu->number)
		return false;
	if (!code_map_percpu(kvm->parts.code, "kvm", "kvm_running_vcpu", cpu, &place))
		return true;
	struct err *e = kernel_read_u64(kvm->parts.k, place, &running);
	bool is = !e && running == vcpu->address;
	err_free(e);
	return is;
}

static struct err *fill_seat(struct puzzle *p, struct seat *seat, const struct vcpu *vcpu)
{
	enum vcpu_side side;
	struct err *e = vcpu_side_read(p->kvm, vcpu, &side);
	if (e || side != VCPU_SIDE_GUEST || vcpu->is_protected || vcpu->vm->kind == VM_TDX ||
	    !is_loaded_on(p->kvm, vcpu, seat->cpu))
		return e;
	e = guest_regs_read_kept(p->kvm, vcpu, &seat->known);
	if (!e)
		e = guest_hardware_read(p->kvm, vcpu, &seat->hardware);
	if (!e && seat->hardware.paging_known)
		seat->vcpu = vcpu;
	return e;
}

static struct err *find_seats(struct puzzle *p)
{
	const struct cpus *cpus = p->kvm->parts.cpus;
	p->seats = calloc(cpus->count + 1, sizeof(*p->seats));
	if (!p->seats)
		return err_nomem();
	for (size_t c = 0; c < cpus->count; c++) {
		const struct cpu *cpu = &cpus->list[c];
		if (registers_note(p->kvm->parts.registers, cpu->number))
			continue;
		p->seats[p->seat_count++] = (struct seat){
			.cpu = cpu,
			.needs_note = cpu->curr && cpu->curr != cpu->idle,
		};
	}
	struct err *e = NULL;
	for (size_t i = 0; !e && i < p->kvm->vm_count; i++) {
		struct vm *vm = &p->kvm->vms[i];
		for (size_t n = 0; !e && n < vm->vcpu_count; n++) {
			const struct task *task = vm->vcpus[n].loader;
			for (size_t s = 0; !e && task && task->on_cpu && s < p->seat_count; s++)
				if (p->seats[s].cpu->curr == task->address && !p->seats[s].vcpu)
					e = fill_seat(p, &p->seats[s], &vm->vcpus[n]);
		}
	}
	return e;
}

/* ---- whether a note can be of a vCPU ---- */

/* KVM lets guests write TS and MP of cr0 by themselves, or none of its bits: then the processor may
 * have others than the guest sees. */
static bool same_cr0(const struct seat *seat, uint64_t cr0)
{
	const struct guest_value *kept = &seat->known.value[GUEST_CR0];
	const uint64_t own = CR0_TS | CR0_MP;
	if (kept->from != GUEST_NOWHERE && !((kept->value ^ cr0) & ~own))
		return true;
	return seat->hardware.has_cr && !((seat->hardware.cr0 ^ cr0) & ~own);
}

/* What KVM adds of its own, on Intel, hides behind a mask from the guest but not from QEMU. */
static bool same_cr4(const struct seat *seat, uint64_t cr4)
{
	const struct guest_value *kept = &seat->known.value[GUEST_CR4];
	const uint64_t own = seat->hardware.cr4_owned;
	if (kept->from != GUEST_NOWHERE && !((kept->value ^ cr4) & ~own))
		return true;
	if (seat->hardware.has_cr)
		return !((seat->hardware.cr4 ^ cr4) & ~own);
	return kept->from != GUEST_NOWHERE && !((kept->value ^ cr4) & ~(own | CR4_VMXE | CR4_MCE));
}

/* What the note does not say may be another than what KVM kept last. */
static void merge_table(const uint64_t *table, enum guest_reg base, enum guest_reg limit,
			struct guest_regs *r)
{
	if (table[TABLE_KNOWN]) {
		guest_set(r, base, table[TABLE_BASE], GUEST_NOTE);
		guest_set(r, limit, table[TABLE_LIMIT], GUEST_NOTE);
		return;
	}
	for (enum guest_reg reg = base; reg <= limit; reg++)
		if (r->value[reg].from != GUEST_NOWHERE)
			guest_set(r, reg, r->value[reg].value, GUEST_STALE);
}

static struct guest_regs merge(const struct seat *seat, const struct cpu_note *note);

/* False only where the guest's own page tables, or its guest's while it runs one, and what they
 * lead to say that there is no code. */
static struct err *leads_to_code(struct kvm *kvm, struct guest_memory *memory,
				 const struct seat *seat, const struct cpu_note *note, bool *ret)
{
	struct guest_regs regs = merge(seat, note);
	struct walk_reader reader;
	struct walk_space space;
	struct walk w;
	struct gpa_way way;
	bool stale;
	struct err *e = guest_paging(&regs, &space, &stale);
	uint64_t pc = note->regs.value[REG_RIP];
	if (!e && space.format != WALK_LONG)
		pc = (uint32_t)(pc + note->system[NOTE_BASE + SEGMENT_CS]);
	if (!e)
		e = guest_paging_below(kvm, seat->vcpu, &regs, &space);
	if (!e) {
		reader = guest_memory_reader_of(memory, &space);
		e = guest_walk(&reader, &space, pc, &w);
	}
	/* Memory slots are the guest's; of its guest's memory the tables alone tell. */
	if (!e && w.rights.executable && space.below.format == WALK_NONE)
		e = guest_memory_translate(memory, w.pa, &way);
	*ret = e ? err_code(e) != ERR_NOTPRESENT && err_code(e) != ERR_CORRUPT
		 : w.rights.executable;
	return kvm_only_nomem(e);
}

static struct err *can_have(struct kvm *kvm, struct guest_memory *memory, const struct seat *seat,
			    const struct cpu_note *note, bool *ret)
{
	if (!seat->vcpu) {
		/* An idle CPU runs no guest. One that was never started, or is offline, may be
		 * waiting anywhere. */
		*ret = seat->needs_note || !seat->cpu->online || !(note->system[NOTE_CR0] & CR0_PG);
		return NULL;
	}
	*ret = same_cr0(seat, note->system[NOTE_CR0]) && same_cr4(seat, note->system[NOTE_CR4]);
	if (!*ret)
		return NULL;
	if (seat->hardware.is_shadow && seat->hardware.has_root &&
	    (note->system[NOTE_CR3] & CR3_TABLE) != (seat->hardware.root & CR3_TABLE))
		*ret = false;
	return *ret ? leads_to_code(kvm, memory, seat, note, ret) : NULL;
}

static struct err *find_choices(struct puzzle *p)
{
	struct err *e = NULL;
	for (size_t s = 0; !e && s < p->seat_count; s++) {
		struct seat *seat = &p->seats[s];
		struct guest_memory *memory = NULL;
		if (seat->vcpu)
			e = guest_memory_new(p->kvm, kvm_vm_at(p->kvm, seat->vcpu->vm->address),
					     &memory);
		for (size_t n = 0; !e && n < p->notes->count; n++) {
			bool *can = &p->can[n * p->seat_count + s];
			e = can_have(p->kvm, memory, seat, &p->notes->list[n], can);
			if (e || !*can)
				continue;
			seat->choices++;
			p->choices[n]++;
		}
		guest_memory_free(memory);
	}
	return e;
}

/* ---- exclusion ---- */

static void give(struct puzzle *p, size_t note, size_t seat)
{
	p->owner[note] = seat + 1;
	for (size_t s = 0; s < p->seat_count; s++) {
		bool *can = &p->can[note * p->seat_count + s];
		p->seats[s].choices -= *can;
		*can = false;
	}
	for (size_t n = 0; n < p->notes->count; n++) {
		bool *can = &p->can[n * p->seat_count + seat];
		p->choices[n] -= *can;
		*can = false;
	}
	p->choices[note] = 0;
	p->seats[seat].choices = 0;
	p->seats[seat].needs_note = false;
}

static size_t only_seat_of(const struct puzzle *p, size_t note)
{
	size_t s = 0;
	while (!p->can[note * p->seat_count + s])
		s++;
	return s;
}

static size_t only_note_of(const struct puzzle *p, size_t seat)
{
	size_t n = 0;
	while (!p->can[n * p->seat_count + seat])
		n++;
	return n;
}

static bool give_one(struct puzzle *p)
{
	for (size_t n = 0; n < p->notes->count; n++)
		if (p->choices[n] == 1) {
			give(p, n, only_seat_of(p, n));
			return true;
		}
	for (size_t s = 0; s < p->seat_count; s++)
		if (p->seats[s].needs_note && p->seats[s].choices == 1) {
			give(p, only_note_of(p, s), s);
			return true;
		}
	return false;
}

/* Whether everything that is not settled can still be. */
static bool adds_up(const struct puzzle *p)
{
	for (size_t n = 0; n < p->notes->count; n++)
		if (!p->owner[n] && !p->choices[n])
			return false;
	for (size_t s = 0; s < p->seat_count; s++)
		if (p->seats[s].needs_note && !p->seats[s].choices)
			return false;
	return true;
}

static struct err *solve(struct puzzle *p)
{
	size_t notes = p->notes->count;
	struct err *e = find_seats(p);
	if (e)
		return e;
	if (!p->seat_count || notes * p->seat_count > PAIRS_MAX)
		return NULL;
	p->can = calloc(notes * p->seat_count, sizeof(*p->can));
	p->choices = calloc(notes, sizeof(*p->choices));
	p->owner = calloc(notes, sizeof(*p->owner));
	if (!p->can || !p->choices || !p->owner)
		return err_nomem();
	e = find_choices(p);
	if (e)
		return e;
	while (adds_up(p) && give_one(p))
		;
	bool good = adds_up(p);
	for (size_t n = 0; !e && good && n < notes; n++) {
		const struct vcpu *vcpu = p->owner[n] ? p->seats[p->owner[n] - 1].vcpu : NULL;
		if (vcpu && !map_put(&p->kvm->note_of, vcpu->address, n))
			e = err_nomem();
	}
	if (!good)
		log_debug(LOG_TASKS, "KVM: notes of guests do not fit the CPUs that have none");
	return e;
}

/* What exclusion rests on: all notes were told apart, and all CPUs are known. */
static bool can_be_told(const struct kvm *kvm, const struct guest_notes *notes)
{
	return notes->count && notes->complete && notes->total <= kvm->parts.cpus->count;
}

static struct err *match_notes(struct kvm *kvm)
{
	struct puzzle p = { .kvm = kvm, .notes = registers_guest_notes(kvm->parts.registers) };
	if (!can_be_told(kvm, p.notes))
		return NULL;
	struct err *e = solve(&p);
	free(p.seats);
	free(p.can);
	free(p.choices);
	free(p.owner);
	return e;
}

/* ---- answers ---- */

static const struct {
	enum guest_reg guest;
	enum reg reg;
} general[] = {
	{ GUEST_RAX, REG_RAX }, { GUEST_RCX, REG_RCX }, { GUEST_RDX, REG_RDX },
	{ GUEST_RBX, REG_RBX }, { GUEST_RSP, REG_RSP }, { GUEST_RBP, REG_RBP },
	{ GUEST_RSI, REG_RSI }, { GUEST_RDI, REG_RDI }, { GUEST_R8, REG_R8 },
	{ GUEST_R9, REG_R9 },	{ GUEST_R10, REG_R10 }, { GUEST_R11, REG_R11 },
	{ GUEST_R12, REG_R12 }, { GUEST_R13, REG_R13 }, { GUEST_R14, REG_R14 },
	{ GUEST_R15, REG_R15 }, { GUEST_RIP, REG_RIP }, { GUEST_RFLAGS, REG_EFLAGS },
};

static const struct {
	enum guest_reg selector, base; /* GUEST_REGS: not among them */
} segments[SEGMENTS] = {
	[SEGMENT_CS] = { GUEST_CS, GUEST_CS_BASE }, [SEGMENT_DS] = { GUEST_DS, GUEST_REGS },
	[SEGMENT_ES] = { GUEST_ES, GUEST_REGS },	 [SEGMENT_FS] = { GUEST_FS, GUEST_FS_BASE },
	[SEGMENT_GS] = { GUEST_GS, GUEST_GS_BASE }, [SEGMENT_SS] = { GUEST_SS, GUEST_REGS },
};

/*
 * What the guest sees of a control register that KVM shows it another value of than the processor
 * has is in kvm_vcpu_arch, and current: every access to it exits. So is EFER, which is in no note.
 */
static void merge_control(const struct seat *seat, const struct cpu_note *note,
			  struct guest_regs *r)
{
	const struct guest_regs *known = &seat->known;
	const struct guest_value *cr0 = &known->value[GUEST_CR0], *cr4 = &known->value[GUEST_CR4];
	if (cr0->from == GUEST_NOWHERE || !((cr0->value ^ note->system[NOTE_CR0]) & ~(CR0_TS | CR0_MP)))
		guest_set(r, GUEST_CR0, note->system[NOTE_CR0], GUEST_NOTE);
	else
		guest_set(r, GUEST_CR0, cr0->value, GUEST_ARCH);
	if (cr4->from == GUEST_NOWHERE || !((cr4->value ^ note->system[NOTE_CR4]) & ~seat->hardware.cr4_owned))
		guest_set(r, GUEST_CR4, note->system[NOTE_CR4], GUEST_NOTE);
	else
		guest_set(r, GUEST_CR4, cr4->value,
			  seat->hardware.cr4_owned ? GUEST_STALE : GUEST_ARCH);
	if (!seat->hardware.is_shadow)
		guest_set(r, GUEST_CR3, note->system[NOTE_CR3], GUEST_NOTE);
	else if (known->value[GUEST_CR3].from != GUEST_NOWHERE)
		guest_set(r, GUEST_CR3, known->value[GUEST_CR3].value, GUEST_ARCH);
	if (known->value[GUEST_EFER].from != GUEST_NOWHERE)
		guest_set(r, GUEST_EFER, known->value[GUEST_EFER].value, GUEST_ARCH);
	guest_set(r, GUEST_CR2, note->system[NOTE_CR2], GUEST_NOTE);
}

static struct guest_regs merge(const struct seat *seat, const struct cpu_note *note)
{
	struct guest_regs r = seat->known;
	for (size_t i = 0; i < sizeof(general) / sizeof(*general); i++)
		guest_set(&r, general[i].guest, note->regs.value[general[i].reg], GUEST_NOTE);
	for (unsigned i = 0; i < SEGMENTS; i++) {
		guest_set(&r, segments[i].selector, note->system[NOTE_SELECTOR + i], GUEST_NOTE);
		if (segments[i].base != GUEST_REGS)
			guest_set(&r, segments[i].base, note->system[NOTE_BASE + i], GUEST_NOTE);
	}
	if (note->system[NOTE_HAS_KERNEL_GS_BASE])
		guest_set(&r, GUEST_KERNEL_GS_BASE, note->system[NOTE_KERNEL_GS_BASE], GUEST_NOTE);
	else if (r.value[GUEST_KERNEL_GS_BASE].from != GUEST_NOWHERE)
		guest_set(&r, GUEST_KERNEL_GS_BASE, r.value[GUEST_KERNEL_GS_BASE].value,
			  GUEST_STALE);
	merge_table(&note->system[NOTE_GDT], GUEST_GDTR, GUEST_GDTR_LIMIT, &r);
	merge_table(&note->system[NOTE_IDT], GUEST_IDTR, GUEST_IDTR_LIMIT, &r);
	merge_control(seat, note, &r);
	return r;
}

struct err *guest_notes_apply(struct kvm *kvm, const struct vcpu *vcpu, struct guest_regs *r,
			      bool *ret_found)
{
	uint64_t n;
	*ret_found = false;
	if (!kvm->notes_matched) {
		struct err *e = match_notes(kvm);
		if (e)
			return e;
		kvm->notes_matched = true;
	}
	if (!map_get(&kvm->note_of, vcpu->address, &n))
		return NULL;
	struct seat seat = { .vcpu = vcpu, .known = *r };
	struct err *e = guest_hardware_read(kvm, vcpu, &seat.hardware);
	if (e)
		return e;
	*r = merge(&seat, &registers_guest_notes(kvm->parts.registers)->list[n]);
	*ret_found = true;
	return NULL;
}
