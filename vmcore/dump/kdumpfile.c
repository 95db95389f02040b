// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How libkdumpfile is used, and why so:
 *  - mmap never: a file that shrinks would end the server with SIGBUS;
 *  - its page cache small: it is searched linearly, and ours stands in front;
 *  - the architecture said before the file: the header of QEMU's dumps does not tell;
 *  - physical addresses only: translation is ours;
 *  - no clones, no bitmaps, no strings: each of them has broken on valid dumps.
 * Only calls that are the same before and after the API change in 0.5.5 are made.
 */
#include "vmcore/dump/kdumpfile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <libkdumpfile/kdumpfile.h>

#include "base/err.h"
#include "vmcore/memory/memory.h"

#ifndef __has_feature /* clang's; gcc defines a macro instead */
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define LEAKS_ARE_REPORTED 1
#include <sanitizer/lsan_interface.h>
#else
#define LEAKS_ARE_REPORTED 0
#endif

/* Freeing the context of a kdump-compressed file was a use after free until 0.5.4. */
#define FREE_IS_SAFE (KDUMPFILE_VERSION >= KDUMPFILE_MKVER(0, 5, 4))

enum { LIBRARY_CACHE_PAGES = 64 };

struct kdump_reader {
	kdump_ctx_t *ctx; /* owned */
};

static void free_context(kdump_ctx_t *ctx)
{
	if (!ctx)
		return;
#if FREE_IS_SAFE
	kdump_free(ctx);
#elif LEAKS_ARE_REPORTED
	/* Left behind for good: about half a megabyte a dump, until the program ends. */
	__lsan_ignore_object(ctx);
#endif
}

static enum err_code code_of(kdump_status status)
{
	switch (status) {
	case KDUMP_ERR_NODATA:
	case KDUMP_ERR_EOF:
		return ERR_MISSING;
	case KDUMP_ERR_SYSTEM:
	case KDUMP_ERR_BUSY:
		return ERR_IO;
	default:
		/* also a compression that the library was built without */
		return ERR_CORRUPT;
	}
}

static struct err *configure(kdump_ctx_t *ctx)
{
	if (kdump_set_number_attr(ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) != KDUMP_OK ||
	    kdump_set_number_attr(ctx, "cache.size", LIBRARY_CACHE_PAGES) != KDUMP_OK ||
	    kdump_set_string_attr(ctx, KDUMP_ATTR_ARCH_NAME, KDUMP_ARCH_X86_64) != KDUMP_OK)
		return err_new(ERR_UNSUPPORTED, "libkdumpfile cannot be set up: %s",
			       kdump_get_err(ctx));
	return NULL;
}

/*
 * The library tries the header as that of a 32-bit machine first, and a 64-bit one can be mistaken
 * for it if its time stamp looks like a page size.
 */
static struct err *check_understood(kdump_ctx_t *ctx)
{
	kdump_num_t ptr_size, page_size;
	if (kdump_get_number_attr(ctx, KDUMP_ATTR_PTR_SIZE, &ptr_size) == KDUMP_OK &&
	    kdump_get_number_attr(ctx, KDUMP_ATTR_PAGE_SIZE, &page_size) == KDUMP_OK &&
	    ptr_size == 8 && page_size == PAGE_SIZE)
		return NULL;
	return err_new(ERR_UNSUPPORTED, "libkdumpfile mistakes it for a dump of another machine");
}

struct err *kdump_reader_open(const int *fds, size_t count, struct kdump_reader **ret)
{
	struct kdump_reader *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	r->ctx = kdump_new();
	struct err *e = r->ctx ? configure(r->ctx) : err_nomem();
	if (!e && kdump_open_fdset(r->ctx, (unsigned)count, fds) != KDUMP_OK)
		e = err_new(ERR_FORMAT, "libkdumpfile cannot read it: %s", kdump_get_err(r->ctx));
	if (!e)
		e = check_understood(r->ctx);
	if (e)
		kdump_reader_close(r);
	else
		*ret = r;
	return e;
}

void kdump_reader_close(struct kdump_reader *r)
{
	if (!r)
		return;
	free_context(r->ctx);
	free(r);
}

struct err *kdump_reader_page(struct kdump_reader *r, uint64_t pfn, void *page)
{
	size_t len = PAGE_SIZE;
	kdump_status status = kdump_read(r->ctx, KDUMP_MACHPHYSADDR, pfn << PAGE_SHIFT, page, &len);
	if (status == KDUMP_OK && len == PAGE_SIZE)
		return NULL;
	return err_new(code_of(status), "libkdumpfile: %s", kdump_get_err(r->ctx));
}
