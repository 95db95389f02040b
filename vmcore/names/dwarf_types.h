/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DWARF as a source of types. */
#ifndef VMCORE_NAMES_DWARF_TYPES_H
#define VMCORE_NAMES_DWARF_TYPES_H

#include "vmcore/names/type_source.h"

struct err;

/* Its self is a struct dwarf_source. */
extern const struct type_source_ops dwarf_source_ops;

struct Dwarf;
struct dwarf_source;

/* See types_from_dwarf() and types_of_dwarf(). */
__attribute__((warn_unused_result)) struct err *dwarf_source_new(int fd, const char *path,
								 struct dwarf_source **ret);
__attribute__((warn_unused_result)) struct err *dwarf_source_of(struct Dwarf *dwarf,
								struct dwarf_source **ret);

#endif
