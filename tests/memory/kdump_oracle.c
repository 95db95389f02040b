// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/memory/kdump_oracle.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/flatten.h"
#include "vmcore/dump/identify.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/kdump_pages.h"
#include "vmcore/dump/kdumpfile.h"
#include "vmcore/memory/memory.h"

enum { FILES_MAX = 64 };

struct oracle {
	struct dump_file files[FILES_MAX];
	struct kdump_header headers[FILES_MAX];
	int fds[FILES_MAX];
	size_t count;
	struct kdump_pages *ours;
	struct kdump_reader *theirs;
};

static struct err *open_file(struct oracle *o, const char *path)
{
	static const struct dump_options options;
	size_t n = o->count;
	enum dump_kind kind;
	struct err *e = dump_file_open(path, &o->files[n]);
	if (e)
		return e;
	o->count++;
	e = dump_identify(&o->files[n], &kind);
	if (!e && kind == DUMP_FLATTENED)
		e = flatten_undo(&o->files[n], &options);
	if (!e)
		e = kdump_check(&o->files[n], &o->headers[n]);
	o->fds[n] = o->files[n].fd;
	return e;
}

static struct err *open_all(struct oracle *o, const char *const *paths, size_t count)
{
	struct err *e = NULL;
	if (count > FILES_MAX)
		return err_new(ERR_INVALID, "more than %d files", FILES_MAX);
	for (size_t i = 0; i < count && !e; i++)
		e = open_file(o, paths[i]);
	if (!e)
		e = kdump_check_set(o->files, o->headers, count);
	if (!e)
		e = kdump_pages_open(o->files, o->headers, count, &o->ours);
	if (!e)
		e = kdump_reader_open(o->fds, count, &o->theirs);
	return e;
}

/* Both must have it, or neither, for the same kind of reason: libkdumpfile does not tell pages that
 * were left out from those that never were. */
static struct err *compare_page(struct oracle *o, uint64_t pfn, struct kdump_oracle *ret)
{
	uint8_t ours[PAGE_SIZE], theirs[PAGE_SIZE];
	struct err *a = kdump_pages_read(o->ours, pfn, ours);
	struct err *b = kdump_reader_page(o->theirs, pfn, theirs);
	struct err *e = NULL;
	if (!a != !b)
		e = err_new(ERR_FORMAT, "page frame 0x%" PRIx64 ": ours: %s; libkdumpfile's: %s",
			    pfn, a ? err_msg(a) : "there", b ? err_msg(b) : "there");
	else if (a && (err_code(a) == ERR_CORRUPT) != (err_code(b) == ERR_CORRUPT))
		e = err_new(ERR_FORMAT, "page frame 0x%" PRIx64 ": %s, but %s", pfn, err_msg(a),
			    err_msg(b));
	else if (!a && memcmp(ours, theirs, PAGE_SIZE) != 0)
		e = err_new(ERR_FORMAT, "page frame 0x%" PRIx64 " differs", pfn);
	ret->equal += !a;
	ret->absent += a != NULL;
	err_free(a);
	err_free(b);
	return e;
}

static struct err *compare_next(struct oracle *o, uint64_t pfn, uint64_t *ret)
{
	bool found = kdump_pages_next(o->ours, pfn, ret);
	uint8_t page[PAGE_SIZE];
	for (uint64_t between = pfn; between < (found ? *ret : pfn + 8) && between < pfn + 8;
	     between++) {
		struct err *e = kdump_reader_page(o->theirs, between, page);
		if (!e)
			return err_new(ERR_FORMAT, "page frame 0x%" PRIx64 " was passed over",
				       between);
		err_free(e);
	}
	if (!found)
		*ret = UINT64_MAX;
	return NULL;
}

static struct err *compare_all(struct oracle *o, uint64_t step, struct kdump_oracle *ret)
{
	struct err *e = NULL;
	for (uint64_t pfn = 0; pfn < o->headers[0].max_mapnr && !e;) {
		e = compare_page(o, pfn, ret);
		if (!e && step > 1)
			e = compare_page(o, pfn + 1, ret);
		uint64_t next;
		if (!e)
			e = compare_next(o, pfn + step, &next);
		if (!e)
			pfn = next;
	}
	if (!e)
		e = compare_page(o, o->headers[0].max_mapnr, ret);
	if (!e)
		e = compare_page(o, UINT64_MAX >> PAGE_SHIFT, ret);
	return e;
}

struct err *kdump_oracle_compare(const char *const *paths, size_t count, uint64_t step,
				 struct kdump_oracle *ret)
{
	struct oracle *o = calloc(1, sizeof(*o));
	if (!o)
		return err_nomem();
	struct err *e = open_all(o, paths, count);
	if (!e)
		e = compare_all(o, step, ret);
	kdump_reader_close(o->theirs);
	kdump_pages_free(o->ours);
	for (size_t i = 0; i < o->count; i++)
		dump_file_close(&o->files[i]);
	free(o);
	return e;
}
