/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Well-known variables of the kernel. The BTF of most kernels has only per-CPU variables; these
 * others are declared alike in every kernel that has BTF (include/linux, the file named in each
 * group), and people ask for them by name.
 */
#ifndef VMCORE_IMAGE_DWARF_DWARF_GLOBALS_H
#define VMCORE_IMAGE_DWARF_DWARF_GLOBALS_H

#include <stddef.h>

/* How the declared type is made of the named one. */
enum global_shape {
	GLOBAL_PLAIN,
	GLOBAL_POINTER,	 /* T *name */
	GLOBAL_ARRAY,	 /* T name[] */
	GLOBAL_POINTERS, /* T *name[] */
};

struct global {
	const char *object; /* that it belongs to */
	const char *name;
	int kind;	  /* enum btf_kind of the type */
	const char *type; /* as BTF calls it; "" is void */
	enum global_shape shape;
};

extern const struct global dwarf_globals[];
extern const size_t dwarf_global_count;

#endif
