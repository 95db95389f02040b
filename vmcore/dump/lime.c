// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/lime.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/source.h"

/* Four bytes each of magic and version, eight of the first and of the last address, eight that are
 * reserved. */
enum { HEADER = 32, AT_VERSION = 4, AT_START = 8, AT_LAST = 16, VERSION = 1 };

/* Machines have tens. */
enum { RANGES_MAX = 1 << 16 };

static const char magic[4] = "EMiL";

static struct err *add_range(struct elf_headers *h, size_t *capacity, uint64_t offset,
			     uint64_t start, uint64_t size)
{
	if (h->load_count == *capacity) {
		size_t more = *capacity ? 2 * *capacity : 64;
		struct elf_segment *loads = reallocarray(h->loads, more, sizeof(*loads));
		if (!loads)
			return err_nomem();
		h->loads = loads;
		*capacity = more;
	}
	h->loads[h->load_count++] = (struct elf_segment){
		.offset = offset, .paddr = start, .filesz = size, .memsz = size
	};
	return NULL;
}

/* The range at @at of the file, and where the next begins. */
static struct err *read_range(const struct dump_file *f, uint64_t at, struct elf_headers *h,
			      size_t *capacity, uint64_t *ret_next)
{
	const uint64_t limit = UINT64_C(1) << 52; /* Intel SDM vol. 3, 4.1.4 */
	uint8_t header[HEADER];
	struct err *e = dump_file_read(f, at, header, sizeof(header), "the header of a range");
	if (e)
		return e;
	uint64_t start = get_u64(header + AT_START), last = get_u64(header + AT_LAST);
	if (memcmp(header, magic, sizeof(magic)) != 0 || last < start || last >= limit)
		return err_new(ERR_FORMAT,
			       "the header of memory at 0x%" PRIx64 " of the file is damaged", at);
	if (get_u32(header + AT_VERSION) != VERSION)
		return err_new(ERR_UNSUPPORTED, "it is of LiME's format %" PRIu32 ", not %d",
			       get_u32(header + AT_VERSION), VERSION);
	if (h->load_count == RANGES_MAX)
		return err_new(ERR_FORMAT, "it has more than %d ranges of memory", RANGES_MAX);
	*ret_next = at + HEADER + (last - start) + 1;
	return add_range(h, capacity, at + HEADER, start, last - start + 1);
}

struct err *lime_dump_source(const struct dump_file *f, const struct dump_options *options,
			     struct dump_parts *parts)
{
	struct elf_headers h = { 0 };
	size_t capacity = 0;
	struct err *e = NULL;
	/* The last range may be cut off. */
	for (uint64_t at = 0; !e && at < f->size;)
		e = read_range(f, at, &h, &capacity, &at);
	if (!e)
		e = elf_dump_source_of(&h, f, options, parts);
	elf_headers_free(&h);
	return e;
}
