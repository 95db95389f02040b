// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The protocol against whatever a client may send. The input is a script for one session:
 *
 *	byte 0		bits 0-3, 5: groups of operations that the target lacks; bits 6, 7: there is
 *			another target, in its place or beside it; bit 4: input as it
 *			is
 *	then lines	each a packet's payload, which is framed and sent (or, as it is, sent)
 *
 * Checked: no error but a flood, every output is a sequence of whole packets and acknowledgements,
 * a packet is answered within a bounded number of steps, and no file stays open.
 *
 *	clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -I. tests/fuzz/fuzz_rsp.c \
 *		tests/proto/fake.c tests/proto/fake_others.c proto/[a-z]*.c base/[a-z]*.c -o
 *fuzz_rsp
 *	./fuzz_rsp -dict=tests/fuzz/rsp.dict CORPUS tests/fuzz/corpus/rsp
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"
#include "proto/rsp.h"
#include "tests/proto/fake.h"
#include "tests/proto/fake_others.h"

/* The whole address space is searched hole by hole: a search is some dozen steps. */
#define STEPS_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void remove_groups(struct target *t, uint8_t which)
{
	if (which & 1)
		t->memory = NULL;
	if (which & 2)
		t->image = NULL;
	if (which & 4)
		t->monitor = NULL;
	if (which & 8)
		t->objects = NULL;
	if (which & 32)
		t->files = NULL;
}

/* Aborts unless @out is nothing but + and - and whole packets with good checksums. */
static void check_output(const struct buf *out)
{
	struct frame f = FRAME_INIT;
	size_t at = 0;
	while (at < out->len) {
		size_t used;
		enum frame_event event = frame_parse(&f, out->data + at, out->len - at, &used);
		/* lldb's JSON may be larger than what is taken as input. */
		if (event != FRAME_PACKET && event != FRAME_ACK && event != FRAME_NAK &&
		    event != FRAME_UNUSABLE)
			abort();
		if (event != FRAME_PACKET && event != FRAME_UNUSABLE && used != 1)
			abort();
		at += used;
	}
	frame_free(&f);
}

/* Returns false when the session is over. */
static bool talk(struct rsp *rsp, const char *bytes, size_t len, struct buf *out)
{
	bool more = true;
	struct err *e = rsp_input(rsp, bytes, len);
	if (e) {
		err_free(e);
		return false;
	}
	for (int steps = 0; more; steps++) {
		buf_reset(out);
		if (steps == STEPS_MAX || rsp_step(rsp, out, &more))
			abort();
		check_output(out);
	}
	return !rsp_wants_close(rsp);
}

static bool send_line(struct rsp *rsp, const char *line, size_t len, bool raw, struct buf *out)
{
	struct buf packet = BUF_INIT;
	if (raw) {
		buf_add(&packet, line, len);
	} else {
		buf_addch(&packet, '$');
		buf_add(&packet, line, len);
		frame_close(&packet, 1);
	}
	bool go_on = talk(rsp, packet.data, packet.len, out);
	buf_free(&packet);
	return go_on;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake fake;
	struct rsp_shared *shared;
	struct buf out = BUF_INIT;
	if (!size)
		return 0;
	fake_init(&fake, 100);
	remove_groups(&fake.target, data[0]);
	bool raw = data[0] & 16, go_on = true;
	if (rsp_shared_new(&fake.target, &shared))
		abort();
	struct fake_others others;
	fake_others_init(&others, shared, data[0] & 128);
	struct rsp *rsp = rsp_new(shared);
	if (rsp && data[0] & (64 | 128))
		rsp_set_directory(rsp, &others.directory);
	const char *at = (const char *)data + 1, *end = (const char *)data + size;
	while (rsp && go_on && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);
		go_on = send_line(rsp, at, len, raw, &out);
		at += len + 1;
	}
	rsp_free(rsp);
	fake_others_free(&others);
	rsp_shared_free(shared);
	if (fake.files)
		abort();
	fake_free(&fake);
	buf_free(&out);
	return 0;
}
