// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/base/regs.h"
#include "tests/kernel/ask.h"

#include <stdlib.h>

#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/module_symbols.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/log/printk.h"

static struct err *ignore_record(void *closure, const struct printk_record *record)
{
	(void)closure;
	(void)record;
	return NULL;
}

static void ask_log(struct machine *m)
{
	char *panic = NULL;
	err_free(printk_panic(m->kernel, &panic));
	err_free(printk_walk(m->kernel, ignore_record, NULL));
	free(panic);
}

static void name_frames(struct code_map *code, const struct frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		struct symbol symbol;
		uint64_t pc = frames->list[i].regs.value[REG_RIP];
		code_map_symbol(code, pc, &symbol);
		code_map_is_code(code, pc);
	}
}

static void unwind_everything(struct machine *m, struct code_map *code)
{
	struct unwinder *unwinder = NULL;
	struct unwinder_parts parts = { m->kernel, &m->cpus, &m->tasks, m->registers, code, NULL };
	struct err *e = unwinder_new(&parts, &unwinder);
	for (size_t i = 0; !e && i < m->tasks.count; i++) {
		struct frames frames;
		e = unwinder_frames(unwinder, &m->tasks.list[i], &frames);
		if (e)
			break;
		name_frames(code, &frames);
		frames_free(&frames);
	}
	assert_no_err(e);
	unwinder_free(unwinder);
}

static void ask_module(struct machine *m, const struct module *module,
		       struct module_symbols *symbols, struct module_types *types)
{
	struct module_sections sections = { 0 };
	struct types *of_module;
	struct symbol symbol;
	uint64_t address;
	struct err *e = module_sections_read(m->kernel, module, &sections);
	if (!e)
		module_sections_find(&sections, ".text", 0, &address);
	err_free(e);
	free(module_build_id(m->kernel, module, &sections));
	module_sections_free(&sections);
	module_symbols_at(symbols, module, module->address, &symbol);
	module_symbols_address(symbols, module, "init_module", &address);
	module_symbols_percpu(symbols, module, "counter", &address);
	err_free(module_types_get(types, module->name, &of_module));
}

static void ask_modules(struct machine *m, struct code_map *code)
{
	const struct modules *modules = code_map_modules(code);
	struct module_symbols *symbols;
	struct module_types *types;
	struct made_code bpf;
	assert_no_err(module_symbols_new(m->kernel, modules, &symbols));
	assert_no_err(module_types_new(m->kernel, modules, NULL, &types));
	for (size_t i = 0; i < modules->count; i++)
		ask_module(m, &modules->list[i], symbols, types);
	module_types_free(types);
	module_symbols_free(symbols);
	assert_no_err(made_code_read(m->kernel, &bpf));
	made_code_free(&bpf);
}

void ask_kernel(struct machine *m)
{
	struct code_map *code;
	for (size_t i = 0; i < m->tasks.count; i++) {
		const struct first_regs *regs;
		struct vspace space;
		err_free(registers_get(m->registers, &m->tasks.list[i], &regs));
		err_free(task_space(m->kernel, &m->tasks.list[i], &space));
	}
	ask_log(m);
	assert_no_err(code_map_new(m->kernel, &code));
	unwind_everything(m, code);
	ask_modules(m, code);
	code_map_free(code);
}
