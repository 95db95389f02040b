/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes an ELF vmcore, as /proc/vmcore and QEMU do. */
#ifndef RECIPE_ELFDUMP_H
#define RECIPE_ELFDUMP_H

#include <stdint.h>

#include "tests/recipe/field.h"

struct buf;
struct err;
struct recipe;

/* Appends the whole file to the empty @out. */
struct err *elfdump_make(const struct recipe *r, struct buf *out);

/*
 * Finds a header field of @r's finished @image: a member of Elf64_Ehdr by name, or, with @index, of
 * Elf64_Phdr number @index (field name `phdr.NAME`).
 */
struct err *elfdump_field(const struct recipe *r, struct buf *image, const char *name,
			  uint64_t index, const struct field **ret_field, void **ret_structure);

#endif
