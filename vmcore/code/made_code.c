// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/made_code.h"

#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"

enum {
	SYMBOLS_MAX = 1 << 16, /* a walk ends there; machines full of them have some hundreds */
	CODE_MAX = 64 << 20,   /* bytes of one: a program has a million instructions at most */
	NAME_MAX_LENGTH = 512, /* KSYM_NAME_LEN since 6.1 */
};

struct layout {
	uint64_t link; /* of lnode in struct bpf_ksym */
	uint64_t name;
};

static struct err *append(struct made_code *b, const struct made_function *symbol)
{
	/* Powers of two are when there is no room left. */
	if (!(b->count & (b->count - 1))) {
		size_t more = b->count ? 2 * b->count : 1;
		struct made_function *list = reallocarray(b->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		b->list = list;
	}
	b->list[b->count++] = *symbol;
	return NULL;
}

/* The one at @at; what makes no sense is passed over. */
static struct err *read_symbol(struct kernel *k, const struct layout *layout, uint64_t at,
			       struct made_code *b)
{
	static const char type[] = "bpf_ksym";
	char name[NAME_MAX_LENGTH];
	struct made_function symbol = { 0 };
	struct err *e = kernel_read_path(k, at, type, "start", &symbol.start);
	if (!e)
		e = kernel_read_path(k, at, type, "end", &symbol.end);
	if (!e)
		e = kernel_read_string(k, at + layout->name, name, sizeof(name));
	if (e)
		return e;
	if (!is_kernel_address(symbol.start) || symbol.end <= symbol.start ||
	    symbol.end - symbol.start > CODE_MAX || !*name)
		return NULL;
	symbol.name = strdup(name);
	if (!symbol.name)
		return err_nomem();
	e = append(b, &symbol);
	if (e)
		free(symbol.name);
	return e;
}

static struct err *walk(struct kernel *k, uint64_t head, const struct layout *layout,
			struct map *seen, struct made_code *b)
{
	uint64_t at = 0;
	struct err *e = kernel_read_u64(k, head, &at);
	while (!e && at != head) {
		bool added;
		if (!map_add(seen, at, 0, &added))
			return err_nomem();
		if (!added || seen->used > SYMBOLS_MAX) {
			kernel_note(k, "the list of BPF symbols goes round in a circle after %zu",
				    b->count);
			return NULL;
		}
		e = read_symbol(k, layout, at - layout->link, b);
		if (!e)
			e = kernel_read_u64(k, at, &at);
	}
	if (e && err_code(e) != ERR_NOMEM) {
		kernel_note(k, "the list of BPF symbols breaks off after %zu: %s", b->count,
			    err_msg(e));
		err_free(e);
		e = NULL;
	}
	return e;
}

static int by_start(const void *a, const void *b)
{
	const struct made_function *x = a, *y = b;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* ---- ftrace's trampolines ---- */

/* struct ftrace_ops @ops of which the kernel has made a copy of ftrace_caller, with the call of its
 * function in it. What makes no sense is passed over. */
static struct err *read_ops(struct kernel *k, uint64_t ops, struct made_code *m)
{
	static const char type[] = "ftrace_ops";
	uint64_t start, size;
	struct err *e = kernel_read_path(k, ops, type, "trampoline", &start);
	if (!e)
		e = kernel_read_path(k, ops, type, "trampoline_size", &size);
	if (e || !is_kernel_address(start) || !size || size > CODE_MAX || start + size < start)
		return e;
	struct made_function f = { start, start + size, strdup("ftrace_trampoline") };
	if (!f.name)
		return err_nomem();
	e = append(m, &f);
	if (e)
		free(f.name);
	return e;
}

static struct err *walk_ops(struct kernel *k, uint64_t list, uint64_t end, struct map *seen,
			    struct made_code *m)
{
	uint64_t ops = 0;
	struct err *e = kernel_read_u64(k, list, &ops);
	while (!e && ops && ops != end) {
		bool added;
		if (!map_add(seen, ops, 0, &added))
			return err_nomem();
		if (!added || seen->used > SYMBOLS_MAX)
			return NULL;
		e = read_ops(k, ops, m);
		if (!e)
			e = kernel_read_path(k, ops, "ftrace_ops", "next", &ops);
	}
	if (e && err_code(e) != ERR_NOMEM) {
		kernel_note(k, "the list of ftrace_ops breaks off: %s", err_msg(e));
		err_free(e);
		e = NULL;
	}
	return e;
}

static struct err *read_all_ops(struct kernel *k, struct made_code *m)
{
	struct map seen = MAP_INIT;
	uint64_t list, end;
	if (!kernel_symbol(k, "ftrace_ops_list", &list) ||
	    !kernel_symbol(k, "ftrace_list_end", &end) ||
	    !types_has(kernel_types(k), "ftrace_ops", "trampoline_size"))
		return NULL;
	struct err *e = walk_ops(k, list, end, &seen, m);
	map_free(&seen);
	return e;
}

/* Sorts, and leaves out what overlaps the one before it. */
static void tidy(struct made_code *b)
{
	size_t kept = 0;
	if (b->count)
		qsort(b->list, b->count, sizeof(*b->list), by_start);
	for (size_t i = 0; i < b->count; i++) {
		if (kept && b->list[i].start < b->list[kept - 1].end)
			free(b->list[i].name);
		else
			b->list[kept++] = b->list[i];
	}
	b->count = kept;
}

struct err *made_code_read(struct kernel *k, struct made_code *ret)
{
	struct made_code b = { 0 };
	struct map seen = MAP_INIT;
	struct layout layout;
	struct err *e = NULL;
	uint64_t head;
	if (kernel_symbol(k, "bpf_kallsyms", &head) &&
	    types_offset(kernel_types(k), "bpf_ksym", "lnode", &layout.link) &&
	    types_offset(kernel_types(k), "bpf_ksym", "name", &layout.name))
		e = walk(k, head, &layout, &seen, &b);
	map_free(&seen);
	if (!e)
		e = read_all_ops(k, &b);
	if (e) {
		made_code_free(&b);
		return e;
	}
	tidy(&b);
	*ret = b;
	return NULL;
}

const struct made_function *made_code_find(const struct made_code *m, uint64_t address)
{
	size_t low = 0, high = m->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->list[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->count && m->list[low].start <= address ? &m->list[low] : NULL;
}

void made_code_free(struct made_code *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->list[i].name);
	free(b->list);
	*b = (struct made_code){ 0 };
}
