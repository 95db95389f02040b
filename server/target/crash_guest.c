// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "base/regs.h"
#include "proto/crash/machine.h"
#include "server/target/arch.h"
#include "server/target/crash_machine.h"
#include "server/target/guest_view.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_note.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

static void begin(void *self)
{
	guest_view_begin(self);
}

/* NULL if what it runs is not known. */
static const struct guest_linux *linux_of(struct guest_view *g)
{
	const struct guest_linux *found = NULL;
	struct err *e = guest_view_follow(g);
	if (!e && g->vm)
		e = guest_linux_find(g->host->kvm, g->vm, &found);
	err_free(e);
	return found && found->found ? found : NULL;
}

static const char *banner(void *self)
{
	const struct guest_linux *found = linux_of(self);
	return found ? found->banner : "";
}

static unsigned cpu_count(void *self)
{
	struct guest_view *g = self;
	err_free(guest_view_follow(g));
	return (unsigned)g->vcpu_count;
}

static struct err *check_whole(size_t done, size_t len, uint64_t addr)
{
	if (done == len)
		return NULL;
	return err_new(ERR_MISSING, "only %zu of %zu bytes at 0x%" PRIx64 " are there", done, len,
		       addr);
}

static struct err *read_physical(void *self, uint64_t addr, void *out, size_t len)
{
	struct guest_view *g = self;
	size_t done;
	struct err *e = guest_view_follow(g);
	if (!e && !g->vm)
		e = guest_view_ended(g);
	if (!e)
		e = guest_memory_read_phys(g->memory, addr, out, len, &done);
	return e ? e : check_whole(done, len, addr);
}

/*
 * By the first vCPU whose tables have it: those of user mode may lack most of the kernel, and what
 * a guest of the guest has is another's.
 */
static struct err *translate(void *self, uint64_t addr, uint64_t *ret)
{
	struct guest_view *g = self;
	struct err *e = guest_view_follow(g);
	if (!e && !g->vm)
		e = guest_view_ended(g);
	if (!e && !is_kernel_address(addr))
		e = err_new(ERR_INVALID, "0x%" PRIx64 " is no address of the kernel", addr);
	if (e)
		return e;
	for (size_t i = 0; i < g->vcpu_count; i++) {
		struct guest_cpu *c;
		struct walk way;
		e = guest_view_cpu(g, g->tids[i], &c);
		if (e)
			return e;
		if (!c->has_space || c->regs.is_nested)
			continue;
		const struct walk_reader reader = guest_memory_reader(g->memory);
		e = guest_walk(&reader, &c->space, addr, &way);
		if (!e) {
			*ret = way.pa;
			return NULL;
		}
		err_free(e);
	}
	return err_new(ERR_NOTPRESENT, "no vCPU's page tables have 0x%" PRIx64, addr);
}

static struct err *read_virtual(void *self, uint64_t addr, void *out, size_t len)
{
	enum { PAGE = 4096 };
	char *to = out;
	while (len) {
		size_t n = PAGE - addr % PAGE < len ? PAGE - addr % PAGE : len;
		uint64_t physical;
		struct err *e = translate(self, addr, &physical);
		if (!e)
			e = read_physical(self, physical, to, n);
		if (e)
			return e;
		addr += n;
		to += n;
		len -= n;
	}
	return NULL;
}

/* The guest's CPUs are taken to have the order of its vCPUs. crash holds the stack pointer against
 * the stack of the task that it finds there, and shows nothing where they do not fit. */
static struct err *cpu(void *self, unsigned number, struct crash_cpu *ret)
{
	struct guest_view *g = self;
	struct guest_cpu *c;
	struct regs regs;
	struct err *e = guest_view_cpu(g, (uint64_t)number + 1, &c);
	if (e || c->regs.is_encrypted || c->regs.is_nested)
		return e;
	guest_regs_general(&c->regs, &regs);
	target_arch_of(kernel_arch(g->host->kernel))->crash_fill(&regs, ret);
	guest_regs_tables(&c->regs, &ret->root, &ret->knows_root);
	return NULL;
}

static bool placement(void *self, uint64_t *ret_phys_base, uint64_t *ret_slide)
{
	const struct guest_linux *found = linux_of(self);
	uint64_t physical;
	if (!found || !found->placed)
		return false;
	struct err *e = translate(self, found->text, &physical);
	if (e) {
		err_free(e);
		return false;
	}
	*ret_phys_base = physical -
			 (found->text -
			  kernel_arch(((const struct guest_view *)self)->host->kernel)->map->image);
	*ret_slide = found->slide;
	return true;
}

static const struct crash_ops ops = {
	.banner = banner,
	.cpu_count = cpu_count,
	.read_physical = read_physical,
	.read_virtual = read_virtual,
	.translate = translate,
	.cpu = cpu,
	.placement = placement,
};

static const struct crash_ops live_ops = {
	.live = true,
	.begin = begin,
	.banner = banner,
	.cpu_count = cpu_count,
	.read_physical = read_physical,
	.read_virtual = read_virtual,
	.translate = translate,
	.cpu = cpu,
	.placement = placement,
};

const struct crash_ops *crash_ops_of_guest(const struct vmcore *host)
{
	return host->live ? &live_ops : &ops;
}
