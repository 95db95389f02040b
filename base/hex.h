/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A strict hexadecimal codec: every character must be a digit, no sign, no 0x, no white space. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0..15, or -1 if @c is no hex digit. Both cases are digits. */
int hex_digit(char c);

/* Writes 2*@len lower-case digits to @out, no end mark. Returns their sum modulo 256. */
uint8_t hex_encode(char *out, const void *bytes, size_t len);

/* Decodes @digits (an even count) into @out (digits/2 bytes); false and @out undefined on anything
 * else. */
bool hex_decode(void *out, const char *text, size_t digits);

/*
 * The number that @text begins with: all digits that there are within @len characters. Returns how
 * many those are; of more than 16 *ret has the last ones.
 */
size_t hex_prefix(const char *text, size_t len, uint64_t *ret);

/* A whole number of 1 to 16 digits that takes all of @len characters; false otherwise. */
bool hex_u64(const char *text, size_t len, uint64_t *ret);

/*
 * A number as a person types it: 0x and hex digits, decimal digits, or (if @bare_hex) hex digits
 * alone. The whole string must be the number and fit 64 bits.
 */
bool number_parse(const char *text, bool bare_hex, uint64_t *ret);

#endif
