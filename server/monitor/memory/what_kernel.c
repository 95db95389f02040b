// SPDX-License-Identifier: GPL-2.0-or-later
/* Places that the kernel has from its start: symbols, per-CPU areas, stacks. */
#include <inttypes.h>
#include <stdlib.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/regs.h"
#include "server/monitor/frames/raw.h"
#include "server/monitor/memory/what_facts.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

enum { CPUS_SHOWN = 8 };

/* ---- symbols ---- */

/* The section of @m that holds @address: the last that begins at or before it. */
static void say_section(struct facts *f, const struct module *m)
{
	struct module_sections sections;
	const struct module_section *best = NULL;
	struct err *e = module_sections_read(f->h->kernel, m, &sections);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t i = 0; i < sections.count; i++) {
		const struct module_section *s = &sections.list[i];
		if (s->kept && s->address <= f->address && (!best || s->address >= best->address))
			best = s;
	}
	if (best && modules_at(code_map_modules(f->h->code), best->address, NULL) == m) {
		fact_say(f, ", section ");
		fact_say_text(f, best->name);
		fact_str(f, "section", best->name);
	}
	module_sections_free(&sections);
}

void facts_of_symbol(struct facts *f)
{
	struct symbol symbol;
	const struct module *m = code_map_module(f->h->code, f->address);
	bool named =
		is_kernel_address(f->address) && code_map_symbol(f->h->code, f->address, &symbol);
	if (!named && !m)
		return;
	fact_begin(f, "symbol");
	if (named) {
		uint64_t offset = f->address - symbol.address;
		fact_say_text(f, symbol.name);
		if (offset)
			fact_say(f, "+0x%" PRIx64, offset);
		fact_str(f, "symbol", symbol.name);
		fact_hex(f, "offset", offset);
		if (symbol.size && offset >= symbol.size)
			fact_say(f, " (behind its end)");
	}
	if (m) {
		fact_say(f, "%s", named ? " [" : "in module [");
		fact_say_text(f, m->name);
		fact_say(f, "]");
		fact_str(f, "module", m->name);
		say_section(f, m);
	} else {
		fact_say(f, " of the kernel");
	}
	fact_end(f);
}

/* ---- per-CPU variables ---- */

/* The last symbol of @s at or below @address that is no mere boundary; false if there is none. */
static bool last_before(const struct symbols *s, uint64_t address, uint64_t low, struct symbol *ret)
{
	size_t from = 0, to = s ? symbols_count(s) : 0;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (symbols_nth(s, middle).address <= address)
			from = middle + 1;
		else
			to = middle;
	}
	while (from-- > 0) {
		struct symbol symbol = symbols_nth(s, from);
		if (symbol.address < low)
			return false;
		if (symbols_is_boundary(symbol.name))
			continue;
		*ret = symbol;
		return true;
	}
	return false;
}

static void percpu_fact(struct facts *f, const struct cpu *cpu, const struct symbol *symbol,
			uint64_t offset, const struct module *m)
{
	fact_begin(f, "percpu");
	fact_number(f, "cpu", cpu->number);
	if (symbol) {
		fact_say_text(f, symbol->name);
		if (offset)
			fact_say(f, "+0x%" PRIx64, offset);
		if (m) {
			fact_say(f, " [");
			fact_say_text(f, m->name);
			fact_say(f, "]");
			fact_str(f, "module", m->name);
		}
		fact_say(f, " of CPU %u", cpu->number);
		fact_str(f, "symbol", symbol->name);
		fact_hex(f, "offset", offset);
	} else {
		fact_say(f, "per-CPU memory of CPU %u", cpu->number);
	}
	fact_end(f);
}

/* What a per-CPU pointer to the address is on any CPU; @within: the CPU's own part of memory. */
static bool find_percpu(struct facts *f, const struct cpu *cpu, uint64_t start, uint64_t end,
			uint64_t unit)
{
	const struct modules *modules = code_map_modules(f->h->code);
	uint64_t pointer = f->address - cpu->offset;
	struct symbol symbol;
	if (pointer >= start && pointer < end) {
		bool named = last_before(kernel_symbols(f->h->kernel), pointer, start, &symbol);
		percpu_fact(f, cpu, named ? &symbol : NULL, named ? pointer - symbol.address : 0,
			    NULL);
		return true;
	}
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		if (pointer < m->percpu || pointer >= m->percpu_end)
			continue;
		bool named = last_before(code_map_module_percpu(f->h->code, m), pointer, m->percpu,
					 &symbol);
		percpu_fact(f, cpu, named ? &symbol : NULL, named ? pointer - symbol.address : 0,
			    m);
		return true;
	}
	if (pointer >= end && pointer - start < unit) {
		percpu_fact(f, cpu, NULL, 0, NULL);
		return true;
	}
	return false;
}

/* How much of the first chunk each CPU has, in bytes; 0 if it is not known. */
static uint64_t percpu_unit(const struct kernel *k)
{
	uint64_t symbol;
	uint32_t size = 0;
	if (kernel_symbol(k, "pcpu_unit_size", &symbol))
		err_free(kernel_read_u32(k, symbol, &size));
	return size;
}

/* Until 6.14 the symbols of per-CPU variables are offsets: where each CPU has it. */
static void percpu_offset_fact(struct facts *f, uint64_t start)
{
	struct symbol symbol;
	if (!last_before(kernel_symbols(f->h->kernel), f->address, start, &symbol))
		return;
	fact_begin(f, "percpu_offset");
	fact_say_text(f, symbol.name);
	if (f->address != symbol.address)
		fact_say(f, "+0x%" PRIx64, f->address - symbol.address);
	fact_say(f, ", a per-CPU variable");
	fact_str(f, "symbol", symbol.name);
	fact_hex(f, "offset", f->address - symbol.address);
	for (size_t i = 0; i < f->h->cpus.count && i < CPUS_SHOWN; i++)
		fact_say(f, "%s0x%" PRIx64, i ? ", " : ": ",
			 f->address + f->h->cpus.list[i].offset);
	fact_say(f, "%s", f->h->cpus.count > CPUS_SHOWN ? ", ..." : "");
	fact_end(f);
}

void facts_of_percpu(struct facts *f)
{
	uint64_t start, end, unit = percpu_unit(f->h->kernel);
	if (!kernel_symbol(f->h->kernel, "__per_cpu_start", &start) ||
	    !kernel_symbol(f->h->kernel, "__per_cpu_end", &end))
		return;
	if (!is_kernel_address(start) && f->address >= start && f->address < end)
		percpu_offset_fact(f, start);
	if (!is_kernel_address(f->address))
		return;
	for (size_t i = 0; i < f->h->cpus.count; i++)
		if (find_percpu(f, &f->h->cpus.list[i], start, end, unit))
			return;
}

/* ---- stacks ---- */

/* The frame of @task whose part of the stack holds the address. */
static void say_frame(struct facts *f, const struct task *task)
{
	const struct frames *frames;
	struct raw_stack raw;
	size_t number;
	struct err *e = frame_cache_get(f->h->frames, task, &frames);
	if (!e)
		e = raw_stack_new(f->h, task, frames, &raw);
	if (e) {
		err_free(e);
		return;
	}
	if (raw_stack_frame_of(&raw, f->address, &number)) {
		const struct frame *frame = &frames->list[number];
		struct code_place place = code_place_of_frame(f->h->code, frame);
		fact_say(f, ", in frame #%zu", number);
		fact_number(f, "frame", number);
		if (place.kind == PLACE_NAMED) {
			fact_say(f, " (");
			fact_say_text(f, place.symbol.name);
			fact_say(f, ")");
			fact_str(f, "function", place.symbol.name);
		}
		if (!f->json)
			raw_stack_saved(&raw, f->address, f->out);
	} else if (frames->count && regs_sp_known(&frames->list[0].regs) &&
		   f->address < regs_sp(&frames->list[0].regs)) {
		fact_say(f, ", below its frames");
	}
	raw_stack_free(&raw);
}

static void stack_fact(struct facts *f, const struct task *task)
{
	fact_begin(f, "stack");
	fact_say(f, "stack+0x%" PRIx64 " of %" PRIu32 " ", f->address - task->stack, task->tid);
	fact_say_text(f, task->comm);
	fact_number(f, "tid", task->tid);
	fact_str(f, "comm", task->comm);
	fact_hex(f, "start", task->stack);
	fact_hex(f, "offset", f->address - task->stack);
	say_frame(f, task);
	fact_end(f);
}

static void cpu_stack_fact(struct facts *f, const struct cpu *cpu, const struct cpu_stack *stack)
{
	const struct task *task = tasks_on_cpu(&f->h->tasks, cpu);
	fact_begin(f, "stack");
	fact_say(f, "%s stack+0x%" PRIx64 " of CPU %u", stack->name, f->address - stack->low,
		 cpu->number);
	fact_str(f, "stack", stack->name);
	fact_number(f, "cpu", cpu->number);
	fact_hex(f, "start", stack->low);
	fact_hex(f, "offset", f->address - stack->low);
	if (task)
		say_frame(f, task);
	fact_end(f);
}

void facts_of_stack(struct facts *f)
{
	const struct tasks *tasks = &f->h->tasks;
	for (size_t i = 0; i < tasks->count; i++) {
		const struct task *task = &tasks->list[i];
		if (task->stack && f->address >= task->stack &&
		    f->address - task->stack < tasks->stack_size)
			stack_fact(f, task);
	}
	for (size_t i = 0; i < f->h->cpus.count; i++) {
		const struct cpu *cpu = &f->h->cpus.list[i];
		const struct cpu_stack *stack = cpu_stack_at(cpu, f->address);
		if (stack)
			cpu_stack_fact(f, cpu, stack);
	}
}
