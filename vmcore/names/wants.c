// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/wants.h"

#include "base/err.h"

struct err *want_find(const struct want *w, want_ask *ask, void *closure, bool *ret_exists,
		      struct member *ret)
{
	*ret_exists = false;
	*ret = (struct member){ 0 };
	for (size_t i = 0; i < WANT_PATHS && w->paths[i]; i++) {
		struct member m;
		struct err *e = ask(closure, w->type, w->paths[i], &m);
		if (!e) {
			*ret_exists = true;
			*ret = m;
			return NULL;
		}
		if (err_code(e) == ERR_NOMEM)
			return e;
		err_free(e);
	}
	return NULL;
}

static struct err *ask_types(void *closure, const char *type, const char *path, struct member *ret)
{
	return types_member(closure, type, path, ret);
}

struct err *wants_find(struct types *t, const struct want_set *set, struct member *ret,
		       const struct want **ret_missing)
{
	const struct want *missing = NULL;
	for (size_t i = 0; i < set->count; i++) {
		bool exists;
		struct err *e = want_find(&set->wants[i], ask_types, t, &exists, &ret[i]);
		if (e)
			return e;
		if (!exists && set->wants[i].is_vital && !missing)
			missing = &set->wants[i];
	}
	if (ret_missing)
		*ret_missing = missing;
	return NULL;
}

struct err *want_missing(const struct want *w, const struct types *types)
{
	struct err *e = types_need(types);
	return e ? e
		 : err_new(ERR_NOTFOUND, "this kernel's struct %s has no member '%s'", w->type,
			   w->paths[0]);
}
