// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of ORC where the code in memory is another than the tables are about. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/row_mend.h"

#define LOW UINT64_C(0xffffffff81000000)

static struct cfi_row called(uint64_t at, int offset)
{
	return (struct cfi_row){
		.start = LOW + at,
		.valid = true,
		.entry = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = (int16_t)offset },
	};
}

/* The row of the instruction at @at. */
static const struct cfi_row *row_of(const struct cfi_row *rows, size_t count, uint64_t at)
{
	const struct cfi_row *found = NULL;
	for (size_t i = 0; i < count; i++) {
		assert_true(!i || rows[i].start > rows[i - 1].start);
		if (rows[i].start <= LOW + at)
			found = &rows[i];
	}
	assert_non_null(found);
	return found;
}

/* __switch_to_asm of 6.1: the table is about a fill of one call at 0x08. */
static void a_fill_whose_rounds_drop(void **state)
{
	static const unsigned char code[] = {
		0x90, 0x49, 0xc7, 0xc4, 0x10, 0x00, 0x00, 0x00, /* 01 mov $16,%r12 */
		0xe8, 0x01, 0x00, 0x00, 0x00,			/* 08 call 0e */
		0xcc,						/* 0d int3 */
		0xe8, 0x01, 0x00, 0x00, 0x00,			/* 0e call 14 */
		0xcc,						/* 13 int3 */
		0x48, 0x83, 0xc4, 0x10,				/* 14 add $16,%rsp */
		0x49, 0xff, 0xcc,				/* 18 dec %r12 */
		0x75, 0xeb,					/* 1b jnz 08 */
		0x0f, 0xae, 0xe8,				/* 1d lfence */
		0x41, 0x5f,					/* 20 pop %r15 */
		0xc3,						/* 22 ret */
	};
	static const struct {
		uint64_t at;
		int offset;
	} places[] = { { 0x00, 56 }, { 0x01, 56 }, { 0x08, 56 }, { 0x0e, 64 }, { 0x14, 72 },
		       { 0x18, 56 }, { 0x1b, 56 }, { 0x1d, 56 }, { 0x20, 56 }, { 0x22, 48 } };
	struct cfi_row rows[4 + MEND_ROWS] = { called(0, 56), called(0x06, 64), called(0x0a, 56),
					       called(0x22, 48) };
	(void)state;
	size_t count = row_mend(code, sizeof(code), LOW, 0, rows, 4);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		const struct cfi_row *row = row_of(rows, count, places[i].at);
		assert_true(row->valid);
		assert_int_equal(row->entry.sp_offset, places[i].offset);
	}
}

/* 5.10: how many words there are says only a register. */
static void a_fill_that_drops_at_the_end(void **state)
{
	static const unsigned char code[] = {
		0x49, 0xc7, 0xc4, 0x10, 0x00, 0x00, 0x00, /* 00 mov $16,%r12 */
		0xe8, 0x07, 0x00, 0x00, 0x00,		  /* 07 call 13 */
		0xf3, 0x90, 0x0f, 0xae, 0xe8, 0xeb, 0xf9, /* 0c */
		0xe8, 0x07, 0x00, 0x00, 0x00,		  /* 13 call 1f */
		0xf3, 0x90, 0x0f, 0xae, 0xe8, 0xeb, 0xf9, /* 18 */
		0x49, 0xff, 0xcc,			  /* 1f dec %r12 */
		0x75, 0xe3,				  /* 22 jnz 07 */
		0x48, 0x81, 0xc4, 0x00, 0x01, 0x00, 0x00, /* 24 add $256,%rsp */
		0xc3,					  /* 2b ret */
	};
	struct cfi_row rows[1 + MEND_ROWS] = { called(0, 56) };
	(void)state;
	size_t count = row_mend(code, sizeof(code), LOW, 0, rows, 1);
	assert_true(row_of(rows, count, 0)->valid);
	for (uint64_t at = 0x07; at < 0x2b; at++)
		assert_false(row_of(rows, count, at)->valid);
	assert_true(row_of(rows, count, 0x2b)->valid);
	assert_int_equal(row_of(rows, count, 0x2b)->entry.sp_offset, 56);
}

static void an_exception_before_it_moves(void **state)
{
	static const unsigned char code[] = {
		0x6a, 0xff,		      /* 00 push $-1 */
		0xe8, 0xf9, 0x00, 0x00, 0x00, /* 02 call 100 */
		0x48, 0x89, 0xc4,	      /* 07 mov %rax,%rsp */
		0x48, 0x89, 0xe7,	      /* 0a mov %rsp,%rdi */
	};
	const struct orc_entry iret = { .type = ORC_REGS_PARTIAL, .sp = ORC_SP, .signal = true },
			       regs = { .type = ORC_REGS, .sp = ORC_SP, .signal = true };
	(void)state;
	for (int known = 0; known < 2; known++) {
		struct cfi_row rows[2 + MEND_ROWS] = { { LOW, true, iret, NULL, false },
						       { LOW + 0x0a, true, regs, NULL, false } };
		size_t count =
			row_mend(code, sizeof(code), LOW, LOW + (known ? 0x100 : 0x200), rows, 2);
		assert_int_equal(row_of(rows, count, 0x02)->entry.type, ORC_REGS_PARTIAL);
		const struct orc_entry *entry = &row_of(rows, count, 0x07)->entry;
		assert_int_equal(entry->type, known ? ORC_REGS : ORC_REGS_PARTIAL);
		assert_int_equal(entry->sp, known ? ORC_AX : ORC_SP);
		assert_int_equal(row_of(rows, count, 0x0a)->entry.sp, ORC_SP);
		assert_int_equal(row_of(rows, count, 0x0a)->entry.type, ORC_REGS);
	}
}

/* Rows of other code stay. */
static void nothing_to_mend(void **state)
{
	static const unsigned char code[] = {
		0xe8, 0x01, 0,	  0,	0,    0x90, 0xe8, 0x00, 0x10,
		0,    0,    0x48, 0x83, 0xc4, 0x10, 0xc3, 0xe8, 0x01
	};
	struct cfi_row rows[2 + MEND_ROWS] = { called(0, 24), called(0x0f, 8) }, before[2];
	(void)state;
	memcpy(before, rows, sizeof(before));
	assert_int_equal(row_mend(code, sizeof(code), LOW, LOW + 0x300, rows, 2), 2);
	assert_memory_equal(rows, before, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fill_whose_rounds_drop),
		cmocka_unit_test(a_fill_that_drops_at_the_end),
		cmocka_unit_test(an_exception_before_it_moves),
		cmocka_unit_test(nothing_to_mend),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
