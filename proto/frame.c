// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/frame.h"

#include <stdbool.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/hex.h"

enum frame_state {
	BETWEEN = 0, /* what FRAME_INIT gives */
	IN_PAYLOAD,
	AFTER_ESCAPE,
	AFTER_STAR,
	CHECKSUM_1,
	CHECKSUM_2,
};

/* A run's length byte is its extra length plus this (gdb manual, "Overview"): printable. */
#define RUN_BASE 29
#define RUN_MIN	 ' '
#define RUN_MAX	 '~'

bool frame_is_between(const struct frame *f)
{
	return f->state == BETWEEN;
}

void frame_free(struct frame *f)
{
	buf_free(&f->payload);
}

static void begin_packet(struct frame *f)
{
	buf_reset(&f->payload);
	f->state = IN_PAYLOAD;
	f->sum = 0;
	f->unusable = false;
}

static void add_byte(struct frame *f, char c)
{
	if (f->payload.len == FRAME_PAYLOAD_MAX)
		f->unusable = true;
	if (!f->unusable)
		buf_addch(&f->payload, c);
}

static void add_run(struct frame *f, char count)
{
	if (!f->payload.len || count < RUN_MIN || count > RUN_MAX) {
		f->unusable = true;
		return;
	}
	char c = f->payload.data[f->payload.len - 1];
	for (int n = count - RUN_BASE; n > 0; n--)
		add_byte(f, c);
}

/*
 * The bytes that mean something else than themselves. gdb wants * escaped in what it receives, too:
 * it would be taken for a run.
 */
static const bool special[256] = { ['#'] = true, ['$'] = true, ['*'] = true, ['}'] = true };

#ifdef __SSE2__
enum { AT_ONCE = 16 };

/* A bit for each special byte. */
static unsigned special_among(__m128i bytes)
{
	__m128i a = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('#')),
				 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('$')));
	__m128i b = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('*')),
				 _mm_cmpeq_epi8(bytes, _mm_set1_epi8('}')));
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(a, b));
}

static uint8_t low_sum(__m128i sums)
{
	return (uint8_t)_mm_cvtsi128_si32(_mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums)));
}

/* The first @count bytes (below AT_ONCE) and zeros. */
static __m128i first_bytes(__m128i bytes, unsigned count)
{
	static const uint8_t mask[2 * AT_ONCE] = {
		255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
	};
	return _mm_and_si128(bytes, _mm_loadu_si128((const __m128i *)(mask + AT_ONCE - count)));
}

/*
 * Copies bytes from @in to @out, unless that is NULL, AT_ONCE at a time, and adds them to the sum,
 * up to the first special one; what follows it in @out is undefined. Returns how many; if fewer
 * than AT_ONCE are left then, the next one may be no special one.
 */
static size_t copy_blocks(char *out, const char *in, size_t len, uint8_t *sum)
{
	const __m128i zero = _mm_setzero_si128();
	__m128i sums = zero;
	size_t i = 0;
	unsigned found = 0;
	while (len - i >= AT_ONCE && !found) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(in + i));
		found = special_among(bytes);
		if (out)
			_mm_storeu_si128((__m128i *)(out + i), bytes);
		unsigned count = found ? (unsigned)__builtin_ctz(found) : AT_ONCE;
		if (found)
			bytes = first_bytes(bytes, count);
		sums = _mm_add_epi64(sums, _mm_sad_epu8(bytes, zero));
		i += count;
	}
	*sum = (uint8_t)(*sum + low_sum(sums));
	return i;
}
#else
static size_t copy_blocks(char *out, const char *in, size_t len, uint8_t *sum)
{
	(void)out;
	(void)in;
	(void)len;
	(void)sum;
	return 0;
}
#endif

/* The length of the run of bytes from @in on that stand for themselves. It is copied to @out,
 * unless that is NULL, and added to the sum. Most of a packet goes this way. */
static size_t copy_plain(char *out, const char *in, size_t len, uint8_t *sum)
{
	size_t n = copy_blocks(out, in, len, sum);
	uint8_t added = *sum;
	for (; n < len && !special[(unsigned char)in[n]]; n++) {
		if (out)
			out[n] = in[n];
		added = (uint8_t)(added + (unsigned char)in[n]);
	}
	*sum = added;
	return n;
}

/* A run of bytes that stand for themselves; returns its length. */
static size_t add_plain(struct frame *f, const char *data, size_t len)
{
	size_t n = copy_plain(NULL, data, len, &f->sum);
	if (n > FRAME_PAYLOAD_MAX - f->payload.len)
		f->unusable = true;
	if (!f->unusable)
		buf_add(&f->payload, data, n);
	return n;
}

/* One byte of a payload that has a meaning, or that follows one which has. */
static void payload_byte(struct frame *f, char c)
{
	/* Only the start of a packet is never escaped away: the one before was cut short. */
	if (c == '$') {
		begin_packet(f);
		return;
	}
	if (c == '#') {
		f->unusable |= f->state != IN_PAYLOAD;
		f->state = CHECKSUM_1;
		return;
	}
	f->sum = (uint8_t)(f->sum + (unsigned char)c);
	switch (f->state) {
	case AFTER_ESCAPE:
		add_byte(f, (char)(c ^ 0x20));
		f->state = IN_PAYLOAD;
		break;
	case AFTER_STAR:
		add_run(f, c);
		f->state = IN_PAYLOAD;
		break;
	default:
		f->state = c == '}' ? AFTER_ESCAPE : AFTER_STAR;
	}
}

static enum frame_event end_packet(struct frame *f, char second_digit)
{
	int high = hex_digit(f->first_digit), low = hex_digit(second_digit);
	f->state = BETWEEN;
	if (high < 0 || low < 0 || (high << 4 | low) != f->sum)
		return FRAME_BAD_CHECKSUM;
	if (f->unusable || f->payload.failed)
		return FRAME_UNUSABLE;
	return FRAME_PACKET;
}

/* A byte outside of packets. What is none of the four signs is noise, and skipped. */
static enum frame_event between_byte(struct frame *f, char c)
{
	switch (c) {
	case '$':
		begin_packet(f);
		return FRAME_NONE;
	case '+':
		return FRAME_ACK;
	case '-':
		return FRAME_NAK;
	case 0x03:
		return FRAME_INTERRUPT;
	default:
		return FRAME_NONE;
	}
}

enum frame_event frame_parse(struct frame *f, const char *data, size_t len, size_t *ret_used)
{
	enum frame_event event = FRAME_NONE;
	size_t i = 0;
	while (event == FRAME_NONE && i < len) {
		switch (f->state) {
		case BETWEEN:
			event = between_byte(f, data[i++]);
			break;
		case CHECKSUM_1:
			f->first_digit = data[i++];
			f->state = CHECKSUM_2;
			break;
		case CHECKSUM_2:
			event = end_packet(f, data[i++]);
			break;
		case IN_PAYLOAD:
			i += add_plain(f, data + i, len - i);
			if (i < len)
				payload_byte(f, data[i++]);
			break;
		default:
			payload_byte(f, data[i++]);
		}
	}
	*ret_used = i;
	return event;
}

/* The sum of bytes modulo 256. Made byte by byte it costs as much as the digits of a large reply.
 */
uint8_t frame_sum(const char *data, size_t len)
{
	uint8_t sum = 0;
	size_t i = 0;
#ifdef __SSE2__
	__m128i sums = _mm_setzero_si128(); /* two of them */
	for (; len - i >= 16; i += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(data + i));
		sums = _mm_add_epi64(sums, _mm_sad_epu8(bytes, _mm_setzero_si128()));
	}
	sum = low_sum(sums);
#else
	const uint64_t even = UINT64_C(0x00ff00ff00ff00ff);
	uint64_t lanes = 0; /* four sums, cut to 8 bits before they can leave their 16 */
	for (; len - i >= 8; i += 8) {
		uint64_t word;
		memcpy(&word, data + i, sizeof(word));
		lanes = ((lanes & even) + (word & even)) + (word >> 8 & even);
	}
	sum = (uint8_t)(lanes + (lanes >> 16) + (lanes >> 32) + (lanes >> 48));
#endif
	for (; i < len; i++)
		sum = (uint8_t)(sum + (unsigned char)data[i]);
	return sum;
}

void frame_close(struct buf *out, size_t start)
{
	frame_end(out, frame_sum(out->data + start, out->len - start));
}

void frame_end(struct buf *out, uint8_t sum)
{
	char end[3] = { '#' };
	hex_encode(end + 1, &sum, 1);
	buf_add(out, end, sizeof(end));
}

size_t frame_add_escaped(struct buf *out, const void *data, size_t len, size_t max, uint8_t *sum)
{
	const char *in = data;
	if (len > max)
		len = max;
	size_t room = len > max / 2 ? max : 2 * len;
	if (!buf_reserve(out, room))
		return len;
	char *to = out->data + out->len;
	const char *end = to + room;
	size_t n = 0;
	while (n < len && to < end) {
		size_t most = len - n < (size_t)(end - to) ? len - n : (size_t)(end - to);
		size_t plain = copy_plain(to, in + n, most, sum);
		n += plain;
		to += plain;
		/* A byte that is escaped needs room for two. */
		if (plain == most || end - to < 2)
			break;
		char escaped = (char)(in[n++] ^ 0x20);
		*to++ = '}';
		*to++ = escaped;
		*sum = (uint8_t)(*sum + '}' + (unsigned char)escaped);
	}
	out->len = (size_t)(to - out->data);
	out->data[out->len] = 0;
	return n;
}
