// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as an ORC table and the functions that it is about, converted to CFI; libdw must then
 * be able to read every entry, and each be about a function that there is. The first bytes are also
 * taken for code.
 */
#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "arch/x86_64/image/cfi_writer.h"
#include "arch/x86_64/image/prologue.h"
#include "base/bytes.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An entry, how far it is to the next one, and whether a function begins there. */
enum { STEP_AT = ORC_RAW_BYTES, BEGIN_AT, BYTES_EACH, ROWS_MAX = 512, LEN_LONG = 300 };

#define CODE UINT64_C(0xffffffff81000000)

static size_t decode(const uint8_t *data, size_t size, struct cfi_row *rows, uint64_t *ret_end)
{
	enum orc_format format = size ? data[0] % (ORC_FORMAT_7_1 + 1) : ORC_FORMAT_4_14;
	uint64_t at = CODE;
	size_t count = 0;
	for (; count < ROWS_MAX && (count + 1) * BYTES_EACH <= size; count++) {
		const uint8_t *raw = data + count * BYTES_EACH;
		rows[count].start = at;
		rows[count].valid = orc_decode(format, raw, &rows[count].entry);
		at += raw[STEP_AT] == UINT8_MAX ? LEN_LONG * LEN_LONG : raw[STEP_AT];
	}
	*ret_end = at;
	return count;
}

static void check(const struct buf *section, uint64_t end)
{
	unsigned char e_ident[EI_NIDENT] = { ELFMAG0,	 ELFMAG1,     ELFMAG2,	 ELFMAG3,
					     ELFCLASS64, ELFDATA2LSB, EV_CURRENT };
	Elf_Data data = { .d_buf = section->data, .d_size = section->len, .d_version = EV_CURRENT };
	Dwarf_Off at = 0, next;
	Dwarf_CFI_Entry entry;
	int status;
	while (!(status = dwarf_next_cfi(e_ident, &data, false, at, &next, &entry))) {
		if (!dwarf_cfi_cie_p(&entry)) {
			uint64_t low = get_u64(entry.fde.start);
			uint64_t len = get_u64(entry.fde.start + 8);
			if (low < CODE || !len || low + len > end)
				abort();
		}
		at = next;
	}
	if (status != 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cfi_row rows[ROWS_MAX];
	struct cfi_row made[PROLOGUE_ROWS];
	struct cfi_writer w;
	uint64_t end;
	size_t count = decode(data, size, rows, &end);
	size_t prologue =
		prologue_rows(data, size < PROLOGUE_BYTES ? size : PROLOGUE_BYTES, CODE, made);
	if (prologue > PROLOGUE_ROWS)
		abort();
	cfi_writer_init(&w, 0);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && data[next * BYTES_EACH + BEGIN_AT] & 1;)
			next++;
		uint64_t high = next < count ? rows[next].start : end;
		struct orc_function f = { rows[i].start, high, rows + i, next - i,
					  data[i * BYTES_EACH + BEGIN_AT] & 2 };
		err_free(cfi_writer_function(&w, &f));
	}
	check(&w.bytes, end);
	cfi_writer_free(&w);
	return 0;
}
