// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * crash's protocol against whatever a client may send: its first request, and then the input,
 * where each line's end is a request's end, sent in pieces of 1 to 64 bytes as the first byte says.
 *
 * Checked: each request has one reply, whole and no longer than crash takes; memory is what was
 * asked for; the end of a session comes with an error or with EXIT alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/crash/client.h"
#include "tests/fuzz/require.h"
#include "tests/proto/fake_crash.h"

/* The most that crash takes of a reply that is text (its BUFSIZE), and of memory. */
enum { TEXT_MAX = 1500, READ_MAX = 131072, HEADER = 13 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "DONE 0000004", of which @word is the first part. A request may begin so, and is repeated. */
static bool is_header(const char *text, const char *word)
{
	return strlen(text) == HEADER - 1 && !strncmp(text, word, strlen(word)) &&
	       strspn(text + strlen(word), "0123456789") == HEADER - 1 - strlen(word);
}

static void check_reply(const struct buf *out)
{
	unsigned len;
	REQUIRE(out->len && memchr(out->data, 0, out->len));
	if (is_header(out->data, "DONE ")) {
		REQUIRE(sscanf(out->data, "DONE %u", &len) == 1 && len && len <= READ_MAX);
		REQUIRE(out->len == HEADER + len);
		/* What the fake has: each byte follows from its neighbour, but at a carry. */
		for (unsigned i = HEADER + 1; i < out->len; i++) {
			uint8_t step = (uint8_t)(out->data[i] - out->data[i - 1]);
			REQUIRE(step == 1 || step == 2);
		}
	} else if (is_header(out->data, "FAIL ")) {
		REQUIRE(out->len == HEADER);
	} else {
		REQUIRE(out->len <= TEXT_MAX && strlen(out->data) + 1 == out->len);
	}
}

/* False when the session is over. */
static bool talk(struct crash_client *c, const char *bytes, size_t len)
{
	bool more = true, over = false;
	size_t requests = 0;
	for (size_t i = 0; i < len; i++)
		requests += !bytes[i];
	struct err *e = crash_client_input(c, bytes, len);
	for (size_t steps = 0; !e && more; steps++) {
		struct buf out = BUF_INIT;
		e = crash_client_step(c, &out, &more);
		REQUIRE(!e);
		/* A first step finds nothing to do where no request is whole. */
		REQUIRE(steps <= requests);
		REQUIRE(!out.len || steps < requests);
		if (out.len)
			check_reply(&out);
		buf_free(&out);
	}
	if (e) {
		REQUIRE(err_code(e) == ERR_INVALID);
		err_free(e);
		over = true;
	}
	return !over && !crash_client_wants_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	size_t piece = data[0] % 64 + 1;
	struct crash_client *c = crash_client_new(&fake_crash_ops, NULL);
	char *text = malloc(size);
	REQUIRE(c && text);
	for (size_t i = 1; i < size; i++)
		text[i - 1] = data[i] == '\n' ? 0 : (char)data[i];
	bool on = talk(c, "NIL", sizeof("NIL"));
	REQUIRE(on);
	for (size_t at = 0; on && at < size - 1; at += piece)
		on = talk(c, text + at, piece < size - 1 - at ? piece : size - 1 - at);
	free(text);
	crash_client_free(c);
	return 0;
}
