/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own ORC tables and those of its modules, as they lie in the dump's memory. */
#ifndef ARCH_X86_64_CODE_ORC_TABLES_H
#define ARCH_X86_64_CODE_ORC_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct module;
struct modules;
struct orc_entry;
struct module_files;
struct orc_tables;

/* Reads nothing yet. All are borrowed and must outlive the result. Tables that the dump leaves out
 * are read from the vmlinux in use and from modules' @files (NULL: there are none). */
__attribute__((warn_unused_result)) struct err *orc_tables_new(const struct kernel *k,
							       const struct modules *modules,
							       struct module_files *files,
							       struct orc_tables **ret);
void orc_tables_free(struct orc_tables *t);

/*
 * The entry that covers @pc, in the table of @module (one of those given to orc_tables_new()), or
 * of the kernel itself if that is NULL. False if none does. A table is read when it is first asked
 * for, and kept; one that cannot be read covers nothing.
 */
bool orc_tables_find(struct orc_tables *t, const struct module *module, uint64_t pc,
		     struct orc_entry *ret);

/*
 * A whole table, for those who convert it: how many entries there are for @module (NULL: the
 * kernel), and where the @i-th (below that) begins to hold, ascending. False (*ret_start is set) if
 * what it says cannot be decoded.
 */
size_t orc_tables_count(struct orc_tables *t, const struct module *module);
bool orc_tables_nth(const struct orc_tables *t, const struct module *module, size_t i,
		    uint64_t *ret_start, struct orc_entry *ret);

#endif
