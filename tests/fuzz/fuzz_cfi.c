// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the instructions of a function's CFI, or as a whole section of CFI, carried out on a
 * stack of known words. In front of them: how far into the function it was stopped and, in the top
 * bit, whether ORC speaks of the function too; which registers are not known (3 bytes); flags; the
 * ORC entry.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "arch/x86_64/base/regs.h"
#include "base/bytes.h"
#include "tests/fuzz/unknown.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)

enum { WORDS = 512, INSTRUCTIONS_MAX = 4096, BIAS = 0x1000 };
enum { UNKNOWN_AT = 1, FLAGS_AT = 4, ORC_AT = 5, HEAD = ORC_AT + ORC_RAW_BYTES };
enum { HAS_ORC = 0x80 };
enum { FLAG_SECTION = 1, FLAG_CALLED = 2, FLAG_BIAS = 4, FLAG_NO_CODE = 8 };

static void lay_down(struct fake *f, const uint64_t *words)
{
	static const unsigned char code[0x100];
	fake_text(f, TEXT, sizeof(code));
	fake_memory(f, STACK, words, 8 * WORDS);
	fake_stack(f, STACK, STACK + 8 * WORDS, "task");
	fake_memory(f, TEXT, code, sizeof(code));
}

static void unwind_with(struct Dwarf_CFI_s *cfi, const uint8_t *head)
{
	uint64_t words[WORDS];
	struct fake fake = { .cfi = cfi, .bias = head[FLAGS_AT] & FLAG_BIAS ? BIAS : 0 };
	struct regs first = { 0 };
	struct frames frames;
	struct orc_entry entry;
	for (size_t i = 0; i < WORDS; i++)
		words[i] = i % 2 ? TEXT + i % 0x100 : STACK + 8 * i;
	lay_down(&fake, words);
	if (head[FLAGS_AT] & FLAG_NO_CODE)
		fake.memory_count--;
	if (head[0] & HAS_ORC && orc_decode(ORC_FORMAT_6_4, head + ORC_AT, &entry))
		fake_orc(&fake, TEXT, 0x100, entry);
	for (unsigned i = 0; i < REG_RIP; i++)
		if (!(get_u32(head + UNKNOWN_AT) >> i & 1))
			regs_set(&first, (enum reg)i, STACK + 64 * i);
	regs_set(&first, REG_RIP, TEXT + (head[0] & 0x7f));
	struct unwind_source source = fake_source(&fake);
	if (unwind_checked(&source, &first, HOW_NOTE, !(head[FLAGS_AT] & FLAG_CALLED), &frames))
		frames_free(&frames);
}

static struct cfi_file *make_file(const uint8_t *data, size_t size)
{
	uint64_t bias = data[FLAGS_AT] & FLAG_BIAS ? BIAS : 0;
	const struct cfi_function function = { TEXT - bias, 0x100, data + HEAD, size - HEAD };
	if (data[FLAGS_AT] & FLAG_SECTION)
		return cfi_file_of_section(data + HEAD, size - HEAD);
	return cfi_file_of_functions(&function, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD || size > HEAD + INSTRUCTIONS_MAX)
		return 0;
	struct cfi_file *file = make_file(data, size);
	if (file && cfi_file_is_sane(file))
		unwind_with(cfi_file_cfi(file), data);
	cfi_file_free(file);
	return 0;
}
