// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/modules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "vmcore/code/modules_untyped.h"
#include "vmcore/kernel/kernel.h"

enum {
	MODULES_MAX = 16384, /* a walk ends there: a big machine has 300 */
	REGION_MAX = 1 << 30 /* modules live in the 1 GiB or so above the kernel's image */
};

struct module_place {
	uint64_t low, high, text_end;
	size_t module; /* index in list */
};

static const char module_type[] = "module";

static bool read_path(const struct kernel *k, uint64_t base, const char *type, const char *path,
		      uint64_t *ret)
{
	struct err *e = kernel_read_path(k, base, type, path, ret);
	bool found = !e;
	err_free(e);
	return found;
}

/* The first of @paths that struct module has. */
static bool read_first(const struct kernel *k, uint64_t module, const char *const *paths,
		       uint64_t *ret)
{
	for (; *paths; paths++)
		if (read_path(k, module, module_type, *paths, ret))
			return true;
	return false;
}

/* ---- regions ---- */

static void add_region(struct module *m, uint64_t low, uint64_t size, uint64_t text_size)
{
	if (!low || !size || size > REGION_MAX || low + size < low ||
	    m->region_count == MODULE_REGIONS_MAX)
		return;
	m->regions[m->region_count++] =
		(struct module_region){ low, low + size,
					low + (text_size < size ? text_size : size) };
}

/* From 6.4 on: an array by enum mod_mem_type; what has been freed has the size 0. */
static bool find_memories(const struct kernel *k, struct module *m)
{
	struct types *t = kernel_types(k);
	struct member array;
	int64_t text = 0, init_text = -1;
	struct err *e = types_member(t, module_type, "mem", &array);
	if (!e)
		e = types_enumerator(t, "mod_mem_type", "MOD_TEXT", &text);
	if (e) {
		err_free(e);
		return false;
	}
	err_free(types_enumerator(t, "mod_mem_type", "MOD_INIT_TEXT", &init_text));
	for (unsigned i = 0; i < array.count && i < MODULE_REGIONS_MAX; i++) {
		char base_path[32], size_path[32];
		uint64_t base, size;
		snprintf(base_path, sizeof(base_path), "mem[%u].base", i);
		snprintf(size_path, sizeof(size_path), "mem[%u].size", i);
		if (read_path(k, m->address, module_type, base_path, &base) &&
		    read_path(k, m->address, module_type, size_path, &size))
			add_region(m, base, size, i == text || i == init_text ? size : 0);
	}
	return true;
}

/* Before: one for what stays and one for what initialises it, which is freed afterwards. Code comes
 * first in both (layout_sections() in kernel/module.c). */
static void find_layouts(const struct kernel *k, struct module *m)
{
	static const struct {
		const char *base[3], *size[3], *text_size[3];
	} layouts[] = {
		/* 4.5 to 6.3, then those before */
		{ { "core_layout.base", "module_core" },
		  { "core_layout.size", "core_size" },
		  { "core_layout.text_size", "core_text_size" } },
		{ { "init_layout.base", "module_init" },
		  { "init_layout.size", "init_size" },
		  { "init_layout.text_size", "init_text_size" } },
	};
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		uint64_t base, size, text_size;
		if (!read_first(k, m->address, layouts[i].base, &base) ||
		    !read_first(k, m->address, layouts[i].size, &size))
			continue;
		if (!read_first(k, m->address, layouts[i].text_size, &text_size))
			text_size = size;
		add_region(m, base, size, text_size);
	}
}

/* ---- tables ---- */

/* struct mod_kallsyms from 4.5 on (a copy of what stays, core_kallsyms, behind a pointer), members
 * of struct module before. */
static void find_symbols(const struct kernel *k, struct module *m)
{
	const char *type = module_type;
	uint64_t at = m->address;
	if (types_has(kernel_types(k), type, "kallsyms")) {
		if (!read_path(k, at, type, "kallsyms", &at) || !at)
			return;
		type = "mod_kallsyms";
	}
	bool typed = types_has(kernel_types(k), type, "typetab");
	if (!read_path(k, at, type, "symtab", &m->symtab) ||
	    !read_path(k, at, type, "strtab", &m->strtab) ||
	    !read_path(k, at, type, "num_symtab", &m->symbol_count) ||
	    (typed && (!read_path(k, at, type, "typetab", &m->types) || !m->types)))
		m->symtab = 0;
}

/* Of struct module; __percpu pointers, which want a CPU's offset. */
static void find_percpu(const struct kernel *k, struct module *m)
{
	uint64_t at, size;
	if (read_path(k, m->address, module_type, "percpu", &at) &&
	    read_path(k, m->address, module_type, "percpu_size", &size) && size &&
	    size <= REGION_MAX && at + size > at) {
		m->percpu = at;
		m->percpu_end = at + size;
	}
}

/* struct mod_arch_specific (arch/x86/include/asm/module.h), with CONFIG_UNWINDER_ORC. */
static void find_orc(const struct kernel *k, struct module *m)
{
	if (!read_path(k, m->address, module_type, "arch.orc_unwind", &m->orc) ||
	    !read_path(k, m->address, module_type, "arch.orc_unwind_ip", &m->orc_ip) ||
	    !read_path(k, m->address, module_type, "arch.num_orcs", &m->orc_count))
		m->orc = m->orc_ip = m->orc_count = 0;
}

/* ---- the list ---- */

/* MODULE_STATE_UNFORMED: the loader has put it into the list and filled nothing in. */
static bool is_formed(const struct kernel *k, uint64_t module)
{
	int64_t unformed;
	uint64_t state;
	struct err *e = types_enumerator(kernel_types(k), "module_state", "MODULE_STATE_UNFORMED",
					 &unformed);
	bool known = !e;
	err_free(e);
	return !known || !read_path(k, module, module_type, "state", &state) ||
	       (int64_t)state != unformed;
}

/* By @layout, which was proven, or by types if that is NULL. */
static struct err *read_module(const struct kernel *k, const struct module_layout *layout,
			       uint64_t address, struct module *ret)
{
	uint64_t name;
	if (layout)
		return module_layout_read(k, layout, address, ret)
			       ? NULL
			       : err_new(ERR_NOTFOUND, "what lies at 0x%" PRIx64 " is no module",
					 address);
	*ret = (struct module){ .address = address };
	if (!types_offset(kernel_types(k), module_type, "name", &name))
		return err_new(ERR_NOTFOUND, "struct module has no name");
	struct err *e = kernel_read_string(k, address + name, ret->name, sizeof(ret->name));
	if (e)
		return err_wrap(e, "struct module at 0x%" PRIx64, address);
	if (!find_memories(k, ret))
		find_layouts(k, ret);
	find_symbols(k, ret);
	find_percpu(k, ret);
	find_orc(k, ret);
	return NULL;
}

static struct err *append(struct modules *m, size_t *capacity, const struct module *module)
{
	if (m->count == *capacity) {
		size_t more = *capacity ? 2 * *capacity : 64;
		struct module *list = realloc(m->list, more * sizeof(*list));
		if (!list)
			return err_nomem();
		m->list = list;
		*capacity = more;
	}
	m->list[m->count++] = *module;
	return NULL;
}

/* @head is the variable `modules`, a list_head, @link the offset of its links in struct module. */
static struct err *walk(struct kernel *k, uint64_t head, uint64_t link,
			const struct module_layout *layout, struct map *seen, struct modules *ret)
{
	size_t capacity = 0;
	uint64_t at = 0;
	struct err *e = kernel_read_u64(k, head, &at);
	while (!e && at != head) {
		struct module module;
		bool added;
		if (!map_add(seen, at, 0, &added))
			return err_nomem();
		if (!added || seen->used > MODULES_MAX) {
			kernel_note(k, "the list of modules goes round in a circle after %zu",
				    ret->count);
			return NULL;
		}
		if (is_formed(k, at - link)) {
			e = read_module(k, layout, at - link, &module);
			if (!e)
				e = append(ret, &capacity, &module);
		}
		if (!e)
			e = kernel_read_u64(k, at, &at);
	}
	if (e && err_code(e) != ERR_NOMEM) {
		kernel_note(k, "the list of modules breaks off after %zu: %s", ret->count,
			    err_msg(e));
		err_free(e);
		e = NULL;
	}
	return e;
}

/* ---- places ---- */

static int by_address(const void *a, const void *b)
{
	const struct module_place *x = a, *y = b;
	return x->low < y->low ? -1 : x->low > y->low;
}

static struct err *index_places(struct modules *m)
{
	m->places = calloc(m->count * MODULE_REGIONS_MAX + 1, sizeof(*m->places));
	if (!m->places)
		return err_nomem();
	for (size_t i = 0; i < m->count; i++) {
		for (unsigned r = 0; r < m->list[i].region_count; r++) {
			const struct module_region *region = &m->list[i].regions[r];
			m->places[m->place_count++] =
				(struct module_place){ region->low, region->high, region->text_end,
						       i };
		}
	}
	qsort(m->places, m->place_count, sizeof(*m->places), by_address);
	return NULL;
}

/* Without types: what the modules themselves tell. */
static struct err *walk_untyped(struct kernel *k, uint64_t head, struct map *seen,
				struct modules *ret)
{
	struct module_layout *layout = calloc(1, sizeof(*layout));
	struct err *e = layout ? module_layout_prove(k, head, layout) : err_nomem();
	if (!e) {
		ret->known = true;
		ret->layout = layout;
		return walk(k, head, module_layout_link(), layout, seen, ret);
	}
	free(layout);
	if (err_code(e) == ERR_NOMEM)
		return e;
	log_debug(LOG_SYMBOLS, "the list of modules is not known: %s", err_msg(e));
	err_free(e);
	return NULL;
}

struct err *modules_read(struct kernel *k, struct modules *ret)
{
	struct modules m = { .known = !types_why_none(kernel_types(k)) };
	struct map seen = MAP_INIT;
	struct err *e = NULL;
	uint64_t head, link;
	if (!kernel_symbol(k, "modules", &head))
		log_debug(LOG_SYMBOLS, "the list of modules is not known");
	else if (!m.known)
		e = walk_untyped(k, head, &seen, &m);
	else if (types_offset(kernel_types(k), module_type, "list", &link))
		e = walk(k, head, link, NULL, &seen, &m);
	map_free(&seen);
	if (!e)
		e = index_places(&m);
	if (e) {
		modules_free(&m);
		return e;
	}
	*ret = m;
	return NULL;
}

void modules_free(struct modules *m)
{
	free(m->list);
	free(m->places);
	free(m->layout);
	*m = (struct modules){ 0 };
}

/* Who comes and goes has the same place at most; its symbols are elsewhere. */
bool module_equal(const struct module *a, const struct module *b)
{
	if (a->address != b->address || strcmp(a->name, b->name) != 0 || a->symtab != b->symtab ||
	    a->symbol_count != b->symbol_count || a->orc != b->orc ||
	    a->region_count != b->region_count)
		return false;
	for (unsigned i = 0; i < a->region_count; i++)
		if (a->regions[i].low != b->regions[i].low ||
		    a->regions[i].high != b->regions[i].high ||
		    a->regions[i].text_end != b->regions[i].text_end)
			return false;
	return true;
}

bool module_is_there(const struct kernel *k, const struct modules *modules, const struct module *m)
{
	struct module now;
	if (!is_formed(k, m->address))
		return false;
	struct err *e = read_module(k, modules->layout, m->address, &now);
	bool same = !e && module_equal(m, &now);
	err_free(e);
	return same;
}

const struct module *modules_named(const struct modules *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->list[i].name, name))
			return &m->list[i];
	return NULL;
}

const struct module *modules_at(const struct modules *m, uint64_t address, bool *ret_text)
{
	/* The first place above @address is places[low] in the end. Regions of a sound kernel do
	 * not overlap; of one that is not, the last that begins below answers. */
	size_t low = 0, high = m->place_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->places[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address >= m->places[low - 1].high)
		return NULL;
	if (ret_text)
		*ret_text = address < m->places[low - 1].text_end;
	return &m->list[m->places[low - 1].module];
}
