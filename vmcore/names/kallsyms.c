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
 * kallsyms_addresses    instead of offsets, an address for each (never on x86-64 as we know it)
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
	TOKENS = 256,
	TOKEN_TABLE_MAX = 1 << 16, /* what u16 can index */
	TOKEN_MAX = 1024,	   /* bytes of one token */
	SHORT_TOKEN = 8,	   /* bytes that may be copied of any token, whatever its length */
	NAME_MAX_LEN = 1024,	   /* KSYM_NAME_LEN is 512 (128 before 6.1), the letter included */
	COUNT_MAX = 1 << 21,	   /* symbols; a big kernel has 300,000 */
	NAMES_MAX = 1 << 26,	   /* bytes of kallsyms_names */
	TEXT_MAX = 1 << 27,	   /* bytes of all names together */
	WINDOW = 1 << 16,	   /* bytes of kallsyms_names read at once */
};

enum encoding { ABSOLUTE_PERCPU, BASE_RELATIVE, PLACE_RELATIVE, ADDRESSES };

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

struct token {
	const char *text; /* in the token table */
	size_t len;
};

struct kallsyms {
	const struct kallsyms_memory *memory;
	const struct vmcoreinfo *info;
	uint32_t count;
	char *token_table; /* owned */
	struct token tokens[TOKENS];

	uint8_t *places;    /* owned: kallsyms_offsets or kallsyms_addresses as it is */
	uint64_t places_at; /* its address */
	uint64_t base;	    /* kallsyms_relative_base */
	enum encoding encoding;

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

/* The address of the table @name. */
static struct err *locate(const struct kallsyms *k, const char *name, uint64_t *ret)
{
	return vmcoreinfo_symbol(k->info, name, ret)
		       ? NULL
		       : err_new(ERR_NOTFOUND, "VMCOREINFO does not say where %s is", name);
}

static struct err *read_count(struct kallsyms *k)
{
	uint64_t at;
	uint8_t raw[4];
	struct err *e = locate(k, "kallsyms_num_syms", &at);
	if (!e)
		e = read_all(k, at, raw, sizeof(raw));
	if (e)
		return e;
	k->count = get_u32(raw);
	if (!k->count || k->count > COUNT_MAX)
		return err_new(ERR_CORRUPT, "kallsyms_num_syms is %u", k->count);
	return NULL;
}

static struct err *read_tokens(struct kallsyms *k)
{
	uint64_t index_at, table_at;
	uint8_t index[2 * TOKENS];
	size_t len;
	struct err *e = locate(k, "kallsyms_token_index", &index_at);
	if (!e)
		e = locate(k, "kallsyms_token_table", &table_at);
	if (!e)
		e = read_all(k, index_at, index, sizeof(index));
	if (e)
		return e;
	k->token_table = calloc(1, TOKEN_TABLE_MAX + TOKEN_MAX);
	if (!k->token_table)
		return err_nomem();
	e = k->memory->read(k->memory->self, table_at, k->token_table, TOKEN_TABLE_MAX + TOKEN_MAX,
			    &len);
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

static struct err *read_places(struct kallsyms *k)
{
	uint8_t raw[8];
	uint64_t base_at;
	struct err *e = NULL;
	size_t each = 4;
	if (vmcoreinfo_symbol(k->info, "kallsyms_offsets", &k->places_at)) {
		k->encoding = PLACE_RELATIVE;
		if (vmcoreinfo_symbol(k->info, "kallsyms_relative_base", &base_at)) {
			k->encoding = ABSOLUTE_PERCPU; /* or BASE_RELATIVE: the check will tell */
			e = read_all(k, base_at, raw, sizeof(raw));
			k->base = e ? 0 : get_u64(raw);
		}
	} else {
		k->encoding = ADDRESSES;
		each = 8;
		e = locate(k, "kallsyms_addresses", &k->places_at);
	}
	if (e)
		return e;
	k->places = malloc(k->count * each);
	return k->places ? read_all(k, k->places_at, k->places, k->count * each) : err_nomem();
}

/* The address of symbol @i. */
static uint64_t address_of(const struct kallsyms *k, uint32_t i)
{
	if (k->encoding == ADDRESSES)
		return get_u64(k->places + 8 * (size_t)i);
	uint32_t raw = get_u32(k->places + 4 * (size_t)i);
	uint64_t offset = (uint64_t)(int64_t)(int32_t)raw;
	switch (k->encoding) {
	case PLACE_RELATIVE:
		return k->places_at + 4 * (uint64_t)i + offset;
	case ABSOLUTE_PERCPU:
		return (int32_t)raw >= 0 ? raw : k->base - 1 - offset;
	default:
		return k->base + raw;
	}
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

/* Whether the addresses that VMCOREINFO has are those of the table in the present encoding. */
static bool agrees(const struct kallsyms *k, const uint32_t *found)
{
	bool any = false;
	for (size_t i = 0; i < KNOWN; i++) {
		uint64_t address;
		if (found[i] == UINT32_MAX ||
		    !vmcoreinfo_symbol(k->info, known[i].in_info, &address))
			continue;
		if (address_of(k, found[i]) != address)
			return false;
		any = true;
	}
	return any;
}

static struct err *choose_encoding(struct kallsyms *k, const uint32_t *found)
{
	if (agrees(k, found))
		return NULL;
	if (k->encoding == ABSOLUTE_PERCPU) {
		k->encoding = BASE_RELATIVE;
		if (agrees(k, found))
			return NULL;
	}
	return err_new(ERR_CORRUPT,
		       "kallsyms disagrees with the addresses of _stext and others in VMCOREINFO");
}

/* Notes in @found whether symbol @i is one of known[]. */
static void note_known(uint32_t *found, uint32_t i, const char *name, size_t len)
{
	if (name[0] != '_' && name[0] != 'i' && name[0] != 'n')
		return;
	for (size_t j = 0; j < KNOWN; j++)
		if (strlen(known[j].in_table) == len && !memcmp(known[j].in_table, name, len))
			found[j] = i;
}

/* Adds every symbol, with its number for an address: the encoding is known at the end only. */
static struct err *read_names(struct kallsyms *k, struct symbols *s, uint32_t *found)
{
	struct err *e = locate(k, "kallsyms_names", &k->names_at);
	for (uint32_t i = 0; i < k->count && !e; i++) {
		char text[NAME_MAX_LEN + SHORT_TOKEN];
		size_t len = 0;
		e = next_name(k, text, &len);
		if (e)
			return err_wrap(e, "symbol %u of %u", i, k->count);
		note_known(found, i, text + 1, len - 1);
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
	uint32_t found[KNOWN];
	memset(found, 0xff, sizeof(found));
	struct err *e = read_tokens(k);
	if (!e)
		e = read_places(k);
	if (!e)
		e = read_names(k, s, found);
	if (!e)
		e = choose_encoding(k, found);
	if (e)
		return e;
	symbols_move(s, place, k);
	return symbols_finish(s);
}

struct err *kallsyms_read(const struct kallsyms_memory *memory, const struct vmcoreinfo *info,
			  struct symbols **ret)
{
	struct kallsyms *k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem();
	k->memory = memory;
	k->info = info;
	struct symbols *s = NULL;
	struct err *e = read_count(k);
	if (!e)
		e = symbols_new("kallsyms", k->count, &s);
	if (!e)
		e = decode(k, s);
	free(k->token_table);
	free(k->places);
	free(k);
	if (e) {
		symbols_free(s);
		return err_wrap(e, "kallsyms");
	}
	*ret = s;
	return NULL;
}
