/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machines of KVM on the dumped host: which there are, their vCPUs and the threads that
 * run those, their memory slots. Read from the list of VMs when somebody first asks, once; where
 * that list is damaged, also from what tasks and CPUs hold.
 *
 * All objects below are the struct kvm's and last as long as it does.
 */
#ifndef VMCORE_KVM_KVM_H
#define VMCORE_KVM_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_map;
struct cpus;
struct err;
struct guest_linux;
struct kernel;
struct kvm;
struct module_types;
struct registers;
struct task;
struct tasks;
struct type_scope;
struct vm;

/* What it is read from. */
struct kvm_parts {
	struct kernel *k;
	const struct cpus *cpus;
	const struct tasks *tasks;
	const struct registers *registers;
	struct code_map *code;
	struct module_types *types;
};

enum kvm_vendor { KVM_VENDOR_UNKNOWN, KVM_SVM, KVM_VMX };

/* What protects a VM from its host. */
enum vm_kind { VM_PLAIN, VM_SW_PROTECTED, VM_SEV, VM_SEV_ES, VM_SNP, VM_TDX, VM_UNKNOWN };

/* struct kvm_memory_slot: guest physical memory [gpa, gpa + size) is [hva, hva + size) of the VM's
 * process. */
struct memslot {
	uint64_t address; /* of the structure */
	unsigned as;	  /* address space: 0 is the normal one, 1 that of SMM */
	int id;
	uint64_t gpa, size, hva; /* bytes; size is never 0, and neither end wraps around */
	uint32_t flags;		 /* KVM_MEM_*, include/uapi/linux/kvm.h */
};

struct vcpu {
	uint64_t address; /* struct kvm_vcpu */
	const struct vm *vm;
	unsigned index;		   /* in the VM's table of vCPUs */
	int id;			   /* vcpu_id: what user space called it */
	int cpu;		   /* the host CPU it runs or last ran on; -1 if unknown or none */
	const struct task *task;   /* that ran it last; NULL if that is none, or unknown */
	bool has_run;		   /* false: KVM_RUN was surely never called */
	bool thread_ended;	   /* the thread that ran it last has ended */
	bool loaded;		   /* in KVM_RUN or another ioctl, by `loader` */
	const struct task *loader; /* NULL if it is not loaded, or that is not known */
	bool is_protected;	   /* guest_state_protected: its registers are encrypted */
};

struct vm {
	uint64_t address;	  /* struct kvm */
	uint64_t mm;		  /* of its process; 0 if unknown */
	uint32_t pid;		  /* of its process; 0 if unknown */
	const struct task *owner; /* the process's leader, else any thread of it; NULL if none is
				     left */
	enum vm_kind kind;
	struct vcpu *vcpus; /* owned; by index */
	size_t vcpu_count;
	/* By kvm_slots(): */
	struct memslot *slots; /* owned; by address space and gpa */
	size_t slot_count;
	bool slots_read;
	uint64_t slot_sets[2]; /* struct kvm_memslots that they are of, an address space each */
	/* Owned; guest_linux_find() fills it in, with what frees it. */
	struct guest_linux *linux_kernel;
	void (*free_linux)(struct guest_linux *);
};

/* Reads nothing yet. @parts's are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *kvm_new(const struct kvm_parts *parts,
							struct kvm **ret);
void kvm_free(struct kvm *kvm);

/*
 * The VMs, in the order of their processes' PIDs, then of their addresses. None where KVM is not
 * loaded: kvm_why() then says what is missing. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *kvm_vms(struct kvm *kvm, struct vm **ret,
							size_t *ret_count);

/* Why there are no VMs ("KVM is not loaded..."), a clause; NULL if there may be. Borrowed, until
 * kvm_look_again(). After kvm_vms(). */
const char *kvm_why(const struct kvm *kvm);

/* Files of modules may have come since: what was missing because nothing told of its types is
 * looked for anew. VMs that are known stay where they are. */
void kvm_look_again(struct kvm *kvm);

/* Whether KVM may be there, and its types are not known: there are no VMs for that. */
bool kvm_is_untyped(struct kvm *kvm);

/* False only if there is no VM for certain: KVM is not loaded, or its list is whole and empty. */
bool kvm_may_have_vms(struct kvm *kvm);

/* Whether VMs may be missing because memory could not be read for a moment. */
bool kvm_is_doubtful(const struct kvm *kvm);
/* Whether no pointer to anything of @kvm can have been given out. */
bool kvm_is_empty(const struct kvm *kvm);

/* What is damaged, one sentence a line; "" if nothing is. */
const char *kvm_notes(const struct kvm *kvm);

enum kvm_vendor kvm_vendor(struct kvm *kvm);

/* Where KVM's structures are described: kvm, kvm_amd, kvm_intel, then vmlinux. After kvm_vms(). */
const struct type_scope *kvm_types(const struct kvm *kvm);
const struct kvm_parts *kvm_parts(const struct kvm *kvm);

/* The vCPU that @task (one of the parts' tasks) runs: by the structures' pointers, never by its
 * name. NULL if it runs none. Constant time after the first question. */
const struct vcpu *kvm_vcpu_of_task(struct kvm *kvm, const struct task *task);

/* The vCPU whose struct kvm_vcpu is at @address, the VM whose struct kvm is; NULL if none is. */
const struct vcpu *kvm_vcpu_at(struct kvm *kvm, uint64_t address);
struct vm *kvm_vm_at(struct kvm *kvm, uint64_t address);

/* On a machine that runs: whether @vm has not ended since, as its structure says now; and dropping
 * its memory slots, to be read anew. */
bool kvm_vm_is_there(const struct kvm *kvm, const struct vm *vm);
void kvm_forget_slots(struct kvm *kvm, struct vm *vm);

/* The memory slots of @vm, read the first time. ERR_NOMEM only: damage becomes a note. */
__attribute__((warn_unused_result)) struct err *
kvm_slots(struct kvm *kvm, struct vm *vm, const struct memslot **ret, size_t *ret_count);

/* The slot of address space @as that holds @gpa; *ret NULL if none does. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *
kvm_slot_at(struct kvm *kvm, struct vm *vm, unsigned as, uint64_t gpa, const struct memslot **ret);

/* "plain", "SEV", "SEV-ES", "SNP", "TDX", "software-protected", "unknown" */
const char *vm_kind_name(enum vm_kind kind);
/* "SVM", "VMX", "unknown" */
const char *kvm_vendor_name(enum kvm_vendor vendor);

#endif
