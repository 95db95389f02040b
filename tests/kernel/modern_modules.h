/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Modules, as kernels had them through the years. MODULES is the first version (MAJOR * 100 +
 * MINOR) with the layout:
 *   310  one region's members in struct module, kallsyms' too; sections by name and address
 *   405  struct module_layout, struct mod_kallsyms
 *   502  nm's letters in a table of their own
 *   508  sections as bin_attributes with an address; the build-id in struct module
 *   604  a region for each kind of memory
 *   614  sections and notes as attribute groups, whose arrays end with a NULL
 * Offsets are those of no real build.
 */
#ifndef MODULES
#ifdef LAYOUT_MIDDLE
#define MODULES 405
#else
#define MODULES 614
#endif
#endif

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED,
};
struct elf64_sym {
	u32 st_name;
	u8 st_info, st_other;
	u16 st_shndx;
	u64 st_value, st_size;
};
struct mod_arch_specific {
	u32 num_orcs;
	int *orc_unwind_ip;
	void *orc_unwind;
};

/* ---- files below /sys/module/NAME ---- */

struct attribute {
	const char *name;
	u16 mode;
};
struct module_attribute {
	struct attribute attr;
	void *show, *store, *setup, *test, *free;
};
struct bin_attribute {
	struct attribute attr;
	u64 size;
	void *private;
	void *read, *write, *mmap;
};
struct attribute_group {
	const char *name;
	void *is_visible, *is_bin_visible;
	struct attribute **attrs;
	union {
		struct bin_attribute **bin_attrs;
		const struct bin_attribute *const *bin_attrs_new;
	};
};
#if MODULES < 508
struct module_sect_attr {
	struct module_attribute mattr;
	char *name;
	unsigned long address;
};
#elif MODULES < 614
struct module_sect_attr {
	struct bin_attribute battr;
	unsigned long address;
};
#endif
#if MODULES < 614
struct module_sect_attrs {
	struct attribute_group grp;
	u32 nsections;
	struct module_sect_attr attrs[0];
};
struct module_notes_attrs {
	void *dir;
	u32 notes;
	struct bin_attribute attrs[0];
};
#else
struct module_sect_attrs {
	struct attribute_group grp;
	struct bin_attribute attrs[];
};
struct module_notes_attrs {
	struct attribute_group grp;
	struct bin_attribute attrs[];
};
#endif

/* ---- symbols and memory ---- */

#if MODULES >= 405
struct mod_kallsyms {
	struct elf64_sym *symtab;
	u32 num_symtab;
	char *strtab;
#if MODULES >= 502
	char *typetab;
#endif
};
#endif
#if MODULES >= 604
enum mod_mem_type {
	MOD_TEXT,
	MOD_DATA,
	MOD_RODATA,
	MOD_RO_AFTER_INIT,
	MOD_INIT_TEXT,
	MOD_INIT_DATA,
	MOD_INIT_RODATA,
	MOD_MEM_NUM_TYPES,
};
struct module_memory {
	void *base;
	u32 size;
};
#elif MODULES >= 405
struct module_layout {
	void *base;
	u32 size, text_size, ro_size, ro_after_init_size;
};
#endif

struct module {
	enum module_state state;
	struct list_head list;
	char name[56];
#if MODULES >= 604
	struct module_memory mem[MOD_MEM_NUM_TYPES];
#elif MODULES >= 405
	struct module_layout core_layout, init_layout;
#else
	void *module_init, *module_core;
	u32 init_size, core_size, init_text_size, core_text_size, init_ro_size, core_ro_size;
#endif
#if MODULES >= 508
	u8 build_id[20];
#endif
	void *percpu;
	u32 percpu_size;
	struct mod_arch_specific arch;
#if MODULES >= 405
	struct mod_kallsyms *kallsyms, core_kallsyms;
#else
	struct elf64_sym *symtab, *core_symtab;
	u32 num_symtab, core_num_syms;
	char *strtab, *core_strtab;
#endif
	struct module_sect_attrs *sect_attrs;
	struct module_notes_attrs *notes_attrs;
};
