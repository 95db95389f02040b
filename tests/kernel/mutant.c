// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kernel/mutant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"

enum { CHOSEN_MAX = 12, PAGE_WORDS = PAGE_SIZE / 8 };

static const enum err_code page_errors[] = { ERR_EXCLUDED, ERR_MISSING, ERR_CORRUPT };

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	struct mutant *m = self;
	struct err *e = m->pages->read_page(m->pages->self, pfn, page, ret_from, ret_to);
	if (pfn < m->page_count)
		m->was_read[pfn] = true;
	for (size_t i = 0; !e && i < m->change_count; i++) {
		const struct mutant_change *c = &m->changes[i];
		unsigned char *at = (unsigned char *)page + c->where.offset;
		if (c->where.pfn != pfn)
			continue;
		if (c->kind == CHANGE_PAGE)
			return err_new((enum err_code)c->value, "changed");
		if (c->kind == CHANGE_WORD)
			put_u64(at, c->value);
		else
			*at = (unsigned char)c->value;
	}
	return e;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct mutant *m = self;
	return m->pages->next_page(m->pages->self, pfn, ret_pfn);
}

struct page_source mutant_pages(struct mutant *m)
{
	return (struct page_source){ .self = m, .read_page = read_page, .next_page = next_page };
}

static void add_words(struct mutant *m, uint64_t pfn, const unsigned char *page)
{
	m->words = realloc(m->words, (m->word_count + PAGE_WORDS) * sizeof(*m->words));
	m->values = realloc(m->values, (m->word_count + PAGE_WORDS) * sizeof(*m->values));
	assert_non_null(m->words);
	assert_non_null(m->values);
	for (uint16_t at = 0; at < PAGE_SIZE; at = (uint16_t)(at + 8)) {
		uint64_t value = get_u64(page + at);
		/* 90909090: nops */
		if (!value || (uint32_t)value == 0x90909090)
			continue;
		m->words[m->word_count] = (struct mutant_place){ pfn, at };
		m->values[m->word_count++] = value;
	}
}

/* Text and free memory are most of a dump and say nothing: words that are something are changed. */
void mutant_init(struct mutant *m, const struct page_source *pages)
{
	unsigned char page[PAGE_SIZE];
	uint16_t from, to;
	*m = (struct mutant){ .pages = pages };
	for (uint64_t pfn = 0; next_page(m, pfn, &pfn); pfn++) {
		struct err *e = pages->read_page(pages->self, pfn, page, &from, &to);
		if (!e)
			add_words(m, pfn, page);
		err_free(e);
		m->page_count = pfn + 1;
	}
	m->was_read = calloc(m->page_count + 1, sizeof(*m->was_read));
	assert_non_null(m->was_read);
	assert_true(m->word_count > 0);
}

void mutant_free(struct mutant *m)
{
	free(m->words);
	free(m->values);
	free(m->was_read);
	*m = (struct mutant){ .pages = NULL };
}

void mutant_keep_what_was_read(struct mutant *m)
{
	size_t kept = 0;
	for (size_t i = 0; i < m->word_count; i++) {
		if (!m->was_read[m->words[i].pfn])
			continue;
		m->words[kept] = m->words[i];
		m->values[kept++] = m->values[i];
	}
	assert_true(kept > 0);
	m->word_count = kept;
}

/* ---- at random ---- */

static uint64_t next_random(uint64_t *random)
{
	*random += UINT64_C(0x9e3779b97f4a7c15);
	return map_hash(*random);
}

static uint64_t choose_value(const struct mutant *m, uint64_t *random, uint64_t old)
{
	uint64_t r = next_random(random);
	switch (r % 8) {
	case 0:
		return 0;
	case 1:
		return ~UINT64_C(0);
	case 2:
		return r;
	case 3:
		return old ^ UINT64_C(1) << (r >> 8) % 64;
	case 4:
		return old + (r >> 8) % 64 * 8 - 256;
	case 5:
		return (r >> 8) % 4096;
	default: /* where something else points */
		return m->values[(r >> 8) % m->word_count];
	}
}

void mutant_choose(struct mutant *m, uint64_t number)
{
	uint64_t random = number;
	m->change_count = 1 + next_random(&random) % CHOSEN_MAX;
	for (size_t i = 0; i < m->change_count; i++) {
		struct mutant_change *c = &m->changes[i];
		uint64_t kind = next_random(&random) % 16;
		size_t n = next_random(&random) % m->word_count;
		c->where = m->words[n];
		c->kind = kind == 0 ? CHANGE_PAGE : kind < 4 ? CHANGE_BYTE : CHANGE_WORD;
		if (c->kind == CHANGE_PAGE)
			c->value = page_errors[next_random(&random) % 3];
		else
			c->value = choose_value(m, &random, m->values[n]);
		if (c->kind == CHANGE_BYTE)
			c->where.offset = (uint16_t)(c->where.offset + next_random(&random) % 8);
	}
}

/* ---- as a fuzzer says ---- */

static uint64_t make_value(const struct mutant *m, unsigned how, uint64_t old, uint16_t argument)
{
	switch (how) {
	case 0:
		return argument;
	case 1:
		return ~(uint64_t)argument;
	case 2:
		return (old & ~UINT64_C(0xffff)) | argument;
	case 3:
		return old ^ UINT64_C(1) << argument % 64;
	case 4:
		return old + 8 * (uint64_t)(int16_t)argument;
	case 5: /* a page's number or size, or the upper half */
		return (uint64_t)argument << 12 | (uint64_t)argument << 48;
	default: /* where something else points */
		return m->values[argument % m->word_count];
	}
}

void mutant_add(struct mutant *m, uint8_t how, size_t word, uint16_t argument)
{
	if (m->change_count == MUTANT_CHANGES_MAX)
		return;
	struct mutant_change *c = &m->changes[m->change_count++];
	size_t n = word % m->word_count;
	/* Words behind may be zero, and so none that were collected. */
	size_t behind = 8 * (size_t)(how >> 4);
	c->where = m->words[n];
	if (c->where.offset + behind <= PAGE_SIZE - 8)
		c->where.offset = (uint16_t)(c->where.offset + behind);
	unsigned kind = how & 0xf;
	c->kind = kind < 12 ? CHANGE_WORD : kind < 15 ? CHANGE_BYTE : CHANGE_PAGE;
	if (c->kind == CHANGE_PAGE) {
		c->value = page_errors[argument % 3];
	} else if (c->kind == CHANGE_BYTE) {
		c->where.offset = (uint16_t)(c->where.offset + (argument >> 8) % 8);
		c->value = argument;
	} else {
		c->value = make_value(m, kind % 8, behind ? 0 : m->values[n], argument);
	}
}
