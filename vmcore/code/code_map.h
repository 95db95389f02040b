/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What code lies at an address: the kernel's, a module's, or some that was made at run time. */
#ifndef VMCORE_CODE_CODE_MAP_H
#define VMCORE_CODE_CODE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmcore/names/symbols.h"

struct code_map;
struct cpu;
struct err;
struct kernel;
struct made_code;
struct module;
struct modules;

/* Reads the list of modules. @k is borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *code_map_new(struct kernel *k,
							     struct code_map **ret);
void code_map_free(struct code_map *c);

const struct modules *code_map_modules(const struct code_map *c);

/* Whether the list of modules can be read at all: for want of types it cannot. */
bool code_map_knows_modules(const struct code_map *c);

/* Whether @pc lies in the image's own code, that which only runs while it boots included. */
bool code_map_in_kernel(const struct code_map *c, uint64_t pc);

/* Whether @pc lies in code of any kind: also in what the page tables alone say is executable, as
 * BPF programs and trampolines are. */
bool code_map_is_code(const struct code_map *c, uint64_t pc);

/* The module that @address belongs to, or NULL. */
const struct module *code_map_module(const struct code_map *c, uint64_t address);

/* All symbols of @module, one of code_map_modules(), and its per-CPU variables as
 * module_symbols_all_percpu() has them; NULL if there are none. */
const struct symbols *code_map_module_symbols(struct code_map *c, const struct module *module);
const struct symbols *code_map_module_percpu(struct code_map *c, const struct module *module);

/* The symbol that holds @address, a module's or the kernel's; false if none does. */
bool code_map_symbol(struct code_map *c, uint64_t address, struct symbol *ret);

/* The code that was made at run time, with its names. Borrowed. */
const struct made_code *code_map_made(struct code_map *c);

/* The run-time address of @name in the module called @module, or in the kernel if it is built in;
 * false if it is not there. A vmlinux's symbol for an address in the module counts, too. */
bool code_map_address(struct code_map *c, const char *module, const char *name, uint64_t *ret);

/* The same of a per-CPU variable: its address on @cpu. */
bool code_map_percpu(struct code_map *c, const char *module, const char *name,
		     const struct cpu *cpu, uint64_t *ret);

#endif
