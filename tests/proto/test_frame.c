// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "proto/frame.h"

/* The events of @len bytes of @data, given in two pieces, as letters; payloads follow a P. */
static void parse(const char *data, size_t len, size_t first_piece, struct buf *events)
{
	static const char letters[] = ".P+-CBU";
	struct frame f = FRAME_INIT;
	size_t at = 0;
	buf_reset(events);
	while (at < len) {
		size_t used, end = at < first_piece ? first_piece : len;
		enum frame_event event = frame_parse(&f, data + at, end - at, &used);
		at += used;
		if (event == FRAME_NONE) {
			assert_int_equal(at, end);
			continue;
		}
		buf_addch(events, letters[event]);
		if (event == FRAME_PACKET) {
			buf_add(events, f.payload.data, f.payload.len);
			buf_addch(events, ' ');
		}
	}
	frame_free(&f);
}

static void expect(const char *data, size_t len, const char *expected)
{
	struct buf events = BUF_INIT;
	for (size_t first_piece = 0; first_piece <= len; first_piece++) {
		parse(data, len, first_piece, &events);
		assert_string_equal(events.data, expected);
	}
	buf_free(&events);
}

#define EXPECT(DATA, EXPECTED) expect(DATA, sizeof(DATA) - 1, EXPECTED)

static void splits(void **state)
{
	(void)state;
	EXPECT("", "");
	EXPECT("$qC#b4", "PqC ");
	EXPECT("+$qC#b4-$#00+\x03", "+PqC -P +C");
	EXPECT("$qC#B4", "PqC ");
	EXPECT("$q", "");
}

static void noise(void **state)
{
	(void)state;
	EXPECT("abc#00\xff\0*}$qC#b4xyz", "PqC ");
	EXPECT("$m12$qC#b4", "PqC ");
	EXPECT("$}$qC#b4", "PqC ");
	EXPECT("$a\x03#64", "Pa\x03 ");
}

static void damage(void **state)
{
	(void)state;
	EXPECT("$qC#b5$qC#b4", "BPqC ");
	EXPECT("$qC#xy", "B");
	EXPECT("$qC##4", "B");
	EXPECT("$qC}#31", "U");
	EXPECT("$}*#a7", "P\x0a ");
}

/* Times two, and 14 more: the longest run, 97 times more than once. */
#define ZEROS "000000000000000000000000000000000000000000"

static void runs(void **state)
{
	(void)state;
	EXPECT("$0* #7a", "P0000 ");
	EXPECT("$0*~#d8", "P" ZEROS ZEROS "00000000000000 ");
	EXPECT("$*!#4b", "U");
	EXPECT("$0*\x1f#79", "U");
	EXPECT("$0*\x7f#d9", "U");
	EXPECT("$0*#5a", "U");
}

/* A packet of @len bytes 'a' in @pieces; what it becomes. */
static enum frame_event of_length(size_t len, struct frame *f)
{
	struct buf packet = BUF_INIT;
	enum frame_event event = FRAME_NONE;
	size_t used, at = 0;
	buf_addch(&packet, '$');
	assert_true(buf_reserve(&packet, len + 3));
	memset(packet.data + 1, 'a', len);
	packet.len += len;
	frame_close(&packet, 1);
	while (at < packet.len) {
		size_t n = packet.len - at < 5000 ? packet.len - at : 5000;
		event = frame_parse(f, packet.data + at, n, &used);
		at += used;
	}
	buf_free(&packet);
	return event;
}

static void oversized(void **state)
{
	(void)state;
	struct frame f = FRAME_INIT;
	size_t used;
	assert_int_equal(of_length(FRAME_PAYLOAD_MAX, &f), FRAME_PACKET);
	assert_int_equal(f.payload.len, FRAME_PAYLOAD_MAX);
	assert_int_equal(of_length(FRAME_PAYLOAD_MAX + 1, &f), FRAME_UNUSABLE);
	assert_int_equal(of_length(20 * FRAME_PAYLOAD_MAX, &f), FRAME_UNUSABLE);
	assert_true(f.payload.cap <= 2 * FRAME_PAYLOAD_MAX);
	/* It goes on behind. */
	assert_int_equal(frame_parse(&f, "$qC#b4", 6, &used), FRAME_PACKET);
	assert_string_equal(f.payload.data, "qC");
	frame_free(&f);
}

/* Runs make much of little: that is bounded as well. */
static void oversized_by_runs(void **state)
{
	(void)state;
	struct frame f = FRAME_INIT;
	size_t used;
	uint8_t sum = '0';
	assert_int_equal(frame_parse(&f, "$0", 2, &used), FRAME_NONE);
	for (size_t n = 0; n < FRAME_PAYLOAD_MAX; n += 97) {
		assert_int_equal(frame_parse(&f, "*~", 2, &used), FRAME_NONE);
		sum = (uint8_t)(sum + '*' + '~');
	}
	char end[4];
	snprintf(end, sizeof(end), "#%02x", sum);
	assert_int_equal(frame_parse(&f, end, 3, &used), FRAME_UNUSABLE);
	assert_true(f.payload.cap <= 2 * FRAME_PAYLOAD_MAX);
	frame_free(&f);
}

static void escapes(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	uint8_t sum = 0;
	/* "$}" takes four bytes, "a#" three. */
	assert_int_equal(frame_add_escaped(&out, "$}a#b", 5, 100, &sum), 5);
	assert_string_equal(out.data, "}\x04}]a}\x03"
				      "b");
	buf_reset(&out);
	assert_int_equal(frame_add_escaped(&out, "*", 1, 1, &sum), 0);
	assert_int_equal(frame_add_escaped(&out, "*", 1, 2, &sum), 1);
	assert_string_equal(out.data, "}\x0a");
	buf_reset(&out);
	assert_int_equal(frame_add_escaped(&out, "ab*", 3, 3, &sum), 2);
	assert_int_equal(frame_add_escaped(&out, "c*", 2, 1, &sum), 1);
	assert_int_equal(frame_add_escaped(&out, "d", 1, 0, &sum), 0);
	assert_string_equal(out.data, "abc");
	buf_free(&out);
}

/* Byte by byte, as the manual has it. Returns how many of @data fit, and what they become. */
static size_t escape_plainly(struct buf *out, const char *data, size_t len, size_t max)
{
	size_t n = 0;
	for (; n < len; n++) {
		bool escaped = strchr("#$*}", data[n]) && data[n];
		if (out->len + escaped >= max)
			break;
		if (escaped)
			buf_addch(out, '}');
		buf_addch(out, (char)(escaped ? data[n] ^ 0x20 : data[n]));
	}
	return n;
}

/* One special byte, or several, at any place of spans of any length, and any room for them. */
static void escapes_are_those_made_plainly(void **state)
{
	(void)state;
	static const char specials[] = "#$*}\x03\x04\x0a]";
	uint32_t random = 1;
	for (unsigned round = 0; round < 4000; round++) {
		char data[80];
		struct buf out = BUF_INIT, expected = BUF_INIT;
		uint8_t sum = 7;
		size_t len = round % sizeof(data);
		for (size_t i = 0; i < len; i++) {
			random = random * 1664525 + 1013904223;
			bool special = random >> 24 < round / 64;
			data[i] = special ? specials[random >> 8 & 7] : (char)(random >> 16);
		}
		size_t max = round % 3 ? 2 * len : random >> 8 & 63;
		assert_int_equal(frame_add_escaped(&out, data, len, max, &sum),
				 escape_plainly(&expected, data, len, max));
		assert_int_equal(out.len, expected.len);
		assert_memory_equal(out.data, expected.data, out.len);
		assert_int_equal(out.data[out.len], 0);
		uint8_t plain_sum = 7;
		for (size_t i = 0; i < out.len; i++)
			plain_sum = (uint8_t)(plain_sum + (unsigned char)out.data[i]);
		assert_int_equal(sum, plain_sum);
		buf_free(&out);
		buf_free(&expected);
	}
}

/* What is escaped on one side is the same on the other. */
static void round_trip(void **state)
{
	(void)state;
	struct frame f = FRAME_INIT;
	struct buf out = BUF_INIT;
	unsigned char all[256];
	uint8_t sum = 0;
	size_t used;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)i;
	buf_addch(&out, '$');
	assert_int_equal(frame_add_escaped(&out, all, sizeof(all), 1000, &sum), sizeof(all));
	frame_end(&out, sum);
	assert_int_equal(frame_parse(&f, out.data, out.len, &used), FRAME_PACKET);
	assert_int_equal(used, out.len);
	assert_int_equal(f.payload.len, sizeof(all));
	assert_memory_equal(f.payload.data, all, sizeof(all));
	buf_free(&out);
	frame_free(&f);
}

/* The checksum of what is sent is the one that is wanted of what comes, whatever the length. */
static void checksums(void **state)
{
	(void)state;
	for (size_t len = 0; len < 100; len++) {
		struct buf out = BUF_INIT;
		uint8_t sum = 0;
		char end[4];
		buf_addch(&out, '$');
		for (size_t i = 0; i < len; i++) {
			buf_addch(&out, (char)(255 - i % 7));
			sum = (uint8_t)(sum + 255 - i % 7);
		}
		frame_close(&out, 1);
		snprintf(end, sizeof(end), "#%02x", sum);
		assert_string_equal(out.data + 1 + len, end);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),    cmocka_unit_test(noise),
		cmocka_unit_test(damage),    cmocka_unit_test(runs),
		cmocka_unit_test(oversized), cmocka_unit_test(oversized_by_runs),
		cmocka_unit_test(escapes),   cmocka_unit_test(round_trip),
		cmocka_unit_test(checksums), cmocka_unit_test(escapes_are_those_made_plainly),
	};
	return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
