// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any changes to an image with kallsyms tables of some form: the form is the first byte, then come
 * changes of three bytes of place and one of value each.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tests/fuzz/require.h"
#include "tests/names/kallsyms_image.h"
#include "vmcore/names/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct err *read_image(void *self, uint64_t address, void *out, size_t len, size_t *ret_done)
{
	const struct image *image = self;
	uint64_t at = address - IMAGE_ADDRESS;
	if (at >= IMAGE_SIZE)
		return err_new(ERR_MISSING, "nothing is there");
	*ret_done = len < IMAGE_SIZE - at ? len : IMAGE_SIZE - (size_t)at;
	memcpy(out, image->bytes + at, *ret_done);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { CHANGE = 4 };
	if (!size)
		return 0;
	const struct image_plan plan = {
		.encoding = (enum kallsyms_encoding)(data[0] % 4),
		.places_last = data[0] & 4,
		.sequence = data[0] & 8,
		.count_width = data[0] & 16 ? 8 : 4,
		.marker_width = data[0] & 32 ? 8 : 4,
		.alignment = 8,
	};
	struct image *image = malloc(sizeof(*image));
	REQUIRE(image);
	image_make(image, &plan);
	for (size_t i = 1; i + CHANGE <= size; i += CHANGE) {
		size_t at = data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;
		image->bytes[at % IMAGE_SIZE] = data[i + 3];
	}
	struct kallsyms_bytes piece = image_piece(image);
	struct kallsyms_tables tables;
	struct err *e = kallsyms_find(&piece, &tables);
	/* An image without any change has them. */
	REQUIRE(!e || size > CHANGE);
	if (!e) {
		struct kallsyms_memory memory = { image, read_image };
		struct symbols *s = NULL;
		REQUIRE(tables.count && tables.count <= KALLSYMS_COUNT_MAX && tables.place_count);
		err_free(kallsyms_read_tables(&memory, &tables, NULL, &s));
		symbols_free(s);
	}
	err_free(e);
	free(image);
	return 0;
}
