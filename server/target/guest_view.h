/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One virtual machine of the host, however often a live host's are listed anew: its vCPUs with what
 * is known of them, and its memory.
 */
#ifndef SERVER_TARGET_GUEST_VIEW_H
#define SERVER_TARGET_GUEST_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/memory/guest_walk.h"

struct err;
struct guest_memory;
struct vmcore;
struct vcpu;
struct vm;

/* What is known of a vCPU, read when first asked for. */
struct guest_cpu {
	bool read;
	struct guest_regs regs;
	bool has_space; /* the page tables are known */
	bool stale;	/* by registers that may have changed since */
	struct walk_space space;
	char *why; /* owned: why the page tables are not known */
};

struct guest_view {
	struct vmcore *host; /* borrowed */
	/* Which VM it is, by what stays the same while a live host's are listed anew. */
	uint64_t address, mm;
	uint32_t pid;
	uint64_t generation;	     /* of the host's that the next are of */
	struct vm *vm;		     /* borrowed; NULL: it has ended */
	size_t vcpu_count;	     /* of the VM; 0: it has ended */
	struct guest_memory *memory; /* owned, as is all that follows */
	uint64_t *tids;		     /* 1 + the index of each vCPU */
	struct guest_cpu *cpus;	     /* of the same order as the VM's vCPUs */
};

/* @host and @vm (one of its VMs) are borrowed; *ret, closed with guest_view_close(), must not
 * outlive the host. *ret may be closed after an error, too. */
__attribute__((warn_unused_result)) struct err *guest_view_open(struct vmcore *host, struct vm *vm,
								struct guest_view *ret);
void guest_view_close(struct guest_view *g);

/* Whether @vm is the one. */
bool guest_view_is(const struct guest_view *g, const struct vm *vm);

/* Finds the VM among the host's once these were listed anew; one that is not there has ended.
 * Errors are those of kvm_vms(), and memory that is out. */
__attribute__((warn_unused_result)) struct err *guest_view_follow(struct guest_view *g);

/* What is said of a VM that has ended. */
__attribute__((warn_unused_result)) struct err *guest_view_ended(const struct guest_view *g);

/* On a live host, before each packet: what was read is old. */
void guest_view_begin(struct guest_view *g);

/* Has the host's VMs listed anew, and follows. */
__attribute__((warn_unused_result)) struct err *guest_view_renew(struct guest_view *g);

/* The vCPU that is thread @tid; NULL if there is none. */
const struct vcpu *guest_view_vcpu(struct guest_view *g, uint64_t tid);

/* What is known of it; borrowed, and good until the host's VMs are listed anew. ERR_NOTFOUND: there
 * is no such thread, or the VM has ended. */
__attribute__((warn_unused_result)) struct err *guest_view_cpu(struct guest_view *g, uint64_t tid,
							       struct guest_cpu **ret);

#endif
