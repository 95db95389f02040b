// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tables, in the kernel's read-only data (scripts/kallsyms.c writes, kernel/kallsyms.c reads
 * them; kernel/vmcore_info.c names them in VMCOREINFO since 6.0):
 *
 * kallsyms_num_syms     how many symbols (unsigned int; unsigned long before 4.20)
 * kallsyms_names        for each symbol a length and as many bytes, each the number of a token;
 *                       together the tokens are the type letter and the name. From 6.1 on a length
 *                       with the top bit set has a second byte with seven more, higher bits.
 * kallsyms_token_table  256 strings; kallsyms_token_index (u16[256]) says where each starts
 * kallsyms_offsets      an int for each symbol, in address order. Three meanings:
 *     with kallsyms_relative_base, up to 6.14 (KALLSYMS_ABSOLUTE_PERCPU): not negative: the value
 *     of an absolute or per-CPU symbol; negative: the address is relative_base - 1 - offset
 *     with kallsyms_relative_base, 6.15 to 6.19: relative_base + (unsigned)offset
 *     without it (7.0): the address is that of the int itself plus the offset
 * kallsyms_addresses    instead of offsets, an address for each (before 4.6)
 */
#include "vmcore/names/kallsyms.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

enum {
	TOKENS = KALLSYMS_TOKENS,
	TOKEN_TABLE_MAX = KALLSYMS_TOKEN_TABLE_MAX,
	TOKEN_MAX = KALLSYMS_TOKEN_MAX,
	SHORT_TOKEN = 8,     /* bytes that may be copied of any token, whatever its length */
	NAME_MAX_LEN = 1024, /* KSYM_NAME_LEN is 512 (128 before 6.1), the letter included */
	NAMES_MAX = 1 << 26, /* bytes of kallsyms_names */
	TEXT_MAX = 1 << 27,  /* bytes of all names together */
	WINDOW = 1 << 16,    /* bytes of kallsyms_names read at once */
};

/* What VMCOREINFO says, for the choice of the encoding and for being believed at all. */
static const struct {
	const char *in_info, *in_table;
} known[] = {
	{ "_stext", "_stext" },
	{ "init_uts_ns", "init_uts_ns" },
	{ "node_online_map", "node_online_map" },
	{ "swapper_pg_dir", "init_top_pgt" }, /* a macro for it */
};
enum { KNOWN = sizeof(known) / sizeof(known[0]) };

/* Symbols whose number is noted: those above, and where memory itself tells. */
enum { NOTED_BANNER = KNOWN, NOTED_TEXT, NOTED };

struct token {
	const char *text; /* in the token table */
	size_t len;
};

struct kallsyms {
	const struct kallsyms_memory *memory;
	const struct vmcoreinfo *info;
	const struct kallsyms_tables *tables;
	uint32_t count;
	char *token_table; /* owned */
	struct token tokens[TOKENS];
	uint32_t noted[NOTED]; /* the number of each, UINT32_MAX if the table has it not */

	struct kallsyms_places places;
	uint8_t *place_bytes; /* owned: kallsyms_offsets or kallsyms_addresses as it is */

	/* kallsyms_names, read piece by piece: nothing says how long it is. */
	uint64_t names_at; /* address behind the window */
	uint8_t window[WINDOW];
	size_t window_pos, window_len;
	size_t names_total, text_total; /* bytes so far, encoded and decoded */
};

static struct err *read_all(const struct kallsyms *k, uint64_t address, void *out, size_t len)
{
	size_t done;
	struct err *e = k->memory->read(k->memory->self, address, out, len, &done);
	if (!e && done < len)
		e = err_new(ERR_MISSING, "only %zu of %zu bytes at 0x%llx are there", done, len,
			    (unsigned long long)address);
	return e;
}

static struct err *read_tokens(struct kallsyms *k)
{
	uint8_t index[2 * TOKENS];
	size_t len;
	struct err *e = read_all(k, k->tables->token_index, index, sizeof(index));
	if (e)
		return e;
	k->token_table = calloc(1, TOKEN_TABLE_MAX + TOKEN_MAX);
	if (!k->token_table)
		return err_nomem();
	e = k->memory->read(k->memory->self, k->tables->token_table, k->token_table,
			    TOKEN_TABLE_MAX + TOKEN_MAX, &len);
	if (e)
		return e;
	for (size_t i = 0; i < TOKENS; i++) {
		size_t start = get_u16(index + 2 * i);
		const char *text = k->token_table + start;
		const char *end = start < len ? memchr(text, 0, len - start) : NULL;
		if (!end || end - text > TOKEN_MAX)
			return err_new(ERR_CORRUPT, "kallsyms token %zu has no end", i);
		k->tokens[i] = (struct token){ text, (size_t)(end - text) };
	}
	return NULL;
}

static struct err *read_places(struct kallsyms *k, const struct kallsyms_places *places)
{
	size_t size = k->count * kallsyms_place_size(places->encoding);
	free(k->place_bytes);
	k->places = *places;
	k->place_bytes = malloc(size);
	return k->place_bytes ? read_all(k, places->at, k->place_bytes, size) : err_nomem();
}

size_t kallsyms_place_size(enum kallsyms_encoding encoding)
{
	return encoding == KALLSYMS_ADDRESSES ? 8 : 4;
}

uint64_t kallsyms_place_address(const struct kallsyms_places *places, const uint8_t *bytes,
				uint32_t i)
{
	if (places->encoding == KALLSYMS_ADDRESSES)
		return get_u64(bytes + 8 * (size_t)i);
	uint32_t raw = get_u32(bytes + 4 * (size_t)i);
	uint64_t offset = (uint64_t)(int64_t)(int32_t)raw;
	switch (places->encoding) {
	case KALLSYMS_PLACE_RELATIVE:
		return places->at + 4 * (uint64_t)i + offset;
	case KALLSYMS_ABSOLUTE_PERCPU:
		return (int32_t)raw >= 0 ? raw : places->base - 1 - offset;
	default:
		return places->base + raw;
	}
}

/* The address of symbol @i. */
static uint64_t address_of(const struct kallsyms *k, uint32_t i)
{
	return kallsyms_place_address(&k->places, k->place_bytes, i);
}

/* Reads on, so that the window holds the next @len (at most WINDOW / 2) bytes. */
static struct err *fill_window(struct kallsyms *k, size_t len)
{
	size_t left = k->window_len - k->window_pos;
	memmove(k->window, k->window + k->window_pos, left);
	k->window_pos = 0;
	k->window_len = left;
	while (k->window_len < len) {
		size_t done;
		struct err *e =
			k->memory->read(k->memory->self, k->names_at, k->window + k->window_len,
					WINDOW - k->window_len, &done);
		if (e)
			return e;
		k->window_len += done;
		k->names_at += done;
		k->names_total += done;
		if (!done || k->names_total > NAMES_MAX)
			return err_new(ERR_CORRUPT, "kallsyms_names does not end");
	}
	return NULL;
}

/* The next @len bytes of kallsyms_names. */
static struct err *next_bytes(struct kallsyms *k, size_t len, const uint8_t **ret)
{
	if (len > k->window_len - k->window_pos) {
		struct err *e = fill_window(k, len);
		if (e)
			return e;
	}
	*ret = k->window + k->window_pos;
	k->window_pos += len;
	return NULL;
}

/* How many tokens the next name has. */
static struct err *next_length(struct kallsyms *k, size_t *ret)
{
	const uint8_t *p;
	struct err *e = next_bytes(k, 1, &p);
	if (e)
		return e;
	size_t len = *p;
	if (len & 0x80) {
		e = next_bytes(k, 1, &p);
		if (e)
			return e;
		len = (len & 0x7f) | (size_t)*p << 7;
	}
	*ret = len;
	return NULL;
}

/* Decodes the next symbol's letter and name into @text (NAME_MAX_LEN + SHORT_TOKEN bytes). */
static struct err *next_name(struct kallsyms *k, char *text, size_t *ret_len)
{
	size_t tokens = 0, len = 0;
	const uint8_t *p = NULL;
	struct err *e = next_length(k, &tokens);
	if (!e)
		e = next_bytes(k, tokens, &p);
	if (e)
		return e;
	for (size_t i = 0; i < tokens; i++) {
		const struct token *t = &k->tokens[p[i]];
		if (t->len > NAME_MAX_LEN - len)
			return err_new(ERR_CORRUPT, "a name in kallsyms is too long");
		/* Most tokens are short, and there are millions. */
		if (t->len <= SHORT_TOKEN)
			memcpy(text + len, t->text, SHORT_TOKEN);
		else
			memcpy(text + len, t->text, t->len);
		len += t->len;
	}
	k->text_total += len;
	if (len < 2 || k->text_total > TEXT_MAX)
		return err_new(ERR_CORRUPT, "the names in kallsyms make no sense");
	*ret_len = len;
	return NULL;
}

/* Whether the addresses that VMCOREINFO has are those of the table in the present encoding;
 * *ret_any whether it has any of them. */
static bool agrees(const struct kallsyms *k, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = 0; i < KNOWN; i++) {
		uint64_t address;
		if (k->noted[i] == UINT32_MAX ||
		    !vmcoreinfo_symbol(k->info, known[i].in_info, &address))
			continue;
		if (address_of(k, k->noted[i]) != address)
			return false;
		*ret_any = true;
	}
	return true;
}

/* Whether linux_banner is what it is called. */
static bool has_banner(const struct kallsyms *k)
{
	static const char prefix[] = "Linux version ";
	char found[sizeof(prefix) - 1];
	struct err *e = read_all(k, address_of(k, k->noted[NOTED_BANNER]), found, sizeof(found));
	bool good = !e && !memcmp(found, prefix, sizeof(found));
	err_free(e);
	return good;
}

/* Whether the present encoding is right, as far as anything else tells. Tables that were searched
 * for have to pass more. */
static bool is_right(const struct kallsyms *k)
{
	bool any;
	if (!agrees(k, &any))
		return false;
	if (!k->tables->found)
		return any;
	if (k->noted[NOTED_BANNER] != UINT32_MAX)
		return has_banner(k);
	return any || (k->noted[NOTED_TEXT] != UINT32_MAX && k->tables->text &&
		       address_of(k, k->noted[NOTED_TEXT]) == k->tables->text);
}

/* Takes the one that is right of those that the tables may have. */
static struct err *choose_places(struct kallsyms *k)
{
	const struct kallsyms_places *right = NULL;
	for (size_t i = 0; i < k->tables->place_count; i++) {
		const struct kallsyms_places *places = &k->tables->places[i];
		struct err *e = read_places(k, places);
		if (e)
			return e;
		if (!is_right(k))
			continue;
		/* The older encoding goes first where VMCOREINFO names the tables. */
		if (!k->tables->found)
			return NULL;
		if (right)
			return err_new(ERR_CORRUPT, "two tables may have the symbols' addresses");
		right = places;
	}
	if (right)
		return read_places(k, right);
	return err_new(
		ERR_CORRUPT,
		k->tables->found
			? "no table has the symbols' addresses where linux_banner or _stext is"
			: "kallsyms disagrees with the addresses of _stext and others in "
			  "VMCOREINFO");
}

/* Notes whether symbol @i is one that tells. */
static void note_known(struct kallsyms *k, uint32_t i, const char *name, size_t len)
{
	if (!memchr("_inl", name[0], 4))
		return;
	for (size_t j = 0; j < NOTED; j++) {
		const char *wanted = j < KNOWN		 ? known[j].in_table
				     : j == NOTED_BANNER ? "linux_banner"
							 : "_text";
		if (strlen(wanted) == len && !memcmp(wanted, name, len))
			k->noted[j] = i;
	}
}

/* Adds every symbol, with its number for an address: the encoding is known at the end only. */
static struct err *read_names(struct kallsyms *k, struct symbols *s)
{
	struct err *e = NULL;
	k->names_at = k->tables->names;
	memset(k->noted, 0xff, sizeof(k->noted));
	for (uint32_t i = 0; i < k->count && !e; i++) {
		char text[NAME_MAX_LEN + SHORT_TOKEN];
		size_t len = 0;
		e = next_name(k, text, &len);
		if (e)
			return err_wrap(e, "symbol %u of %u", i, k->count);
		note_known(k, i, text + 1, len - 1);
		struct symbol symbol = { .name = text + 1, .address = i, .type = text[0] };
		e = symbols_add(s, &symbol, len - 1, 0);
	}
	return e;
}

static uint64_t place(void *closure, uint64_t number)
{
	return address_of(closure, (uint32_t)number);
}

static struct err *decode(struct kallsyms *k, struct symbols *s)
{
	struct err *e = read_tokens(k);
	/* Before the names, which take longer. */
	if (!e && k->tables->place_count)
		e = read_places(k, &k->tables->places[0]);
	if (!e)
		e = read_names(k, s);
	if (!e)
		e = choose_places(k);
	if (e)
		return e;
	symbols_move(s, place, k);
	return symbols_finish(s);
}

struct err *kallsyms_read_tables(const struct kallsyms_memory *memory,
				 const struct kallsyms_tables *tables,
				 const struct vmcoreinfo *info, struct symbols **ret)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem();
	k->memory = memory;
	k->info = info;
	k->tables = tables;
	k->count = tables->count;
	struct symbols *s = NULL;
	struct err *e = symbols_new("kallsyms", k->count, &s);
	if (!e)
		e = decode(k, s);
	free(k->token_table);
	free(k->place_bytes);
	free(k);
	if (e) {
		symbols_free(s);
		return err_wrap(e, "kallsyms");
	}
	*ret = s;
	return NULL;
}

/* ---- where VMCOREINFO names them ---- */

/* The address of the table @name. */
static struct err *locate(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	return vmcoreinfo_symbol(info, name, ret)
		       ? NULL
		       : err_new(ERR_NOTFOUND, "VMCOREINFO does not say where %s is", name);
}

static struct err *read_exactly(const struct kallsyms_memory *memory, uint64_t address, void *out,
				size_t len)
{
	const struct kallsyms k = { .memory = memory };
	return read_all(&k, address, out, len);
}

static struct err *locate_count(const struct kallsyms_memory *memory, const struct vmcoreinfo *info,
				uint32_t *ret)
{
	uint64_t at;
	uint8_t raw[4];
	struct err *e = locate(info, "kallsyms_num_syms", &at);
	if (!e)
		e = read_exactly(memory, at, raw, sizeof(raw));
	if (e)
		return e;
	*ret = get_u32(raw);
	if (!*ret || *ret > KALLSYMS_COUNT_MAX)
		return err_new(ERR_CORRUPT, "kallsyms_num_syms is %u", *ret);
	return NULL;
}

static struct err *locate_places(const struct kallsyms_memory *memory,
				 const struct vmcoreinfo *info, struct kallsyms_tables *t)
{
	struct kallsyms_places places = { .encoding = KALLSYMS_ADDRESSES };
	uint64_t base_at;
	uint8_t raw[8];
	if (!vmcoreinfo_symbol(info, "kallsyms_offsets", &places.at)) {
		struct err *e = locate(info, "kallsyms_addresses", &places.at);
		t->places[t->place_count++] = places;
		return e;
	}
	places.encoding = KALLSYMS_PLACE_RELATIVE;
	if (vmcoreinfo_symbol(info, "kallsyms_relative_base", &base_at)) {
		struct err *e = read_exactly(memory, base_at, raw, sizeof(raw));
		if (e)
			return e;
		places.base = get_u64(raw);
		places.encoding = KALLSYMS_ABSOLUTE_PERCPU;
		t->places[t->place_count++] = places;
		places.encoding = KALLSYMS_BASE_RELATIVE;
	}
	t->places[t->place_count++] = places;
	return NULL;
}

struct err *kallsyms_read(const struct kallsyms_memory *memory, const struct vmcoreinfo *info,
			  struct symbols **ret)
{
	struct kallsyms_tables t = { .found = false };
	struct err *e = locate_count(memory, info, &t.count);
	if (!e)
		e = locate(info, "kallsyms_token_index", &t.token_index);
	if (!e)
		e = locate(info, "kallsyms_token_table", &t.token_table);
	if (!e)
		e = locate_places(memory, info, &t);
	if (!e)
		e = locate(info, "kallsyms_names", &t.names);
	return e ? err_wrap(e, "kallsyms") : kallsyms_read_tables(memory, &t, info, ret);
}
