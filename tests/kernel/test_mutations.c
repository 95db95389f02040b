// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines whose memory was changed at random: opening them, and asking for all that there is, must
 * end, without a crash and without a leak. What comes of it does not matter.
 *
 * MUTATIONS in the environment is how many variants of each machine are tried, MUTATIONS_FIRST the
 * number of the first: a variant is always the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/map.h"
#include "server/kernel/code_map.h"
#include "server/kernel/printk.h"
#include "server/kernel/unwind_source.h"
#include "tests/kernel/machine.h"

enum {
	VARIANTS = 1000,
	CHANGES_MAX = 12, /* of one variant */
	SECONDS_MAX = 60, /* for one variant, which takes milliseconds */
};

struct place {
	uint64_t pfn;
	uint16_t offset;
};

struct change {
	struct place where;
	enum { CHANGE_WORD, CHANGE_BYTE, CHANGE_PAGE } kind;
	uint64_t value; /* or the error of a page */
};

/* The machine's own pages and what is different in them. */
struct mutant {
	const struct page_source *pages;
	uint64_t random;
	struct place *words; /* those that are not 0 */
	uint64_t *values;
	size_t word_count;
	struct change changes[CHANGES_MAX];
	size_t change_count;
};

static uint64_t next_random(struct mutant *m)
{
	m->random += UINT64_C(0x9e3779b97f4a7c15);
	return map_hash(m->random);
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct mutant *m = self;
	struct err *e = m->pages->read_page(m->pages->self, pfn, page, ret_from, ret_to);
	for (size_t i = 0; !e && i < m->change_count; i++) {
		const struct change *c = &m->changes[i];
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

/* Text and free memory are most of a dump and say nothing: words that are something are changed. */
static void collect_words(struct mutant *m)
{
	unsigned char page[PAGE_SIZE];
	uint16_t from, to;
	for (uint64_t pfn = 0; next_page(m, pfn, &pfn); pfn++) {
		if (m->pages->read_page(m->pages->self, pfn, page, &from, &to))
			continue;
		m->words = realloc(m->words, (m->word_count + 512) * sizeof(*m->words));
		m->values = realloc(m->values, (m->word_count + 512) * sizeof(*m->values));
		assert_non_null(m->words);
		assert_non_null(m->values);
		for (uint16_t at = 0; at < PAGE_SIZE; at = (uint16_t)(at + 8)) {
			uint64_t value = get_u64(page + at);
			/* 90909090: nops */
			if (!value || (uint32_t)value == 0x90909090)
				continue;
			m->words[m->word_count] = (struct place){ pfn, at };
			m->values[m->word_count++] = value;
		}
	}
}

static uint64_t choose_value(struct mutant *m, uint64_t old)
{
	uint64_t r = next_random(m);
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

static void choose_changes(struct mutant *m, uint64_t variant)
{
	static const enum err_code errors[] = { ERR_EXCLUDED, ERR_MISSING, ERR_CORRUPT };
	m->random = variant;
	m->change_count = 1 + next_random(m) % CHANGES_MAX;
	for (size_t i = 0; i < m->change_count; i++) {
		struct change *c = &m->changes[i];
		uint64_t kind = next_random(m) % 16;
		size_t n = next_random(m) % m->word_count;
		c->where = m->words[n];
		c->kind = kind == 0 ? CHANGE_PAGE : kind < 4 ? CHANGE_BYTE : CHANGE_WORD;
		if (c->kind == CHANGE_PAGE)
			c->value = errors[next_random(m) % 3];
		else
			c->value = choose_value(m, m->values[n]);
		if (c->kind == CHANGE_BYTE)
			c->where.offset = (uint16_t)(c->where.offset + next_random(m) % 8);
	}
}

static struct err *ignore_record(void *closure, const struct printk_record *record)
{
	(void)closure;
	(void)record;
	return NULL;
}

static void name_frames(struct code_map *code, const struct frames *frames)
{
	for (size_t i = 0; i < frames->count; i++) {
		struct symbol symbol;
		uint64_t pc = frames->list[i].regs.value[REG_RIP];
		code_map_symbol(code, pc, &symbol);
		code_map_is_code(code, pc);
	}
}

static void unwind_everything(struct machine *m)
{
	struct unwinder *unwinder = NULL;
	struct code_map *code = NULL;
	struct err *e = code_map_new(m->kernel, &code);
	struct unwinder_parts parts = { m->kernel, &m->cpus, &m->tasks, m->registers, code, NULL };
	if (!e)
		e = unwinder_new(&parts, &unwinder);
	for (size_t i = 0; !e && i < m->tasks.count; i++) {
		struct frames frames;
		e = unwinder_frames(unwinder, &m->tasks.list[i], &frames);
		if (e)
			break;
		name_frames(code, &frames);
		frames_free(&frames);
	}
	assert_no_err(e);
	unwinder_free(unwinder);
	code_map_free(code);
}

/* All that can be asked of what was opened. */
static void ask_everything(struct machine *m)
{
	char *panic = NULL;
	for (size_t i = 0; i < m->tasks.count; i++) {
		const struct first_regs *regs;
		struct vspace space;
		err_free(registers_get(m->registers, &m->tasks.list[i], &regs));
		err_free(task_space(m->kernel, &m->tasks.list[i], &space));
	}
	err_free(printk_panic(m->kernel, &panic));
	err_free(printk_walk(m->kernel, ignore_record, NULL));
	free(panic);
	unwind_everything(m);
}

static uint64_t setting(const char *name, uint64_t normal)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : normal;
}

static void try_variants(const struct machine_plan *plan)
{
	struct machine machine;
	struct mutant m = { 0 };
	struct page_source source = { &m, read_page, next_page };
	uint64_t first = setting("MUTATIONS_FIRST", 0);
	uint64_t count = setting("MUTATIONS", VARIANTS);

	machine_make(&machine, plan);
	m.pages = dump_pages(machine.dump);
	collect_words(&m);
	for (uint64_t i = first; i < first + count; i++) {
		choose_changes(&m, i);
		alarm(SECONDS_MAX);
		struct err *e = machine_open_kernel(&machine, &source, plan->symbols);
		if (!e)
			ask_everything(&machine);
		err_free(e);
		machine_close_kernel(&machine);
	}
	alarm(0);
	free(m.words);
	free(m.values);
	machine_close(&machine);
}

static void demo(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){ .recipe = "seed.recipe", .symbols = DEMO_VMLINUX });
}

static void modern(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "modern.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/modern",
		.extra = "include \"modules.recipe\"\n"
			 "put module at one_module: mem[0].base = one mem[0].size = 0x1000\n",
	});
}

/* Nothing but CR3 leads to the kernel, and its memory is searched. */
static void modern_without_vmcoreinfo(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "modern.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/modern",
		.drop_vmcoreinfo = true,
	});
}

static void middle(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "middle.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/middle",
		.extra = "include \"modules.recipe\"\n"
			 "put module at one_module: core_layout.base = one "
			 "core_layout.size = 0x1000\n",
	});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demo),
		cmocka_unit_test(modern),
		cmocka_unit_test(modern_without_vmcoreinfo),
		cmocka_unit_test(middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
