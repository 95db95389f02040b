// SPDX-License-Identifier: GPL-2.0-or-later
/* What conversations of a few lines cannot show: sizes, bounds, sessions side by side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "proto/frame.h"
#include "proto/rsp.h"
#include "tests/proto/fake.h"

static struct fake fake;
static struct rsp_shared *shared;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1000);
	return rsp_shared_new(&fake.target, &shared) != NULL;
}

static int teardown(void **state)
{
	(void)state;
	rsp_shared_free(shared);
	fake_free(&fake);
	return 0;
}

/* Queues a packet without waiting for what comes. */
static void post(struct rsp *rsp, const char *text)
{
	struct buf packet = BUF_INIT;
	buf_addf(&packet, "$%s", text);
	frame_close(&packet, 1);
	assert_null(rsp_input(rsp, packet.data, packet.len));
	buf_free(&packet);
}

static unsigned step_all(struct rsp *rsp, struct buf *out)
{
	bool again = true;
	unsigned steps = 0;
	buf_reset(out);
	for (; again; steps++)
		assert_null(rsp_step(rsp, out, &again));
	return steps;
}

/* A session without acknowledgements. */
static struct rsp *session(struct buf *out)
{
	struct rsp *rsp = rsp_new(shared);
	assert_non_null(rsp);
	post(rsp, "QStartNoAckMode");
	step_all(rsp, out);
	assert_string_equal(out->data, "+$OK#9a");
	return rsp;
}

static void largest_reads(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	/* Half of PacketSize, what gdb asks for at most: in one reply. */
	post(rsp, "mffff888100000000,80000");
	step_all(rsp, &out);
	assert_int_equal(out.len, 2 * 0x80000 + 4);
	/* More than that is answered in part. */
	post(rsp, "mffff888100000000,80001");
	step_all(rsp, &out);
	assert_int_equal(out.len, 2 * 0x80000 + 4);
	post(rsp, "xffff888100000000,80000");
	step_all(rsp, &out);
	assert_int_equal(out.data[1], 'b');
	assert_true(out.len >= 0x80000 + 5);
	rsp_free(rsp);
	buf_free(&out);
}

static void flood(void **state)
{
	(void)state;
	static const char noise[1 << 16];
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	struct err *e = NULL;
	size_t sent = 0;
	for (; !e && sent < 10 * FRAME_PACKET_MAX; sent += sizeof(noise))
		e = rsp_input(rsp, noise, sizeof(noise));
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_INVALID);
	assert_true(sent > FRAME_PACKET_MAX);
	err_free(e);
	rsp_free(rsp);
	buf_free(&out);
}

/* An oversized packet is read to its end, forgotten, and answered by an error. */
static void oversized(void **state)
{
	(void)state;
	char part[4096];
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	memset(part, 'a', sizeof(part));
	assert_null(rsp_input(rsp, "$", 1));
	for (size_t sent = 0; sent < 4 * FRAME_PACKET_MAX; sent += sizeof(part)) {
		assert_null(rsp_input(rsp, part, sizeof(part)));
		step_all(rsp, &out);
		assert_int_equal(out.len, 0);
	}
	assert_null(rsp_input(rsp, "#00", 3));
	step_all(rsp, &out);
	assert_string_equal(out.data, "$E01#a6");
	post(rsp, "qC");
	step_all(rsp, &out);
	assert_string_equal(out.data, "$QC6e#2f");
	rsp_free(rsp);
	buf_free(&out);
}

/* Each step answers one packet: no client keeps the others waiting by sending many. */
static void one_packet_a_step(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	bool more;
	post(rsp, "qC");
	post(rsp, "qAttached");
	buf_reset(&out);
	assert_null(rsp_step(rsp, &out, &more));
	assert_string_equal(out.data, "$QC6e#2f");
	assert_true(more);
	assert_null(rsp_step(rsp, &out, &more));
	assert_string_equal(out.data, "$QC6e#2f$1#31");
	assert_false(more);
	rsp_free(rsp);
	buf_free(&out);
}

static void sessions_are_apart(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *a = session(&out), *b = session(&out);
	bool more;
	post(a, "Hg67");
	step_all(a, &out);
	/* A long search in one... */
	post(a, "qSearch:memory:ffff888100000000;400000;nothing");
	buf_reset(&out);
	assert_null(rsp_step(a, &out, &more));
	assert_true(more);
	assert_int_equal(out.len, 0);
	/* ...while the other is served. */
	post(b, "qC");
	step_all(b, &out);
	assert_string_equal(out.data, "$QC6e#2f");
	step_all(a, &out);
	assert_string_equal(out.data, "$0#30");
	post(a, "qC");
	step_all(a, &out);
	assert_string_equal(out.data, "$QC67#01");
	rsp_free(a);
	rsp_free(b);
	buf_free(&out);
}

static void interrupted_search(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	bool more;
	post(rsp, "qSearch:memory:ffff888100000000;400000;nothing");
	buf_reset(&out);
	assert_null(rsp_step(rsp, &out, &more));
	assert_null(rsp_input(rsp, "\x03", 1));
	step_all(rsp, &out);
	assert_string_equal(out.data, "$E04#a9");
	rsp_free(rsp);
	buf_free(&out);
}

/* A client that vanishes in the middle of a command takes the command with it. */
static void gone_client(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *rsp = session(&out);
	bool more;
	int before = fake.cancelled;
	post(rsp, "qRcmd,6c6f6e67");
	assert_null(rsp_step(rsp, &out, &more));
	assert_true(more);
	rsp_free(rsp);
	assert_int_equal(fake.cancelled, before + 1);
	buf_free(&out);
}

/* While acknowledgements are on, the + of a long operation does not wait for its end. */
static void early_ack(void **state)
{
	(void)state;
	struct buf out = BUF_INIT;
	struct rsp *rsp = rsp_new(shared);
	bool more;
	post(rsp, "qRcmd,6c6f6e67");
	assert_null(rsp_step(rsp, &out, &more));
	assert_string_equal(out.data, "+");
	step_all(rsp, &out);
	assert_string_equal(out.data, "$O31203220330a#d3$OK#9a");
	/* All of it is sent again. */
	assert_null(rsp_input(rsp, "-", 1));
	step_all(rsp, &out);
	assert_string_equal(out.data, "$O31203220330a#d3$OK#9a");
	rsp_free(rsp);
	buf_free(&out);
}

/* A conversation comes to the same wherever what is sent is cut. */
static void split_everywhere(void **state)
{
	(void)state;
	static const char talk[] = "+$qSupported:xmlRegisters=i386#c1+$Hg67#1c$p10;thread:6e;#94-";
	struct buf whole = BUF_INIT, parts = BUF_INIT, out = BUF_INIT;
	for (size_t cut = 0; cut < sizeof(talk); cut++) {
		struct rsp *rsp = rsp_new(shared);
		buf_reset(&parts);
		assert_null(rsp_input(rsp, talk, cut));
		step_all(rsp, &out);
		buf_add(&parts, out.data, out.len);
		assert_null(rsp_input(rsp, talk + cut, sizeof(talk) - 1 - cut));
		step_all(rsp, &out);
		buf_add(&parts, out.data, out.len);
		if (!cut)
			buf_add(&whole, parts.data, parts.len);
		assert_string_equal(parts.data, whole.data);
		rsp_free(rsp);
	}
	buf_free(&whole);
	buf_free(&parts);
	buf_free(&out);
}

static void bad_target(void **state)
{
	(void)state;
	struct fake bad;
	struct rsp_shared *none = NULL;
	fake_init(&bad, 3);
	const struct target_register_ops empty = { .count = 0 };
	bad.target.registers = &empty;
	struct err *e = rsp_shared_new(&bad.target, &none);
	assert_non_null(e);
	assert_string_equal(err_msg(e),
			    "describe the registers of a crash dump: the register table is empty");
	assert_null(none);
	err_free(e);
	rsp_shared_free(NULL);
	rsp_free(NULL);
	fake_free(&bad);
}

/* The data of a reply "$F COUNT;DATA#cs", unescaped; checks that COUNT says how many they are. */
static void take_data(const struct buf *out, struct buf *ret)
{
	const char *at = memchr(out->data, ';', out->len), *end = out->data + out->len - 3;
	size_t count;
	assert_non_null(at);
	assert_int_equal(sscanf(out->data, "$F%zx;", &count), 1);
	buf_reset(ret);
	for (at++; at < end; at++) {
		bool escaped = *at == '}';
		at += escaped;
		buf_addch(ret, (char)(escaped ? *at ^ 0x20 : *at));
	}
	assert_int_equal(ret->len, count);
}

/* A file comes in few replies, the first small and none larger than PacketSize, and is what it was.
 */
static void whole_file(void **state)
{
	(void)state;
	struct buf out = BUF_INIT, data = BUF_INIT;
	struct rsp *rsp = session(&out);
	char packet[64];
	unsigned replies = 0;
	post(rsp, "vFile:open:2f626f6f742f766d6c696e7578,0,0");
	step_all(rsp, &out);
	assert_string_equal(out.data, "$F0#76");
	for (uint64_t offset = 0; offset < FAKE_FILE_SIZE; offset += data.len, replies++) {
		snprintf(packet, sizeof(packet), "vFile:pread:0,100000,%llx",
			 (unsigned long long)offset);
		post(rsp, packet);
		step_all(rsp, &out);
		assert_true(out.len - 4 <= FRAME_PAYLOAD_MAX);
		take_data(&out, &data);
		assert_true(data.len > 0);
		for (size_t i = 0; i < data.len; i++)
			assert_int_equal((uint8_t)data.data[i], (uint8_t)(offset + i));
	}
	/* 16, 64 and 256 KiB, then three of almost 1 MiB. */
	assert_int_equal(replies, 6);
	rsp_free(rsp);
	assert_int_equal(fake.files, 0);
	buf_free(&out);
	buf_free(&data);
}

/* A client that opens without end is stopped, others are not, and its end closes all. */
static void files_without_end(void **state)
{
	(void)state;
	static const char open_small[] = "vFile:open:2f736d616c6c,0,0";
	struct buf out = BUF_INIT;
	struct rsp *greedy = session(&out), *modest = session(&out);
	for (int i = 0; i < 1024; i++) {
		post(greedy, open_small);
		step_all(greedy, &out);
		assert_memory_equal(out.data, "$F", 2);
		assert_int_not_equal(out.data[2], '-');
	}
	post(greedy, open_small);
	step_all(greedy, &out);
	assert_memory_equal(out.data, "$F-1,18#", 8);
	post(modest, open_small);
	step_all(modest, &out);
	assert_string_equal(out.data, "$F0#76");
	/* One that is closed makes room for one. */
	post(greedy, "vFile:close:1ff");
	step_all(greedy, &out);
	post(greedy, open_small);
	step_all(greedy, &out);
	assert_memory_equal(out.data, "$F1ff#", 6);
	/* What one has open is nothing to another. */
	post(modest, "vFile:fstat:1");
	step_all(modest, &out);
	assert_memory_equal(out.data, "$F-1,9#", 7);
	assert_int_equal(fake.files, 1025);
	rsp_free(greedy);
	assert_int_equal(fake.files, 1);
	rsp_free(modest);
	assert_int_equal(fake.files, 0);
	buf_free(&out);
}

/* Appends the part of the list of threads from @list->len on; whether it was the last. */
static bool read_part(struct rsp *rsp, struct buf *list)
{
	struct buf out = BUF_INIT;
	char packet[64];
	snprintf(packet, sizeof(packet), "qXfer:threads:read::%zx,1000", list->len);
	post(rsp, packet);
	step_all(rsp, &out);
	assert_true(out.len > 5 && (out.data[1] == 'l' || out.data[1] == 'm'));
	for (const char *at = out.data + 2; at < out.data + out.len - 3; at++) {
		bool escaped = *at == '}';
		at += escaped;
		buf_addch(list, (char)(escaped ? *at ^ 0x20 : *at));
	}
	bool last = out.data[1] == 'l';
	buf_free(&out);
	return last;
}

/* It lists the fake's threads as they were when it had been listed anew @times. */
static void assert_lists(const struct buf *list, unsigned times)
{
	const char *at = list->data;
	for (unsigned i = 3; i < 1000; i++) {
		char id[32];
		snprintf(id, sizeof(id), "<thread id=\"%x\"", 197 + i + times);
		at = strstr(at, id);
		assert_non_null(at);
	}
	assert_string_equal(list->data + list->len - strlen("</threads>\n"), "</threads>\n");
}

/* Who reads the list in parts gets one list, though somebody else has it made anew between. */
static void threads_come_and_go(void **state)
{
	(void)state;
	struct buf out = BUF_INIT, first = BUF_INIT, second = BUF_INIT;
	const struct target_thread_ops *still = fake.target.threads;
	fake_change(&fake);
	struct rsp *slow = session(&out), *quick = session(&out);
	int packets = fake.packets;
	/* Each began with a list of its own. */
	assert_int_equal(fake.generation, 2);
	read_part(slow, &first);
	read_part(slow, &first);
	while (!read_part(quick, &second))
		;
	while (!read_part(slow, &first))
		;
	assert_true(fake.packets > packets + 10);
	assert_int_equal(fake.generation, 4);
	assert_lists(&first, 3);
	assert_lists(&second, 4);
	/* All that lists them begins with those that are there now. */
	post(slow, "qfThreadInfo");
	step_all(slow, &out);
	assert_memory_equal(out.data, "$m67,6e,989680,cd,", 18);
	post(slow, "jThreadsInfo");
	step_all(slow, &out);
	assert_non_null(strstr(out.data, "{\"tid\":206,"));
	assert_null(strstr(out.data, "{\"tid\":205,"));
	rsp_free(slow);
	rsp_free(quick);
	fake.target.threads = still;
	buf_free(&first);
	buf_free(&second);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(largest_reads),       cmocka_unit_test(flood),
		cmocka_unit_test(oversized),	       cmocka_unit_test(one_packet_a_step),
		cmocka_unit_test(sessions_are_apart),  cmocka_unit_test(interrupted_search),
		cmocka_unit_test(gone_client),	       cmocka_unit_test(early_ack),
		cmocka_unit_test(split_everywhere),    cmocka_unit_test(bad_target),
		cmocka_unit_test(whole_file),	       cmocka_unit_test(files_without_end),
		cmocka_unit_test(threads_come_and_go),
	};
	return cmocka_run_group_tests_name("rsp", tests, setup, teardown);
}
