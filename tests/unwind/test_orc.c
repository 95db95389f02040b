// SPDX-License-Identifier: GPL-2.0-or-later
/* ORC entries of every format, and how the format is found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/unwind/orc.h"
#include "base/bytes.h"

/* An entry as it is on disk. */
static const unsigned char *raw(int16_t sp_offset, int16_t bp_offset, uint16_t flags)
{
	static unsigned char bytes[ORC_RAW_BYTES + 2];
	put_u32(bytes, (uint16_t)sp_offset | (uint32_t)(uint16_t)bp_offset << 16);
	put_u32(bytes + 4, flags);
	return bytes;
}

static void assert_entry(enum orc_format format, uint16_t flags, enum orc_type type,
			 enum orc_base sp, enum orc_base bp, bool signal)
{
	struct orc_entry e;
	assert_true(orc_decode(format, raw(24, -16, flags), &e));
	assert_int_equal(e.sp_offset, 24);
	assert_int_equal(e.bp_offset, -16);
	assert_int_equal(e.type, type);
	assert_int_equal(e.sp, sp);
	assert_int_equal(e.bp, bp);
	assert_int_equal(e.signal, signal);
}

static void format_4_14(void **state)
{
	(void)state;
	assert_entry(ORC_FORMAT_4_14, 0x015, ORC_CALL, ORC_SP, ORC_PREV_SP, false);
	assert_entry(ORC_FORMAT_4_14, 0x105, ORC_REGS, ORC_SP, ORC_UNDEFINED, true);
	assert_entry(ORC_FORMAT_4_14, 0x209, ORC_REGS_PARTIAL, ORC_SP_INDIRECT, ORC_UNDEFINED,
		     true);
	assert_entry(ORC_FORMAT_4_14, 0x000, ORC_NOTHING, ORC_UNDEFINED, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_4_14, 0x400, ORC_END, ORC_UNDEFINED, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_4_14, 0x048, ORC_CALL, ORC_BP_INDIRECT, ORC_BP, false);
}

static void format_6_3(void **state)
{
	(void)state;
	assert_entry(ORC_FORMAT_6_3, 0x014, ORC_CALL, ORC_BP, ORC_PREV_SP, false);
	assert_entry(ORC_FORMAT_6_3, 0x505, ORC_REGS, ORC_SP, ORC_UNDEFINED, true);
	assert_entry(ORC_FORMAT_6_3, 0x105, ORC_REGS, ORC_SP, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_6_3, 0x800, ORC_END, ORC_UNDEFINED, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_6_3, 0x000, ORC_NOTHING, ORC_UNDEFINED, ORC_UNDEFINED, false);
}

static void format_6_4(void **state)
{
	(void)state;
	assert_entry(ORC_FORMAT_6_4, 0x215, ORC_CALL, ORC_SP, ORC_PREV_SP, false);
	assert_entry(ORC_FORMAT_6_4, 0xb05, ORC_REGS, ORC_SP, ORC_UNDEFINED, true);
	assert_entry(ORC_FORMAT_6_4, 0xc05, ORC_REGS_PARTIAL, ORC_SP, ORC_UNDEFINED, true);
	assert_entry(ORC_FORMAT_6_4, 0x100, ORC_END, ORC_UNDEFINED, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_6_4, 0x000, ORC_NOTHING, ORC_UNDEFINED, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_6_4, 0x206, ORC_CALL, ORC_R10, ORC_UNDEFINED, false);
}

static void format_7_1_has_other_numbers(void **state)
{
	(void)state;
	assert_entry(ORC_FORMAT_7_1, 0x283, ORC_CALL, ORC_SP, ORC_PREV_SP, false);
	assert_entry(ORC_FORMAT_7_1, 0x284, ORC_CALL, ORC_BP, ORC_PREV_SP, false);
	assert_entry(ORC_FORMAT_7_1, 0x205, ORC_CALL, ORC_DI, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_7_1, 0x201, ORC_CALL, ORC_AX, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_7_1, 0x209, ORC_CALL, ORC_SP_INDIRECT, ORC_UNDEFINED, false);
	assert_entry(ORC_FORMAT_7_1, 0x20a, ORC_CALL, ORC_BP_INDIRECT, ORC_UNDEFINED, false);
}

static void what_no_kernel_writes_is_refused(void **state)
{
	struct orc_entry e;
	(void)state;
	assert_false(orc_decode(ORC_FORMAT_4_14, raw(8, 0, 0x00a), &e));
	assert_false(orc_decode(ORC_FORMAT_4_14, raw(8, 0, 0x0f5), &e));
	assert_false(orc_decode(ORC_FORMAT_4_14, raw(8, 0, 0x305), &e));
	assert_false(orc_decode(ORC_FORMAT_6_3, raw(8, 0, 0x305), &e));
	assert_false(orc_decode(ORC_FORMAT_6_4, raw(8, 0, 0x505), &e));
	assert_false(orc_decode(ORC_FORMAT_7_1, raw(8, 0, 0x703), &e));
	assert_false(orc_decode(ORC_FORMAT_7_1, raw(8, 0, 0x20b), &e));
}

static void the_header_names_the_format(void **state)
{
	/* As in the .orc_header of Debian's 6.12. */
	uint8_t hash[ORC_HEADER_BYTES] = { 0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6,
					   0x3b, 0x2c, 0xa9, 0xa5, 0xc6, 0x5b, 0xa5,
					   0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24 };
	enum orc_format format;
	(void)state;
	assert_true(orc_format_of_header(hash, &format));
	assert_int_equal(format, ORC_FORMAT_6_4);
	hash[19]++;
	assert_false(orc_format_of_header(hash, &format));
}

/* A function that saves rbp and one that does not, over and over, and @other once. */
static enum orc_format guess(uint16_t first, uint16_t second, uint16_t other)
{
	const uint16_t flags[] = { first, second, first, second, first, second, other };
	unsigned char table[7 * ORC_RAW_BYTES];
	enum orc_format format;
	for (size_t i = 0; i < 7; i++)
		memcpy(table + i * ORC_RAW_BYTES, raw(16, -16, flags[i]), ORC_RAW_BYTES);
	assert_true(orc_format_guess(table, 7, &format));
	return format;
}

static void a_table_shows_its_format(void **state)
{
	unsigned char nonsense[4 * ORC_RAW_BYTES];
	enum orc_format format;
	(void)state;
	assert_int_equal(guess(0x005, 0x015, 0x400), ORC_FORMAT_4_14);
	assert_int_equal(guess(0x005, 0x015, 0x505), ORC_FORMAT_6_3);
	assert_int_equal(guess(0x005, 0x015, 0x800), ORC_FORMAT_6_3);
	assert_int_equal(guess(0x205, 0x215, 0x100), ORC_FORMAT_6_4);
	assert_int_equal(guess(0x203, 0x283, 0x100), ORC_FORMAT_7_1);
	memset(nonsense, 0xff, sizeof(nonsense));
	assert_false(orc_format_guess(nonsense, 4, &format));
	assert_false(orc_format_guess(nonsense, 0, &format));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_4_14),
		cmocka_unit_test(format_6_3),
		cmocka_unit_test(format_6_4),
		cmocka_unit_test(format_7_1_has_other_numbers),
		cmocka_unit_test(what_no_kernel_writes_is_refused),
		cmocka_unit_test(the_header_names_the_format),
		cmocka_unit_test(a_table_shows_its_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
