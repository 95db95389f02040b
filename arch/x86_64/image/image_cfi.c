// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/image/image_cfi.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/x86_64/code/asm_names.h"
#include "arch/x86_64/code/code_tables.h"
#include "arch/x86_64/code/orc_tables.h"
#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/prologue.h"
#include "arch/x86_64/image/row_mend.h"
#include "base/err.h"
#include "base/slice.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/image/image_layout.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/types.h"

/* The rows of one function. */
struct rows {
	struct cfi_row *list; /* owned */
	size_t count, capacity;
};

static struct err *add_row(struct rows *r, const struct cfi_row *row)
{
	if (r->count == r->capacity) {
		size_t more = r->capacity ? 2 * r->capacity : 256;
		struct cfi_row *list = reallocarray(r->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		r->list = list;
		r->capacity = more;
	}
	r->list[r->count++] = *row;
	return NULL;
}

static struct cfi_row row_at(const struct orc_tables *orc, const struct module *module, size_t i)
{
	struct cfi_row row = { 0 };
	row.valid = orc_tables_nth(orc, module, i, &row.start, &row.entry);
	return row;
}

/* The rows that speak of [@low, @high); *at is moved to the first of them. */
static struct err *collect(struct orc_tables *orc, const struct module *module, uint64_t low,
			   uint64_t high, size_t *at, struct rows *ret)
{
	size_t count = orc_tables_count(orc, module);
	ret->count = 0;
	while (*at + 1 < count && row_at(orc, module, *at + 1).start <= low)
		++*at;
	struct err *e = NULL;
	for (size_t i = *at; !e && i < count; i++) {
		struct cfi_row row = row_at(orc, module, i);
		if (row.start >= high)
			break;
		e = add_row(ret, &row);
	}
	return e;
}

/* Functions that debuggers meet in stacks, have no CFI, and whose ORC is that of any other. */
static bool is_known_assembly(const char *name)
{
	static const char *const names[] = { "__switch_to_asm", "__vmx_vcpu_run",
					     "vmx_vmexit",	"vmx_vmenter",
					     "__svm_vcpu_run",	"__svm_sev_es_vcpu_run" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Whether the rows are those of entry code, or change the stack. */
static bool is_entry(const struct rows *r)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct orc_entry *e = &r->list[i].entry;
		if (r->list[i].valid &&
		    (e->type == ORC_REGS || e->type == ORC_REGS_PARTIAL || e->type == ORC_END ||
		     (e->type == ORC_CALL &&
		      (e->sp == ORC_SP_INDIRECT || e->sp == ORC_BP_INDIRECT))))
			return true;
	}
	return false;
}

/* The symbols at one address, in code. */
struct group {
	uint64_t low, high;
	size_t next; /* the first symbol that is not among them */
	bool keeps_callee_saved, is_assembly;
	bool is_part; /* of a function that lies elsewhere */
};

static bool find_group(const struct symbols *symbols, size_t first,
		       const struct image_cfi_source *source, struct group *ret)
{
	const struct image_layout *layout = source->layout;
	uint64_t low = symbols_nth(symbols, first).address;
	const struct image_part *part = image_layout_find(layout, low);
	size_t next = first, count = symbols_count(symbols);
	bool keeps = false, is_assembly = false, is_part = false;
	for (; next < count && symbols_nth(symbols, next).address == low; next++) {
		const char *name = symbols_nth(symbols, next).name;
		keeps |= asm_keeps_callee_saved(name);
		is_assembly |= is_known_assembly(name);
		is_part |= code_tables_is_part(name);
	}
	ret->next = next;
	if (!part || !part->code || low >= part->high)
		return false;
	uint64_t high = next < count ? symbols_nth(symbols, next).address : part->high;
	if (traced_is_trampoline(source->traced, high))
		high--;
	*ret = (struct group){
		low,	high < part->high ? high : part->high, next, keeps, keeps || is_assembly,
		is_part
	};
	return true;
}

static bool nothing_known(const struct rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->list[i].valid && r->list[i].entry.type != ORC_NOTHING)
			return false;
	return true;
}

/*
 * Rows from how the code of @g begins. If that does not tell, one that says nothing: without any
 * debuggers would make frames up. What is compiled is then told by its instructions alone, and a
 * part by those of its function.
 */
static struct err *read_prologue(const struct kernel *k, const struct group *g, struct rows *ret)
{
	const uint64_t low = g->low, high = g->high;
	unsigned char code[PROLOGUE_BYTES];
	struct cfi_row made[PROLOGUE_ROWS];
	size_t len = high - low < sizeof(code) ? (size_t)(high - low) : sizeof(code);
	struct err *e = kernel_read(k, low, code, len);
	size_t count = e ? 0 : prologue_rows(code, len, low, made);
	bool by_code = count || g->is_part || (!e && prologue_is_hooked(code, len));
	err_free(e);
	e = NULL;
	if (!count)
		made[count++] = (struct cfi_row){ .start = low };
	ret->count = 0;
	for (size_t i = 0; !e && i < count; i++) {
		made[i].code_first = by_code;
		e = add_row(ret, &made[i]);
	}
	return e;
}

/* Of entry code and assembly: what tables have wrong there. */
static struct err *mend(const struct kernel *k, const struct group *g, struct rows *r)
{
	unsigned char code[MEND_CODE_MAX];
	const uint64_t all = g->high - g->low;
	const size_t len = all < sizeof(code) ? (size_t)all : sizeof(code);
	const size_t count = r->count;
	const struct cfi_row none = { 0 };
	uint64_t makes_regs = 0;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < MEND_ROWS; i++)
		e = add_row(r, &none);
	r->count = count;
	if (e)
		return e;
	kernel_symbol(k, "error_entry", &makes_regs);
	e = kernel_read(k, g->low, code, len);
	if (!e)
		r->count = row_mend(code, len, g->low, makes_regs, r->list, count);
	err_free(e);
	return NULL;
}

/* @row, up to @high, with what @spans from number *@at on say of it, which is borrowed. */
static struct err *add_with_code(const struct cfi_row *row, uint64_t high,
				 const struct code_spans *spans, size_t *at, struct rows *ret)
{
	struct cfi_row part = *row;
	struct err *e = NULL;
	while (*at < spans->count && spans->list[*at].end <= part.start)
		++*at;
	while (!e && part.start < high) {
		const struct code_span *span = *at < spans->count ? &spans->list[*at] : NULL;
		uint64_t end = high;
		part.code = span && span->start <= part.start ? &span->rules : NULL;
		if (part.code && span->end < end)
			end = span->end;
		else if (!part.code && span && span->start < end)
			end = span->start;
		e = add_row(ret, &part);
		part.start = end;
		if (span && span->end <= end)
			++*at;
	}
	return e;
}

/* Both of the function at [@low, @high): a row for each place where one of them changes. */
static struct err *join(const struct rows *rows, const struct code_spans *spans, uint64_t low,
			uint64_t high, struct rows *ret)
{
	struct err *e = NULL;
	size_t at = 0;
	ret->count = 0;
	for (size_t i = 0; !e && i < rows->count; i++) {
		struct cfi_row row = rows->list[i];
		uint64_t end = i + 1 < rows->count ? rows->list[i + 1].start : high;
		if (row.start < low)
			row.start = low;
		e = add_with_code(&row, end, spans, &at, ret);
	}
	return e;
}

/* What is used for one function after the other; owned. */
struct scratch {
	struct rows rows, joined;
	struct code_spans spans;
};

static void free_scratch(struct scratch *s)
{
	free(s->rows.list);
	free(s->joined.list);
	free(s->spans.list);
}

/*
 * Tasks that were switched out have their registers as they are behind the switch, at an
 * instruction before its end: no call that returns there is looked up at its own address, but
 * before it.
 */
static struct err *mend_switch(const struct image_cfi_source *source, struct code_spans *spans)
{
	const uint64_t at = source->resume;
	size_t n = 0;
	while (n < spans->count && (spans->list[n].start > at || spans->list[n].end <= at))
		n++;
	if (!at || n == spans->count)
		return NULL;
	const struct code_span whole = spans->list[n];
	const struct code_span parts[] = {
		{ whole.start, at, whole.rules },
		{ at, at + 1, whole.rules },
		{ at + 1, whole.end, whole.rules },
	};
	const size_t more = sizeof(parts) / sizeof(*parts) - 1;
	struct code_span *list = reallocarray(spans->list, spans->count + more, sizeof(*list));
	if (!list)
		return err_nomem();
	memmove(list + n + 1 + more, list + n + 1, (spans->count - n - 1) * sizeof(*list));
	memcpy(list + n, parts, sizeof(parts));
	spans->list = list;
	spans->count += more;
	spans->capacity = spans->count;
	struct code_span *span = &list[n + 1];
	if (!code_rules_behind_switch(&whole.rules, &span->rules))
		span->end = span->start;
	return NULL;
}

/* With the rows of tables, @s->rows, or where they know nothing those that the code makes up. */
static struct err *add_function(const struct image_cfi_source *source, const struct group *g,
				struct scratch *s, struct cfi_writer *w)
{
	struct err *e = NULL;
	if (nothing_known(&s->rows))
		e = read_prologue(source->k, g, &s->rows);
	else if (g->is_assembly || is_entry(&s->rows))
		e = mend(source->k, g, &s->rows);
	if (!e && s->rows.count)
		e = code_tables_spans(source->code, g->low, g->high, &s->spans);
	if (!e)
		e = mend_switch(source, &s->spans);
	if (!e)
		e = join(&s->rows, &s->spans, g->low, g->high, &s->joined);
	if (e)
		return e;
	const struct orc_function f = { g->low, g->high, s->joined.list, s->joined.count,
					g->keeps_callee_saved };
	return cfi_writer_function(w, &f);
}

static bool is_wanted(const struct image_cfi_source *source, const struct group *g,
		      const struct rows *rows)
{
	if (g->low < source->spoken_high && g->high > source->spoken_low)
		return false;
	return !source->entry_only || g->is_assembly || is_entry(rows);
}

struct err *image_cfi_add(const struct image_cfi_source *source, const struct module *module,
			  const struct symbols *symbols, size_t most, struct image_cfi *state,
			  struct cfi_writer *w, bool *ret_done)
{
	struct scratch s = { 0 };
	struct err *e = NULL;
	const struct slice now = slice_begin();
	size_t added = 0, count = symbols_count(symbols);
	while (!e && state->symbol < count && added < most && !slice_is_over(&now)) {
		struct group g;
		if (find_group(symbols, state->symbol, source, &g)) {
			added++;
			e = collect(source->orc, module, g.low, g.high, &state->row, &s.rows);
			if (!e && is_wanted(source, &g, &s.rows))
				e = add_function(source, &g, &s, w);
		}
		state->symbol = g.next;
	}
	free_scratch(&s);
	if (!e)
		*ret_done = state->symbol >= count;
	return e;
}

struct err *image_cfi_add_bpf(const struct image_cfi_source *source, const struct made_code *bpf,
			      struct cfi_writer *w)
{
	struct scratch s = { 0 };
	struct err *e = NULL;
	for (size_t i = 0; !e && i < bpf->count; i++) {
		const struct group g = { .low = bpf->list[i].start, .high = bpf->list[i].end };
		s.rows.count = 0;
		if (image_layout_find(source->layout, g.low))
			e = add_function(source, &g, &s, w);
	}
	free_scratch(&s);
	return e;
}

struct err *image_cfi_add_unlisted(const struct image_cfi_source *source, struct cfi_writer *w)
{
	const uint64_t high = kernel_arch(source->k)->map->code_end;
	const struct cfi_row nothing = { 0 };
	struct orc_function f = { .high = high, .rows = &nothing, .count = 1 };
	if (!types_why_none(kernel_types(source->k)) || !kernel_symbol(source->k, "_end", &f.low))
		return NULL;
	return cfi_writer_function(w, &f);
}
