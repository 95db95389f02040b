// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether some files are all the pieces of one split dump (makedumpfile --split). */
#include "vmcore/dump/kdump.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/dump/file.h"

struct piece {
	const struct kdump_header *header;
	const char *path;
};

static int by_start(const void *a, const void *b)
{
	const struct kdump_header *x = ((const struct piece *)a)->header;
	const struct kdump_header *y = ((const struct piece *)b)->header;
	if (x->start_pfn != y->start_pfn)
		return x->start_pfn < y->start_pfn ? -1 : 1;
	return x->end_pfn < y->end_pfn ? -1 : x->end_pfn > y->end_pfn;
}

static struct err *missing(uint64_t start, uint64_t end, size_t count)
{
	if (count == 1)
		return err_new(ERR_FORMAT,
			       "it is one piece of a split dump, and the others are needed too: "
			       "page frames 0x%" PRIx64 " to 0x%" PRIx64 " are in none of the "
			       "files given",
			       start, end - 1);
	return err_new(ERR_FORMAT,
		       "a piece of the split dump is missing: the one with page frames 0x%" PRIx64
		       " to 0x%" PRIx64,
		       start, end - 1);
}

/* The pieces, in order of page frames, must touch each other and reach from 0 to max_mapnr. */
static struct err *check_coverage(const struct piece *pieces, size_t count)
{
	uint64_t covered = 0;
	for (size_t i = 0; i < count; i++) {
		const struct kdump_header *h = pieces[i].header;
		if (h->start_pfn > covered)
			return missing(covered, h->start_pfn, count);
		if (h->start_pfn < covered)
			return err_new(ERR_FORMAT,
				       "%s and %s both have page frame 0x%" PRIx64
				       ": give each piece once, and pieces of one dump only",
				       pieces[i - 1].path, pieces[i].path, h->start_pfn);
		covered = h->end_pfn;
	}
	uint64_t all = pieces[0].header->max_mapnr;
	return covered < all ? missing(covered, all, count) : NULL;
}

/* Headers of the pieces of one dump differ in little but the range of page frames. */
static bool same_dump(const struct kdump_header *a, const struct kdump_header *b)
{
	return a->version == b->version && a->max_mapnr == b->max_mapnr &&
	       a->bitmap2 == b->bitmap2 && a->bitmap_size == b->bitmap_size &&
	       a->dump_level == b->dump_level && strcmp(a->release, b->release) == 0;
}

struct err *kdump_check_set(const struct dump_file *files, const struct kdump_header *headers,
			    size_t count)
{
	for (size_t i = 0; i < count && count > 1; i++) {
		if (!headers[i].split)
			return err_new(ERR_FORMAT,
				       "%s is a whole dump and not a piece of one: give it alone",
				       files[i].path);
		if (!same_dump(&headers[0], &headers[i]))
			return err_new(ERR_FORMAT, "%s and %s are pieces of different dumps",
				       files[0].path, files[i].path);
	}

	struct piece *pieces = malloc(count * sizeof(*pieces));
	if (!pieces)
		return err_nomem();
	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct piece){ &headers[i], files[i].path };
	qsort(pieces, count, sizeof(*pieces), by_start);
	struct err *e = check_coverage(pieces, count);
	free(pieces);
	return e;
}
