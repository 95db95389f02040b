/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kallsyms tables one behind another, in the orders and forms that kernels have had. */
#ifndef TESTS_NAMES_KALLSYMS_IMAGE_H
#define TESTS_NAMES_KALLSYMS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/find/kallsyms_find.h"
#include "vmcore/names/kallsyms.h"

#define IMAGE_ADDRESS UINT64_C(0xffffffff82000000)
#define IMAGE_TEXT    UINT64_C(0xffffffff81000000)

enum {
	IMAGE_SIZE = 1 << 18,
	IMAGE_SYMBOLS = 2000,
	IMAGE_PERCPU =
		3, /* symbols 0 to 2 are offsets, but where each is relative to its own place */
	IMAGE_BANNER = 700, /* the number of linux_banner */
	IMAGE_BANNER_AT = 0x40,
	IMAGE_FIRST = 0x1234, /* nothing before it but the banner */
};

struct image_plan {
	enum kallsyms_encoding encoding;
	bool places_last; /* behind the token index, since 6.4; else in front of the rest */
	bool sequence;	  /* with kallsyms_seqs_of_names, since 6.2 */
	unsigned count_width, marker_width; /* 4 or 8 */
	unsigned alignment;		    /* of tables: 4 or 8 */
};

struct image {
	uint8_t bytes[IMAGE_SIZE];
	size_t len; /* where the tables end */
	/* Where they are, as offsets: */
	size_t count_at, names, markers, tokens, index, places;
};

/* Writes all of it. */
void image_make(struct image *image, const struct image_plan *plan);
/* What symbol @i is called, with its type letter in front, and its address. */
void image_name(unsigned i, char *out, size_t size);
uint64_t image_address(const struct image_plan *plan, unsigned i);
struct kallsyms_bytes image_piece(const struct image *image);

#endif
