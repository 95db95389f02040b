// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/decompress.h"

#include <stdlib.h>

#include "config.h"

#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/err.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/memory/memory.h"

struct decompressor {
#ifdef HAVE_ZLIB
	z_stream zlib;
	bool zlib_is_there;
#endif
#ifdef HAVE_ZSTD
	ZSTD_DCtx *zstd; /* owned */
#endif
	char nothing; /* where there is no library at all */
};

#ifdef HAVE_ZLIB
static bool zlib_page(struct decompressor *d, const void *in, size_t len, void *page)
{
	z_stream *z = &d->zlib;
	/* Its members are not const, but inflate() writes to nothing of it. */
	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = (uInt)len;
	z->next_out = page;
	z->avail_out = PAGE_SIZE;
	return inflateReset(z) == Z_OK && inflate(z, Z_FINISH) == Z_STREAM_END && z->avail_out == 0;
}
#endif

#ifdef HAVE_LZO
static bool lzo_page(struct decompressor *d, const void *in, size_t len, void *page)
{
	lzo_uint done = PAGE_SIZE;
	(void)d;
	return lzo1x_decompress_safe(in, len, page, &done, NULL) == LZO_E_OK && done == PAGE_SIZE;
}
#endif

#ifdef HAVE_SNAPPY
static bool snappy_page(struct decompressor *d, const void *in, size_t len, void *page)
{
	size_t done = PAGE_SIZE;
	(void)d;
	return snappy_uncompress(in, len, page, &done) == SNAPPY_OK && done == PAGE_SIZE;
}
#endif

#ifdef HAVE_ZSTD
static bool zstd_page(struct decompressor *d, const void *in, size_t len, void *page)
{
	return ZSTD_decompressDCtx(d->zstd, page, PAGE_SIZE, in, len) == PAGE_SIZE;
}
#endif

typedef bool page_function(struct decompressor *d, const void *in, size_t len, void *page);

/* In the order that libkdumpfile looks at the flags in, should there be several. */
static const struct method {
	uint32_t flag;
	const char *name;
	page_function *page; /* NULL without the library */
} methods[] = {
#ifdef HAVE_ZLIB
	{ KDUMP_ZLIB, "zlib", zlib_page },
#else
	{ KDUMP_ZLIB, "zlib", NULL },
#endif
#ifdef HAVE_LZO
	{ KDUMP_LZO, "lzo", lzo_page },
#else
	{ KDUMP_LZO, "lzo", NULL },
#endif
#ifdef HAVE_SNAPPY
	{ KDUMP_SNAPPY, "snappy", snappy_page },
#else
	{ KDUMP_SNAPPY, "snappy", NULL },
#endif
#ifdef HAVE_ZSTD
	{ KDUMP_ZSTD, "zstd", zstd_page },
#else
	{ KDUMP_ZSTD, "zstd", NULL },
#endif
};

static const struct method *method_of(uint32_t flags)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (flags & methods[i].flag)
			return &methods[i];
	}
	return NULL;
}

const char *decompress_method(uint32_t flags)
{
	const struct method *m = method_of(flags);
	return m ? m->name : "none";
}

bool decompress_can(uint32_t flags)
{
	const struct method *m = method_of(flags);
	return m && m->page;
}

struct err *decompressor_new(struct decompressor **ret)
{
	struct decompressor *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	bool made = true;
#ifdef HAVE_ZLIB
	d->zlib_is_there = made = inflateInit(&d->zlib) == Z_OK;
#endif
#ifdef HAVE_ZSTD
	d->zstd = ZSTD_createDCtx();
	made &= d->zstd != NULL;
#endif
	if (!made) {
		decompressor_free(d);
		return err_nomem();
	}
	*ret = d;
	return NULL;
}

void decompressor_free(struct decompressor *d)
{
	if (!d)
		return;
#ifdef HAVE_ZLIB
	if (d->zlib_is_there)
		inflateEnd(&d->zlib);
#endif
#ifdef HAVE_ZSTD
	ZSTD_freeDCtx(d->zstd);
#endif
	free(d);
}

struct err *decompress_page(struct decompressor *d, uint32_t flags, const void *in, size_t len,
			    void *page)
{
	const struct method *m = method_of(flags);
	if (m && m->page && m->page(d, in, len, page))
		return NULL;
	return err_new(ERR_CORRUPT, "damaged: its %zu bytes are no page compressed by %s", len,
		       decompress_method(flags));
}
