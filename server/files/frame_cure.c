// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/frame_cure.h"

#include <gelf.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "server/files/overlay.h"
#include "vmcore/names/elf_guard.h"

/* An entry of .debug_frame (DWARF 5, 6.4.1): length, CIE, first address, how many. */
enum {
	CIE_AT = 4,
	START_AT = 8,
	RANGE_AT = 16,
	FDE_BYTES = 24,
};

static bool is_wanted(const uint64_t *starts, size_t count, uint64_t start)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (starts[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && starts[low] == start;
}

/* The section's bytes at @data begin at @offset of the file. */
static struct err *cure_section(const Elf_Data *data, uint64_t offset, const uint64_t *starts,
				size_t count, struct overlay *overlay)
{
	static const unsigned char nothing[8];
	const unsigned char *bytes = data->d_buf;
	struct err *e = NULL;
	for (uint64_t at = 0; !e && range_within(at, FDE_BYTES, data->d_size);) {
		uint32_t len = get_u32(bytes + at);
		/* The 64-bit form, which no kernel needs, begins with all ones. */
		if (len < START_AT - 4 || !range_within(at + 4, len, data->d_size))
			break;
		if (len >= FDE_BYTES - 4 && get_u32(bytes + at + CIE_AT) != UINT32_MAX &&
		    is_wanted(starts, count, get_u64(bytes + at + START_AT)))
			e = overlay_add(overlay, offset + at + RANGE_AT, nothing, sizeof(nothing));
		at += 4 + (uint64_t)len;
	}
	return e;
}

static struct err *cure(Elf *elf, const uint64_t *starts, size_t count, struct overlay *overlay)
{
	size_t names;
	if (gelf_getclass(elf) != ELFCLASS64 || elf_getshdrstrndx(elf, &names) != 0)
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		const char *name;
		if (!gelf_getshdr(scn, &header) || header.sh_type != SHT_PROGBITS ||
		    header.sh_flags & SHF_COMPRESSED ||
		    !(name = elf_strptr(elf, names, header.sh_name)) ||
		    strcmp(name, ".debug_frame") != 0)
			continue;
		const Elf_Data *data = elf_rawdata(scn, NULL);
		return data && data->d_buf
			       ? cure_section(data, header.sh_offset, starts, count, overlay)
			       : NULL;
	}
	return NULL;
}

struct err *frame_cure(int fd, const uint64_t *starts, size_t count, struct overlay *overlay)
{
	elf_version(EV_CURRENT);
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return NULL;
	struct err *e = cure(elf, starts, count, overlay);
	if (!e)
		e = elf_guard_check(elf);
	elf_guard_end(elf);
	return e;
}
