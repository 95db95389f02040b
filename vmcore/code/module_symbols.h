/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of the addresses in modules, from each module's part of kallsyms in memory. */
#ifndef VMCORE_CODE_MODULE_SYMBOLS_H
#define VMCORE_CODE_MODULE_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/names/symbols.h"

struct err;
struct kernel;
struct module;
struct modules;

struct module_symbols;

/* Reads nothing yet. Both are borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *module_symbols_new(const struct kernel *k,
								   const struct modules *modules,
								   struct module_symbols **ret);
void module_symbols_free(struct module_symbols *s);

/* All symbols of @module that are places in memory, and its per-CPU variables, with what a CPU's
 * offset is to be added to; NULL if there are none. */
const struct symbols *module_symbols_all(struct module_symbols *s, const struct module *module);
const struct symbols *module_symbols_all_percpu(struct module_symbols *s,
						const struct module *module);

/*
 * The symbol of @module (one of the modules given to module_symbols_new()) that holds @address;
 * false if there is none. A module's table is read when it is first asked for, and kept; one that
 * cannot be read has no symbols.
 */
bool module_symbols_at(struct module_symbols *s, const struct module *module, uint64_t address,
		       struct symbol *ret);

/* The address of @name in @module; false if it has no such symbol. Per-CPU variables have none. */
bool module_symbols_address(struct module_symbols *s, const struct module *module, const char *name,
			    uint64_t *ret);

/*
 * What a CPU's offset (struct cpu) is to be added to for the per-CPU variable @name of @module;
 * false if it has none of that name, as in kernels without CONFIG_KALLSYMS_ALL.
 */
bool module_symbols_percpu(struct module_symbols *s, const struct module *module, const char *name,
			   uint64_t *ret);

#endif
