// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/wants.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"

struct err *want_find(const struct want *w, want_ask *ask, void *closure, const char **ret_path,
		      struct member *ret)
{
	*ret_path = NULL;
	*ret = (struct member){ 0 };
	for (size_t i = 0; i < WANT_PATHS && w->paths[i]; i++) {
		struct member m;
		struct err *e = ask(closure, w->type, w->paths[i], &m);
		if (!e) {
			*ret_path = w->paths[i];
			*ret = m;
			return NULL;
		}
		if (err_code(e) == ERR_NOMEM)
			return e;
		err_free(e);
	}
	return NULL;
}

struct answer {
	struct member member; /* zero where there is none */
	const char *path;     /* NULL where there is none */
	bool asked;
};

struct want_answers {
	const struct want *wants; /* borrowed */
	size_t count;
	struct answer list[];
};

struct want_answers *want_answers_new(const struct want *wants, size_t count)
{
	struct want_answers *a = calloc(1, sizeof(*a) + count * sizeof(a->list[0]));
	if (!a)
		return NULL;
	a->wants = wants;
	a->count = count;
	return a;
}

void want_answers_free(struct want_answers *a)
{
	free(a);
}

struct err *want_answers_find(struct want_answers *a, size_t which, want_ask *ask, void *closure,
			      const char **ret_path, const struct member **ret)
{
	assert(which < a->count);
	struct answer *answer = &a->list[which];
	if (!answer->asked) {
		struct err *e =
			want_find(&a->wants[which], ask, closure, &answer->path, &answer->member);
		if (e)
			return e;
		answer->asked = true;
	}
	if (ret_path)
		*ret_path = answer->path;
	*ret = &answer->member;
	return NULL;
}
