// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the kallsyms tables without being told where they are: all forms, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/names/kallsyms_image.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

static const struct image_plan plans[] = {
	/* 3.10, 4.6, 4.20, 6.2, 6.4, 7.0 as they are on x86-64, and what lies between */
	{ KALLSYMS_ADDRESSES, false, false, 8, 8, 8 },
	{ KALLSYMS_ABSOLUTE_PERCPU, false, false, 8, 8, 8 },
	{ KALLSYMS_ABSOLUTE_PERCPU, false, false, 4, 4, 8 },
	{ KALLSYMS_ABSOLUTE_PERCPU, false, true, 4, 4, 8 },
	{ KALLSYMS_ABSOLUTE_PERCPU, true, true, 4, 4, 8 },
	{ KALLSYMS_BASE_RELATIVE, true, true, 4, 4, 8 },
	{ KALLSYMS_BASE_RELATIVE, false, false, 8, 8, 8 },
	{ KALLSYMS_PLACE_RELATIVE, true, true, 4, 4, 8 },
	{ KALLSYMS_PLACE_RELATIVE, true, false, 4, 4, 4 },
	{ KALLSYMS_PLACE_RELATIVE, false, true, 4, 4, 4 },
	{ KALLSYMS_ADDRESSES, true, true, 4, 4, 8 },
};
enum { PLANS = sizeof(plans) / sizeof(plans[0]) };

static struct image *make(const struct image_plan *plan)
{
	struct image *image = malloc(sizeof(*image));
	assert_non_null(image);
	image_make(image, plan);
	return image;
}

static struct err *find(const struct image *image, struct kallsyms_tables *ret)
{
	struct kallsyms_bytes piece = image_piece(image);
	return kallsyms_find(&piece, ret);
}

static struct err *read_image(void *self, uint64_t address, void *out, size_t len, size_t *ret_done)
{
	const struct image *image = self;
	uint64_t at = address - IMAGE_ADDRESS;
	if (at >= IMAGE_SIZE)
		return err_new(ERR_MISSING, "nothing is there");
	*ret_done = len < IMAGE_SIZE - at ? len : IMAGE_SIZE - (size_t)at;
	memcpy(out, image->bytes + at, *ret_done);
	return NULL;
}

static struct err *decode(struct image *image, const struct kallsyms_tables *tables,
			  const char *info_text, struct symbols **ret)
{
	struct kallsyms_memory memory = { image, read_image };
	struct vmcoreinfo *info = NULL;
	if (info_text)
		assert_null(vmcoreinfo_parse(info_text, strlen(info_text), &info));
	struct err *e = kallsyms_read_tables(&memory, tables, info, ret);
	vmcoreinfo_free(info);
	return e;
}

static void expect(struct err *e, enum err_code code, const char *part)
{
	assert_non_null(e);
	if (err_code(e) != code || !strstr(err_msg(e), part))
		fail_msg("%s", err_msg(e));
	err_free(e);
}

static void check_symbols(const struct image_plan *plan, const struct symbols *s)
{
	assert_int_equal(symbols_count(s), IMAGE_SYMBOLS);
	for (unsigned i = 0; i < IMAGE_SYMBOLS; i++) {
		char name[64];
		struct symbol symbol;
		image_name(i, name, sizeof(name));
		assert_true(symbols_get(s, name + 1, &symbol));
		assert_int_equal(symbol.address, image_address(plan, i));
		assert_int_equal(symbol.type, name[0]);
	}
}

static void every_form_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLANS; i++) {
		struct image *image = make(&plans[i]);
		struct kallsyms_tables t;
		struct symbols *s;
		struct err *e = find(image, &t);
		if (e)
			fail_msg("plan %zu: %s", i, err_msg(e));
		assert_true(t.found);
		assert_int_equal(t.count, IMAGE_SYMBOLS);
		assert_int_equal(t.names, IMAGE_ADDRESS + image->names);
		assert_int_equal(t.token_table, IMAGE_ADDRESS + image->tokens);
		assert_int_equal(t.token_index, IMAGE_ADDRESS + image->index);
		e = decode(image, &t, NULL, &s);
		if (e)
			fail_msg("plan %zu: %s", i, err_msg(e));
		check_symbols(&plans[i], s);
		symbols_free(s);
		free(image);
	}
}

/* Absolute symbols of old kernels that KASLR has moved past the end of memory come last. */
static void a_few_out_of_order(void **state)
{
	(void)state;
	struct image *image = make(&plans[0]);
	struct kallsyms_tables t;
	put_u64(image->bytes + image->places + 8 * (IMAGE_SYMBOLS - 1), 0x1000);
	struct err *e = find(image, &t);
	assert_null(e);
	for (unsigned i = 1000; i < 1020; i += 2)
		put_u64(image->bytes + image->places + 8 * i, 0x1000);
	expect(find(image, &t), ERR_NOTFOUND, "no names and addresses");
	free(image);
}

/* What tells that they are the kernel's. */
static void proof(void **state)
{
	(void)state;
	struct image *image = make(&plans[2]);
	struct kallsyms_tables t;
	struct symbols *s;
	assert_null(find(image, &t));
	assert_null(decode(image, &t, "SYMBOL(_stext)=ffffffff81000000\n", &s));
	symbols_free(s);
	/* _stext is not among these names; init_uts_ns is made one of them. */
	uint8_t *name = memmem(image->bytes, IMAGE_SIZE, "function_11", 11);
	assert_non_null(name);
	memcpy(name, "init_uts_ns", 11);
	char info[64];
	uint64_t address = image_address(&plans[2], 11);
	snprintf(info, sizeof(info), "SYMBOL(init_uts_ns)=%llx\n", (unsigned long long)address);
	assert_null(decode(image, &t, info, &s));
	symbols_free(s);
	snprintf(info, sizeof(info), "SYMBOL(init_uts_ns)=%llx\n", (unsigned long long)address + 1);
	expect(decode(image, &t, info, &s), ERR_CORRUPT, "no table has the symbols' addresses");
	free(image);
}

static void no_banner(void **state)
{
	(void)state;
	struct image *image = make(&plans[2]);
	struct kallsyms_tables t;
	struct symbols *s;
	assert_null(find(image, &t));
	image->bytes[IMAGE_BANNER_AT] = 'l';
	expect(decode(image, &t, NULL, &s), ERR_CORRUPT, "no table has the symbols' addresses");
	/* Functions alone have no banner: then _text is where the image begins, or nothing is. */
	uint8_t *name = memmem(image->bytes, IMAGE_SIZE, "linux_banner", 12);
	memcpy(name, "tinux_banner", 12);
	expect(decode(image, &t, NULL, &s), ERR_CORRUPT, "no table has the symbols' addresses");
	t.text = IMAGE_TEXT + 4096;
	expect(decode(image, &t, NULL, &s), ERR_CORRUPT, "no table has the symbols' addresses");
	t.text = IMAGE_TEXT;
	assert_null(decode(image, &t, NULL, &s));
	symbols_free(s);
	free(image);
}

static void two_are_none(void **state)
{
	(void)state;
	struct image *image = make(&plans[2]);
	struct kallsyms_tables t;
	size_t from = image->places, len = image->len - from;
	memcpy(image->bytes + (image->len + 4096) / 4096 * 4096 + from % 8, image->bytes + from,
	       len);
	expect(find(image, &t), ERR_CORRUPT, "two tables of tokens");
	/* And one table of tokens, but two of names. */
	image_make(image, &plans[2]);
	len = image->tokens - from;
	memcpy(image->bytes + (image->len + 4096) / 4096 * 4096 + from % 8, image->bytes + from,
	       len);
	expect(find(image, &t), ERR_CORRUPT, "two tables of names");
	free(image);
}

static void damaged(void **state)
{
	(void)state;
	struct image *image = make(&plans[2]);
	struct kallsyms_tables t;
	const size_t places[] = { image->count_at, image->names, image->markers + 16,
				  image->markers, image->markers + 8 };
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		image_make(image, &plans[2]);
		image->bytes[places[i]] ^= 3;
		expect(find(image, &t), ERR_NOTFOUND, "");
	}
	image_make(image, &plans[2]);
	image->bytes[image->index + 100] ^= 1;
	expect(find(image, &t), ERR_NOTFOUND, "no table of tokens");
	image_make(image, &plans[2]);
	image->bytes[image->tokens + 50] = 0;
	expect(find(image, &t), ERR_NOTFOUND, "no table of tokens");
	free(image);
}

/* Whatever is cut off: nothing is read behind the end, and nothing found that is not whole. */
static void cut_off(void **state)
{
	(void)state;
	for (size_t p = 0; p < PLANS; p++) {
		struct image *image = make(&plans[p]);
		for (size_t len = 0; len < image->len; len += 997) {
			uint8_t *bytes = malloc(len + 1);
			struct kallsyms_bytes piece = { bytes, len, IMAGE_ADDRESS };
			struct kallsyms_tables t;
			assert_non_null(bytes);
			memcpy(bytes, image->bytes, len);
			struct err *e = kallsyms_find(&piece, &t);
			assert_non_null(e);
			err_free(e);
			free(bytes);
		}
		free(image);
	}
}

/* Markers everywhere, each with a number of symbols in front that fits: that ends, too. */
static void hostile(void **state)
{
	(void)state;
	enum { SIZE = 8 << 20, RUN = 64 };
	struct image *image = make(&plans[2]);
	uint8_t *bytes = malloc(SIZE);
	struct kallsyms_bytes piece = { bytes, SIZE, IMAGE_ADDRESS };
	struct kallsyms_tables t;
	assert_non_null(bytes);
	for (size_t at = 0; at + 4 <= SIZE; at += 4)
		put_u32(bytes + at, at / 4 % RUN ? (uint32_t)(at / 4 % RUN) * 512 : 0);
	memcpy(bytes, image->bytes + image->tokens, image->index + 512 - image->tokens);
	struct err *e = kallsyms_find(&piece, &t);
	assert_non_null(e);
	err_free(e);
	/* Every word is the number of symbols, and every byte a name of one token. */
	memset(bytes, 1, SIZE);
	for (size_t at = 0; at + 4096 <= SIZE; at += 8192) {
		for (size_t i = 0; i < 1024; i++)
			put_u32(bytes + at + 4 * i, (uint32_t)i * 512);
	}
	memcpy(bytes, image->bytes + image->tokens, image->index + 512 - image->tokens);
	e = kallsyms_find(&piece, &t);
	assert_non_null(e);
	err_free(e);
	/* Digits, over and over. */
	for (size_t at = 0; at < SIZE; at++)
		bytes[at] = at % 2 ? 0 : (uint8_t)('0' + at / 2 % 10);
	e = kallsyms_find(&piece, &t);
	assert_non_null(e);
	err_free(e);
	free(bytes);
	free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_is_found),
		cmocka_unit_test(a_few_out_of_order),
		cmocka_unit_test(proof),
		cmocka_unit_test(no_banner),
		cmocka_unit_test(two_are_none),
		cmocka_unit_test(damaged),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(hostile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
