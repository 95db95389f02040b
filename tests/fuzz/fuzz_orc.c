// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a table of ORC entries: its format guessed, each entry decoded in every format. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "unwind/orc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the rest of the unwinder takes for granted of a decoded entry. */
static void check(const struct orc_entry *e)
{
	if (e->type > ORC_REGS_PARTIAL || e->sp > ORC_SP_INDIRECT || e->bp > ORC_SP_INDIRECT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size / ORC_RAW_BYTES;
	enum orc_format format;
	if (size >= ORC_HEADER_BYTES)
		(void)orc_format_of_header(data, &format);
	if (orc_format_guess(data, count, &format) && format > ORC_FORMAT_7_1)
		abort();
	for (size_t i = 0; i < count; i++) {
		for (format = ORC_FORMAT_4_14; format <= ORC_FORMAT_7_1; format++) {
			struct orc_entry e;
			if (orc_decode(format, data + i * ORC_RAW_BYTES, &e))
				check(&e);
		}
	}
	return 0;
}
