/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of vmcore/kvm share while they read, and some of vmcore/guest. */
#ifndef VMCORE_KVM_KVM_PRIVATE_H
#define VMCORE_KVM_KVM_PRIVATE_H

#include "base/buf.h"
#include "base/map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/read.h"
#include "vmcore/names/types/types.h"

enum {
	VMS_MAX = 1 << 16,   /* bounds of what a damaged dump can make us keep */
	VCPUS_MAX = 1 << 14, /* of a VM; KVM_MAX_VCPUS is 4096 at most */
	ALL_VCPUS_MAX = 1 << 20,
	SLOTS_MAX = 1 << 15,	 /* of a VM's address space; KVM_USER_MEM_SLOTS is 32764 */
	SLOTS_ALL_MAX = 1 << 17, /* of all VMs */
	ADDRESS_SPACES_MAX = 2,	 /* KVM_ADDRESS_SPACE_NUM */
	KVM_NOTES_MAX = 100,
};

#define KVM_NO_VM_LIST "KVM is not loaded, or its symbols are unknown: there is no vm_list"

struct stray {
	uint64_t vcpu, vm; /* struct kvm_vcpu, the struct kvm that it says it belongs to */
};

struct kvm {
	struct kvm_parts parts;
	struct type_scope types;
	struct want_answers *members; /* owned */
	enum kvm_vendor vendor;
	bool tried;	    /* the VMs were read, or that failed */
	bool out_of_memory; /* that is how it failed */
	bool untyped;	    /* nothing was read, for lack of types */
	bool doubtful;	    /* memory could not be read meanwhile, which may pass */
	char *why;	    /* owned; see kvm_why() */
	struct buf notes;
	unsigned note_count;

	struct vm *vms; /* owned */
	size_t vm_count, vm_capacity;
	size_t vcpu_total;
	size_t slot_total;   /* that are kept now, of all VMs */
	struct map slots_of; /* struct kvm_memslots -> index of the VM that it was read for */
	struct map vm_at;    /* struct kvm -> index in vms */
	struct map vcpu_at;  /* struct kvm_vcpu -> struct vcpu */
	struct map by_task;  /* task_struct -> struct vcpu */
	struct map mms;	     /* mm_struct -> index of a task */
	bool loaders_known;  /* the next was read from all tasks */
	struct map loaders;  /* struct kvm_vcpu -> index of the task that has it loaded */
	/* vCPUs that something but their VM's table led to; owned. Most are in that as well. */
	struct stray *strays;
	size_t stray_count, stray_capacity;
	bool files_read; /* kvm_find_files() was called */

	bool notes_matched; /* guest_notes.c has filled the next */
	struct map note_of; /* struct kvm_vcpu -> index in registers_guest_notes() */
};

/* vms.c: fills kvm->vms from the list and, if that is damaged, from what else leads to VMs. */
__attribute__((warn_unused_result)) struct err *kvm_find_vms(struct kvm *kvm);
/* Adds the VM at @address unless it is there; *ret_added says whether it was and looks like one. */
__attribute__((warn_unused_result)) struct err *kvm_add_vm(struct kvm *kvm, uint64_t address,
							   bool *ret_added);

/* Keeps the vCPU at @vcpu, which says itself what VM it belongs to, as a stray. */
__attribute__((warn_unused_result)) struct err *kvm_add_stray(struct kvm *kvm, uint64_t vcpu);
/* Adds the VMs of all strays. */
__attribute__((warn_unused_result)) struct err *kvm_add_stray_vms(struct kvm *kvm);

/* threads.c: kvm->mms and kvm->loaders, from all tasks. */
__attribute__((warn_unused_result)) struct err *kvm_scan_tasks(struct kvm *kvm);
/* Sets task, has_run and thread_ended of @vcpu, which has its address. */
void kvm_find_thread(struct kvm *kvm, struct vcpu *vcpu);

/* files.c: VMs and vCPUs that open files of tasks are. */
__attribute__((warn_unused_result)) struct err *kvm_find_files(struct kvm *kvm);

/* vcpus.c: the vCPUs of all VMs, which are added to them. */
__attribute__((warn_unused_result)) struct err *kvm_read_vcpus(struct kvm *kvm);

/* kind.c */
enum kvm_vendor kvm_find_vendor(const struct kvm *kvm);
enum vm_kind kvm_find_kind(const struct kvm *kvm, const struct vm *vm);

/* slots.c */
__attribute__((warn_unused_result)) struct err *kvm_read_slots(struct kvm *kvm, struct vm *vm);

#endif
