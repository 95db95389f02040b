/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directives of the language, by subject. A handler finds the cursor behind the directive's
 * name and carries the statement out; the reader checks that it took all of it.
 */
#ifndef RECIPE_DIRECTIVE_H
#define RECIPE_DIRECTIVE_H

#include "tests/recipe/expr.h"

struct directive {
	const char *name;
	struct err *(*run)(struct recipe *r, struct cursor *c);
};

/* Each table ends in a row without a name. */
extern const struct directive memory_directives[];
extern const struct directive object_directives[];
extern const struct directive paging_directives[];
extern const struct directive note_directives[];
extern const struct directive output_directives[];

/*
 * The rest of the statement as bytes: u64 numbers, after `u8`, `u16`, `u32` or `u64` numbers of
 * that width, after `hex` bare hexadecimal words; "text"; `zero N`; `fill BYTE N`.
 */
struct err *items_read(const struct recipe *r, struct cursor *c, struct buf *out);

/* @value as @size little-endian bytes; it must fit, as an unsigned or a negative number. */
struct err *number_to_bytes(const struct cursor *c, uint64_t value, uint64_t size, uint8_t out[8]);

/* An address in a statement: `virt E` or `phys E`, or E alone, which is virtual. */
struct target {
	uint64_t addr;
	bool physical;
};

struct err *target_read(const struct recipe *r, struct cursor *c, struct target *ret);

struct err *target_write(struct recipe *r, const struct cursor *c, struct target t,
			 const void *bytes, size_t len);

/* Makes the pages of the range present that are not there yet. */
struct err *target_touch(struct recipe *r, const struct cursor *c, struct target t, uint64_t len);

/* A file named in a recipe: in the recipe's folder, then in the added ones. Appends the path. */
struct err *find_file(const struct recipe *r, const struct cursor *c, const char *name,
		      struct buf *out);

#endif
