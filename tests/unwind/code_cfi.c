// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * code_cfi [--all] [--show] [--names-only] FILE: whether following a function's instructions finds
 * its caller and the registers that a callee keeps where CFI says that they are, or does not
 * answer: in every call, and with --all before every instruction.
 *
 * FILE is any ELF file with code and CFI, a relocatable one (a kernel module) too. Prints how many
 * answers were equal, unknown or wrong, and a line for each wrong one, with --show for each unknown
 * one, too. Between calls compilers that are not asked for it write CFI that is not right at every
 * instruction; and of what inline assembly pushes they know nothing: there ORC decides. Exit
 * status: 0, 1 (a wrong answer in a call, or more than two of a hundred unknown, three without
 * names of parts), 2 (the file cannot be used).
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/unwind/code_parts.h"
#include "arch/x86_64/unwind/code_table.h"
#include "arch/x86_64/unwind/decode.h"
#include "base/err.h"
#include "tests/unwind/code_image.h"

enum { RSP = 7, RBP = 6, SHOWN = 40, PARENTS_MAX = 8 };

struct score {
	unsigned long places, equal, unknown, wrong, cfa_wrong, cfa_unknown, cfa_by_orc, other;
};

static bool show_all;
/* With --names-only: parts without names, and the functions as the file has them. */
static struct code_parts parts;
static struct code_image whole;

/* ---- the source ---- */

static const char *const returns[] = { "__x86_return_thunk", "retbleed_return_thunk",
				       "srso_return_thunk", "__ret" };
static const char thunk[] = "__x86_indirect_thunk_";

static bool set_thunk(const char *name, struct code_symbol *ret)
{
	for (unsigned n = 0; n < GPR_COUNT; n++) {
		if (strcmp(name, x86_64_regs.names[(enum reg)n]) != 0)
			continue;
		ret->kind = CODE_THUNK;
		ret->reg = (enum reg)n;
		return true;
	}
	return false;
}

static bool find_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct code_image *im = self;
	const struct code_section *s = code_image_section(im, address);
	const struct code_function *f = code_image_function(im, address);
	if (!s || !s->code)
		return false;
	*ret = (struct code_symbol){ address & ~UINT64_C(1), address + 1, CODE_FUNCTION, 0 };
	if (!f)
		return true;
	*ret = (struct code_symbol){ f->start, f->start + f->size, CODE_FUNCTION, 0 };
	if (f->part)
		ret->kind = CODE_PART;
	code_parts_cut(&parts, address, ret);
	for (size_t i = 0; i < sizeof(returns) / sizeof(*returns); i++)
		if (!strcmp(f->name, returns[i]))
			ret->kind = CODE_RETURN;
	if (!strncmp(f->name, thunk, strlen(thunk)))
		set_thunk(f->name + strlen(thunk), ret);
	return true;
}

/* ---- one place ---- */

enum rule_kind { RULE_OTHER, RULE_SAME, RULE_CFA, RULE_RBP };

struct row {
	bool by_rsp, by_rbp, in_memory; /* CFA = rsp + cfa, rbp + cfa, the word at rbp + cfa */
	int64_t cfa;
	enum rule_kind kind[CODE_KEPT];
	int64_t at[CODE_KEPT];
};

static void read_rule(Dwarf_Frame *frame, enum reg n, enum rule_kind *ret_kind, int64_t *ret_at)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	*ret_kind = RULE_OTHER;
	if (dwarf_frame_register(frame, (int)n, memory, &ops, &count) != 0)
		return;
	if (!count) /* libdw takes rax for preserved in rbx's place */
		*ret_kind = !ops || n == REG_RBX ? RULE_SAME : RULE_OTHER;
	else if (count == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
		 ops[1].atom == DW_OP_plus_uconst)
		*ret_kind = RULE_CFA, *ret_at = (int64_t)ops[1].number;
	else if (count == 1 && ops[0].atom == DW_OP_call_frame_cfa)
		*ret_kind = RULE_CFA, *ret_at = 0;
	else if (count == 1 && ops[0].atom == DW_OP_breg0 + RBP)
		*ret_kind = RULE_RBP, *ret_at = (int64_t)ops[0].number;
}

static bool read_row(const struct code_image *im, uint64_t pc, struct row *ret)
{
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t count;
	*ret = (struct row){ 0 };
	if (dwarf_cfi_addrframe(im->cfi, pc, &frame) != 0)
		return false;
	if (dwarf_frame_cfa(frame, &ops, &count) == 0 && count == 1) {
		bool any = ops->atom == DW_OP_bregx;
		ret->by_rsp = ops->atom == DW_OP_breg0 + RSP || (any && ops->number == RSP);
		ret->by_rbp = ops->atom == DW_OP_breg0 + RBP || (any && ops->number == RBP);
		ret->cfa = (int64_t)(any ? ops->number2 : ops->number);
	} else if (count == 2 && ops[0].atom == DW_OP_breg0 + RBP && ops[1].atom == DW_OP_deref) {
		ret->in_memory = true;
		ret->cfa = (int64_t)ops[0].number;
	}
	for (unsigned i = 0; i < CODE_KEPT; i++)
		read_rule(frame, code_kept[i], &ret->kind[i], &ret->at[i]);
	free(frame);
	return ret->by_rsp || ret->by_rbp || ret->in_memory;
}

/* @at by rbp, if that is possible. */
static struct code_place by_rbp(const struct code_rules *r, struct code_place at)
{
	if (at.base == CODE_AT_RSP && r->rbp_relative)
		return (struct code_place){ CODE_AT_RBP, at.offset - r->rbp_distance };
	return at;
}

enum answer { ANSWER_EQUAL, ANSWER_UNKNOWN, ANSWER_WRONG, ANSWER_OTHER };

static enum answer compare_cfa(const struct row *row, const struct code_rules *r)
{
	if (row->by_rsp && r->by_rsp)
		return row->cfa == r->rsp_offset ? ANSWER_EQUAL : ANSWER_WRONG;
	if (row->by_rbp && r->by_rbp)
		return row->cfa == r->rbp_offset ? ANSWER_EQUAL : ANSWER_WRONG;
	const struct code_place at = by_rbp(r, r->cfa_at);
	if (row->in_memory && at.base == CODE_AT_RBP)
		return row->cfa == at.offset && !r->cfa_add ? ANSWER_EQUAL : ANSWER_WRONG;
	return ANSWER_OTHER;
}

static enum answer compare_register(const struct row *row, const struct code_rules *r, unsigned i)
{
	const struct code_place at = by_rbp(r, r->saved[i]);
	bool same = r->in_register >> i & 1;
	/* What has been popped CFI of kernels does not take back; its slot is below rsp by then. */
	if (row->kind[i] == RULE_CFA && row->by_rsp && row->at[i] < -row->cfa)
		return ANSWER_OTHER;
	if (row->kind[i] == RULE_OTHER)
		return ANSWER_OTHER;
	if (!same && at.base == CODE_NOWHERE)
		return ANSWER_UNKNOWN;
	if (row->kind[i] == RULE_SAME)
		return same ? ANSWER_EQUAL : ANSWER_WRONG;
	if (at.base == CODE_NOWHERE)
		return ANSWER_WRONG;
	if (row->kind[i] == RULE_CFA && at.base == CODE_AT_CFA)
		return at.offset == row->at[i] ? ANSWER_EQUAL : ANSWER_WRONG;
	if (row->kind[i] == RULE_RBP && at.base == CODE_AT_RBP)
		return at.offset == row->at[i] ? ANSWER_EQUAL : ANSWER_WRONG;
	return ANSWER_OTHER;
}

static const char *name_of(const struct code_image *im, uint64_t pc, uint64_t *ret_offset)
{
	const struct code_function *f = code_image_function(im, pc);
	*ret_offset = f ? pc - f->start : 0;
	return f ? f->name : "?";
}

static void print_place(struct code_place at)
{
	static const char *const bases[] = { "nowhere", "cfa", "rsp", "rbp" };
	printf("%s%+d", bases[at.base], at.offset);
}

static void tell(const struct code_image *im, uint64_t pc, const struct row *row,
		 const struct code_rules *r, int reg)
{
	uint64_t offset;
	const char *name = name_of(im, pc, &offset);
	printf("0x%" PRIx64 " %s+0x%" PRIx64 ": ", pc, name, offset);
	if (reg < 0) {
		printf("CFA by CFI %s%+" PRId64 ", by code rsp%+d(%d) rbp%+d(%d)\n",
		       row->by_rsp   ? "rsp"
		       : row->by_rbp ? "rbp"
				     : "*rbp",
		       row->cfa, r->rsp_offset, r->by_rsp, r->rbp_offset, r->by_rbp);
		return;
	}
	printf("%s by CFI ", x86_64_regs.names[code_kept[reg]]);
	if (row->kind[reg] == RULE_SAME)
		printf("same");
	else
		printf("%s%+" PRId64, row->kind[reg] == RULE_CFA ? "cfa" : "rbp", row->at[reg]);
	printf(", by code %s", r->in_register >> reg & 1 ? "same, " : "");
	print_place(r->saved[reg]);
	printf("\n");
}

static void compare(struct code_image *im, uint64_t pc, const struct code_rules *r,
		    struct score *score)
{
	struct row row;
	if (!read_row(im, pc, &row))
		return;
	score->places++;
	if (!r) {
		score->unknown += CODE_KEPT;
		score->cfa_unknown++;
		if (show_all) {
			uint64_t offset;
			const char *name = name_of(im, pc, &offset);
			printf("0x%" PRIx64 " %s+0x%" PRIx64 ": unknown\n", pc, name, offset);
		}
		return;
	}
	enum answer cfa = compare_cfa(&row, r);
	int64_t by_orc;
	/* Of pushes in inline assembly the compiler that wrote the CFI knows nothing. */
	if (cfa == ANSWER_WRONG && r->by_rsp && code_image_orc_cfa(im, pc, &by_orc) &&
	    by_orc == r->rsp_offset) {
		cfa = ANSWER_EQUAL;
		score->cfa_by_orc++;
	}
	if (cfa == ANSWER_WRONG && (++score->cfa_wrong <= SHOWN || show_all))
		tell(im, pc, &row, r, -1);
	if (cfa == ANSWER_OTHER && show_all)
		tell(im, pc, &row, r, -1);
	score->cfa_unknown += cfa == ANSWER_OTHER;
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		enum answer a = compare_register(&row, r, i);
		score->equal += a == ANSWER_EQUAL;
		score->unknown += a == ANSWER_UNKNOWN;
		score->other += a == ANSWER_OTHER;
		if (a == ANSWER_WRONG && (++score->wrong <= SHOWN || show_all))
			tell(im, pc, &row, r, (int)i);
		if (a == ANSWER_UNKNOWN && show_all)
			tell(im, pc, &row, r, (int)i);
	}
}

/* What has no name and does not begin with its return address at rsp is a part of something; so is
 * what does so for one nop, which compilers put before a part that exceptions alone lead to. */
static void mark_parts(struct code_image *im)
{
	enum { NOP = 0x90 };
	for (size_t i = 0; i < im->function_count; i++) {
		struct code_function *f = &im->functions[i];
		unsigned char first = 0;
		struct row row;
		if (*f->name)
			continue;
		err_free(code_image_read(im, f->start, &first, 1));
		f->part = !read_row(im, f->start + (first == NOP), &row) || !row.by_rsp ||
			  row.cfa != 8;
	}
}

/* As if the file had names of functions alone, as a kernel has in its memory that a compiler made
 * which gave none to what it moved out of a function's way (gcc 5 to 7): each goes up to the next.
 */
static void forget_parts(struct code_image *im)
{
	size_t kept = 0, bytes = im->function_count * sizeof(*im->functions);
	whole = *im;
	whole.functions = malloc(bytes);
	if (!whole.functions)
		code_image_die("no memory");
	memcpy(whole.functions, im->functions, bytes);
	for (size_t i = 0; i < im->function_count; i++)
		if (!im->functions[i].part)
			im->functions[kept++] = im->functions[i];
	im->function_count = kept;
	for (size_t i = 0; i < kept; i++) {
		struct code_function *f = &im->functions[i];
		size_t next = i + 1;
		while (next < kept && im->functions[next].start == f->start)
			next++;
		const struct code_section *s = code_image_section(im, f->start);
		uint64_t end = s ? s->address + s->size : f->start + f->size;
		if (next < kept && im->functions[next].start < end)
			end = im->functions[next].start;
		f->size = end - f->start;
	}
}

static void find_parts(struct code_image *im)
{
	const struct code_source source = { im, code_image_read, find_symbol, NULL };
	struct code_parts found = { 0 };
	for (size_t i = 0; i < im->section_count; i++) {
		const struct code_section *s = &im->sections[i];
		struct err *e =
			s->code ? code_parts_scan(&source, s->address, s->address + s->size, &found)
				: NULL;
		if (e)
			code_image_die(err_msg(e));
	}
	code_parts_sort(&found);
	parts = found;
	printf("%zu parts without names\n", parts.count);
}

/* ---- all of them ---- */

struct tables {
	struct code_table *list[PARENTS_MAX];
	size_t count;
};

static struct code_table *make_table(struct code_image *im, uint64_t function)
{
	const struct code_source source = { im, code_image_read, find_symbol, code_image_leads_to };
	struct code_table *t;
	struct err *e = code_table_new(&source, function, &t);
	if (e)
		code_image_die(err_msg(e));
	return t;
}

/* Of the function; of a part, those of all functions that it may be of. */
static void make_tables(struct code_image *im, const struct code_function *f, struct tables *ret)
{
	const char *end = strstr(f->name, ".cold");
	ret->count = 0;
	if (!f->part || !end) {
		ret->list[ret->count++] = make_table(im, f->start);
		return;
	}
	size_t len = (size_t)(end - f->name), low = 0, high = im->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(im->by_name[middle]->name, f->name, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < im->function_count && ret->count < PARENTS_MAX; low++) {
		const struct code_function *p = im->by_name[low];
		if (strncmp(p->name, f->name, len) != 0)
			break;
		if (!p->name[len])
			ret->list[ret->count++] = make_table(im, p->start);
	}
}

/* Where a part without a name begins, the functions that it may be of are tried, too: not what CFI
 * says is a part itself, of which nobody knows how it begins. */
static void add_parents(struct code_image *im, uint64_t pc, struct tables *t)
{
	for (size_t i = code_parts_upto(&parts, pc); i-- > 0 && parts.list[i].start == pc;) {
		const struct code_function *f = code_image_function(im, parts.list[i].function);
		if (t->count < PARENTS_MAX && f && !f->part)
			t->list[t->count++] = make_table(im, parts.list[i].function);
	}
}

static void look_at(struct code_image *im, const struct code_function *f, bool all,
		    struct score *calls, struct score *others)
{
	struct tables t;
	uint64_t end = f->start + f->size;
	make_tables(im, f, &t);
	for (uint64_t pc = f->start; pc < end;) {
		add_parents(im, pc, &t);
		unsigned char code[DECODE_MAX];
		size_t len = end - pc < DECODE_MAX ? (size_t)(end - pc) : DECODE_MAX;
		struct decoded d;
		struct err *e = code_image_read(im, pc, code, len);
		bool ok = !e && decode(code, len, pc, &d);
		err_free(e);
		if (!ok)
			break;
		struct code_rules r;
		bool call = d.flow == FLOW_CALL || d.flow == FLOW_CALL_INDIRECT, known = false;
		for (size_t i = 0; i < t.count && !known; i++)
			known = call ? code_table_call(t.list[i], pc + d.len, &r)
				     : code_table_at(t.list[i], pc, &r);
		/* A weak function that another one took the place of is there, without a name, and
		 * never runs. */
		bool runs = !whole.functions || code_image_function(&whole, pc);
		if (runs && (call || all))
			compare(im, pc, known ? &r : NULL, call ? calls : others);
		pc += d.len;
	}
	for (size_t i = 0; i < t.count; i++)
		code_table_free(t.list[i]);
}

static void print(const char *what, const struct score *s)
{
	printf("%s: %lu places; registers: %lu equal, %lu wrong, %lu unknown, %lu not comparable; "
	       "CFA: %lu wrong, %lu unknown, %lu equal to ORC's and not to CFI's\n",
	       what, s->places, s->equal, s->wrong, s->unknown, s->other, s->cfa_wrong,
	       s->cfa_unknown, s->cfa_by_orc);
}

int main(int argc, char **argv)
{
	struct code_image im;
	struct score calls = { 0 }, others = { 0 };
	bool all = false, names_only = false;
	for (; argc > 1 && !strncmp(argv[1], "--", 2); argc--, argv++) {
		all |= !strcmp(argv[1], "--all");
		show_all |= !strcmp(argv[1], "--show");
		names_only |= !strcmp(argv[1], "--names-only");
	}
	if (argc != 2)
		code_image_die("needs a file");
	code_image_open(argv[1], &im);
	mark_parts(&im);
	if (names_only)
		forget_parts(&im);
	/* Nor does a program without symbols name any. */
	if (names_only || !*im.functions[0].name)
		find_parts(&im);
	for (size_t i = 0; i < im.function_count; i++)
		if ((!i || im.functions[i].start != im.functions[i - 1].start) &&
		    (*im.functions[i].name || !im.functions[i].part))
			look_at(&im, &im.functions[i], all, &calls, &others);
	print("calls", &calls);
	if (all)
		print("others", &others);
	code_image_close(&im);
	/* What is to be reached: 98 of 100; without names of parts 97. */
	unsigned long least = names_only ? 32 : 49;
	return calls.wrong || calls.cfa_wrong || calls.equal < least * calls.unknown ||
	       !calls.equal;
}
