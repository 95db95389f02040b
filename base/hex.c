// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/hex.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/bytes.h"

/* A digit's value and 1; 0 for all that is none. */
static const unsigned char values[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
	['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c)
{
	return values[(unsigned char)c] - 1;
}

/* Memory and registers go out as digits: made one by one they are most of a reply's cost. */
#ifdef __SSE2__
enum { AT_ONCE = 16 };

/* @n: numbers below 16. */
static __m128i digits_of(__m128i n)
{
	__m128i letters = _mm_cmpgt_epi8(n, _mm_set1_epi8(9));
	n = _mm_add_epi8(n, _mm_set1_epi8('0'));
	return _mm_add_epi8(n, _mm_and_si128(letters, _mm_set1_epi8('a' - '0' - 10)));
}

/* Returns the sum of the digits, in two halves. */
static __m128i encode_at_once(char *out, const unsigned char *in)
{
	const __m128i four_bits = _mm_set1_epi8(15);
	__m128i bytes = _mm_loadu_si128((const __m128i *)in);
	__m128i high = digits_of(_mm_and_si128(_mm_srli_epi16(bytes, 4), four_bits));
	__m128i low = digits_of(_mm_and_si128(bytes, four_bits));
	_mm_storeu_si128((__m128i *)out, _mm_unpacklo_epi8(high, low));
	_mm_storeu_si128((__m128i *)(out + AT_ONCE), _mm_unpackhi_epi8(high, low));
	/* Two digits together are below 256. */
	return _mm_sad_epu8(_mm_add_epi8(high, low), _mm_setzero_si128());
}

/* Encodes as much of @len bytes as goes at once; returns how much, and adds to the sum. */
static size_t encode_most(char *out, const unsigned char *in, size_t len, uint8_t *sum)
{
	__m128i sums = _mm_setzero_si128();
	size_t i = 0;
	for (; len - i >= AT_ONCE; i += AT_ONCE)
		sums = _mm_add_epi64(sums, encode_at_once(out + 2 * i, in + i));
	sums = _mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums));
	*sum = (uint8_t)(*sum + _mm_cvtsi128_si32(sums));
	return i;
}
#else
enum { AT_ONCE = 4 };

/* Numbers are little endian: a byte's two digits lie where two bytes were. */
static void encode_at_once(char *out, const unsigned char *in)
{
	uint64_t n = get_u32(in);
	n = (n | n << 16) & UINT64_C(0x0000ffff0000ffff);
	n = (n | n << 8) & UINT64_C(0x00ff00ff00ff00ff);
	n = (n >> 4 | n << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	/* 1 in each byte that is above 9: 6 more carries into its upper half. */
	uint64_t letters = (n + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	put_u64(out, n + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10));
}

static size_t encode_most(char *out, const unsigned char *in, size_t len, uint8_t *sum)
{
	size_t i = 0;
	for (; len - i >= AT_ONCE; i += AT_ONCE)
		encode_at_once(out + 2 * i, in + i);
	for (size_t n = 0; n < 2 * i; n++)
		*sum = (uint8_t)(*sum + (unsigned char)out[n]);
	return i;
}
#endif

uint8_t hex_encode(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *in = bytes;
	uint8_t sum = 0;
	for (size_t i = encode_most(out, in, len, &sum); i < len; i++) {
		char high = digits[in[i] >> 4], low = digits[in[i] & 15];
		out[2 * i] = high;
		out[2 * i + 1] = low;
		sum = (uint8_t)(sum + high + low);
	}
	return sum;
}

bool hex_decode(void *out, const char *text, size_t digits)
{
	unsigned char *bytes = out;
	if (digits % 2)
		return false;
	for (size_t i = 0; i < digits / 2; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

size_t hex_prefix(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;
	size_t digits = 0;
	for (; digits < len; digits++) {
		unsigned above = values[(unsigned char)text[digits]];
		if (!above)
			break;
		value = value << 4 | (above - 1);
	}
	*ret = value;
	return digits;
}

bool hex_u64(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value;
	if (!len || len > 16 || hex_prefix(text, len, &value) != len)
		return false;
	*ret = value;
	return true;
}

bool number_parse(const char *text, bool bare_hex, uint64_t *ret)
{
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return hex_u64(text + 2, strlen(text + 2), ret);
	if (bare_hex)
		return hex_u64(text, strlen(text), ret);
	uint64_t value = 0;
	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}
