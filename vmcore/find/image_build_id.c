// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/image_build_id.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "vmcore/memory/memory.h"

enum {
	SCAN_MAX = 128 << 20, /* the largest images have 60 MiB of text and data */
	/* Pages behind an ELF header that belong to the file: a vDSO has up to three. */
	ELF_PAGES = 4,
	ID_LEAST = 8,
	ID_MAX = 64,
	/* A note in front of its build-id: three words and "GNU". */
	NOTE_HEAD = sizeof(Elf64_Nhdr) + 4,
};

/* The length of the build-id that a note at @p has; 0 if it is none. */
static size_t note_length(const unsigned char *p)
{
	size_t len = get_u32(p + 4);
	return get_u32(p) == 4 && get_u32(p + 8) == NT_GNU_BUILD_ID &&
			       !memcmp(p + sizeof(Elf64_Nhdr), "GNU", 4) && len >= ID_LEAST &&
			       len <= ID_MAX
		       ? len
		       : 0;
}

static void take(struct image_build_ids *ids, const unsigned char *id, size_t len)
{
	char digits[IMAGE_BUILD_ID_SIZE] = { 0 };
	hex_encode(digits, id, len);
	for (size_t i = 0; i < ids->count; i++)
		if (!strcmp(ids->list[i], digits))
			return;
	if (ids->count < IMAGE_BUILD_IDS_MAX)
		memcpy(ids->list[ids->count++], digits, sizeof(digits));
}

/* Notes are aligned to four bytes; one may go on in the next page, whose beginning is in @page. */
static void scan_page(struct image_build_ids *ids, const unsigned char *page, size_t len)
{
	for (size_t at = 0; at < PAGE_SIZE && at + NOTE_HEAD <= len; at += 4) {
		size_t id_len = note_length(page + at);
		if (id_len && at + NOTE_HEAD + id_len <= len)
			take(ids, page + at + NOTE_HEAD, id_len);
	}
}

/* The kernel's notes lie behind its read-only data, and are protected with it. */
static bool is_read_only(struct memory *memory, const struct vspace *space, uint64_t address)
{
	struct vtop where;
	struct err *e = memory_vtop(memory, space, address, &where);
	bool yes = !e && !where.writable;
	err_free(e);
	return yes;
}

void image_build_ids(const struct arch_map *map, struct memory *memory, const struct vspace *space,
		     uint64_t text, struct image_build_ids *ret)
{
	unsigned char page[PAGE_SIZE + NOTE_HEAD + ID_MAX];
	unsigned foreign = 0; /* pages of an ELF file to come */
	ret->count = 0;
	text &= ~(uint64_t)(PAGE_SIZE - 1);
	for (uint64_t at = text; at - text < SCAN_MAX && at < map->modules; at += PAGE_SIZE) {
		size_t got = 0;
		if (is_read_only(memory, space, at))
			err_free(memory_read(memory, space, at, page, sizeof(page), &got));
		if (got >= SELFMAG && !memcmp(page, ELFMAG, SELFMAG))
			foreign = ELF_PAGES;
		if (!foreign)
			scan_page(ret, page, got);
		else
			foreign--;
	}
}
