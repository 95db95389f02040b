/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dictionary from names to numbers: constants, symbols, types. */
#ifndef RECIPE_NAMES_H
#define RECIPE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"

struct name_entry;

struct names {
	struct map by_hash;	    /* hash of the name -> index + 1 of the newest entry with it */
	struct name_entry *entries; /* owned */
	size_t count, capacity;
};

void names_init(struct names *n);
void names_free(struct names *n);
bool names_get(const struct names *n, const char *name, size_t len, uint64_t *ret);

/* Adds @name, or replaces its value if @replace; otherwise the first value stays. */
__attribute__((warn_unused_result)) bool names_put(struct names *n, const char *name, size_t len,
						   uint64_t value, bool replace);

#endif
