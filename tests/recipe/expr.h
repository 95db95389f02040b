/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers in a recipe. 64 bits, unsigned, wrapping; C's operators and precedence:
 *
 *	|  ^  &  << >>  + -  * / %  unary - ~
 *	0x1f 31 4k 2m 1g 'set' names, symbols, (E)
 *	sizeof(TYPE)  offsetof(TYPE, PATH)	from the debugging information
 *	&TYPE(E).PATH				the address of PATH in the TYPE at E
 *	pa(E)					the physical address behind the virtual address E
 *	[E]					the 8 bytes at the virtual address E
 */
#ifndef RECIPE_EXPR_H
#define RECIPE_EXPR_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/recipe/recipe.h"
#include "tests/recipe/token.h"

/* In a list (@compact), a blank ends the expression unless it is within parentheses. */
struct err *expr_eval(const struct recipe *r, struct cursor *c, bool compact, uint64_t *ret);

/* A whole expression, with blanks. */
struct err *expr(const struct recipe *r, struct cursor *c, uint64_t *ret);

/* Looks @path up in @type in all of the recipe's files. */
struct err *expr_place(const struct recipe *r, const struct cursor *c, const char *type,
		       const char *path, struct place *ret);

/* The physical address of @va in the current page tables. */
struct err *expr_translate(const struct recipe *r, const struct cursor *c, uint64_t va,
			   uint64_t *ret_pa);

#endif
