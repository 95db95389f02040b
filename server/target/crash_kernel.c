// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "proto/crash/machine.h"
#include "server/target/arch.h"
#include "server/target/crash_machine.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

static void begin(void *self)
{
	vmcore_begin(self);
}

static const char *banner(void *self)
{
	return kernel_banner(((const struct vmcore *)self)->kernel);
}

static unsigned cpu_count(void *self)
{
	const struct cpus *cpus = &((const struct vmcore *)self)->cpus;
	return cpus->count ? cpus->list[cpus->count - 1].number + 1 : 0;
}

static struct err *read_physical(void *self, uint64_t addr, void *out, size_t len)
{
	const struct vmcore *h = self;
	size_t done;
	struct err *e = memory_read_phys(h->memory, addr, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING, "only %zu of %zu bytes at 0x%" PRIx64 " are there", done,
			    len, addr);
	return e;
}

static struct err *read_virtual(void *self, uint64_t addr, void *out, size_t len)
{
	if (!is_kernel_address(addr))
		return err_new(ERR_INVALID, "0x%" PRIx64 " is no address of the kernel", addr);
	return kernel_read(((const struct vmcore *)self)->kernel, addr, out, len);
}

static struct err *translate(void *self, uint64_t addr, uint64_t *ret)
{
	const struct vmcore *h = self;
	struct vtop way;
	if (!is_kernel_address(addr))
		return err_new(ERR_INVALID, "0x%" PRIx64 " is no address of the kernel", addr);
	struct err *e = memory_vtop(h->memory, kernel_space(h->kernel), addr, &way);
	if (!e)
		*ret = way.pa;
	return e;
}

/* NULL if nothing is known to run there. */
static const struct task *task_on(const struct vmcore *h, unsigned cpu)
{
	for (size_t i = 0; i < h->tasks.count; i++) {
		const struct task *task = &h->tasks.list[i];
		if (task->on_cpu && task->cpu >= 0 && (unsigned)task->cpu == cpu)
			return task;
	}
	return NULL;
}

/* The registers that a debugger sees of the task that runs there. */
static struct err *cpu(void *self, unsigned number, struct crash_cpu *ret)
{
	const struct vmcore *h = self;
	const struct task *task = task_on(h, number);
	struct frame first;
	const char *why;
	if (!task)
		return NULL;
	struct err *e = unwinder_first(h->unwinder, task, &first, &why);
	if (e || why)
		return e;
	target_arch_of(kernel_arch(h->kernel))->crash_fill(&first.regs, ret);
	return NULL;
}

static bool placement(void *self, uint64_t *ret_phys_base, uint64_t *ret_slide)
{
	uint64_t text, physical;
	if (!kernel_text(((const struct vmcore *)self)->kernel, &text, ret_slide))
		return false;
	struct err *e = translate(self, text, &physical);
	if (e) {
		err_free(e);
		return false;
	}
	*ret_phys_base =
		physical - (text - kernel_arch(((const struct vmcore *)self)->kernel)->map->image);
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

const struct crash_ops *crash_ops_of_kernel(const struct vmcore *host)
{
	return host->live ? &live_ops : &ops;
}
