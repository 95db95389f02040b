// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_map.h"

#include <stdlib.h>

#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/module_symbols.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"

enum { TEXTS = 2 };

struct code_map {
	struct kernel *k; /* borrowed */
	struct modules modules;
	struct module_symbols *symbols;
	struct made_code made; /* read when code is met that is nobody's */
	bool made_read;
	struct {
		uint64_t low, high; /* [low, high); empty if it is not known */
	} texts[TEXTS];
};

struct err *code_map_new(struct kernel *k, struct code_map **ret)
{
	static const char *const bounds[TEXTS][2] = { { "_stext", "_etext" },
						      { "_sinittext", "_einittext" } };
	struct code_map *c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem();
	c->k = k;
	for (int i = 0; i < TEXTS; i++)
		if (!kernel_symbol(k, bounds[i][0], &c->texts[i].low) ||
		    !kernel_symbol(k, bounds[i][1], &c->texts[i].high))
			c->texts[i].low = c->texts[i].high = 0;
	struct err *e = modules_read(k, &c->modules);
	if (!e)
		e = module_symbols_new(k, &c->modules, &c->symbols);
	if (e) {
		code_map_free(c);
		return e;
	}
	*ret = c;
	return NULL;
}

void code_map_free(struct code_map *c)
{
	if (!c)
		return;
	module_symbols_free(c->symbols);
	made_code_free(&c->made);
	modules_free(&c->modules);
	free(c);
}

const struct modules *code_map_modules(const struct code_map *c)
{
	return &c->modules;
}

bool code_map_knows_modules(const struct code_map *c)
{
	return c->modules.known;
}

bool code_map_in_kernel(const struct code_map *c, uint64_t pc)
{
	for (int i = 0; i < TEXTS; i++)
		if (pc >= c->texts[i].low && pc < c->texts[i].high)
			return true;
	return false;
}

bool code_map_is_code(const struct code_map *c, uint64_t pc)
{
	bool text;
	struct vtop v;
	if (code_map_in_kernel(c, pc))
		return true;
	if (modules_at(&c->modules, pc, &text))
		return text;
	if (pc < kernel_arch(c->k)->map->image)
		return false;
	struct err *e = memory_vtop(kernel_memory(c->k), kernel_space(c->k), pc, &v);
	bool mapped = !e;
	err_free(e);
	return mapped && v.executable;
}

const struct module *code_map_module(const struct code_map *c, uint64_t address)
{
	return modules_at(&c->modules, address, NULL);
}

const struct symbols *code_map_module_symbols(struct code_map *c, const struct module *module)
{
	return module_symbols_all(c->symbols, module);
}

const struct symbols *code_map_module_percpu(struct code_map *c, const struct module *module)
{
	return module_symbols_all_percpu(c->symbols, module);
}

const struct made_code *code_map_made(struct code_map *c)
{
	if (!c->made_read) {
		struct err *e = made_code_read(c->k, &c->made);
		if (e)
			log_debug(LOG_UNWIND, "code made at run time: %s", err_msg(e));
		err_free(e);
		c->made_read = true;
	}
	return &c->made;
}

bool code_map_symbol(struct code_map *c, uint64_t address, struct symbol *ret)
{
	const struct module *m = code_map_module(c, address);
	if (m && module_symbols_at(c->symbols, m, address, ret))
		return true;
	if (!m && address >= kernel_arch(c->k)->map->image && !code_map_in_kernel(c, address)) {
		const struct made_function *made = made_code_find(code_map_made(c), address);
		if (made) {
			*ret = (struct symbol){ .address = made->start,
						.size = made->end - made->start,
						.name = made->name,
						.type = 't' };
			return true;
		}
	}
	return kernel_symbol_at(c->k, address, ret);
}

bool code_map_address(struct code_map *c, const char *module, const char *name, uint64_t *ret)
{
	const struct module *m = modules_named(&c->modules, module);
	if (m && module_symbols_address(c->symbols, m, name, ret))
		return true;
	/* A name is unique in a module, not among all: the kernel's may be another's. */
	uint64_t address;
	if (!kernel_symbol(c->k, name, &address) || (m && code_map_module(c, address) != m))
		return false;
	*ret = address;
	return true;
}

bool code_map_percpu(struct code_map *c, const char *module, const char *name,
		     const struct cpu *cpu, uint64_t *ret)
{
	const struct module *m = modules_named(&c->modules, module);
	uint64_t base;
	if (!m)
		return cpu_symbol(c->k, cpu, name, ret);
	if (!module_symbols_percpu(c->symbols, m, name, &base))
		return false;
	*ret = base + cpu->offset;
	return true;
}
