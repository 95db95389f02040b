// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/cpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpu_switch.h"
#include "vmcore/kernel/tasks/tasks.h"

/* The most CPUs that x86-64 can be built for (MAXSMP: NR_CPUS 8192). */
enum { CPUS_MAX = 8192, MASK_BYTES = CPUS_MAX / 8 };

struct cpu_mask {
	unsigned char bits[MASK_BYTES];
	unsigned count; /* bits that were read */
};

static bool mask_has(const struct cpu_mask *m, unsigned cpu)
{
	return cpu < m->count && m->bits[cpu / 8] >> cpu % 8 & 1;
}

static bool is_empty(const struct cpu_mask *m)
{
	for (unsigned i = 0; i < sizeof(m->bits); i++)
		if (m->bits[i])
			return false;
	return true;
}

/*
 * Reads a cpumask: the variable __cpu_NAME_mask (from 4.5 on), or what the pointer cpu_NAME_mask
 * points to (before). @cpus bits of it are wanted.
 */
static bool read_mask(const struct kernel *k, const char *variable, const char *pointer,
		      unsigned cpus, struct cpu_mask *ret)
{
	uint64_t at;
	struct err *e = NULL;
	memset(ret, 0, sizeof(*ret));
	if (!kernel_symbol(k, variable, &at)) {
		if (!kernel_symbol(k, pointer, &at))
			return false;
		e = kernel_read_u64(k, at, &at);
	}
	if (!e)
		e = kernel_read(k, at, ret->bits, (cpus + 63) / 64 * 8);
	if (e) {
		log_debug(LOG_TASKS, "%s: %s", variable, err_msg(e));
		err_free(e);
		return false;
	}
	ret->count = cpus;
	return true;
}

bool cpu_symbol(const struct kernel *k, const struct cpu *cpu, const char *name, uint64_t *ret)
{
	if (!kernel_symbol(k, name, ret))
		return false;
	*ret += cpu->offset;
	return true;
}

static bool read_path(const struct kernel *k, uint64_t at, const char *type, const char *path,
		      uint64_t *ret)
{
	struct err *e = kernel_read_path(k, at, type, path, ret);
	err_free(e);
	return !e;
}

/* ---- stacks ---- */

void cpu_add_stack(struct cpu *cpu, const char *name, uint64_t low, uint64_t high)
{
	if (cpu->stack_count < CPU_STACKS_MAX && low && low < high)
		cpu->stacks[cpu->stack_count++] = (struct cpu_stack){ name, low, high };
}

/* ---- CPUs ---- */

/* What the boot of each CPU but the first keeps its idle task in (kernel/smpboot.c, since 3.6); the
 * first one's is init_task. */
static uint64_t idle_task(const struct kernel *k, const struct cpu *cpu)
{
	uint64_t at, task;
	if (cpu_symbol(k, cpu, "idle_threads", &at) && kernel_get_u64(k, at, &task) && task)
		return task;
	return !cpu->number && kernel_symbol(k, "init_task", &task) ? task : 0;
}

/* Without struct rq. A CPU that was not brought up has init_task for its current one. */
static void read_untyped_cpu(const struct kernel *k, struct cpu *cpu)
{
	uint64_t init_task = 0;
	kernel_symbol(k, "init_task", &init_task);
	cpu->curr = cpu_current_task(k, cpu);
	cpu->idle = idle_task(k, cpu);
	if (!cpu->online && cpu->curr == init_task && cpu->idle != init_task) {
		cpu->unstarted = true;
		cpu->curr = 0;
	}
}

static void read_cpu(struct kernel *k, struct cpu *cpu)
{
	uint64_t rq;
	if (types_why_none(kernel_types(k)) && !types_has(kernel_types(k), "rq", "curr")) {
		read_untyped_cpu(k, cpu);
	} else if (cpu_symbol(k, cpu, "runqueues", &rq)) {
		if (!read_path(k, rq, "rq", "idle", &cpu->idle) ||
		    !read_path(k, rq, "rq", "curr", &cpu->curr))
			kernel_note(k, "CPU %u: its runqueue at 0x%" PRIx64 " cannot be read",
				    cpu->number, rq);
	} else {
		kernel_note(k,
			    "CPU %u: the symbol 'runqueues' is not known, so neither is what ran",
			    cpu->number);
	}
	kernel_arch(k)->tasks->find_stacks(k, cpu);
}

/*
 * How many CPUs there can be at most, by nr_cpu_ids (a macro for 1 in kernels without SMP), and by
 * what the masks have bits for: behind them lie other variables.
 */
static unsigned cpu_limit(const struct kernel *k)
{
	uint64_t at, mask_bytes;
	uint32_t limit, most = CPUS_MAX;
	if (!kernel_symbol(k, "nr_cpu_ids", &at))
		return 1;
	struct err *e = types_size(kernel_types(k), "cpumask", &mask_bytes);
	if (!e && mask_bytes && mask_bytes < MASK_BYTES)
		most = 8 * (uint32_t)mask_bytes;
	err_free(e);
	e = kernel_read_u32(k, at, &limit);
	if (e || !limit || limit > most)
		limit = most;
	err_free(e);
	return limit;
}

struct err *cpus_read(struct kernel *k, struct cpus *ret)
{
	struct cpu_mask *masks = calloc(2, sizeof(*masks));
	struct cpus cpus = { 0 };
	uint64_t offsets = 0;
	unsigned limit = cpu_limit(k);
	bool smp = kernel_symbol(k, "__per_cpu_offset", &offsets);
	struct err *e = NULL;

	cpus.list = calloc(limit, sizeof(*cpus.list));
	if (!masks || !cpus.list) {
		free(masks);
		free(cpus.list);
		return err_nomem();
	}
	struct cpu_mask *possible = &masks[0], *online = &masks[1];
	if (smp && !read_mask(k, "__cpu_possible_mask", "cpu_possible_mask", limit, possible)) {
		kernel_note(k, "the mask of possible CPUs cannot be read: CPU 0 alone is shown");
		limit = 1;
	}
	if (limit == 1) {
		possible->bits[0] = 1;
		possible->count = 1;
	}
	/* Until boot_cpu_init() it is empty, and the first CPU runs. */
	if (is_empty(possible))
		possible->bits[0] = 1;
	read_mask(k, "__cpu_online_mask", "cpu_online_mask", limit, online);
	for (unsigned i = 0; i < limit; i++) {
		if (!mask_has(possible, i))
			continue;
		struct cpu *cpu = &cpus.list[cpus.count];
		cpu->number = i;
		cpu->online = !online->count || mask_has(online, i);
		e = smp ? kernel_read_u64(k, offsets + 8 * (uint64_t)i, &cpu->offset) : NULL;
		if (e) {
			kernel_note(k, "CPU %u: its per-CPU offset cannot be read: %s", i,
				    err_msg(e));
			err_free(e);
			continue;
		}
		read_cpu(k, cpu);
		cpus.count++;
	}
	free(masks);
	e = cpu_switch_settle(k, &cpus);
	if (e) {
		cpus_free(&cpus);
		return e;
	}
	*ret = cpus;
	return NULL;
}

void cpus_free(struct cpus *c)
{
	free(c->list);
	*c = (struct cpus){ 0 };
}

const struct cpu *cpus_find(const struct cpus *c, unsigned number)
{
	size_t low = 0, high = c->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->list[middle].number == number)
			return &c->list[middle];
		if (c->list[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct cpu_stack *cpu_stack_at(const struct cpu *cpu, uint64_t address)
{
	for (unsigned i = 0; i < cpu->stack_count; i++)
		if (address >= cpu->stacks[i].low && address < cpu->stacks[i].high)
			return &cpu->stacks[i];
	return NULL;
}
