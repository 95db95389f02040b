// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/modules_untyped.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/memory/memory.h"

enum {
	WORD = 8,
	/* struct module: enum module_state, padding, struct list_head list, char name[] */
	LINK = 8,
	NAME = 24,
	NAME_BYTES = 56, /* MODULE_NAME_LEN */
	/* struct module has 0x1c0 to 0x500 bytes. It may end before, at a page that is not there.
	 */
	STRUCT_BYTES = 0x600,
	BEHIND = 40, /* of the longest form, from its first byte */
	WALK_MAX = 16384,
	MODULES_LOOKED_AT = 64,
	SYMBOLS_LOOKED_AT = 24,
	REGION_MAX = 1 << 30,
};

/* What is looked at of a module: as much of struct module as can be read. */
struct sample {
	uint64_t address;
	uint64_t image; /* where code begins, at the lowest */
	size_t len;
	unsigned char bytes[STRUCT_BYTES];
};

/* What struct module is part of, with its symbols. */
struct memory_of {
	uint64_t base, size, text; /* code is the first @text bytes */
};

/*
 * struct module_memory (include/linux/module.h): base, in some versions rw_copy and is_rox, size,
 * and then as a rule mtn, a struct mod_tree_node that begins with a pointer to the module.
 */
enum {
	REGIONS = 7, /* MOD_MEM_NUM_TYPES */
	REGION_TEXT = 0,
	REGION_DATA = 1, /* has the struct module, and its symbols */
	REGION_INIT_TEXT = 4,
	TREE_NODE = 56, /* bytes of mtn */
};

/* The forms of an entry. */
static const struct region_form {
	uint64_t stride, size_at;
} region_forms[] = {
	{ 16 + TREE_NODE, 8 },	/* base, size; 6.4 to 6.12 */
	{ 24 + TREE_NODE, 20 }, /* base, rw_copy, is_rox, size; 6.13 */
	{ 16 + TREE_NODE, 12 }, /* base, is_rox, size */
	{ 16, 8 },
	{ 24, 20 },
	{ 16, 12 },
};

uint64_t module_layout_link(void)
{
	return LINK;
}

static uint64_t word_at(const struct sample *s, uint64_t offset)
{
	return get_u64(s->bytes + offset);
}

static uint64_t half_at(const struct sample *s, uint64_t offset)
{
	return get_u32(s->bytes + offset);
}

/* ---- names ---- */

static bool is_name_character(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.';
}

/* A name, and zeros to its field's end. */
static bool has_name(const struct sample *s)
{
	size_t len = 0;
	if (s->len < NAME + NAME_BYTES)
		return false;
	while (len < NAME_BYTES && is_name_character(s->bytes[NAME + len]))
		len++;
	for (size_t i = len; i < NAME_BYTES; i++)
		if (s->bytes[NAME + i])
			return false;
	return len > 0 && len < NAME_BYTES;
}

/* ---- memory ---- */

static bool is_place(const struct sample *s, uint64_t base, uint64_t size)
{
	return base >= s->image && !(base & (PAGE_SIZE - 1)) && size && size < REGION_MAX;
}

/* Entry @i of mem[]; false if it can be none: one that is not used is all zeros. */
static bool read_region(const struct sample *s, const struct module_layout *l, unsigned i,
			struct module_region *ret)
{
	const uint64_t at = l->memory + i * l->stride;
	const uint64_t base = word_at(s, at), size = half_at(s, at + l->size_at);
	const bool tree = l->stride > TREE_NODE;
	const bool code = i == REGION_TEXT || i == REGION_INIT_TEXT;
	*ret = (struct module_region){ base, base + size, code ? base + size : base };
	if (!base && !size)
		return true;
	return is_place(s, base, size) &&
	       (!tree || word_at(s, at + l->stride - TREE_NODE) == s->address);
}

/* Those that are used, which must be all in order. */
static bool read_regions(const struct sample *s, const struct module_layout *l, struct module *m)
{
	if (l->memory + REGIONS * l->stride > s->len)
		return false;
	m->region_count = 0;
	for (unsigned i = 0; i < REGIONS; i++) {
		struct module_region region;
		if (!read_region(s, l, i, &region))
			return false;
		for (unsigned n = 0; n < m->region_count; n++)
			if (region.low < m->regions[n].high && m->regions[n].low < region.high)
				return false;
		if (region.low != region.high)
			m->regions[m->region_count++] = region;
	}
	return true;
}

/* By mem[]: the struct is in the module's data, and the module has code. */
static bool read_data(const struct sample *s, const struct module_layout *l, struct memory_of *ret)
{
	struct module m;
	struct module_region text, data;
	if (!read_regions(s, l, &m) || !read_region(s, l, REGION_TEXT, &text) ||
	    !read_region(s, l, REGION_DATA, &data) || text.low == text.high)
		return false;
	*ret = (struct memory_of){ .base = data.low, .size = data.high - data.low };
	return s->address >= data.low && s->address < data.high;
}

static bool read_memory(const struct sample *s, const struct module_layout *l,
			struct memory_of *ret)
{
	const uint64_t offset = l->memory;
	if (l->memory_form == MEMORY_REGIONS)
		return read_data(s, l, ret);
	struct memory_of m = { .base = word_at(s, offset) };
	if (l->memory_form == MEMORY_LAYOUT) {
		m.size = half_at(s, offset + 8);
		m.text = half_at(s, offset + 12);
	} else {
		m.size = half_at(s, offset + 12);
		m.text = half_at(s, offset + 20);
	}
	*ret = m;
	/* A struct module is part of its module's data, behind the code. */
	return is_place(s, m.base, m.size) && m.text <= m.size && s->address >= m.base + m.text &&
	       s->address - m.base < m.size;
}

/* ---- symbols ---- */

struct symbols_of {
	uint64_t symtab, count, strtab, types; /* types is 0 where no table of them follows */
};

static bool lies_in(const struct memory_of *m, uint64_t address, uint64_t len)
{
	return address >= m->base && address - m->base < m->size &&
	       len <= m->size - (address - m->base);
}

/* Whether what lies there are symbols: none first, then some with names. */
static bool are_symbols(const struct kernel *k, const struct memory_of *m,
			const struct symbols_of *of)
{
	Elf64_Sym list[SYMBOLS_LOOKED_AT];
	size_t count = of->count < SYMBOLS_LOOKED_AT ? (size_t)of->count : SYMBOLS_LOOKED_AT;
	if (!of->count || of->count > REGION_MAX / sizeof(*list) ||
	    !lies_in(m, of->symtab, of->count * sizeof(*list)) || !lies_in(m, of->strtab, 2))
		return false;
	struct err *e = kernel_read(k, of->symtab, list, count * sizeof(*list));
	/* Until 4.20 st_info is nm's letter, of the first one too. */
	bool ok = !e && !list[0].st_name && !list[0].st_shndx && !list[0].st_value &&
		  !list[0].st_size;
	err_free(e);
	for (size_t i = 1; ok && i < count; i++) {
		unsigned char c = 0;
		ok = list[i].st_name && lies_in(m, of->strtab, (uint64_t)list[i].st_name + 1);
		if (ok)
			err_free(kernel_read(k, of->strtab + list[i].st_name, &c, 1));
		ok = ok && (is_name_character(c) || c == '$');
	}
	return ok;
}

static bool read_symbols(const struct sample *s, const struct memory_of *m,
			 enum module_symbols_form form, uint64_t offset, struct symbols_of *ret)
{
	struct symbols_of of = { 0 };
	if (form == SYMBOLS_BEHIND) {
		if (word_at(s, offset) != s->address + offset + WORD)
			return false;
		of.symtab = word_at(s, offset + 8);
		of.count = half_at(s, offset + 16);
		of.strtab = word_at(s, offset + 24);
		of.types = word_at(s, offset + 32);
		if (!lies_in(m, of.types, of.count))
			of.types = 0;
	} else {
		of.symtab = word_at(s, offset);
		of.count = half_at(s, offset + 16);
		of.strtab = word_at(s, offset + 24);
		if (word_at(s, offset + 8) != of.symtab || half_at(s, offset + 20) != of.count ||
		    word_at(s, offset + 32) != of.strtab)
			return false;
	}
	*ret = of;
	return true;
}

/* ---- the proof ---- */

struct samples {
	struct sample
		*list; /* owned; of live modules alone: what is loaded or unloaded is half there */
	size_t count;
	size_t len; /* what all have of struct module */
};

/* As much as there is, in parts: a page behind it may not be there. */
static void read_sample(const struct kernel *k, uint64_t address, struct sample *ret)
{
	size_t got = 0;
	*ret = (struct sample){ .address = address, .image = kernel_arch(k)->map->image };
	struct err *e = memory_read(kernel_memory(k), kernel_space(k), address, ret->bytes,
				    sizeof(ret->bytes), &got);
	ret->len = e ? 0 : got & ~(size_t)(WORD - 1);
	err_free(e);
}

static struct err *read_samples(const struct kernel *k, uint64_t head, struct samples *ret)
{
	struct samples s = { .len = STRUCT_BYTES };
	uint64_t at, back, before = head;
	s.list = calloc(MODULES_LOOKED_AT, sizeof(*s.list));
	if (!s.list)
		return err_nomem();
	struct err *e = kernel_read_u64(k, head, &at);
	for (size_t n = 0; !e && at != head && n < MODULES_LOOKED_AT; n++) {
		struct sample *sample = &s.list[s.count];
		read_sample(k, at - LINK, sample);
		if (at < kernel_arch(k)->map->image || !has_name(sample))
			e = err_new(ERR_NOTFOUND, "what lies at 0x%" PRIx64 " is no module",
				    at - LINK);
		if (!e)
			e = kernel_read_u64(k, at + WORD, &back);
		if (!e && back != before)
			e = err_new(ERR_NOTFOUND, "the list of modules does not lead back");
		before = at;
		at = word_at(sample, LINK);
		if (half_at(sample, 0) != 0) /* MODULE_STATE_LIVE */
			continue;
		s.len = sample->len < s.len ? sample->len : s.len;
		s.count++;
	}
	if (!e && !s.count)
		e = err_new(ERR_NOTFOUND, "no modules are loaded");
	if (e) {
		free(s.list);
		return e;
	}
	*ret = s;
	return NULL;
}

/* Whether all modules have their memory so. Some have code: the data's entry of a mem[] that is
 * damaged in one of them would pass for all the memory of each otherwise. */
static bool is_memory(const struct samples *s, const struct module_layout *l)
{
	bool code = l->memory_form == MEMORY_REGIONS;
	for (size_t i = 0; i < s->count; i++) {
		struct memory_of m;
		if (!read_memory(&s->list[i], l, &m))
			return false;
		code |= m.text != 0;
	}
	return code;
}

/* Tries @tried, of which the offset is open, outside [@low, @high); how often that fits. */
static size_t find_offset(const struct samples *s, struct module_layout tried, uint64_t bytes,
			  uint64_t low, uint64_t high, struct module_layout *l)
{
	size_t found = 0;
	for (uint64_t o = NAME + NAME_BYTES; o + bytes <= s->len; o += WORD) {
		tried.memory = o;
		if ((o >= low && o < high) || !is_memory(s, &tried))
			continue;
		*l = tried;
		found++;
	}
	return found;
}

/* The entry of mem[] that the struct is in looks as if it were the only memory that there is. */
static size_t find_memory(const struct samples *s, struct module_layout *l)
{
	size_t found = 0;
	for (size_t i = 0; i < sizeof(region_forms) / sizeof(*region_forms); i++) {
		const struct module_layout tried = { .memory_form = MEMORY_REGIONS,
						     .stride = region_forms[i].stride,
						     .size_at = region_forms[i].size_at };
		found += find_offset(s, tried, REGIONS * tried.stride, 0, 0, l);
	}
	uint64_t low = found ? l->memory : 0, high = found ? low + REGIONS * l->stride : 0;
	for (enum module_memory_form form = 0; form < MEMORY_REGIONS; form++)
		found += find_offset(s, (struct module_layout){ .memory_form = form }, BEHIND, low,
				     high, l);
	return found;
}

static bool is_symbols(const struct kernel *k, const struct samples *s, struct module_layout *l,
		       enum module_symbols_form form, uint64_t offset)
{
	size_t typed = 0;
	for (size_t i = 0; i < s->count; i++) {
		struct memory_of m;
		struct symbols_of of;
		if (!read_memory(&s->list[i], l, &m) ||
		    !read_symbols(&s->list[i], &m, form, offset, &of) || !are_symbols(k, &m, &of))
			return false;
		typed += of.types != 0;
	}
	if (typed && typed != s->count)
		return false;
	l->typed = typed != 0;
	return true;
}

static size_t find_symbols(const struct kernel *k, const struct samples *s, struct module_layout *l)
{
	size_t found = 0;
	for (enum module_symbols_form form = 0; form < SYMBOLS_FORMS; form++) {
		for (uint64_t o = NAME + NAME_BYTES; o + BEHIND <= s->len; o += WORD) {
			if (!is_symbols(k, s, l, form, o))
				continue;
			l->symbols_form = form;
			l->symbols = o;
			found++;
		}
	}
	return found;
}

struct err *module_layout_prove(const struct kernel *k, uint64_t head, struct module_layout *ret)
{
	struct samples s = { 0 };
	struct module_layout l = { 0 };
	struct err *e = read_samples(k, head, &s);
	if (e)
		return e;
	size_t memories = find_memory(&s, &l);
	if (memories != 1)
		e = err_new(ERR_NOTFOUND, "%zu places in struct module look like its memory",
			    memories);
	else if (find_symbols(k, &s, &l) != 1)
		l.symbols = 0;
	free(s.list);
	if (!e)
		*ret = l;
	return e;
}

/* ---- reading by it ---- */

bool module_layout_read(const struct kernel *k, const struct module_layout *l, uint64_t address,
			struct module *ret)
{
	struct sample s;
	struct memory_of memory;
	struct symbols_of symbols;
	struct module m = { .address = address };
	read_sample(k, address, &s);
	if (!has_name(&s) || l->memory + BEHIND > s.len || l->symbols + BEHIND > s.len ||
	    !read_memory(&s, l, &memory))
		return false;
	memcpy(m.name, s.bytes + NAME, NAME_BYTES);
	m.regions[0] = (struct module_region){ memory.base, memory.base + memory.size,
					       memory.base + memory.text };
	m.region_count = 1;
	if (l->memory_form == MEMORY_REGIONS && !read_regions(&s, l, &m))
		return false;
	if (l->symbols && read_symbols(&s, &memory, l->symbols_form, l->symbols, &symbols) &&
	    are_symbols(k, &memory, &symbols) && l->typed == (symbols.types != 0)) {
		m.symtab = symbols.symtab;
		m.strtab = symbols.strtab;
		m.symbol_count = symbols.count;
		m.types = symbols.types;
	}
	*ret = m;
	return true;
}
