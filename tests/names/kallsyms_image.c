// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/names/kallsyms_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

void image_name(unsigned i, char *out, size_t size)
{
	if (i == IMAGE_BANNER)
		snprintf(out, size, "Rlinux_banner");
	else if (i == IMAGE_PERCPU)
		snprintf(out, size, "T_text");
	else
		snprintf(out, size, i < IMAGE_PERCPU ? "Acpu_%u" : "tfunction_%u", i);
}

uint64_t image_address(const struct image_plan *plan, unsigned i)
{
	if (i < IMAGE_PERCPU && plan->encoding != KALLSYMS_PLACE_RELATIVE &&
	    plan->encoding != KALLSYMS_BASE_RELATIVE)
		return 0x100 * (uint64_t)i;
	if (i <= IMAGE_PERCPU)
		return IMAGE_TEXT;
	/* The banner lies in the image itself; what is behind it, behind the image. */
	if (i == IMAGE_BANNER)
		return IMAGE_ADDRESS + IMAGE_BANNER_AT;
	return i < IMAGE_BANNER ? IMAGE_TEXT + 0x80 * (uint64_t)i
				: IMAGE_ADDRESS + IMAGE_SIZE + 0x40 * (uint64_t)i;
}

struct kallsyms_bytes image_piece(const struct image *image)
{
	return (struct kallsyms_bytes){ image->bytes, IMAGE_SIZE, IMAGE_ADDRESS };
}

/* Where the next table begins. */
static size_t begin(struct image *image, const struct image_plan *plan)
{
	image->len = (image->len + plan->alignment - 1) / plan->alignment * plan->alignment;
	return image->len;
}

static void put_word(struct image *image, uint64_t value, unsigned width)
{
	if (width == 8)
		put_u64(image->bytes + image->len, value);
	else
		put_u32(image->bytes + image->len, (uint32_t)value);
	image->len += width;
}

static void put_places(struct image *image, const struct image_plan *plan)
{
	image->places = begin(image, plan);
	for (unsigned i = 0; i < IMAGE_SYMBOLS; i++) {
		uint64_t address = image_address(plan, i);
		switch (plan->encoding) {
		case KALLSYMS_ADDRESSES:
			put_word(image, address, 8);
			break;
		case KALLSYMS_ABSOLUTE_PERCPU:
			put_word(image, address >> 63 ? IMAGE_TEXT - 1 - address : address, 4);
			break;
		case KALLSYMS_BASE_RELATIVE:
			put_word(image, address - IMAGE_TEXT, 4);
			break;
		case KALLSYMS_PLACE_RELATIVE:
			put_word(image, address - (IMAGE_ADDRESS + image->len), 4);
			break;
		}
	}
	if (plan->encoding != KALLSYMS_ABSOLUTE_PERCPU && plan->encoding != KALLSYMS_BASE_RELATIVE)
		return;
	image->len = (image->len + 7) / 8 * 8;
	put_word(image, IMAGE_TEXT, 8);
}

static void put_names(struct image *image, const struct image_plan *plan)
{
	uint64_t markers[IMAGE_SYMBOLS / 256 + 1];
	begin(image, plan);
	image->count_at = image->len;
	put_word(image, IMAGE_SYMBOLS, plan->count_width);
	image->names = begin(image, plan);
	for (unsigned i = 0; i < IMAGE_SYMBOLS; i++) {
		char name[64];
		if (i % 256 == 0)
			markers[i / 256] = image->len - image->names;
		image_name(i, name, sizeof(name));
		image->bytes[image->len++] = (uint8_t)strlen(name);
		memcpy(image->bytes + image->len, name, strlen(name));
		image->len += strlen(name);
	}
	image->markers = begin(image, plan);
	for (size_t i = 0; i < sizeof(markers) / sizeof(*markers); i++)
		put_word(image, markers[i], plan->marker_width);
	begin(image, plan);
	for (unsigned i = 0; plan->sequence && i < 3 * IMAGE_SYMBOLS; i++)
		image->bytes[image->len++] = (uint8_t)(i * 7 + 1);
}

/* Characters stand for themselves, all other bytes for some text. */
static void put_tokens(struct image *image, const struct image_plan *plan)
{
	uint16_t where[256];
	image->tokens = begin(image, plan);
	for (unsigned i = 0; i < 256; i++) {
		char text[8] = { (char)i, 0 };
		if (i <= ' ' || i > '~')
			snprintf(text, sizeof(text), "t%x_", i);
		where[i] = (uint16_t)(image->len - image->tokens);
		memcpy(image->bytes + image->len, text, strlen(text) + 1);
		image->len += strlen(text) + 1;
	}
	image->index = begin(image, plan);
	for (unsigned i = 0; i < 256; i++) {
		image->bytes[image->len++] = (uint8_t)where[i];
		image->bytes[image->len++] = (uint8_t)(where[i] >> 8);
	}
}

void image_make(struct image *image, const struct image_plan *plan)
{
	memset(image, 0, sizeof(*image));
	strcpy((char *)image->bytes + IMAGE_BANNER_AT, "Linux version 1.2.3 (somebody)");
	image->len = IMAGE_FIRST;
	if (!plan->places_last)
		put_places(image, plan);
	put_names(image, plan);
	put_tokens(image, plan);
	if (plan->places_last)
		put_places(image, plan);
}
