/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loaded modules: where their code and data lie, and where their own tables are in memory. */
#ifndef VMCORE_CODE_MODULES_H
#define VMCORE_CODE_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct module_layout;

enum {
	MODULE_NAME = 56,	/* MODULE_NAME_LEN (include/linux/moduleparam.h) */
	MODULE_REGIONS_MAX = 8, /* enum mod_mem_type has 7 */
};

/* A piece of memory that is the module's. */
struct module_region {
	uint64_t low, high; /* [low, high) */
	uint64_t text_end;  /* code is [low, text_end): low if there is none */
};

struct module {
	uint64_t address; /* struct module */
	char name[MODULE_NAME + 1];
	struct module_region regions[MODULE_REGIONS_MAX];
	unsigned region_count;

	/* Its part of kallsyms: Elf64_Sym[] with run-time addresses, names, nm's letters. 0 if it
	 * has none. The letters are in the symbols where @types is 0 (until 5.1). */
	uint64_t symtab, strtab, types;
	uint64_t symbol_count;

	/* Its per-CPU variables, [percpu, percpu_end) with each CPU's offset added; 0 if it has
	 * none. */
	uint64_t percpu, percpu_end;

	/* Its ORC tables; 0 if it has none. */
	uint64_t orc, orc_ip, orc_count;
};

struct modules {
	struct module *list; /* owned; in the order of the kernel's list, latest first */
	size_t count;
	struct module_place *places; /* owned; regions of all, by address */
	size_t place_count;
	struct module_layout
		*layout; /* owned; what they prove where types are not known; or NULL */
	bool known; /* how to read the list: false if neither types nor the modules themselves tell
		     */
};

/*
 * Walks the kernel's list of modules. Damage ends the walk with a note in @k, and modules that are
 * being set up or torn down have what there is of them; an error only when memory is out. A kernel
 * without modules has none. Without types the layout of struct module is proven by the modules
 * themselves, or the list is not known: see modules_untyped.h.
 */
__attribute__((warn_unused_result)) struct err *modules_read(struct kernel *k, struct modules *ret);
void modules_free(struct modules *m);

/* Whether both are the same module, loaded at the same place. */
bool module_equal(const struct module *a, const struct module *b);

/* Whether @m, one of @modules, is still where it was, as memory is now: another may have come there
 * since. */
bool module_is_there(const struct kernel *k, const struct modules *modules, const struct module *m);

/* The module called @name, as the kernel calls it ("kvm_amd"), or NULL. */
const struct module *modules_named(const struct modules *m, const char *name);

/* The module one of whose regions holds @address, or NULL; *ret_text (may be NULL) says whether
 * that is code. */
const struct module *modules_at(const struct modules *m, uint64_t address, bool *ret_text);

#endif
