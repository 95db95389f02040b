// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the location of a variable and as the frame base of its function, in a frame of
 * which some registers are known. libdw makes operations of the bytes, as it does of a debug
 * file's, or they are operations themselves, such as libdw would not make.
 */
#include <dwarf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/base/regs.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/fake.h"
#include "unwind/variable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)

/* The input: flags, registers that are not known (3 bytes), how long the frame base is; it; the
 * location. */
enum { UNKNOWN_AT = 1, BASE_LEN_AT = 4, HEAD = 5, SIZE_MAX_TAKEN = 2048 };
enum { FLAG_RAW = 1, FLAG_NO_CFA = 2, FLAG_BIAS = 4 };
enum { WORDS = 512, OPS_MAX = 128, RAW_OP_BYTES = 6, BIAS = 0x1000 };

static bool evaluate(const struct unwind_source *source, const struct frame *frame,
		     const struct variable_location *location, struct variable *ret)
{
	memset(ret, 0xa5, sizeof(*ret));
	return variable_evaluate(source, frame, location, ret);
}

static void require_same(const struct variable *a, const struct variable *b)
{
	REQUIRE(a->where == b->where && a->value == b->value);
	REQUIRE(a->where != VARIABLE_MEMORY || a->address == b->address);
	REQUIRE(a->where != VARIABLE_REGISTER || a->reg == b->reg);
}

/* It is where it is said to be. */
static void require_true(const struct unwind_source *source, const struct frame *frame,
			 const struct variable *v)
{
	unsigned char word[8];
	unsigned n;
	switch (v->where) {
	case VARIABLE_COMPUTED:
		break;
	case VARIABLE_MEMORY:
		REQUIRE(!source->read(source->self, v->address, word, sizeof(word)));
		REQUIRE(get_u64(word) == v->value);
		break;
	case VARIABLE_REGISTER:
		for (n = 0; n <= REG_RIP && strcmp(v->reg, x86_64_regs.names[n]) != 0; n++)
			;
		REQUIRE(n <= REG_RIP && regs_known(&frame->regs, n));
		REQUIRE(frame->regs.value[n] == v->value);
		break;
	default:
		abort();
	}
}

/*
 * What registers hold that are not known has no part in the value; and if the value is known with
 * fewer registers, it is the same with more.
 */
static void check(const struct unwind_source *source, const struct frame *frame,
		  const struct variable_location *location)
{
	struct frame zero = *frame, plausible = *frame, all = *frame;
	struct variable a, b;
	put_garbage(&zero.regs, GARBAGE_ZERO);
	put_garbage(&plausible.regs, GARBAGE_PLAUSIBLE);
	put_garbage(&all.regs, GARBAGE_PLAUSIBLE);
	all.regs.known = (UINT32_C(1) << REG_COUNT) - 1;
	bool known = evaluate(source, &zero, location, &a);
	REQUIRE(evaluate(source, &plausible, location, &b) == known);
	if (!known)
		return;
	require_same(&a, &b);
	require_true(source, frame, &a);
	REQUIRE(evaluate(source, &all, location, &b));
	require_same(&a, &b);
}

static void check_in_frame(const uint8_t *data, const struct variable_location *location)
{
	uint64_t words[WORDS];
	struct fake fake = { 0 };
	struct frame frame = { .cfa = data[0] & FLAG_NO_CFA ? 0 : STACK + 8 * 64 };
	uint32_t unknown = get_u32(data + UNKNOWN_AT);
	for (size_t i = 0; i < WORDS; i++)
		words[i] = i % 2 ? i * UINT64_C(0x100000001) : STACK + 8 * (i * 7 % WORDS);
	fake_memory(&fake, STACK, words, sizeof(words));
	for (unsigned i = 0; i <= REG_RIP; i++)
		if (!(unknown >> i & 1))
			regs_set(&frame.regs, (enum reg)i, STACK + 56 * (uint64_t)i);
	struct unwind_source source = fake_source(&fake);
	check(&source, &frame, location);
}

/* ---- operations as they are ---- */

static size_t make_ops(const uint8_t *bytes, size_t len, Dwarf_Op *ops)
{
	size_t count = 0;
	for (; count < OPS_MAX && (count + 1) * RAW_OP_BYTES <= len; count++) {
		const uint8_t *raw = bytes + count * RAW_OP_BYTES;
		ops[count] = (Dwarf_Op){ .atom = raw[0],
					 .number = (uint64_t)(int16_t)get_u16(raw + 1),
					 .number2 = (uint64_t)(int8_t)raw[3],
					 .offset = get_u16(raw + 4) };
	}
	return count;
}

static void try_raw(const uint8_t *data, const uint8_t *base, size_t base_len, const uint8_t *bytes,
		    size_t len)
{
	static Dwarf_Op ops[OPS_MAX], base_ops[OPS_MAX];
	struct variable_location location = { .ops = ops, .base_ops = base_ops };
	location.count = make_ops(bytes, len, ops);
	location.base_count = make_ops(base, base_len, base_ops);
	location.bias = data[0] & FLAG_BIAS ? BIAS : 0;
	check_in_frame(data, &location);
}

/* ---- operations as libdw reads them ---- */

/* DW_CFA_def_cfa_expression: the CFA's is the one expression that libdw hands out as it is. */
static size_t write_cfa(const uint8_t *expression, size_t len, uint8_t *ret)
{
	ret[0] = DW_CFA_def_cfa_expression;
	ret[1] = (uint8_t)(len | 0x80);
	ret[2] = (uint8_t)(len >> 7);
	memcpy(ret + 3, expression, len);
	return len + 3;
}

/* *ret_row holds the operations; free() it. */
static bool find_ops(struct Dwarf_CFI_s *cfi, uint64_t pc, Dwarf_Frame **ret_row,
		     const Dwarf_Op **ret_ops, size_t *ret_count)
{
	Dwarf_Op *ops;
	*ret_row = NULL;
	if (dwarf_cfi_addrframe(cfi, pc, ret_row) || dwarf_frame_cfa(*ret_row, &ops, ret_count))
		return false;
	*ret_ops = ops;
	return true;
}

static void try_libdw(const uint8_t *data, const uint8_t *base, size_t base_len,
		      const uint8_t *bytes, size_t len)
{
	static uint8_t code[2][SIZE_MAX_TAKEN + 3];
	const struct cfi_function functions[] = {
		{ TEXT, 0x10, code[0], write_cfa(bytes, len, code[0]) },
		{ TEXT + 0x10, 0x10, code[1], write_cfa(base, base_len, code[1]) },
	};
	struct variable_location location = { .bias = data[0] & FLAG_BIAS ? BIAS : 0 };
	Dwarf_Frame *row = NULL, *base_row = NULL;
	struct cfi_file *file = cfi_file_of_functions(functions, 2);
	if (file && cfi_file_is_sane(file) &&
	    find_ops(cfi_file_cfi(file), TEXT, &row, &location.ops, &location.count)) {
		if (!find_ops(cfi_file_cfi(file), TEXT + 0x10, &base_row, &location.base_ops,
			      &location.base_count))
			location.base_count = 0;
		check_in_frame(data, &location);
	}
	free(row);
	free(base_row);
	cfi_file_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD || size > SIZE_MAX_TAKEN)
		return 0;
	size_t rest = size - HEAD;
	size_t base_len = data[BASE_LEN_AT] < rest ? data[BASE_LEN_AT] : rest;
	const uint8_t *base = data + HEAD;
	if (data[0] & FLAG_RAW)
		try_raw(data, base, base_len, base + base_len, rest - base_len);
	else
		try_libdw(data, base, base_len, base + base_len, rest - base_len);
	return 0;
}
