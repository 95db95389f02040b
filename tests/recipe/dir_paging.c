// SPDX-License-Identifier: GPL-2.0-or-later
/* Directives that build page tables. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/recipe/directive.h"

static struct named_table *find_table(struct recipe *r, const char *name, size_t len)
{
	for (size_t i = 0; i < r->table_count; i++)
		if (strlen(r->tables[i].name) == len && !memcmp(r->tables[i].name, name, len))
			return &r->tables[i];
	return NULL;
}

static struct err *table_word(struct recipe *r, struct cursor *c, struct named_table **ret)
{
	const char *name;
	size_t len;
	struct err *e = cursor_word(c, "a page table", &name, &len);
	if (e)
		return e;
	*ret = find_table(r, name, len);
	return *ret ? NULL : err_at(c, "no page table '%.*s'", (int)len, name);
}

static struct err *current_table(struct recipe *r, const struct cursor *c, struct paging **ret)
{
	if (r->table_current >= r->table_count)
		return err_at(c, "a 'pagetable' must come first");
	*ret = &r->tables[r->table_current].paging;
	return NULL;
}

/* root ADDR pool ADDR [levels N] [ept] [encrypted MASK] */
static struct err *table_options(struct recipe *r, struct cursor *c, struct paging *p)
{
	struct err *e = NULL;
	uint64_t levels;
	while (!e && !cursor_at_end(c)) {
		if (cursor_take_word(c, "root")) {
			e = expr_eval(r, c, true, &p->root);
		} else if (cursor_take_word(c, "pool")) {
			e = expr_eval(r, c, true, &p->pool);
		} else if (cursor_take_word(c, "encrypted")) {
			e = expr_eval(r, c, true, &p->encrypted);
		} else if (cursor_take_word(c, "ept")) {
			p->kind = PAGING_EPT;
		} else if (cursor_take_word(c, "levels")) {
			e = expr_eval(r, c, true, &levels);
			if (!e && levels != 4 && levels != 5)
				e = err_at(c, "page tables have 4 or 5 levels");
			p->levels = e ? 4 : (unsigned int)levels;
		} else {
			e = cursor_expect_end(c);
		}
	}
	return e;
}

static struct err *add_table(struct recipe *r, const char *name, size_t len, struct paging paging)
{
	struct named_table *tables = realloc(r->tables, (r->table_count + 1) * sizeof(*tables));
	if (!tables)
		return err_nomem();
	r->tables = tables;
	char *copy = strndup(name, len);
	if (!copy)
		return err_nomem();
	r->table_current = r->table_count;
	tables[r->table_count++] = (struct named_table){ copy, paging };
	return NULL;
}

/* pagetable NAME OPTIONS */
static struct err *run_pagetable(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct paging p = { .mem = &r->mem, .levels = 4, .root = UINT64_MAX, .pool = UINT64_MAX };
	const char *name;
	size_t len;
	struct err *e = cursor_word(c, "a name", &name, &len);
	if (!e && find_table(r, name, len))
		e = err_at(&start, "there is a page table '%.*s' already", (int)len, name);
	if (!e)
		e = table_options(r, c, &p);
	if (!e && ((p.root | p.pool) & (PAGE_BYTES - 1) || !physmem_valid(p.root, PAGE_BYTES) ||
		   !physmem_valid(p.pool, PAGE_BYTES)))
		e = err_at(&start, "'root' and 'pool' must be physical addresses of pages");
	if (!e && !physmem_set_state(&r->mem, p.root, PAGE_BYTES, PAGE_PRESENT))
		e = err_nomem();
	return e ? e : add_table(r, name, len, p);
}

static struct err *run_use(struct recipe *r, struct cursor *c)
{
	struct named_table *table;
	struct err *e = table_word(r, c, &table);
	if (!e)
		r->table_current = (size_t)(table - r->tables);
	return e;
}

static struct err *map_options(struct cursor *c, uint64_t *page, unsigned int *flags)
{
	static const struct {
		const char *word;
		uint64_t page;
		unsigned int flag;
	} options[] = {
		{ "4k", UINT64_C(1) << 12, 0 }, { "2m", UINT64_C(1) << 21, 0 },
		{ "1g", UINT64_C(1) << 30, 0 }, { "user", 0, PAGING_USER },
		{ "ro", 0, PAGING_READONLY },	{ "nx", 0, PAGING_NOEXEC },
		{ "global", 0, PAGING_GLOBAL }, { "none", 0, PAGING_NOT_PRESENT },
	};
	while (!cursor_at_end(c)) {
		size_t i = 0, count = sizeof(options) / sizeof(options[0]);
		while (i < count && !cursor_take_word(c, options[i].word))
			i++;
		if (i == count)
			return cursor_expect_end(c);
		if (options[i].page)
			*page = options[i].page;
		*flags |= options[i].flag;
	}
	return NULL;
}

/* map VA PA SIZE [4k|2m|1g] [user] [ro] [nx] [global] [none] */
static struct err *run_map(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct paging *p = NULL;
	uint64_t va, pa, size, page = PAGE_BYTES;
	unsigned int flags = 0;
	struct err *e = current_table(r, c, &p);
	if (!e)
		e = expr_eval(r, c, true, &va);
	if (!e)
		e = expr_eval(r, c, true, &pa);
	if (!e)
		e = expr_eval(r, c, true, &size);
	if (!e)
		e = map_options(c, &page, &flags);
	if (!e && !physmem_valid(pa, size))
		e = err_at(&start, "there is no physical range %#jx of %#jx bytes", (uintmax_t)pa,
			   (uintmax_t)size);
	return e ? e : err_located(&start, paging_map(p, va, pa, size, page, flags));
}

/* entry VA LEVEL VALUE */
static struct err *run_entry(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct paging *p = NULL;
	uint64_t va, level, value;
	struct err *e = current_table(r, c, &p);
	if (!e)
		e = expr_eval(r, c, true, &va);
	if (!e)
		e = expr_eval(r, c, true, &level);
	if (!e)
		e = expr_eval(r, c, true, &value);
	if (!e && (level < 1 || level > p->levels))
		e = err_at(&start, "the table has levels 1 to %u", p->levels);
	if (e)
		return e;
	return err_located(&start, paging_set_entry(p, va, (unsigned int)level, value));
}

/* share NAME: the kernel's half of that table */
static struct err *run_share(struct recipe *r, struct cursor *c)
{
	struct cursor start = *c;
	struct paging *p = NULL;
	struct named_table *from;
	struct err *e = current_table(r, c, &p);
	if (!e)
		e = table_word(r, c, &from);
	return e ? e : err_located(&start, paging_share_kernel(p, &from->paging));
}

const struct directive paging_directives[] = {
	{ "pagetable", run_pagetable }, { "use", run_use },	{ "map", run_map },
	{ "entry", run_entry },		{ "share", run_share }, { 0 },
};
