// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs, vCPUs, threads and slots of both generations of structures, sound and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kvm/guests.h"
#include "vmcore/guest/guest_memory.h"

#define UNMAPPED  "0xffffdead00000000"
#define DEMO_VCPU UINT64_C(0xffff88043ea73280)
#define DEMO_KVM  UINT64_C(0xffff8803e0e40000)

static void arrays(void **state)
{
	(void)state;
	struct guests g;
	const struct memslot *slot;
	guests_open_demo(&g, NULL);
	assert_int_equal(g.count, 1);
	assert_int_equal(g.vms[0].address, DEMO_KVM);
	assert_int_equal(g.vms[0].pid, 103);
	assert_int_equal(g.vms[0].vcpu_count, 1);
	const struct vcpu *vcpu = &g.vms[0].vcpus[0];
	assert_int_equal(vcpu->address, DEMO_VCPU);
	assert_ptr_equal(vcpu->task, machine_task(&g.m, 110));
	assert_true(vcpu->loaded);
	assert_ptr_equal(kvm_vcpu_of_task(g.kvm, vcpu->task), vcpu);
	assert_null(kvm_vcpu_of_task(g.kvm, machine_task(&g.m, 103)));
	assert_ptr_equal(kvm_vcpu_at(g.kvm, DEMO_VCPU), vcpu);
	assert_no_err(kvm_slot_at(g.kvm, &g.vms[0], 0, 0xffff, &slot));
	assert_non_null(slot);
	assert_no_err(kvm_slot_at(g.kvm, &g.vms[0], 0, 0x10000, &slot));
	assert_null(slot);
	assert_string_equal(kvm_notes(g.kvm), "");
	guests_close(&g);
}

static void trees(void **state)
{
	(void)state;
	struct guests g;
	const struct memslot *slots, *slot;
	size_t count;
	guests_open_newer(&g, KVM_SVM, NULL);
	assert_string_equal(kvm_notes(g.kvm), "");
	assert_int_equal(g.count, 1);
	assert_int_equal(g.vms[0].pid, 200);
	assert_int_equal(g.vms[0].vcpu_count, 2);
	assert_ptr_equal(g.vms[0].vcpus[0].task, machine_task(&g.m, 200));
	assert_true(g.vms[0].vcpus[0].loaded);
	assert_int_equal(g.vms[0].vcpus[1].id, 7);
	assert_int_equal(g.vms[0].vcpus[1].cpu, -1);
	assert_false(g.vms[0].vcpus[1].has_run);
	assert_null(g.vms[0].vcpus[1].task);
	assert_no_err(kvm_slots(g.kvm, &g.vms[0], &slots, &count));
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(slots[i].id, i);
	assert_no_err(kvm_slot_at(g.kvm, &g.vms[0], 0, 0x100000fff, &slot));
	assert_ptr_equal(slot, &slots[2]);
	assert_no_err(kvm_slot_at(g.kvm, &g.vms[0], 0, 0xa0000, &slot));
	assert_null(slot);
	guests_close(&g);
}

/* What KVM does at the time (virt/kvm/kvm_main.c, arch/x86/kvm/x86.c), and what that is called. */
static void one_rule_decides_the_state(void **state)
{
	(void)state;
	enum { RUNNABLE, UNINITIALIZED, INIT_RECEIVED, HALTED, SIPI, AP_RESET_HOLD = 9 };
	static const struct {
		struct vcpu_facts facts;
		const char *name;
	} cases[] = {
		{ { .has_run = false }, "never run" },
		{ { .has_run = false, .thread_is_out = true }, "never run" },
		{ { .has_run = true, .thread_is_out = true }, "in user space" },
		/* An interrupted KVM_RUN of a halted vCPU has left the kernel. */
		{ { .has_run = true,
		    .thread_is_out = true,
		    .has_mp_state = true,
		    .mp_state = HALTED },
		  "in user space" },
		{ { .has_run = true }, "unknown" },
		{ { .has_run = true, .thread_ended = true }, "thread ended" },
		{ { .has_run = true, .loaded = true, .on_cpu = true, .side = VCPU_SIDE_GUEST },
		  "in guest" },
		{ { .has_run = true, .loaded = true, .on_cpu = true, .side = VCPU_SIDE_HOST },
		  "in kernel" },
		/* It polls for an interrupt, or was just woken. */
		{ { .has_run = true,
		    .loaded = true,
		    .on_cpu = true,
		    .side = VCPU_SIDE_HOST,
		    .has_mp_state = true,
		    .mp_state = HALTED },
		  "in kernel" },
		{ { .has_run = true, .loaded = true, .on_cpu = true }, "unknown" },
		/* An ioctl loads a vCPU that KVM_RUN was not called for, too. */
		{ { .loaded = true, .on_cpu = true, .side = VCPU_SIDE_HOST }, "in kernel" },
		{ { .has_run = true,
		    .loaded = true,
		    .has_mp_state = true,
		    .mp_state = HALTED,
		    .side = VCPU_SIDE_HOST },
		  "halted" },
		{ { .has_run = true,
		    .loaded = true,
		    .has_mp_state = true,
		    .mp_state = AP_RESET_HOLD },
		  "halted" },
		{ { .has_run = true,
		    .loaded = true,
		    .has_mp_state = true,
		    .mp_state = UNINITIALIZED },
		  "waiting for start-up" },
		{ { .has_run = true,
		    .loaded = true,
		    .has_mp_state = true,
		    .mp_state = INIT_RECEIVED },
		  "waiting for start-up" },
		{ { .has_run = true, .loaded = true, .has_mp_state = true, .mp_state = RUNNABLE },
		  "in kernel" },
		{ { .has_run = true, .loaded = true, .has_mp_state = true, .mp_state = SIPI },
		  "in kernel" },
		{ { .has_run = true, .loaded = true }, "in kernel" },
		{ { .has_run = true,
		    .loaded = true,
		    .preempted = true,
		    .has_mp_state = true,
		    .mp_state = HALTED },
		  "preempted" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(vcpu_doing_name(vcpu_doing_of(&cases[i].facts)), cases[i].name);
}

static void states(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		enum vcpu_doing doing;
	} cases[] = {
		{ "", VCPU_IN_GUEST },
		{ "put kvm_vcpu at vcpu0: mode = 0\n", VCPU_IN_KERNEL },
		{ "put kvm_vcpu at vcpu0: mode = 2\n", VCPU_IN_GUEST },
		{ "put kvm_vcpu at vcpu0: mode = 3\n", VCPU_IN_KERNEL },
		{ "put rq at pc0+runqueues: curr = idle0\nput kvm_vcpu at vcpu0: arch.mp_state = "
		  "3\n",
		  VCPU_HALTED },
		{ "put rq at pc0+runqueues: curr = idle0\n"
		  "put kvm_vcpu at vcpu0: arch.mp_state = 3 preempted = 1\n",
		  VCPU_PREEMPTED },
		{ "put rq at pc0+runqueues: curr = idle0\nput kvm_vcpu at vcpu0: arch.mp_state = "
		  "1\n",
		  VCPU_WAITING },
		{ "virt &task_struct(sh).preempt_notifiers: 0\n", VCPU_IN_USER },
		{ "virt &task_struct(sh).preempt_notifiers: 0\nput kvm_vcpu at vcpu0: pid = 0\n",
		  VCPU_NEVER_RUN },
		{ "virt &task_struct(sh).preempt_notifiers: 0\nput pid at pids+0x200: "
		  "tasks[0].first = 0\n",
		  VCPU_THREAD_GONE },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct guests g;
		struct vcpu_state s;
		guests_open_newer(&g, KVM_SVM, cases[i].extra);
		assert_no_err(vcpu_state_read(g.kvm, &g.vms[0].vcpus[0], &s));
		assert_string_equal(vcpu_doing_name(s.doing), vcpu_doing_name(cases[i].doing));
		assert_true(s.has_root);
		assert_int_equal(s.root_hpa, 0x1234000);
		assert_no_err(vcpu_state_read(g.kvm, &g.vms[0].vcpus[1], &s));
		assert_int_equal(s.doing, VCPU_NEVER_RUN);
		assert_false(s.has_root);
		assert_false(s.has_exit);
		guests_close(&g);
	}
}

static void kinds(void **state)
{
	(void)state;
	static const struct {
		const char *extra;
		enum vm_kind kind;
	} cases[] = {
		{ "", VM_PLAIN },
		{ "put kvm_svm at vm: sev_info.active = 1\n", VM_SEV },
		{ "put kvm_svm at vm: sev_info.active = 1 sev_info.es_active = 1\n", VM_SEV_ES },
		{ "put kvm at vm: arch.vm_type = 1\n", VM_SW_PROTECTED },
		{ "put kvm at vm: arch.vm_type = 4\n", VM_SNP },
		{ "put kvm at vm: arch.vm_type = 5\n", VM_TDX },
		{ "put kvm at vm: arch.vm_type = 77\n", VM_UNKNOWN },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct guests g;
		guests_open_newer(&g, KVM_SVM, cases[i].extra);
		assert_string_equal(vm_kind_name(g.vms[0].kind), vm_kind_name(cases[i].kind));
		guests_close(&g);
	}
}

/* ---- damage ---- */

struct damage {
	bool newer;
	const char *extra, *note;
	size_t vms, vcpus, slots; /* what is left; slots of the first VM */
};

static const struct damage damages[] = {
	/* The list: the vCPU that a task has loaded leads to its VM all the same. */
	{ false, "virt vm_list: " UNMAPPED " " UNMAPPED "\n", "vm_list) is damaged", 1, 1, 1 },
	{ false, "virt &kvm(kvm).vm_list: (&kvm(kvm).vm_list)\n", "vm_list) is damaged", 1, 1, 1 },
	{ false, "virt vm_list: 0 0\n", "vm_list) is damaged", 1, 1, 1 },
	{ true, "virt vm_list + s: 0x1 0x1\n", "vm_list) is damaged", 1, 2, 3 },
	/* The table of vCPUs. */
	{ false, "put kvm at kvm: online_vcpus.counter = 0xffffffff\n", "has 4294967295 vCPUs", 1,
	  1, 1 },
	{ true, "put kvm at vm: online_vcpus.counter = 0xffffffff\n", "has 4294967295 vCPUs", 1, 2,
	  3 },
	{ true, "put xa_node at table: slots[1] = table|2\n", "round in a circle", 1, 1, 3 },
	{ true, "put xa_node at table: shift = 200\n", "its level makes no sense", 1, 1, 3 },
	{ true, "put kvm at vm: vcpu_array.xa_head = " UNMAPPED "|2\n", "vCPUs is damaged", 1, 1,
	  3 },
	{ true, "put xa_node at table: slots[1] = vcpu0\n", "it is there twice", 1, 1, 3 },
	/* A freed vCPU, one that is being made. */
	{ true, "put kvm_vcpu at vcpu1: kvm = 0x6b6b6b6b6b6b6b6b\n", "freed, damaged", 1, 1, 3 },
	{ true, "put kvm at vm: online_vcpus.counter = 1\n", "", 1, 1, 3 },
	{ true, "put xa_node at table: slots[1] = " UNMAPPED "\n", "freed, damaged", 1, 1, 3 },
	/* A VM that is being made, or torn down. */
	{ true,
	  "put kvm at vm: online_vcpus.counter = 0\nput kvm at vm: memslots[0] = 0\n"
	  "virt &task_struct(sh).preempt_notifiers: 0\n",
	  "", 1, 0, 0 },
	{ true, "put kvm at vm: mm = 0\n", "", 0, 0, 0 },
	/* Memory slots. */
	{ false, "put kvm_memslots at memslots: used_slots = 0x7fffffff\n", "slots are damaged", 1,
	  1, 1 },
	{ false, "put kvm_memslots at memslots: memslots[0].npages = -1\n", "slots are damaged", 1,
	  1, 0 },
	{ true,
	  "put kvm_memory_slot at slot2: gfn_node[1].rb_left = "
	  "&kvm_memory_slot(slot1).gfn_node[1]\n",
	  "slots are damaged", 1, 2, 3 },
	{ true, "put kvm_memslots at sets: node_idx = 9\n", "slots are damaged", 1, 2, 0 },
	{ true, "put kvm_memslots at sets: gfn_tree.rb_node = " UNMAPPED "\n", "slots are damaged",
	  1, 2, 0 },
	{ true, "put kvm at vm: memslots[0] = " UNMAPPED "\n", "slots are damaged", 1, 2, 0 },
};

static void damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		const struct damage *d = &damages[i];
		const struct memslot *slots;
		struct guests g;
		size_t count = 0;
		if (d->newer)
			guests_open_newer(&g, KVM_SVM, d->extra);
		else
			guests_open_demo(&g, d->extra);
		assert_int_equal(g.count, d->vms);
		if (g.count) {
			assert_int_equal(g.vms[0].vcpu_count, d->vcpus);
			assert_no_err(kvm_slots(g.kvm, &g.vms[0], &slots, &count));
		}
		assert_int_equal(count, d->slots);
		assert_kvm_note(&g, d->note);
		guests_close(&g);
	}
}

/* A thread of another process cannot run the vCPU, and a name says nothing. */
static void thread_of_another(void **state)
{
	(void)state;
	struct guests g;
	guests_open_demo(&g, "put kvm_vcpu at vcpu: pid = systemd_pid\n"
			     "virt &task_struct(vcpu_task).preempt_notifiers: 0\n");
	assert_null(g.vms[0].vcpus[0].task);
	assert_kvm_note(&g, "of another process");
	assert_null(kvm_vcpu_of_task(g.kvm, machine_task(&g.m, 1)));
	assert_null(kvm_vcpu_of_task(g.kvm, machine_task(&g.m, 110)));
	guests_close(&g);
}

/* Nothing says where the pages of its slots are. */
static void without_the_owners_tables(void **state)
{
	(void)state;
	struct guests g;
	struct guest_memory *memory;
	struct gpa_way way;
	uint64_t next;
	guests_open_newer(&g, KVM_SVM, "put mm_struct at sh_mm: pgd = " UNMAPPED "\n");
	assert_no_err(guest_memory_new(g.kvm, &g.vms[0], &memory));
	assert_err(guest_memory_translate(memory, 0x1000, &way), ERR_NOTPRESENT,
		   "find the page tables of the VM's process");
	assert_true(guest_memory_next_phys(memory, 0x1000, &next));
	assert_int_equal(next, 0x2000);
	guest_memory_free(memory);
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrays),
		cmocka_unit_test(trees),
		cmocka_unit_test(one_rule_decides_the_state),
		cmocka_unit_test(states),
		cmocka_unit_test(kinds),
		cmocka_unit_test(damage),
		cmocka_unit_test(thread_of_another),
		cmocka_unit_test(without_the_owners_tables),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
