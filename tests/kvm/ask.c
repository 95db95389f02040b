// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kvm/ask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/kernel/ask.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/kvm/x86/exit_names.h"
#include "vmcore/kvm/x86/host_entry.h"
#include "vmcore/kvm/x86/mmu.h"
#include "vmcore/memory/walk_ranges.h"

/* What is looked at of each thing of which damage may make up any number. */
enum { VCPUS_MAX = 16, SLOTS_MAX = 16, TABLES_MAX = 256, RANGES_MAX = 4096, READ_BYTES = 6000 };

static void ignore_bit(void *closure, const char *name, uint64_t value)
{
	(void)closure;
	(void)name;
	(void)value;
}

static void ask_page(void *closure, uint64_t address)
{
	struct kvm *kvm = closure;
	struct mmu_page page;
	uint64_t table;
	struct err *e = mmu_page_at(kvm, address, &page, &table);
	if (!e)
		mmu_role(kvm, address, "kvm_mmu_page", "role", ignore_bit, NULL);
	err_free(e);
}

static void walk_everything(const struct walk_reader *reader, const struct walk_space *space)
{
	struct walk_ranges *ranges;
	struct walk_range range;
	unsigned budget = TABLES_MAX;
	struct err *e = walk_ranges_new(reader, space, 0, UINT64_MAX, &ranges);
	if (e) {
		err_free(e);
		return;
	}
	for (unsigned i = 0; i < RANGES_MAX; i++)
		if (walk_ranges_next(ranges, &budget, &range) != RANGES_FOUND)
			break;
	walk_ranges_free(ranges);
}

static void walk_one(const struct walk_reader *reader, const struct walk_space *space,
		     uint64_t address)
{
	struct walk walk;
	struct err *e = guest_walk(reader, space, address, &walk);
	assert_true(walk.step_count <= WALK_LEVELS_MAX);
	if (!e)
		assert_true(walk.page_size && !(walk.page_size & (walk.page_size - 1)));
	err_free(e);
}

static void ask_mmu(struct kvm *kvm, const struct vcpu *vcpu)
{
	static const char *const roles[] = { "mmu_role.base", "root_role", "cpu_role.base" };
	static const uint64_t addresses[] = { 0, 0x8000, UINT64_C(0x100000000) };
	struct vcpu_mmu mmu;
	struct mmu_page page;
	struct walk_reader reader = mmu_reader(kvm);
	struct err *e = vcpu_mmu_read(kvm, vcpu, &mmu);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		mmu_role(kvm, mmu.address, "kvm_mmu", roles[i], ignore_bit, NULL);
	if (mmu.has_root)
		err_free(mmu_page_of(kvm, mmu.root_hpa, &page));
	if (!mmu.walkable)
		return;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++)
		walk_one(&reader, &mmu.space, addresses[i]);
	walk_everything(&reader, &mmu.space);
}

/* Virtual memory through the guest's tables, with these registers. */
static void ask_virtual(struct kvm *kvm, const struct vcpu *vcpu, struct guest_memory *memory,
			const struct guest_regs *regs)
{
	static const uint64_t addresses[] = { 0x8000, 0x1fffffe, UINT64_C(0xffffffff81000ffc) };
	struct walk_space space;
	unsigned char bytes[READ_BYTES];
	uint64_t next;
	size_t done = 0;
	bool stale;
	struct err *e = guest_paging(regs, &space, &stale);
	if (!e)
		e = guest_paging_below(kvm, vcpu, regs, &space);
	if (e) {
		err_free(e);
		return;
	}
	struct walk_reader reader = guest_memory_reader_of(memory, &space);
	assert_non_null(guest_paging_name(&space));
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		walk_one(&reader, &space, addresses[i]);
		e = guest_memory_read(memory, &space, addresses[i], bytes, sizeof(bytes), &done);
		assert_true(e || (done && done <= sizeof(bytes)));
		err_free(e);
		guest_memory_next(memory, &space, addresses[i], &next);
	}
	walk_everything(&reader, &space);
}

static void ask_physical(struct guest_memory *memory, uint64_t gpa)
{
	unsigned char bytes[READ_BYTES];
	struct gpa_way way;
	uint64_t next;
	size_t done = 0;
	err_free(guest_memory_translate(memory, gpa, &way));
	struct err *e = guest_memory_read_phys(memory, gpa, bytes, sizeof(bytes), &done);
	assert_true(e || (done && done <= sizeof(bytes)));
	err_free(e);
	if (guest_memory_next_phys(memory, gpa, &next))
		assert_true(next > gpa);
}

static void ask_vcpu(struct kvm *kvm, const struct vcpu *vcpu, struct guest_memory *memory)
{
	struct guest_regs regs, l1;
	struct vcpu_state state;
	uint64_t root;
	bool valid;
	assert_ptr_equal(kvm_vcpu_at(kvm, vcpu->address), vcpu);
	assert_no_err(vcpu_state_read(kvm, vcpu, &state));
	assert_non_null(vcpu_doing_name(state.doing));
	assert_no_err(vcpu_root_hpa(kvm, vcpu, &valid, &root));
	assert_no_err(guest_regs_read(kvm, vcpu, &regs));
	assert_no_err(guest_regs_read_l1(kvm, vcpu, &l1));
	ask_mmu(kvm, vcpu);
	ask_virtual(kvm, vcpu, memory, &regs);
	ask_virtual(kvm, vcpu, memory, &l1);
}

static void ask_slots(struct kvm *kvm, struct vm *vm, struct guest_memory *memory)
{
	const struct memslot *slots, *found;
	size_t count;
	assert_no_err(kvm_slots(kvm, vm, &slots, &count));
	for (size_t i = 0; i < count; i++)
		assert_true(slots[i].size && slots[i].gpa + slots[i].size - 1 >= slots[i].gpa);
	for (size_t i = 0; i < count && i < SLOTS_MAX; i++) {
		assert_no_err(kvm_slot_at(kvm, vm, slots[i].as, slots[i].gpa, &found));
		ask_physical(memory, slots[i].gpa);
		ask_physical(memory, slots[i].gpa + slots[i].size - 2);
	}
	ask_physical(memory, 0);
	ask_physical(memory, UINT64_MAX);
}

static void ask_vm(struct kvm *kvm, struct vm *vm)
{
	struct guest_memory *memory;
	const struct guest_linux *guest;
	assert_ptr_equal(kvm_vm_at(kvm, vm->address), vm);
	assert_non_null(vm_kind_name(vm->kind));
	assert_no_err(guest_memory_new(kvm, vm, &memory));
	ask_slots(kvm, vm, memory);
	for (size_t i = 0; i < vm->vcpu_count && i < VCPUS_MAX; i++)
		ask_vcpu(kvm, &vm->vcpus[i], memory);
	mmu_counts(kvm, vm, ignore_bit, NULL);
	mmu_tdp_roots(kvm, vm, ask_page, kvm);
	guest_memory_free(memory);
	assert_no_err(guest_linux_find(kvm, vm, &guest));
	assert_true(guest->found == !guest->why);
}

static void ask_kvm(struct machine *m, struct kvm *kvm)
{
	struct vm *vms;
	size_t count;
	assert_no_err(kvm_vms(kvm, &vms, &count));
	for (size_t i = 0; i < count; i++)
		ask_vm(kvm, &vms[i]);
	for (size_t i = 0; i < m->tasks.count; i++)
		(void)kvm_vcpu_of_task(kvm, &m->tasks.list[i]);
	assert_non_null(kvm_vendor_name(kvm_vendor(kvm)));
	assert_non_null(kvm_notes(kvm));
}

static bool find_entry(void *closure, const struct task *task, const struct cpu *cpu,
		       struct regs *ret)
{
	return kvm_host_entry(closure, task, cpu, ret);
}

void ask_host(struct machine *m)
{
	struct code_map *code;
	struct module_types *types;
	struct kvm *kvm;
	assert_no_err(code_map_new(m->kernel, &code));
	assert_no_err(module_types_new(m->kernel, code_map_modules(code), NULL, &types));
	const struct kvm_parts parts = {
		.k = m->kernel,
		.cpus = &m->cpus,
		.tasks = &m->tasks,
		.registers = m->registers,
		.code = code,
		.types = types,
	};
	assert_no_err(kvm_new(&parts, &kvm));
	registers_set_entry(m->registers, find_entry, kvm);
	ask_kernel(m);
	ask_kvm(m, kvm);
	kvm_free(kvm);
	module_types_free(types);
	code_map_free(code);
}
