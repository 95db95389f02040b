// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/source_roots.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/names/types/dwarf_file.h"

enum {
	PATH_LONGEST = 1024,
	UNITS_MAX = 200000, /* a kernel has some thousands */
};

/* Files of every x86-64 kernel: entry code moved in 4.2. */
static const char *const known_files[] = {
	"init/main.c",
	"arch/x86/entry/entry_64.S",
	"arch/x86/kernel/entry_64.S",
};

enum { KNOWN_FILES = sizeof(known_files) / sizeof(*known_files) };

static bool is_usable(const char *folder, size_t len)
{
	if (!len || len > PATH_LONGEST || (len == 1 && *folder == '/'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (folder[i] < ' ' || folder[i] > '~')
			return false;
	return true;
}

static struct err *add(struct source_roots *r, const char *folder, size_t len)
{
	if (!is_usable(folder, len) || r->count == SOURCE_ROOTS_MAX)
		return NULL;
	for (size_t i = 0; i < r->count; i++)
		if (strlen(r->list[i]) == len && !memcmp(r->list[i], folder, len))
			return NULL;
	char *copy = strndup(folder, len);
	if (!copy)
		return err_nomem();
	r->list[r->count++] = copy;
	return NULL;
}

static const char *string_of(Dwarf_Die *unit, unsigned name)
{
	Dwarf_Attribute attribute;
	return dwarf_formstring(dwarf_attr(unit, name, &attribute));
}

/* The length of the folder that @name, absolute, has before @file; 0 if it is not that file. */
static size_t before_file(const char *name, const char *file)
{
	size_t len = strlen(name), file_len = strlen(file);
	if (len < file_len + 2 || strcmp(name + len - file_len, file) != 0 ||
	    name[len - file_len - 1] != '/')
		return 0;
	return len - file_len - 1;
}

/* The folder of a known file, if @unit is of one; *ret_known is set then. */
static struct err *look_at(Dwarf_Die *unit, struct source_roots *r, bool *ret_known)
{
	const char *name = string_of(unit, DW_AT_name);
	const char *folder = string_of(unit, DW_AT_comp_dir);
	for (size_t i = 0; name && i < KNOWN_FILES; i++) {
		size_t len = *name == '/' ? before_file(name, known_files[i]) : 0;
		if (len)
			*ret_known = true;
		if (len)
			return add(r, name, len);
		if (folder && !strcmp(name, known_files[i])) {
			*ret_known = true;
			return add(r, folder, strlen(folder));
		}
	}
	return NULL;
}

/* Of a file that is no kernel's, as far as is known. */
static struct err *add_first(Dwarf_Die *unit, struct source_roots *r)
{
	const char *name = string_of(unit, DW_AT_name);
	const char *folder = string_of(unit, DW_AT_comp_dir);
	if (!folder || !name || *name == '/' || !strncmp(name, "../", 3))
		return NULL;
	return add(r, folder, strlen(folder));
}

static struct err *read_units(Dwarf *dwarf, struct source_roots *r)
{
	Dwarf_Die first, die;
	Dwarf_CU *unit = NULL;
	bool known = false, have_first = false;
	struct err *e = NULL;
	for (unsigned i = 0; !e && i < UNITS_MAX; i++) {
		uint8_t type;
		if (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL))
			break;
		if (type != DW_UT_compile)
			continue;
		if (!have_first)
			first = die;
		have_first = true;
		e = look_at(&die, r, &known);
	}
	if (!e && !known && have_first)
		e = add_first(&first, r);
	return e;
}

struct err *source_roots_read(int fd, const char *path, struct source_roots *ret)
{
	struct dwarf_file *file;
	struct source_roots roots = { 0 };
	struct err *e = dwarf_file_open(fd, path, &file);
	if (e)
		return e;
	e = read_units(dwarf_file_dwarf(file), &roots);
	dwarf_file_close(file);
	if (e) {
		source_roots_free(&roots);
		return e;
	}
	*ret = roots;
	return NULL;
}

void source_roots_free(struct source_roots *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->list[i]);
	*r = (struct source_roots){ 0 };
}
