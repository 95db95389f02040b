// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/image_symbols.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/find/image_pieces.h"
#include "vmcore/find/kallsyms_find.h"
#include "vmcore/memory/memory.h"
#include "vmcore/names/kallsyms.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/types.h"

struct image {
	struct memory *memory;
	const struct vspace *space;
	struct image_pieces pieces;
};

/* What is looked for in each piece, and what becomes of the finds. */
struct search {
	struct err *(*look)(void *closure, struct image *image, const struct kallsyms_bytes *bytes);
	void *closure;
};

/* Where the kernel protects its image, what is searched is read-only and no code; where it does
 * not, anywhere. */
static bool is_read_only_data(const struct image_piece *p)
{
	return !p->writable && !p->executable;
}

/* Looks through the pieces that are read-only data, or (not @read_only) the others, until an error
 * that is not ERR_NOTFOUND. */
static struct err *look_in(struct image *image, bool read_only, const struct search *search)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < image->pieces.count; i++) {
		const struct image_piece *piece = &image->pieces.list[i];
		uint8_t *bytes;
		if (is_read_only_data(piece) != read_only)
			continue;
		e = image_piece_read(image->memory, image->space, piece, &bytes);
		if (e)
			return e;
		const struct kallsyms_bytes whole = { bytes, piece->size, piece->start };
		e = search->look(search->closure, image, &whole);
		free(bytes);
		if (e && err_code(e) == ERR_NOTFOUND) {
			err_free(e);
			e = NULL;
		}
	}
	return e;
}

/* ---- symbols ---- */

struct symbol_search {
	const struct vmcoreinfo *info;
	uint64_t text;
	struct symbols *found; /* owned */
};

static struct err *read_virtual(void *self, uint64_t address, void *out, size_t len,
				size_t *ret_done)
{
	const struct image *image = self;
	return memory_read(image->memory, image->space, address, out, len, ret_done);
}

static struct err *look_for_symbols(void *closure, struct image *image,
				    const struct kallsyms_bytes *bytes)
{
	struct symbol_search *s = closure;
	struct kallsyms_memory memory = { image, read_virtual };
	struct kallsyms_tables tables;
	struct symbols *symbols;
	struct err *e = kallsyms_find(bytes, &tables);
	if (e)
		return e;
	tables.text = s->text;
	e = kallsyms_read_tables(&memory, &tables, s->info, &symbols);
	if (e)
		return e;
	if (s->found) {
		symbols_free(symbols);
		return err_new(ERR_CORRUPT, "two symbol tables are in the image");
	}
	s->found = symbols;
	return NULL;
}

struct err *image_symbols_find(const struct arch_map *map, struct memory *memory,
			       const struct vspace *space, uint64_t text,
			       const struct vmcoreinfo *info, struct symbols **ret)
{
	struct image image = { memory, space, { .count = 0 } };
	struct symbol_search s = { info, text, NULL };
	const struct search search = { look_for_symbols, &s };
	image_pieces_find(map, memory, space, text, &image.pieces);
	struct err *e = look_in(&image, true, &search);
	if (!e && !s.found)
		e = look_in(&image, false, &search);
	if (!e && !s.found)
		e = err_new(ERR_NOTFOUND, "no symbol table is in the kernel's image");
	if (e) {
		symbols_free(s.found);
		return e;
	}
	*ret = s.found;
	return NULL;
}

/* ---- types ---- */

/* BTF's header (Documentation/bpf/btf.rst): u16 magic, u8 version, u8 flags, then words: its own
 * length, offset and length of the types, of the strings. */
enum { BTF_HEADER = 24, BTF_MAX = 64 << 20, BTF_TRIES = 64 };
static const uint8_t btf_begins[] = { 0x9f, 0xeb, 1, 0 };

/* How long the BTF at @p is, of which @left bytes are there; 0 if that is none. */
static size_t btf_size(const uint8_t *p, size_t left)
{
	if (left < BTF_HEADER)
		return 0;
	uint64_t header = get_u32(p + 4), type_at = get_u32(p + 8), type_len = get_u32(p + 12);
	uint64_t string_at = get_u32(p + 16), string_len = get_u32(p + 20);
	uint64_t size = header + string_at + string_len;
	bool good = header >= BTF_HEADER && header <= 256 && !type_at && type_len &&
		    string_at >= type_len && string_len > 1 && size <= left && size <= BTF_MAX &&
		    !p[header + string_at] && !p[size - 1];
	return good ? (size_t)size : 0;
}

struct type_search {
	unsigned tries;
	struct types *found; /* owned */
};

static struct err *take_types(struct type_search *s, const uint8_t *bytes, size_t size)
{
	struct types *types;
	struct err *e = types_from_btf(bytes, size, NULL, &types);
	if (e) {
		bool memory = err_code(e) == ERR_NOMEM;
		if (memory)
			return e;
		err_free(e);
		return NULL;
	}
	if (!types_has(types, "task_struct", "comm")) {
		types_free(types);
		return NULL;
	}
	if (s->found) {
		types_free(types);
		return err_new(ERR_CORRUPT, "two of the kernel's type tables are in the image");
	}
	s->found = types;
	return NULL;
}

static struct err *look_for_types(void *closure, struct image *image,
				  const struct kallsyms_bytes *bytes)
{
	struct type_search *s = closure;
	const uint8_t *at = bytes->bytes, *end = bytes->bytes + bytes->len;
	struct err *e = NULL;
	(void)image;
	while (!e && s->tries < BTF_TRIES &&
	       (at = memmem(at, (size_t)(end - at), btf_begins, sizeof(btf_begins)))) {
		size_t size = btf_size(at, (size_t)(end - at));
		s->tries += size > 0;
		if (size)
			e = take_types(s, at, size);
		at++;
	}
	return e;
}

struct err *image_types_find(const struct arch_map *map, struct memory *memory,
			     const struct vspace *space, uint64_t text, struct types **ret)
{
	struct image image = { memory, space, { .count = 0 } };
	struct type_search s = { 0, NULL };
	const struct search search = { look_for_types, &s };
	image_pieces_find(map, memory, space, text, &image.pieces);
	struct err *e = look_in(&image, true, &search);
	if (!e && !s.found)
		e = err_new(ERR_NOTFOUND, "the kernel's image has no BTF");
	if (e) {
		types_free(s.found);
		return e;
	}
	*ret = s.found;
	return NULL;
}
