// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The headers of a kdump-compressed file. Their offsets below are those of the structures in
 * makedumpfile's diskdump_mod.h as an x86-64 compiler lays them out.
 */
#include "vmcore/dump/kdump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/file.h"

/* struct disk_dump_header */
enum {
	AT_VERSION = 8,
	AT_UTSNAME = 12,
	AT_TIMESTAMP = 408,
	AT_STATUS = 424,
	AT_BLOCK_SIZE = 428,
	AT_SUB_HDR_SIZE = 432,
	AT_BITMAP_BLOCKS = 436,
	AT_MAX_MAPNR = 440,
	HEADER_SIZE = 464,
	/* where a 32-bit compiler puts block_size */
	AT_BLOCK_SIZE_32 = 416,
};

/* struct new_utsname in it */
enum { UTSNAME_FIELD = 65, UTSNAME_RELEASE = 2, UTSNAME_MACHINE = 4 };

/* struct kdump_sub_header, one block behind */
enum {
	SUB_PHYS_BASE = 0,
	SUB_DUMP_LEVEL = 8,	    /* header_version 1 and later */
	SUB_SPLIT = 12,		    /* 2 */
	SUB_START_PFN = 16,	    /* 2 */
	SUB_END_PFN = 24,	    /* 2 */
	SUB_OFFSET_VMCOREINFO = 32, /* 3 */
	SUB_SIZE_VMCOREINFO = 40,
	SUB_OFFSET_NOTE = 48, /* 4 */
	SUB_SIZE_NOTE = 56,
	SUB_OFFSET_ERASEINFO = 64, /* 5 */
	SUB_SIZE_ERASEINFO = 72,
	SUB_START_PFN_64 = 80, /* 6 */
	SUB_END_PFN_64 = 88,
	SUB_MAX_MAPNR_64 = 96,
	SUB_SIZE = 104,
};

enum {
	VERSION_MAX = 64,	      /* 6 is the newest; above this, something else is there */
	SUB_HDR_BLOCKS_MAX = 1 << 16, /* 256 MiB of notes */
	VMCOREINFO_MAX = 1 << 20,     /* the kernel writes one page */
	NOTES_MAX = 64 << 20,
	ERASEINFO_MAX = 16 << 20,
};

/* 4 PiB, what a kernel with 5-level page tables can have (MAX_PHYSMEM_BITS is 52, and 46 with four:
 * arch/x86/include/asm/sparsemem.h). */
static const uint64_t max_mapnr_limit = UINT64_C(1) << (52 - PAGE_SHIFT);

static void copy_utsname(const uint8_t *header, unsigned field, char out[static UTSNAME_FIELD])
{
	memcpy(out, header + AT_UTSNAME + (size_t)field * UTSNAME_FIELD, UTSNAME_FIELD);
	out[UTSNAME_FIELD - 1] = '\0';
	for (char *p = out; *p; p++) {
		if (*p < ' ' || *p > '~')
			*p = '?';
	}
}

/* QEMU leaves all but the machine empty; other writers may leave that empty too. */
static struct err *check_machine(const uint8_t *header)
{
	char machine[UTSNAME_FIELD];
	copy_utsname(header, UTSNAME_MACHINE, machine);
	if (machine[0] == '\0' || arch_of_name(machine))
		return NULL;
	return err_new(ERR_UNSUPPORTED,
		       "it is a dump of a machine that calls itself \"%s\"; only x86_64 dumps are "
		       "served",
		       machine);
}

static struct err *check_block_size(const uint8_t *header)
{
	uint32_t size = get_u32(header + AT_BLOCK_SIZE);
	if (size == KDUMP_BLOCK)
		return NULL;
	if (size == __builtin_bswap32(KDUMP_BLOCK) || size == __builtin_bswap32(65536))
		return err_new(ERR_UNSUPPORTED, "it is a dump of a big-endian machine; only x86_64 "
						"dumps are served");
	if (get_u32(header + AT_BLOCK_SIZE_32) == KDUMP_BLOCK)
		return err_new(ERR_UNSUPPORTED, "it is a dump of a 32-bit machine; only x86_64 "
						"dumps are served");
	if (size == 16384 || size == 65536)
		return err_new(ERR_UNSUPPORTED,
			       "it is a dump of a machine with pages of %" PRIu32
			       " bytes; only x86_64 dumps are served",
			       size);
	return err_new(ERR_FORMAT, "its kdump header is damaged: a block size of %" PRIu32 " bytes",
		       size);
}

/* An area that a size of 0 says is not there. */
static struct err *get_extent(const uint8_t *sub, unsigned at, uint64_t max, const char *what,
			      struct extent *ret)
{
	struct extent x = { get_u64(sub + at), get_u64(sub + at + 8) };
	if (x.len == 0) {
		*ret = (struct extent){ 0 };
		return NULL;
	}
	if (x.len > max || x.offset > INT64_MAX - x.len)
		return err_new(ERR_FORMAT,
			       "its kdump header is damaged: 0x%" PRIx64
			       " bytes of %s at 0x%" PRIx64,
			       x.len, what, x.offset);
	*ret = x;
	return NULL;
}

static struct err *check_split(struct kdump_header *h)
{
	if (h->split && (h->start_pfn > h->end_pfn || h->end_pfn > h->max_mapnr))
		return err_new(ERR_FORMAT,
			       "its kdump header is damaged: it is the piece from page frame "
			       "0x%" PRIx64 " to 0x%" PRIx64 " of 0x%" PRIx64,
			       h->start_pfn, h->end_pfn, h->max_mapnr);
	if (!h->split) {
		h->start_pfn = 0;
		h->end_pfn = h->max_mapnr;
	}
	return NULL;
}

static struct err *parse_sub_header(const uint8_t *sub, struct kdump_header *h)
{
	struct err *e = NULL;
	struct extent eraseinfo;

	h->phys_base = get_u64(sub + SUB_PHYS_BASE);
	h->dump_level = (int)get_u32(sub + SUB_DUMP_LEVEL);
	if (h->version >= 2) {
		h->split = get_u32(sub + SUB_SPLIT) != 0;
		h->start_pfn = get_u64(sub + SUB_START_PFN);
		h->end_pfn = get_u64(sub + SUB_END_PFN);
	}
	if (h->version >= 3)
		e = get_extent(sub, SUB_OFFSET_VMCOREINFO, VMCOREINFO_MAX, "VMCOREINFO",
			       &h->vmcoreinfo);
	if (!e && h->version >= 4)
		e = get_extent(sub, SUB_OFFSET_NOTE, NOTES_MAX, "ELF notes", &h->notes);
	/* Not used here, but libkdumpfile reads it. */
	if (!e && h->version >= 4)
		e = get_extent(sub, SUB_OFFSET_ERASEINFO, ERASEINFO_MAX, "erase information",
			       &eraseinfo);
	if (!e && h->version >= 6) {
		h->start_pfn = get_u64(sub + SUB_START_PFN_64);
		h->end_pfn = get_u64(sub + SUB_END_PFN_64);
		h->max_mapnr = get_u64(sub + SUB_MAX_MAPNR_64);
	}
	return e;
}

/*
 * Where the bitmaps lie. There are two, unless max_mapnr says that all of the space is one (a dump
 * of all memory, which early versions wrote so); libkdumpfile decides in the same way.
 */
static struct err *place_bitmaps(const uint8_t *header, uint64_t file_size, struct kdump_header *h)
{
	uint64_t sub_blocks = get_u32(header + AT_SUB_HDR_SIZE);
	uint64_t blocks = get_u32(header + AT_BITMAP_BLOCKS);
	uint64_t bits = blocks * KDUMP_BLOCK * 8;

	if (sub_blocks == 0 || sub_blocks > SUB_HDR_BLOCKS_MAX)
		return err_new(ERR_FORMAT,
			       "its kdump header is damaged: a sub header of %" PRIu64 " blocks",
			       sub_blocks);
	if (h->max_mapnr == 0 || h->max_mapnr > max_mapnr_limit || h->max_mapnr > bits ||
	    blocks > INT32_MAX)
		return err_new(ERR_FORMAT,
			       "its kdump header is damaged: %" PRIu64 " blocks of bitmaps for "
			       "%" PRIu64 " page frames",
			       blocks, h->max_mapnr);
	h->bitmap1 = (1 + sub_blocks) * KDUMP_BLOCK;
	h->descriptors = h->bitmap1 + blocks * KDUMP_BLOCK;
	h->bitmap2 = h->bitmap1;
	h->bitmap_size = blocks * KDUMP_BLOCK;
	if (h->max_mapnr <= bits / 2) {
		h->bitmap_size = blocks / 2 * KDUMP_BLOCK;
		h->bitmap2 += h->bitmap_size;
	}
	if (h->descriptors > file_size)
		return err_new(ERR_FORMAT,
			       "the file is truncated within its bitmaps (0x%" PRIx64
			       " bytes are there), so that no page of it can be found",
			       file_size);
	return NULL;
}

static struct err *check_signature(const uint8_t *header)
{
	if (memcmp(header, "KDUMP   ", 8) == 0)
		return NULL;
	if (memcmp(header, "DISKDUMP", 8) == 0)
		return err_new(ERR_UNSUPPORTED, "it is a diskdump of a 2.4 or 2.6 kernel, which "
						"came before kdump; crash can read it");
	return err_new(ERR_FORMAT, "it has no kdump header");
}

struct err *kdump_check(const struct dump_file *f, struct kdump_header *ret)
{
	uint8_t header[HEADER_SIZE], sub[SUB_SIZE];
	struct err *e = dump_file_read(f, 0, header, sizeof(header), "its kdump header");
	if (!e)
		e = check_signature(header);
	if (!e)
		e = check_machine(header);
	if (!e)
		e = check_block_size(header);
	if (!e)
		e = dump_file_read(f, KDUMP_BLOCK, sub, sizeof(sub), "its kdump sub header");
	if (e)
		return e;

	uint32_t version = get_u32(header + AT_VERSION);
	if (version < 1 || version > VERSION_MAX)
		return err_new(ERR_FORMAT, "its kdump header is damaged: header version %" PRIu32,
			       version);
	struct kdump_header h = {
		.version = (int)version,
		.status = get_u32(header + AT_STATUS),
		.date = (int64_t)get_u64(header + AT_TIMESTAMP),
		.max_mapnr = get_u32(header + AT_MAX_MAPNR),
	};
	copy_utsname(header, UTSNAME_RELEASE, h.release);
	e = parse_sub_header(sub, &h);
	if (!e)
		e = place_bitmaps(header, f->size, &h);
	if (!e)
		e = check_split(&h);
	if (!e)
		*ret = h;
	return e;
}
