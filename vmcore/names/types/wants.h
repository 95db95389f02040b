/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of kernel structures as tables: what a subject asks for stands in one place, under all
 * the names that it has had, is looked up once a kernel, and can be listed (`monitor info
 * --layout`).
 */
#ifndef VMCORE_NAMES_TYPES_WANTS_H
#define VMCORE_NAMES_TYPES_WANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "vmcore/names/types/types.h"

enum { WANT_PATHS = 4 };

struct want {
	const char *type;
	/* The first that the kernel has is the one; see types_member(). NULL ends them. */
	const char *paths[WANT_PATHS];
	bool is_vital; /* without it nothing of its subject is known */
};

/* What one subject asks for. */
struct want_set {
	const char *subject; /* a few words, for users */
	const struct want *wants;
	size_t count;
};

/* A question to types: as types_member(). */
typedef struct err *want_ask(void *closure, const char *type, const char *path, struct member *ret);

/*
 * The member that @w is in the kernel whose types @ask answers from, and which of its names it has
 * there. *ret_path is NULL, and *ret zero, where it has none; types that contradict themselves are
 * as good as none. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *want_find(const struct want *w, want_ask *ask,
							  void *closure, const char **ret_path,
							  struct member *ret);

/* What was found out about the wants of a table. */
struct want_answers;

/* For @wants (borrowed), which are @count. NULL without memory. */
struct want_answers *want_answers_new(const struct want *wants, size_t count);
void want_answers_free(struct want_answers *a);
/*
 * The member that wants[@which] is, borrowed from @a: @ask is asked the first time. *ret_exists
 * (may be NULL) is its name, borrowed; NULL, and *ret all zero, where the kernel has none.
 * ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
want_answers_find(struct want_answers *a, size_t which, want_ask *ask, void *closure,
		  const char **ret_path, const struct member **ret);

#endif
