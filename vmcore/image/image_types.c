// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/image_types.h"

#include <ctype.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/dwarf/dwarf_from_btf.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/types.h"

struct image_types {
	struct code_map *code;
	const struct image_layout *layout;
	const struct symbols *kernel;
	struct btf_object *objects;    /* owned */
	const struct module **modules; /* owned; by object; NULL for the kernel */
	size_t count;
	size_t collected; /* of the modules */
	struct module_types *types;
	struct dwarf_job *job; /* owned; NULL until all are collected */
};

void image_types_free(struct image_types *t)
{
	if (!t)
		return;
	dwarf_job_free(t->job);
	free(t->objects);
	free(t->modules);
	free(t);
}

struct err *image_types_new(struct kernel *k, struct code_map *code, struct module_types *types,
			    const struct image_layout *layout, struct image_types **ret)
{
	const struct btf *btf = types_btf(kernel_types(k));
	*ret = NULL;
	if (!btf)
		return NULL;
	struct image_types *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	size_t room = code_map_modules(code)->count + 1;
	t->code = code;
	t->layout = layout;
	t->kernel = kernel_symbols(k);
	t->types = types;
	t->objects = calloc(room, sizeof(*t->objects));
	t->modules = calloc(room, sizeof(*t->modules));
	if (!t->objects || !t->modules) {
		image_types_free(t);
		return err_nomem();
	}
	t->objects[t->count++] = (struct btf_object){ .name = "vmlinux", .btf = btf };
	*ret = t;
	return NULL;
}

/* Takes in the BTF of one more module, if it has any that fits the kernel's. */
static void collect(struct image_types *t, const struct module *module)
{
	struct types *types;
	struct err *e = module_types_get(t->types, module->name, &types);
	if (e) {
		log_debug(LOG_SYMBOLS, "generated image: no types of %s: %s", module->name,
			  err_msg(e));
		err_free(e);
		return;
	}
	const struct btf *btf = types_btf(types);
	if (!btf || btf_first(btf) != btf_end(t->objects[0].btf))
		return;
	t->modules[t->count] = module;
	t->objects[t->count++] = (struct btf_object){ .name = module->name, .btf = btf };
}

/* The only symbol called @name in @s, if it is in a section of the image. */
static bool find_in(const struct image_types *t, const struct symbols *s, const char *name,
		    struct dwarf_place *ret)
{
	struct symbol symbol;
	if (!s || symbols_named(s, name) != 1 || !symbols_get(s, name, &symbol))
		return false;
	uint64_t address = symbol.address;
	if (!image_layout_find_percpu(t->layout, address)) {
		if (!image_layout_find(t->layout, address))
			return false;
		address -= t->layout->slide;
	}
	*ret = (struct dwarf_place){ address, symbol.size, isupper((unsigned char)symbol.type) };
	return true;
}

static const struct symbols *symbols_of(const struct image_types *t, size_t object)
{
	return object ? code_map_module_symbols(t->code, t->modules[object]) : t->kernel;
}

static bool place_function(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	const struct image_types *t = self;
	const struct symbols *s = symbols_of(t, object);
	struct dwarf_place place;
	struct symbol at;
	/* Of the names of one piece of code the one that this program shows. */
	if (!find_in(t, s, name, &place) || !symbols_at(s, place.address + t->layout->slide, &at) ||
	    strcmp(at.name, name) != 0)
		return false;
	*ret = place;
	return true;
}

static bool place_variable(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	const struct image_types *t = self;
	if (find_in(t, symbols_of(t, object), name, ret))
		return true;
	return object && find_in(t, code_map_module_percpu(t->code, t->modules[object]), name, ret);
}

static struct err *add_sections(struct elf_writer *w, struct dwarf_sections *s)
{
	const struct {
		const char *name;
		struct buf *content;
	} parts[] = {
		{ ".debug_info", &s->info },	   { ".debug_abbrev", &s->abbrev },
		{ ".debug_str", &s->str },	   { ".debug_ranges", &s->ranges },
		{ ".debug_aranges", &s->aranges }, { ".gdb_index", &s->gdb_index },
	};
	struct err *e = NULL;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !e; i++) {
		const struct elf_section section = {
			.name = parts[i].name,
			.type = SHT_PROGBITS,
			.align = 16, /* what .debug_aranges wants */
		};
		unsigned unused;
		if (parts[i].content->len)
			e = elf_writer_section(w, &section, parts[i].content, &unused);
	}
	return e;
}

struct err *image_types_step(struct image_types *t, struct elf_writer *w, bool *ret_done)
{
	const struct modules *modules = code_map_modules(t->code);
	if (t->types && t->collected < modules->count) {
		collect(t, &modules->list[t->collected++]);
		*ret_done = false;
		return NULL;
	}
	if (!t->job) {
		const struct dwarf_places places = { t, place_function, place_variable };
		*ret_done = false;
		return dwarf_job_new(t->objects, t->count, &places, &t->job);
	}
	struct dwarf_sections sections;
	struct err *e = dwarf_job_step(t->job, &sections, ret_done);
	if (e || !*ret_done)
		return e;
	log_debug(
		LOG_SYMBOLS,
		"generated image: %u types, %u functions, %u variables of %zu objects; %u members "
		"left out",
		sections.types, sections.functions, sections.variables, t->count, sections.omitted);
	e = add_sections(w, &sections);
	dwarf_sections_free(&sections);
	return e;
}
