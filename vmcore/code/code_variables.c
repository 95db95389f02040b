// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_variables.h"

#include <dwarf.h>
#include <string.h>

#include "arch/arch.h"
#include "vmcore/code/code_path.h"
#include "vmcore/code/code_scopes.h"
#include "vmcore/kernel/kernel.h"

enum {
	/* Typedefs and qualifiers around a type, which a damaged file may chain for ever. */
	LAYERS_MAX = 16,
	/* Variables of a function, those of functions inlined into it apart. */
	VARIABLES_MAX = 4096,
};

struct search {
	const struct unwind_source *source;
	const struct frame *frame;
	const char *type;
	struct code_path *path;
	Dwarf_Op *base_ops; /* libdw's */
	size_t base_count;
	struct held_pointer *list;
	size_t count, max;
};

/* The DIE of @die's type without typedefs and qualifiers; false if it is void. */
static bool plain_type(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Die type = *die;
	for (int i = 0; i < LAYERS_MAX; i++) {
		if (!dwarf_formref_die(dwarf_attr_integrate(&type, DW_AT_type, &attribute), &type))
			return false;
		int tag = dwarf_tag(&type);
		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type) {
			*ret = type;
			return true;
		}
	}
	return false;
}

static bool is_pointer_to(Dwarf_Die *variable, const char *structure)
{
	Dwarf_Die pointer, target;
	if (!plain_type(variable, &pointer) || dwarf_tag(&pointer) != DW_TAG_pointer_type ||
	    !plain_type(&pointer, &target) || dwarf_tag(&target) != DW_TAG_structure_type)
		return false;
	const char *name = dwarf_diename(&target);
	return name && !strcmp(name, structure);
}

/* One expression, which holds at the path's pc; false if the compiler gave none for there. */
static bool location_at(struct search *s, Dwarf_Die *die, unsigned attribute_name, Dwarf_Op **ret,
			size_t *ret_count)
{
	Dwarf_Attribute attribute;
	return dwarf_attr_integrate(die, attribute_name, &attribute) &&
	       dwarf_getlocation_addr(&attribute, s->path->pc, ret, ret_count, 1) == 1;
}

static bool is_listed(const struct search *s, const struct held_pointer *held)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct variable *a = &s->list[i].variable, *b = &held->variable;
		if (!strcmp(s->list[i].name, held->name) && a->value == b->value &&
		    a->where == b->where && a->address == b->address && a->reg == b->reg)
			return true;
	}
	return false;
}

static void add_variable(struct search *s, Dwarf_Die *die)
{
	struct variable_location location = { .base_ops = s->base_ops,
					      .base_count = s->base_count,
					      .bias = s->path->bias };
	struct held_pointer held = { .name = dwarf_diename(die) };
	Dwarf_Op *ops;
	if (!held.name || !location_at(s, die, DW_AT_location, &ops, &location.count))
		return;
	location.ops = ops;
	if (variable_evaluate(s->source, s->frame, &location, &held.variable) &&
	    !is_listed(s, &held))
		s->list[s->count++] = held;
}

static void search_scope(struct search *s, Dwarf_Die *scope)
{
	Dwarf_Die child;
	unsigned seen = 0;
	if (dwarf_tag(scope) == DW_TAG_subprogram &&
	    !location_at(s, scope, DW_AT_frame_base, &s->base_ops, &s->base_count))
		s->base_count = 0;
	for (int r = dwarf_child(scope, &child); r == 0 && s->count < s->max;
	     r = dwarf_siblingof(&child, &child)) {
		int tag = dwarf_tag(&child);
		if (++seen > VARIABLES_MAX)
			return;
		if ((tag == DW_TAG_formal_parameter || tag == DW_TAG_variable) &&
		    is_pointer_to(&child, s->type))
			add_variable(s, &child);
	}
}

static struct err *read_kernel(void *self, uint64_t address, void *out, size_t len)
{
	return kernel_read(self, address, out, len);
}

size_t code_variables_find(struct code_scopes *scopes, const struct kernel *k,
			   const struct frame *frame, uint64_t pc, const char *type,
			   struct held_pointer *list, size_t max)
{
	const struct unwind_source source = { .self = (void *)(uintptr_t)k,
					      .read = read_kernel,
					      .arch = kernel_arch(k)->unwind };
	struct code_path path;
	struct search s = { .source = &source,
			    .frame = frame,
			    .type = type,
			    .path = &path,
			    .list = list,
			    .max = max };
	if (!code_scopes_path(scopes, pc, &path))
		return 0;
	for (size_t i = 0; i < path.depth; i++)
		search_scope(&s, &path.list[i]);
	return s.count;
}
