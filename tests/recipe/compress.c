// SPDX-License-Identifier: GPL-2.0-or-later
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "tests/recipe/compress.h"

#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#include <stdlib.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/err.h"

/* Each compressor: from @page to @to, which has room for *@to_len; sets *@to_len. */
typedef struct err *compressor(const void *page, size_t len, void *to, size_t *to_len);

#define WITHOUT(library)                               \
	(void)page, (void)len, (void)to, (void)to_len; \
	return err_new(ERR_UNSUPPORTED, "built without " library)

static struct err *compress_zlib(const void *page, size_t len, void *to, size_t *to_len)
{
#ifdef HAVE_ZLIB
	uLongf n = *to_len;
	if (compress2(to, &n, page, len, Z_BEST_SPEED) != Z_OK)
		return err_new(ERR_FORMAT, "zlib cannot compress the page");
	*to_len = n;
	return NULL;
#else
	WITHOUT("zlib");
#endif
}

static struct err *compress_lzo(const void *page, size_t len, void *to, size_t *to_len)
{
#ifdef HAVE_LZO
	void *work = malloc(LZO1X_1_MEM_COMPRESS);
	if (!work)
		return err_nomem();
	lzo_uint n = *to_len;
	int rc = lzo_init();
	if (rc == LZO_E_OK)
		rc = lzo1x_1_compress(page, len, to, &n, work);
	free(work);
	if (rc != LZO_E_OK)
		return err_new(ERR_FORMAT, "lzo cannot compress the page");
	*to_len = n;
	return NULL;
#else
	WITHOUT("lzo");
#endif
}

static struct err *compress_snappy(const void *page, size_t len, void *to, size_t *to_len)
{
#ifdef HAVE_SNAPPY
	if (snappy_compress(page, len, to, to_len) != SNAPPY_OK)
		return err_new(ERR_FORMAT, "snappy cannot compress the page");
	return NULL;
#else
	WITHOUT("snappy");
#endif
}

static struct err *compress_zstd(const void *page, size_t len, void *to, size_t *to_len)
{
#ifdef HAVE_ZSTD
	size_t n = ZSTD_compress(to, *to_len, page, len, 1);
	if (ZSTD_isError(n))
		return err_new(ERR_FORMAT, "zstd cannot compress the page");
	*to_len = n;
	return NULL;
#else
	WITHOUT("zstd");
#endif
}

struct err *compress_page(enum compression method, const void *page, size_t len, struct buf *out)
{
	static compressor *const compressors[] = {
		[COMPRESS_ZLIB] = compress_zlib,
		[COMPRESS_LZO] = compress_lzo,
		[COMPRESS_SNAPPY] = compress_snappy,
		[COMPRESS_ZSTD] = compress_zstd,
	};
	/* More than any of the four libraries asks for. */
	size_t room = len + len / 4 + 1024;
	if (!buf_reserve(out, room))
		return err_nomem();
	struct err *e = compressors[method](page, len, out->data + out->len, &room);
	if (e)
		return e;
	out->len += room;
	out->data[out->len] = 0;
	return NULL;
}
