// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/flatten.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define HEADER_BYTES 4096 /* MAX_SIZE_MDF_HEADER */
#define SIGNATURE    "makedumpfile"
#define TYPE	     1 /* TYPE_FLAT_HEADER */
#define VERSION	     1 /* VERSION_FLAT_HEADER */
#define END_MARK     UINT64_MAX

/* All numbers are big-endian. */
static void add_be64(struct buf *out, uint64_t value)
{
	value = htobe64(value);
	buf_add(out, &value, sizeof(value));
}

static void add_header(struct buf *out)
{
	char header[HEADER_BYTES] = SIGNATURE;
	uint64_t type = htobe64(TYPE), version = htobe64(VERSION);
	memcpy(header + 16, &type, sizeof(type));
	memcpy(header + 24, &version, sizeof(version));
	buf_add(out, header, sizeof(header));
}

static void add_record(struct buf *out, uint64_t offset, const char *bytes, uint64_t len)
{
	add_be64(out, offset);
	add_be64(out, len);
	buf_add(out, bytes, len);
}

struct err *flatten_image(struct buf *image, uint64_t record, bool reversed)
{
	struct buf out = BUF_INIT;
	uint64_t count = image->len / record + !!(image->len % record);
	add_header(&out);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t offset = record * (reversed ? count - 1 - i : i);
		uint64_t left = image->len - offset;
		add_record(&out, offset, image->data + offset, left < record ? left : record);
	}
	add_be64(&out, END_MARK); /* in the place of an offset */
	add_be64(&out, END_MARK); /* and of a length */
	struct err *e = buf_error(&out);
	if (e) {
		buf_free(&out);
		return e;
	}
	buf_free(image);
	*image = out;
	return NULL;
}
