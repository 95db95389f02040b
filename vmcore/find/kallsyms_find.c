// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scripts/kallsyms.c writes the tables, one behind another and each aligned to eight bytes (four in
 * some kernels), in an order that changed: first the addresses, num_syms, names, markers, token
 * table and token index (3.10 to 6.1), later the addresses last; since 6.2 there is one more
 * between them, three bytes a symbol. What never changed is used: num_syms is in front of the
 * names, the markers behind them, the token index behind the token table.
 *
 * kallsyms_markers      for each 256th name where it begins in kallsyms_names (u64; u32 since 4.20)
 *
 * A token that is one character has that character's number, so every token table has the ten
 * digits one behind the other.
 */
#include "vmcore/find/kallsyms_find.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/names/kallsyms.h"

enum {
	PER_MARKER = 256, /* names from one marker to the next */
	/* Bytes of a name: its length and at least a token; KSYM_NAME_LEN tokens and two for the
	 * length at most. */
	ENCODED_LEAST = 2,
	ENCODED_MOST = 514,
	MARKERS_LEAST = 4,    /* fewer prove too little */
	DIGITS_MAX = 1 << 16, /* places that look like a token table and are looked at */
	STEPS_MAX = 1 << 26,  /* names and markers that are looked at in all */
	DISORDER_MAX = 8,     /* absolute symbols that KASLR has moved past the end of memory */
	INDEX_BYTES = 2 * KALLSYMS_TOKENS,
};

struct search {
	const uint8_t *bytes;
	size_t len;
	uint64_t address;
	uint64_t steps; /* left */
	/* What is found so far: */
	unsigned found;
	struct kallsyms_tables *tables;
};

/* A token table and its index, as offsets in the piece. */
struct tokens {
	size_t table, index;
};

/* Names and what is on both sides of them, as offsets. */
struct names {
	size_t count_at, at, markers, behind;
	uint32_t count;
};

static size_t align_up(size_t n, size_t to)
{
	return (n + to - 1) & ~(to - 1);
}

/* ---- tokens ---- */

/* Whether the 256 strings from @table on begin where the index at @index says. */
static bool index_fits(const struct search *s, size_t table, size_t index)
{
	if (index > s->len || s->len - index < INDEX_BYTES || get_u16(s->bytes + index))
		return false;
	for (size_t i = 1, before = 0; i < KALLSYMS_TOKENS; i++) {
		size_t start = get_u16(s->bytes + index + 2 * i);
		const uint8_t *token = s->bytes + table + before;
		if (start <= before || start - before > KALLSYMS_TOKEN_MAX ||
		    table + start > index ||
		    memchr(token, 0, start - before) != s->bytes + table + start - 1)
			return false;
		before = start;
	}
	return true;
}

/* By the string "0" at @digits: the tokens behind it, to where the index begins, which says where
 * the table does. */
static bool tokens_at(const struct search *s, size_t digits, struct tokens *ret)
{
	size_t end = digits;
	for (unsigned i = '0'; i < KALLSYMS_TOKENS; i++) {
		size_t left = s->len - end;
		const uint8_t *zero = memchr(s->bytes + end, 0,
					     left < KALLSYMS_TOKEN_MAX ? left : KALLSYMS_TOKEN_MAX);
		if (!zero)
			return false;
		end = (size_t)(zero - s->bytes) + 1;
	}
	for (size_t alignment = 2; alignment <= 8; alignment *= 2) {
		size_t index = align_up(end, alignment);
		if (index > s->len || s->len - index < INDEX_BYTES)
			continue;
		size_t before = get_u16(s->bytes + index + 2 * '0');
		if (before > digits || !index_fits(s, digits - before, index))
			continue;
		*ret = (struct tokens){ digits - before, index };
		return true;
	}
	return false;
}

/* ---- markers and names ---- */

static uint64_t marker_at(const struct search *s, size_t markers, size_t width, size_t i)
{
	const uint8_t *p = s->bytes + markers + width * i;
	return width == 8 ? get_u64(p) : get_u32(p);
}

/* How many words from @at on may be markers: the first is 0, and each has room for 256 names before
 * the next. */
static size_t count_markers(struct search *s, size_t at, size_t width)
{
	size_t n = 0;
	uint64_t before = 0;
	while (s->len - at >= width * (n + 1) && s->steps) {
		uint64_t now = marker_at(s, at, width, n);
		if (n ? now < before + PER_MARKER * ENCODED_LEAST ||
				    now > before + PER_MARKER * ENCODED_MOST
		      : now != 0)
			break;
		before = now;
		n++;
		s->steps--;
	}
	return n;
}

/* Bytes of the name at @at with its length; 0 if it would go on behind @end. */
static size_t encoded_size(const struct search *s, size_t at, size_t end)
{
	size_t head = 1;
	if (at >= end)
		return 0;
	size_t len = s->bytes[at];
	if (len & 0x80) {
		if (end - at < 2)
			return 0;
		len = (len & 0x7f) | (size_t)s->bytes[at + 1] << 7;
		head = 2;
	}
	return len && len <= end - at - head ? head + len : 0;
}

/* Whether @n->count names from @n->at on end where the markers begin, and agree with them. */
static bool names_fit(struct search *s, const struct names *n, size_t width)
{
	size_t at = n->at;
	for (uint32_t i = 0; i < n->count; i++) {
		size_t size = encoded_size(s, at, n->markers);
		if (!s->steps || !size ||
		    (i % PER_MARKER == 0 &&
		     at - n->at != marker_at(s, n->markers, width, i / PER_MARKER)))
			return false;
		at += size;
		s->steps--;
	}
	return n->markers - at < 8;
}

/* How many symbols there are, by what lies in front of the names: a word of eight bytes, or of four
 * that may be padded. */
static uint32_t count_before(const struct search *s, size_t names, size_t *ret_at)
{
	*ret_at = names - 8;
	if (names >= 8 && get_u32(s->bytes + names - 8) && !get_u32(s->bytes + names - 4))
		return get_u32(s->bytes + names - 8);
	*ret_at = names - 4;
	return get_u32(s->bytes + names - 4);
}

/* The names in front of @markers, of which there are @count or, if chance has added one, fewer. */
static bool names_before(struct search *s, size_t markers, size_t count, size_t width,
			 struct names *ret)
{
	uint64_t last = marker_at(s, markers, width, count - 2);
	size_t most = (size_t)last + 3 * PER_MARKER * ENCODED_MOST;
	size_t from = markers > most ? markers - most : 8;
	for (size_t at = align_up(from, 4); at + last < markers && s->steps; at += 4) {
		struct names n = { .at = at, .markers = markers };
		n.count = count_before(s, at, &n.count_at);
		size_t needed = ((size_t)n.count + PER_MARKER - 1) / PER_MARKER;
		s->steps--;
		if (n.count > KALLSYMS_COUNT_MAX || needed > count || needed + 1 < count ||
		    needed < MARKERS_LEAST)
			continue;
		n.behind = markers + width * needed;
		if (!names_fit(s, &n, width))
			continue;
		*ret = n;
		return true;
	}
	return false;
}

/* The next names behind *at, which moves on. */
static bool next_names(struct search *s, size_t *at, struct names *ret)
{
	for (; *at + 8 <= s->len && s->steps; *at += 4) {
		if (get_u32(s->bytes + *at))
			continue;
		for (size_t width = 4; width <= 8; width += 4) {
			size_t count = count_markers(s, *at, width);
			if (count >= MARKERS_LEAST && names_before(s, *at, count, width, ret)) {
				*at = ret->behind;
				return true;
			}
		}
	}
	return false;
}

/* ---- addresses ---- */

static bool is_sorted(struct search *s, const struct kallsyms_places *p, size_t at, uint32_t count)
{
	const size_t size = kallsyms_place_size(p->encoding);
	unsigned disorder = 0, empty = 0;
	uint64_t before = 0;
	for (uint32_t i = 0; i < count && disorder <= DISORDER_MAX && s->steps; i++, s->steps--) {
		uint64_t address = kallsyms_place_address(p, s->bytes + at, i);
		disorder += address < before;
		empty += !get_u32(s->bytes + at + size * i);
		before = address;
	}
	/* Zeros say nothing. */
	return s->steps && disorder <= DISORDER_MAX && empty < count / 2;
}

/* Notes a table at @at with @base, if its addresses are in order. */
static void try_places(struct search *s, struct kallsyms_tables *t, size_t at, uint64_t base,
		       enum kallsyms_encoding encoding)
{
	const struct kallsyms_places p = { s->address + at, base, encoding };
	uint64_t size = (uint64_t)t->count * kallsyms_place_size(encoding);
	if (at > s->len || size > s->len - at || t->place_count == KALLSYMS_PLACES_MAX)
		return;
	for (size_t i = 0; i < t->place_count; i++)
		if (!memcmp(&t->places[i], &p, sizeof(p)))
			return;
	if (is_sorted(s, &p, at, t->count))
		t->places[t->place_count++] = p;
}

static void try_relative(struct search *s, struct kallsyms_tables *t, size_t at, size_t base_at)
{
	if (base_at > s->len || s->len - base_at < 8)
		return;
	uint64_t base = get_u64(s->bytes + base_at);
	if (base >> 63 == 0)
		return;
	try_places(s, t, at, base, KALLSYMS_ABSOLUTE_PERCPU);
	try_places(s, t, at, base, KALLSYMS_BASE_RELATIVE);
}

/* Tables that begin where another ends. */
static void try_behind(struct search *s, struct kallsyms_tables *t, size_t end)
{
	for (size_t alignment = 4; alignment <= 8; alignment *= 2) {
		size_t at = align_up(end, alignment);
		try_relative(s, t, at, align_up(at + 4 * (size_t)t->count, 8));
		try_places(s, t, at, 0, KALLSYMS_PLACE_RELATIVE);
	}
	try_places(s, t, align_up(end, 8), 0, KALLSYMS_ADDRESSES);
}

/* Those that end where num_syms begins, at @end. */
static void try_before(struct search *s, struct kallsyms_tables *t, size_t end)
{
	size_t words = 4 * (size_t)t->count, padded = align_up(words, 8);
	if (end >= 8 + padded)
		try_relative(s, t, end - 8 - padded, end - 8);
	if (end >= padded)
		try_places(s, t, end - padded, 0, KALLSYMS_PLACE_RELATIVE);
	if (end >= words)
		try_places(s, t, end - words, 0, KALLSYMS_PLACE_RELATIVE);
	if (end >= 2 * words)
		try_places(s, t, end - 2 * words, 0, KALLSYMS_ADDRESSES);
}

static void find_places(struct search *s, const struct names *n, const struct tokens *tokens,
			struct kallsyms_tables *t)
{
	const size_t sequence = 3 * (size_t)n->count; /* kallsyms_seqs_of_names */
	const size_t index_end = tokens->index + INDEX_BYTES;
	try_before(s, t, n->count_at);
	try_behind(s, t, index_end);
	try_behind(s, t, n->behind);
	try_behind(s, t, index_end + sequence);
	try_behind(s, t, n->behind + sequence);
}

/* ---- all of them ---- */

/* The next token table behind *at, which moves on. */
static bool next_tokens(struct search *s, size_t *at, struct tokens *ret)
{
	static const char digits[] = "0\0"
				     "1\0"
				     "2\0"
				     "3\0"
				     "4\0"
				     "5\0"
				     "6\0"
				     "7\0"
				     "8\0"
				     "9";
	for (unsigned i = 0; i < DIGITS_MAX; i++) {
		const uint8_t *hit = memmem(s->bytes + *at, s->len - *at, digits, sizeof(digits));
		if (!hit)
			return false;
		*at = (size_t)(hit - s->bytes) + 1;
		if (tokens_at(s, *at - 1, ret))
			return true;
	}
	return false;
}

static void take(struct search *s, const struct names *n, const struct tokens *tokens)
{
	struct kallsyms_tables t = {
		.count = n->count,
		.names = s->address + n->at,
		.token_table = s->address + tokens->table,
		.token_index = s->address + tokens->index,
		.found = true,
	};
	find_places(s, n, tokens, &t);
	log_debug(LOG_SYMBOLS, "kallsyms: %u names at 0x%llx, %zu tables of addresses", t.count,
		  (unsigned long long)t.names, t.place_count);
	if (t.place_count && !s->found++)
		*s->tables = t;
}

struct err *kallsyms_find(const struct kallsyms_bytes *piece, struct kallsyms_tables *ret)
{
	struct kallsyms_tables tables = { 0 };
	struct search s = { .bytes = piece->bytes,
			    .len = piece->len,
			    .address = piece->address,
			    .steps = STEPS_MAX,
			    .tables = &tables };
	struct tokens tokens, other_tokens;
	struct names names;
	size_t at = 0, other_at, names_at = 0;
	if (!next_tokens(&s, &at, &tokens))
		return err_new(ERR_NOTFOUND, "there is no table of tokens");
	other_at = at;
	if (next_tokens(&s, &other_at, &other_tokens))
		return err_new(ERR_CORRUPT, "there are two tables of tokens");
	while (next_names(&s, &names_at, &names))
		take(&s, &names, &tokens);
	if (!s.steps)
		return err_new(ERR_CORRUPT, "too much looks like tables of kallsyms");
	if (!s.found)
		return err_new(ERR_NOTFOUND, "there are no names and addresses that fit");
	if (s.found > 1)
		return err_new(ERR_CORRUPT, "there are two tables of names");
	*ret = tables;
	return NULL;
}
