/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What DWARF says of a place in the code: the function, what the compiler inlined there, and which
 * lines of the source those are. */
#ifndef VMCORE_CODE_CODE_SCOPES_H
#define VMCORE_CODE_CODE_SCOPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_path;
struct code_scopes;
struct err;
struct code_map;
struct kernel;
struct module_files;

enum { CODE_SCOPES_MAX = 32 };

struct code_scope {
	const char *name; /* of the function; NULL if it has none */
	const char *file; /* where it stands in it; NULL if unknown */
	int line;	  /* 0 if unknown */
};

/* The innermost inlined function first, the one that was compiled as such last. */
struct code_scope_list {
	struct code_scope list[CODE_SCOPES_MAX];
	size_t count;
};

/* Opens nothing yet. All is borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *code_scopes_new(const struct kernel *k,
								const struct code_map *code,
								struct module_files *files,
								struct code_scopes **ret);
void code_scopes_free(struct code_scopes *s);

/*
 * The scopes at the run-time address @pc; the list is empty where no DWARF covers it. Borrowed
 * until the next call; the strings last as long as @s. The file is opened when it is first asked
 * for, which takes some 200 ms for a distribution's kernel; a place that was asked for is
 * remembered. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *code_scopes_at(struct code_scopes *s, uint64_t pc,
							       const struct code_scope_list **ret);

/* The DIEs around @pc, see code_path.h; false if no DWARF covers it. Borrowed from @s. */
bool code_scopes_path(struct code_scopes *s, uint64_t pc, struct code_path *ret);

#endif
