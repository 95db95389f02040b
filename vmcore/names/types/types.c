// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/names/types/btf_source.h"
#include "vmcore/names/types/dwarf_types.h"
#include "vmcore/names/types/no_types.h"
#include "vmcore/names/types/type_graph.h"

enum { MAX_REMEMBERED = 1 << 16 }; /* answers; a client may ask for anything */

/* The public functions as values, so that one memory serves all. */
struct question {
	enum { ASK_MEMBER = 'm', ASK_SIZE = 's', ASK_CONSTANT = 'c' } what;
	const char *type; /* "" for a constant of any enumeration */
	const char *name;
};

struct answer {
	char *key;	      /* owned; the question as a string */
	char *missing;	      /* owned; why the answer is ERR_NOTFOUND, or NULL */
	struct member member; /* for a size only that */
	int64_t value;	      /* of a constant */
};

struct types {
	struct type_graph graph;     /* its source is owned */
	struct types_told_row *told; /* owned; of types that are not known */
	size_t told_count;
	struct answer *answers;
	size_t answer_count, answer_capacity;
	struct name_map by_key; /* of the index in answers */
};

static struct err *types_new(const struct type_source_ops *ops, void *source, struct types **ret)
{
	struct types *t = calloc(1, sizeof(*t));
	if (!t) {
		ops->free(source);
		return err_nomem();
	}
	t->graph.ops = ops;
	t->graph.source = source;
	*ret = t;
	return NULL;
}

struct err *types_from_btf(const void *data, size_t len, struct types *base, struct types **ret)
{
	if (base && base->graph.ops != &btf_source_ops)
		return err_new(ERR_INVALID, "split BTF needs a base that is BTF too");
	struct btf_source *source;
	struct err *e = btf_source_new(data, len, base ? base->graph.source : NULL, &source);
	return e ? e : types_new(&btf_source_ops, source, ret);
}

struct err *types_from_dwarf(int fd, const char *path, struct types **ret)
{
	struct dwarf_source *source;
	struct err *e = dwarf_source_new(fd, path, &source);
	return e ? e : types_new(&dwarf_source_ops, source, ret);
}

struct err *types_of_dwarf(struct Dwarf *dwarf, struct types **ret)
{
	struct dwarf_source *source;
	struct err *e = dwarf_source_of(dwarf, &source);
	return e ? e : types_new(&dwarf_source_ops, source, ret);
}

struct err *types_none(const char *why, struct types **ret)
{
	char *source = strdup(why);
	return source ? types_new(&no_types_ops, source, ret) : err_nomem();
}

const char *types_why_none(const struct types *t)
{
	return t->graph.ops == &no_types_ops ? t->graph.source : NULL;
}

struct err *types_need(const struct types *t)
{
	const char *why = types_why_none(t);
	return why ? err_new(ERR_NOTFOUND, "this needs the kernel's types, which are not known: %s",
			     why)
		   : NULL;
}

static const struct types_told_row *find_told(const struct types *t, const char *type,
					      const char *path)
{
	for (size_t i = 0; i < t->told_count; i++)
		if (!strcmp(t->told[i].type, type) && !strcmp(t->told[i].path, path))
			return &t->told[i];
	return NULL;
}

struct err *types_tell(struct types *t, const char *type, const char *path, uint64_t offset,
		       uint64_t size, const char *how)
{
	if (find_told(t, type, path))
		return NULL;
	struct types_told_row *list = reallocarray(t->told, t->told_count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	t->told = list;
	list[t->told_count++] = (struct types_told_row){
		.type = type,
		.path = path,
		.how = how,
		.member = { .offset = offset, .size = size, .count = 1, .element_size = size },
	};
	return NULL;
}

const char *types_told(const struct types *t, const char *type, const char *path)
{
	const struct types_told_row *told = find_told(t, type, path);
	return told ? told->how : NULL;
}

size_t types_told_count(const struct types *t)
{
	return t->told_count;
}

void types_told_at(const struct types *t, size_t i, struct types_told_row *ret)
{
	*ret = t->told[i];
}

const struct btf *types_btf(const struct types *t)
{
	return t && t->graph.ops == &btf_source_ops ? btf_source_btf(t->graph.source) : NULL;
}

void types_free(struct types *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->answer_count; i++) {
		free(t->answers[i].key);
		free(t->answers[i].missing);
	}
	free(t->answers);
	free(t->told);
	name_map_free(&t->by_key);
	t->graph.ops->free(t->graph.source);
	free(t);
}

const char *types_kind(const struct types *t)
{
	return t->graph.ops->kind;
}

static struct err *find_answer(struct types *t, const struct question *q, struct answer *ret)
{
	switch (q->what) {
	case ASK_MEMBER:
		return err_wrap(type_graph_member(&t->graph, q->type, q->name, &ret->member),
				"%s of %s in the %s", q->name, q->type, t->graph.ops->kind);
	case ASK_SIZE:
		return err_wrap(type_graph_size(&t->graph, q->type, &ret->member.size),
				"size of %s in the %s", q->type, t->graph.ops->kind);
	case ASK_CONSTANT:
		return err_wrap(type_graph_constant(&t->graph, q->type, q->name, &ret->value),
				"constant %s of enum %s in the %s", q->name, q->type,
				t->graph.ops->kind);
	}
	return err_new(ERR_INVALID, "no such question");
}

static bool grow_answers(struct types *t)
{
	if (t->answer_count < t->answer_capacity)
		return true;
	size_t capacity = t->answer_capacity ? 2 * t->answer_capacity : 64;
	struct answer *grown = reallocarray(t->answers, capacity, sizeof(*grown));
	if (!grown)
		return false;
	t->answers = grown;
	t->answer_capacity = capacity;
	return true;
}

/* Keeps @a, whose strings it takes. When there is no room, the answer is found again next time. */
static void remember(struct types *t, struct answer a)
{
	bool added;
	uint32_t *index = NULL;
	if (t->answer_count < MAX_REMEMBERED && grow_answers(t))
		index = name_map_at(&t->by_key, a.key, &added);
	if (!index) {
		free(a.key);
		free(a.missing);
		return;
	}
	*index = (uint32_t)t->answer_count;
	t->answers[t->answer_count++] = a;
}

/* Finds the answer to @q, called @key, and keeps it. Takes @key. */
static struct err *find_and_remember(struct types *t, const struct question *q, char *key,
				     struct answer *ret)
{
	struct answer a = { .key = key };
	struct err *e = find_answer(t, q, &a);
	/* Only "not there" will be so next time, too. */
	bool keep = !e || (err_code(e) == ERR_NOTFOUND && (a.missing = strdup(err_msg(e))));
	*ret = a;
	if (keep)
		remember(t, a);
	else
		free(key);
	return e;
}

/* As ask(), where types are not known. */
static struct err *ask_told(const struct types *t, const struct question *q, struct answer *ret)
{
	const struct types_told_row *told =
		q->what == ASK_CONSTANT ? NULL : find_told(t, q->type, q->name);
	if (!told)
		return types_need(t);
	*ret = (struct answer){ .member = told->member };
	return NULL;
}

/* The answer in *ret (its strings are none of the caller's business), or why there is none. */
static struct err *ask(struct types *t, const struct question *q, struct answer *ret)
{
	char *key;
	if (types_why_none(t))
		return ask_told(t, q, ret);
	/* No name in C holds a line break. */
	if (asprintf(&key, "%c%s\n%s", q->what, q->type, q->name) < 0)
		return err_nomem();
	uint32_t i;
	if (!name_map_get(&t->by_key, key, &i))
		return find_and_remember(t, q, key, ret);
	free(key);
	*ret = t->answers[i];
	return ret->missing ? err_new(ERR_NOTFOUND, "%s", ret->missing) : NULL;
}

struct err *types_member(struct types *t, const char *type, const char *path, struct member *ret)
{
	struct answer a;
	struct err *e = ask(t, &(struct question){ ASK_MEMBER, type, path }, &a);
	if (!e)
		*ret = a.member;
	return e;
}

struct err *types_size(struct types *t, const char *type, uint64_t *ret)
{
	struct answer a;
	struct err *e = ask(t, &(struct question){ ASK_SIZE, type, "" }, &a);
	if (!e)
		*ret = a.member.size;
	return e;
}

struct err *types_enumerator(struct types *t, const char *enum_name, const char *constant,
			     int64_t *ret)
{
	struct answer a;
	struct question q = { ASK_CONSTANT, enum_name ? enum_name : "", constant };
	struct err *e = ask(t, &q, &a);
	if (!e)
		*ret = a.value;
	return e;
}

bool types_offset(struct types *t, const char *type, const char *path, uint64_t *ret_offset)
{
	struct member m;
	struct err *e = t ? types_member(t, type, path, &m) : NULL;
	bool yes = t && !e;
	err_free(e);
	if (yes)
		*ret_offset = m.offset;
	return yes;
}

bool types_has(struct types *t, const char *type, const char *path)
{
	uint64_t offset;
	return types_offset(t, type, path, &offset);
}
