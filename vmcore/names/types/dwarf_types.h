/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DWARF as a source of types. */
#ifndef VMCORE_NAMES_TYPES_DWARF_TYPES_H
#define VMCORE_NAMES_TYPES_DWARF_TYPES_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "vmcore/names/types/type_source.h"

struct err;

/* Its self is a struct dwarf_source. */
extern const struct type_source_ops dwarf_source_ops;

struct dwarf_source;

/* See types_from_dwarf() and types_of_dwarf(). */
__attribute__((warn_unused_result)) struct err *dwarf_source_new(int fd, const char *path,
								 struct dwarf_source **ret);
__attribute__((warn_unused_result)) struct err *dwarf_source_of(Dwarf *dwarf,
								struct dwarf_source **ret);

/* The unit after @*unit (NULL: the first) that holds types of C, and its DIE; NULL at the end. */
__attribute__((warn_unused_result)) struct err *dwarf_next_c_unit(Dwarf *dwarf, Dwarf_CU **unit,
								  Dwarf_Die *ret_die);

/* Calls @visit with each child of @parent until that fails or sets *stop. */
struct dwarf_visitor {
	struct err *(*visit)(void *closure, Dwarf_Die *die, bool *stop);
	void *closure;
};
__attribute__((warn_unused_result)) struct err *
dwarf_visit_children(Dwarf_Die *parent, const struct dwarf_visitor *v, bool *stop);

#endif
