// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unwind/fake.h"

#include <inttypes.h>
#include <string.h>

#include "arch/x86_64/unwind/code_table.h"
#include "base/bytes.h"
#include "base/err.h"

void fake_memory(struct fake *f, uint64_t address, const void *bytes, size_t len)
{
	f->memory[f->memory_count].address = address;
	f->memory[f->memory_count].bytes = bytes;
	f->memory[f->memory_count++].len = len;
}

void fake_text(struct fake *f, uint64_t start, uint64_t len)
{
	f->text[f->text_count].start = start;
	f->text[f->text_count++].end = start + len;
}

void fake_orc(struct fake *f, uint64_t start, uint64_t len, struct orc_entry entry)
{
	f->orc[f->orc_count].start = start;
	f->orc[f->orc_count].end = start + len;
	f->orc[f->orc_count++].entry = entry;
}

void fake_stack(struct fake *f, uint64_t low, uint64_t high, const char *name)
{
	f->stacks[f->stack_count++] = (struct unwind_stack){ low, high, name };
}

static struct err *read_memory(void *self, uint64_t address, void *out, size_t len)
{
	const struct fake *f = self;
	/* What was laid down last goes first. */
	for (size_t i = f->memory_count; i-- > 0;) {
		uint64_t offset = address - f->memory[i].address;
		if (address >= f->memory[i].address &&
		    range_within(offset, len, f->memory[i].len)) {
			memcpy(out, (const unsigned char *)f->memory[i].bytes + offset, len);
			return NULL;
		}
	}
	return err_new(ERR_MISSING, "0x%" PRIx64 " is not in the dump", address);
}

static bool is_text(void *self, uint64_t pc, uint64_t *ret_function)
{
	const struct fake *f = self;
	for (size_t i = 0; i < f->text_count; i++) {
		if (pc >= f->text[i].start && pc < f->text[i].end) {
			*ret_function = f->text[i].start;
			return true;
		}
	}
	return false;
}

static bool find_cfi(void *self, uint64_t pc, struct Dwarf_CFI_s **ret_cfi, uint64_t *ret_bias)
{
	const struct fake *f = self;
	(void)pc;
	*ret_cfi = f->cfi;
	*ret_bias = f->bias;
	return f->cfi;
}

static bool find_orc(void *self, uint64_t pc, struct orc_entry *ret)
{
	const struct fake *f = self;
	for (size_t i = 0; i < f->orc_count; i++) {
		if (pc >= f->orc[i].start && pc < f->orc[i].end) {
			*ret = f->orc[i].entry;
			return true;
		}
	}
	return false;
}

static bool find_stack(void *self, uint64_t address, struct unwind_stack *ret)
{
	const struct fake *f = self;
	for (size_t i = 0; i < f->stack_count; i++) {
		if (address >= f->stacks[i].low && address < f->stacks[i].high) {
			*ret = f->stacks[i];
			return true;
		}
	}
	return false;
}

static bool keeps_callee_saved(void *self, uint64_t pc)
{
	const struct fake *f = self;
	return pc >= f->keeps_start && pc < f->keeps_end;
}

static bool enters_guest(void *self, uint64_t pc, struct guest_entry *ret)
{
	const struct fake *f = self;
	*ret = f->entry;
	if (!ret->function)
		ret->function = f->enters_start;
	return pc >= f->enters_start && pc < f->enters_end;
}

static bool drops_user_rsp(void *self, uint64_t pc, uint64_t *ret_kept_at)
{
	const struct fake *f = self;
	*ret_kept_at = f->kept_at;
	return pc >= f->drops_start && pc < f->drops_end;
}

static bool is_return(void *self, uint64_t function)
{
	const struct fake *f = self;
	return f->returns && function == f->returns;
}

static enum unwind_handler calls_handler(void *self, uint64_t pc)
{
	const struct fake *f = self;
	return pc >= f->handler_start && pc < f->handler_end ? f->handler : HANDLER_NONE;
}

static bool find_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct fake *f = self;
	for (size_t i = 0; i < f->text_count; i++) {
		if (address < f->text[i].start || address >= f->text[i].end)
			continue;
		*ret = (struct code_symbol){ .start = f->text[i].start, .end = f->text[i].end };
		if (f->thunk && ret->start == f->thunk)
			ret->kind = CODE_THUNK;
		else if (f->part && ret->start == f->part)
			ret->kind = CODE_PART;
		else if (f->returns && ret->start == f->returns)
			ret->kind = CODE_RETURN;
		return true;
	}
	return false;
}

struct code_source fake_code(struct fake *f)
{
	return (struct code_source){ .self = f, .read = read_memory, .symbol = find_symbol };
}

static bool follow_code(void *self, uint64_t pc, bool exact, struct code_rules *ret,
			uint64_t *ret_function)
{
	struct fake *f = self;
	struct code_source source = fake_code(f);
	struct code_table *table;
	uint64_t function;
	if (!f->follows || !is_text(f, exact ? pc : pc - 1, &function))
		return false;
	if (f->part && function == f->part)
		function = f->parent;
	struct err *e = code_table_new(&source, function, &table);
	if (e) {
		err_free(e);
		return false;
	}
	bool found = exact ? code_table_at(table, pc, ret) : code_table_call(table, pc, ret);
	code_table_free(table);
	*ret_function = function;
	return found;
}

static bool is_thunk(void *self, uint64_t function)
{
	const struct fake *f = self;
	return f->thunk && function == f->thunk;
}

static bool find_edge(void *self, uint64_t pc, struct entry_edge *ret)
{
	const struct fake *f = self;
	*ret = f->edge;
	return pc >= f->edge_start && pc < f->edge_end;
}

static enum unwind_return see_traced(void *self, uint64_t slot, uint64_t address, uint64_t *ret)
{
	const struct fake *f = self;
	*ret = f->traced_return;
	if (!f->trampoline || address != f->trampoline)
		return RETURN_PLAIN;
	return f->traced_return && slot == f->traced_slot ? RETURN_TRACED : RETURN_LOST;
}

static const struct x86_asks asks = {
	.keeps_callee_saved = keeps_callee_saved,
	.enters_guest = enters_guest,
	.drops_user_rsp = drops_user_rsp,
	.is_return = is_return,
	.calls_handler = calls_handler,
	.is_thunk = is_thunk,
	.edge = find_edge,
};

struct unwind_source fake_source(struct fake *f)
{
	return (struct unwind_source){
		.self = f,
		.read = read_memory,
		.is_text = is_text,
		.cfi = find_cfi,
		.orc = find_orc,
		.stack = find_stack,
		.code = f->follows ? follow_code : NULL,
		.traced = see_traced,
		.asks = &asks,
		.arch = &x86_64_unwind,
		.page_size = 4096,
	};
}
