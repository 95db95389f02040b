// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/name_map.h"

/* Names lie in chunks, so that they never move. */
struct chunk {
	struct chunk *next;
	size_t used;
	char bytes[1 << 18];
};

enum {
	MAX_NAME = 1 << 12,	/* the kernel's KSYM_NAME_LEN is 512 at most */
	MAX_SYMBOLS = 1 << 23,	/* a kernel with everything built in has some 500,000 */
	KERNEL_END_GUESS = 4096 /* the length of the last symbol when nothing tells */
};

struct entry {
	const char *name;
	uint64_t address, size;
	char type;
	uint8_t weight;
	bool has_size;	  /* the source said so */
	bool is_fragment; /* see is_fragment() */
};

struct symbols {
	const char *kind;
	struct chunk *chunks; /* owned */
	struct entry *entries;
	size_t count, capacity;
	/* By symbols_finish(): */
	struct name_map by_name; /* of the index of the first entry of each name */
	uint32_t *namesakes;	 /* of that entry: how many have its name */
	uint32_t *preferred;	 /* and which of them counts: the first that is global, or that */
	uint32_t *places; /* the entries that symbols_at() answers, one an address, ascending */
	size_t place_count;
	uint64_t end; /* of the kernel */
};

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (struct chunk *c = s->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(s->entries);
	free(s->namesakes);
	free(s->preferred);
	free(s->places);
	name_map_free(&s->by_name);
	free(s);
}

struct err *symbols_new(const char *kind, size_t expected, struct symbols **ret)
{
	struct symbols *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->kind = kind;
	s->capacity = expected && expected <= MAX_SYMBOLS ? expected : 1 << 14;
	s->entries = calloc(s->capacity, sizeof(*s->entries));
	if (!s->entries) {
		free(s);
		return err_nomem();
	}
	*ret = s;
	return NULL;
}

/* A copy of the @len (at most MAX_NAME) bytes at @name with an end mark; NULL: out of memory. */
static const char *keep_name(struct symbols *s, const char *name, size_t len)
{
	struct chunk *c = s->chunks;
	if (!c || len + 1 > sizeof(c->bytes) - c->used) {
		c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = s->chunks;
		c->used = 0;
		s->chunks = c;
	}
	char *copy = c->bytes + c->used;
	memcpy(copy, name, len);
	copy[len] = 0;
	c->used += len + 1;
	return copy;
}

bool symbols_is_boundary(const char *name)
{
	static const char *const ends[] = { "_start", "_end", "_begin", "text", "data", "bss" };
	if (name[0] != '_')
		return false;
	if (!strncmp(name, "__start_", 8) || !strncmp(name, "__stop_", 7))
		return true;
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);
		if (len > end && !memcmp(name + len - end, ends[i], end))
			return true;
	}
	return false;
}

/* Whether @name is that of something that belongs to a function or object and is none itself. */
static bool is_fragment(const char *name)
{
	switch (name[0]) {
	case 0:
	case '$':
		return true;
	case '.':
		return name[1] == 'L';
	case '_':
		return !strncmp(name, "__pfx_", 6) || !strncmp(name, "__cfi_", 6);
	default:
		return false;
	}
}

struct err *symbols_add(struct symbols *s, const struct symbol *symbol, size_t name_len,
			unsigned weight)
{
	if (name_len > MAX_NAME)
		return err_new(ERR_FORMAT, "a symbol's name has %zu bytes", name_len);
	if (s->count == MAX_SYMBOLS)
		return err_new(ERR_FORMAT, "more than %d symbols", MAX_SYMBOLS);
	if (s->count == s->capacity) {
		size_t capacity = 2 * s->capacity;
		struct entry *grown = reallocarray(s->entries, capacity, sizeof(*grown));
		if (!grown)
			return err_nomem();
		s->entries = grown;
		s->capacity = capacity;
	}
	const char *name = keep_name(s, symbol->name, name_len);
	if (!name)
		return err_nomem();
	s->entries[s->count++] = (struct entry){
		.name = name,
		.address = symbol->address,
		.size = symbol->size,
		.type = symbol->type,
		.weight = symbols_is_boundary(name) ? 0 : (uint8_t)(weight + 1),
		.has_size = symbol->size != 0,
		.is_fragment = is_fragment(name),
	};
	return NULL;
}

void symbols_move(struct symbols *s, uint64_t (*place)(void *closure, uint64_t address),
		  void *closure)
{
	for (size_t i = 0; i < s->count; i++)
		s->entries[i].address = place(closure, s->entries[i].address);
}

static bool is_weak(const struct entry *e)
{
	return e->type == 'w' || e->type == 'W';
}

/*
 * Of entries at one address: what symbols_at() prefers comes last. By what is left when weights are
 * equal the kernel chooses as well, so that names are those of its own traces (scripts/kallsyms.c:
 * compare_symbols(); nm sorts by name before that).
 */
static int compare_namesakes(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	if (is_weak(x) != is_weak(y))
		return is_weak(x) ? -1 : 1;
	size_t x_underscores = strspn(x->name, "_"), y_underscores = strspn(y->name, "_");
	if (x_underscores != y_underscores)
		return x_underscores > y_underscores ? -1 : 1;
	return strcmp(y->name, x->name);
}

struct key {
	uint64_t address;
	size_t index;
};

/* One pass of a radix sort: by the byte at bit @shift, keeping the order of equals. */
static void sort_pass(const struct key *from, struct key *to, size_t count, unsigned shift)
{
	size_t start[257] = { 0 };
	for (size_t i = 0; i < count; i++)
		start[(from[i].address >> shift & 0xff) + 1]++;
	for (size_t i = 1; i < 257; i++)
		start[i] += start[i - 1];
	for (size_t i = 0; i < count; i++)
		to[start[from[i].address >> shift & 0xff]++] = from[i];
}

/* By address alone; several times as fast as qsort(), which was most of what symbols cost. The
 * result is in the returned half of @keys, which has room for twice @count. */
static struct key *sort_keys(struct key *keys, size_t count)
{
	struct key *from = keys, *to = keys + count;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		sort_pass(from, to, count, shift);
		struct key *swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static struct err *sort_by_address(struct symbols *s)
{
	struct key *keys = calloc(2 * s->count + 1, sizeof(*keys));
	struct entry *sorted = calloc(s->count + 1, sizeof(*sorted));
	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return err_nomem();
	}
	for (size_t i = 0; i < s->count; i++)
		keys[i] = (struct key){ s->entries[i].address, i };
	const struct key *order = sort_keys(keys, s->count);
	for (size_t i = 0; i < s->count; i++)
		sorted[i] = s->entries[order[i].index];
	free(keys);
	free(s->entries);
	s->entries = sorted;
	s->capacity = s->count;
	return NULL;
}

static bool is_sorted(const struct symbols *s)
{
	for (size_t i = 1; i < s->count; i++)
		if (s->entries[i - 1].address > s->entries[i].address)
			return false;
	return true;
}

static struct err *sort_entries(struct symbols *s)
{
	/* kallsyms is. */
	struct err *e = is_sorted(s) ? NULL : sort_by_address(s);
	if (e)
		return e;
	struct entry *entries = s->entries;
	for (size_t i = 0, next; i < s->count; i = next) {
		for (next = i + 1; next < s->count && entries[next].address == entries[i].address;)
			next++;
		if (next - i > 1)
			qsort(entries + i, next - i, sizeof(*entries), compare_namesakes);
	}
	return NULL;
}

/* Whether @e is a place in the kernel's half of memory. */
static bool is_kernel_place(const struct entry *e)
{
	return is_kernel_address(e->address) && e->type != 'a' && e->type != 'A';
}

/* Whether all files of the kernel mean the one of this name (nm(1): a capital letter). */
static bool is_global(const struct entry *e)
{
	return e->type >= 'A' && e->type <= 'Z';
}

static struct err *index_names(struct symbols *s)
{
	s->namesakes = calloc(s->count + 1, sizeof(*s->namesakes));
	s->preferred = calloc(s->count + 1, sizeof(*s->preferred));
	if (!s->namesakes || !s->preferred || !name_map_reserve(&s->by_name, s->count))
		return err_nomem();
	for (size_t i = 0; i < s->count; i++) {
		bool added;
		uint32_t *first = name_map_at(&s->by_name, s->entries[i].name, &added);
		if (!first)
			return err_nomem();
		if (added)
			*first = s->preferred[i] = (uint32_t)i;
		else if (is_global(&s->entries[i]) && !is_global(&s->entries[s->preferred[*first]]))
			s->preferred[*first] = (uint32_t)i;
		s->namesakes[*first]++;
	}
	return NULL;
}

static struct err *index_places(struct symbols *s)
{
	s->places = calloc(s->count + 1, sizeof(*s->places));
	if (!s->places)
		return err_nomem();
	size_t n = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct entry *e = &s->entries[i];
		if (!is_kernel_place(e) || e->is_fragment)
			continue;
		/* The last of an address is the best. */
		if (n && s->entries[s->places[n - 1]].address == e->address)
			n--;
		s->places[n++] = (uint32_t)i;
	}
	s->place_count = n;
	return NULL;
}

static void find_end(struct symbols *s)
{
	if (symbols_address(s, "_end", &s->end) || !s->place_count)
		return;
	const struct entry *last = &s->entries[s->places[s->place_count - 1]];
	s->end = last->address + (last->has_size ? last->size : KERNEL_END_GUESS);
}

/* Sizes that the source does not say reach to the next symbol in the same half of memory. */
static void fill_sizes(struct symbols *s)
{
	uint64_t next = s->end;
	for (size_t i = s->count; i-- > 0;) {
		struct entry *e = &s->entries[i];
		bool comparable = next > e->address &&
				  is_kernel_address(next) == is_kernel_address(e->address);
		if (!e->has_size && e->type != 'a' && e->type != 'A')
			e->size = comparable ? next - e->address : 0;
		bool starts = !i || s->entries[i - 1].address != e->address;
		if (starts && !e->is_fragment)
			next = e->address;
	}
}

struct err *symbols_finish(struct symbols *s)
{
	struct err *e = sort_entries(s);
	if (!e)
		e = index_names(s);
	if (!e)
		e = index_places(s);
	if (e)
		return e;
	find_end(s);
	fill_sizes(s);
	return NULL;
}

const char *symbols_kind(const struct symbols *s)
{
	return s->kind;
}

size_t symbols_count(const struct symbols *s)
{
	return s->count;
}

struct symbol symbols_nth(const struct symbols *s, size_t i)
{
	const struct entry *e = &s->entries[i];
	return (struct symbol){
		.name = e->name, .address = e->address, .size = e->size, .type = e->type
	};
}

bool symbols_get(const struct symbols *s, const char *name, struct symbol *ret)
{
	uint32_t i;
	if (!s || !name_map_get(&s->by_name, name, &i))
		return false;
	*ret = symbols_nth(s, s->preferred[i]);
	return true;
}

bool symbols_address(const struct symbols *s, const char *name, uint64_t *ret)
{
	struct symbol symbol;
	if (!symbols_get(s, name, &symbol))
		return false;
	*ret = symbol.address;
	return true;
}

size_t symbols_named(const struct symbols *s, const char *name)
{
	uint32_t i;
	return s && name_map_get(&s->by_name, name, &i) ? s->namesakes[i] : 0;
}

size_t symbols_all_named(const struct symbols *s, const char *name, struct symbol *ret, size_t max)
{
	uint32_t first;
	size_t count = 0;
	if (!s || !name_map_get(&s->by_name, name, &first))
		return 0;
	size_t wanted = s->namesakes[first] < max ? s->namesakes[first] : max;
	for (size_t i = first; count < wanted && i < s->count; i++)
		if (!strcmp(s->entries[i].name, name))
			ret[count++] = symbols_nth(s, i);
	return count;
}

bool symbols_at(const struct symbols *s, uint64_t address, struct symbol *ret)
{
	if (!s || address >= s->end)
		return false;
	/* The first place above @address is places[low] in the end. */
	size_t low = 0, high = s->place_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->entries[s->places[middle]].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return false;
	*ret = symbols_nth(s, s->places[low - 1]);
	return true;
}
