// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/image_build_id.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "server/memory/memory.h"

enum {
	SCAN_MAX = 128 << 20, /* the largest images have 60 MiB of text and data */
	/* Pages behind an ELF header that belong to the file: a vDSO has up to three. */
	ELF_PAGES = 4,
	ID_LEAST = 8,
	ID_MAX = 64,
	/* A note in front of its build-id: three words and "GNU". */
	NOTE_HEAD = sizeof(Elf64_Nhdr) + 4,
};

struct scan {
	unsigned char id[ID_MAX];
	size_t len; /* 0: none yet */
	bool several;
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

static void take(struct scan *s, const unsigned char *id, size_t len)
{
	if (s->len && (s->len != len || memcmp(s->id, id, len) != 0))
		s->several = true;
	memcpy(s->id, id, len);
	s->len = len;
}

/* Notes are aligned to four bytes; one may go on in the next page, whose beginning is in @page. */
static void scan_page(struct scan *s, const unsigned char *page, size_t len)
{
	for (size_t at = 0; at < PAGE_SIZE && at + NOTE_HEAD <= len; at += 4) {
		size_t id_len = note_length(page + at);
		if (id_len && at + NOTE_HEAD + id_len <= len)
			take(s, page + at + NOTE_HEAD, id_len);
	}
}

char *image_build_id(struct memory *memory, const struct vspace *space, uint64_t text)
{
	unsigned char page[PAGE_SIZE + NOTE_HEAD + ID_MAX];
	struct scan s = { .len = 0 };
	unsigned foreign = 0; /* pages of an ELF file to come */
	text &= ~(uint64_t)(PAGE_SIZE - 1);
	for (uint64_t at = 0; at < SCAN_MAX && !s.several; at += PAGE_SIZE) {
		size_t got = 0;
		err_free(memory_read(memory, space, text + at, page, sizeof(page), &got));
		if (got >= SELFMAG && !memcmp(page, ELFMAG, SELFMAG))
			foreign = ELF_PAGES;
		if (!foreign)
			scan_page(&s, page, got);
		else
			foreign--;
	}
	char *digits = s.len && !s.several ? calloc(1, 2 * s.len + 1) : NULL;
	if (digits)
		hex_encode(digits, s.id, s.len);
	return digits;
}
