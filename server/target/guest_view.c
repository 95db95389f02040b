// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/guest_view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

static void forget_cpus(struct guest_view *g)
{
	for (size_t i = 0; g->cpus && i < g->vcpu_count; i++) {
		free(g->cpus[i].why);
		g->cpus[i] = (struct guest_cpu){ 0 };
	}
}

/* Leaves @g without a VM, as one that has ended. */
static void let_go(struct guest_view *g)
{
	forget_cpus(g);
	free(g->cpus);
	free(g->tids);
	guest_memory_free(g->memory);
	g->cpus = NULL;
	g->tids = NULL;
	g->memory = NULL;
	g->vm = NULL;
	g->vcpu_count = 0;
}

static struct err *take_vm(struct guest_view *g, struct vm *vm)
{
	g->tids = calloc(vm->vcpu_count + 1, sizeof(*g->tids));
	g->cpus = calloc(vm->vcpu_count + 1, sizeof(*g->cpus));
	struct err *e =
		!g->tids || !g->cpus ? err_nomem() : guest_memory_new(g->host->kvm, vm, &g->memory);
	if (e) {
		let_go(g);
		return e;
	}
	g->vm = vm;
	g->vcpu_count = vm->vcpu_count;
	for (size_t i = 0; i < g->vcpu_count; i++)
		g->tids[i] = i + 1;
	return NULL;
}

struct err *guest_view_open(struct vmcore *host, struct vm *vm, struct guest_view *ret)
{
	*ret = (struct guest_view){
		.host = host,
		.address = vm->address,
		.mm = vm->mm,
		.pid = vm->pid,
		.generation = host->generation,
	};
	return take_vm(ret, vm);
}

void guest_view_close(struct guest_view *g)
{
	let_go(g);
}

bool guest_view_is(const struct guest_view *g, const struct vm *vm)
{
	return g->address == vm->address && g->mm == vm->mm && g->pid == vm->pid;
}

struct err *guest_view_follow(struct guest_view *g)
{
	struct vm *vms;
	size_t count;
	if (g->generation == g->host->generation)
		return NULL;
	let_go(g);
	struct err *e = kvm_vms(g->host->kvm, &vms, &count);
	if (e)
		return e;
	struct vm *vm = kvm_vm_at(g->host->kvm, g->address);
	if (vm && guest_view_is(g, vm))
		e = take_vm(g, vm);
	if (!e)
		g->generation = g->host->generation;
	return e;
}

struct err *guest_view_ended(const struct guest_view *g)
{
	return err_new(ERR_NOTFOUND, "the virtual machine of process %" PRIu32 " has ended",
		       g->pid);
}

void guest_view_begin(struct guest_view *g)
{
	vmcore_begin(g->host);
	/* Memory that is out now may be there at the next try. */
	err_free(guest_view_follow(g));
	if (!g->vm)
		return;
	forget_cpus(g);
	if (kvm_vm_is_there(g->host->kvm, g->vm))
		guest_memory_forget(g->memory);
	else
		let_go(g);
}

struct err *guest_view_renew(struct guest_view *g)
{
	struct err *e = vmcore_renew(g->host);
	return e ? e : guest_view_follow(g);
}

const struct vcpu *guest_view_vcpu(struct guest_view *g, uint64_t tid)
{
	err_free(guest_view_follow(g));
	return tid >= 1 && tid <= g->vcpu_count ? &g->vm->vcpus[tid - 1] : NULL;
}

static struct err *read_cpu(struct guest_view *g, struct guest_cpu *c, const struct vcpu *vcpu)
{
	struct err *e = guest_regs_read(g->host->kvm, vcpu, &c->regs);
	if (e)
		return e;
	e = guest_paging(&c->regs, &c->space, &c->stale);
	if (!e)
		e = guest_paging_below(g->host->kvm, vcpu, &c->regs, &c->space);
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	c->has_space = !e;
	if (e) {
		c->why = strdup(err_msg(e));
		err_free(e);
		if (!c->why)
			return err_nomem();
	}
	c->read = true;
	return NULL;
}

struct err *guest_view_cpu(struct guest_view *g, uint64_t tid, struct guest_cpu **ret)
{
	const struct vcpu *vcpu = guest_view_vcpu(g, tid);
	if (!g->vm)
		return guest_view_ended(g);
	if (!vcpu)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	struct guest_cpu *c = &g->cpus[tid - 1];
	struct err *e = c->read ? NULL : read_cpu(g, c, vcpu);
	if (!e)
		*ret = c;
	return e;
}
