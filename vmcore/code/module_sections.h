/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel remembers of the file that a module was loaded from: where it put each section,
 * and the file's build-id. */
#ifndef VMCORE_CODE_MODULE_SECTIONS_H
#define VMCORE_CODE_MODULE_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct module;

struct module_section {
	char *name; /* owned */
	uint64_t address;
	bool kept; /* it lies in one of the module's regions: what only initialises is freed */
};

struct module_sections {
	struct module_section *list; /* owned; in the order of the file's section headers */
	size_t count;
};

/*
 * The sections of @m that the kernel loaded and that are not empty, from struct module's sect_attrs
 * (kernel/module/sysfs.c; what /sys/module/NAME/sections shows). ERR_NOTFOUND when the kernel keeps
 * none, ERR_CORRUPT and the kinds of missing memory when they cannot be read.
 */
__attribute__((warn_unused_result)) struct err *
module_sections_read(const struct kernel *k, const struct module *m, struct module_sections *ret);
void module_sections_free(struct module_sections *s);

/* The address of the @nth (from 0) section called @name, if it is kept; else false. Per-CPU data,
 * which the list does not have, is not found either. */
bool module_sections_find(const struct module_sections *s, const char *name, unsigned nth,
			  uint64_t *ret);

/*
 * The build-id of the file that @m was loaded from, in hex digits, owned by the caller: the note
 * .note.gnu.build-id in the module's memory, found by @s (its sections; may be empty) or struct
 * module's notes_attrs, else the build_id[] that some kernels keep. NULL if it is not known.
 */
char *module_build_id(const struct kernel *k, const struct module *m,
		      const struct module_sections *s);

#endif
