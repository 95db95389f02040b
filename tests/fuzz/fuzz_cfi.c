// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the instructions of a function's CFI, carried out on a stack of known words. The
 * first byte says how far into the function it was stopped and, in its top bit, whether ORC speaks
 * of the function too.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/unwind/cfi_file.h"
#include "tests/unwind/fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT  UINT64_C(0xffffffff81000000)
#define STACK UINT64_C(0xffffc90000100000)

enum { WORDS = 512, INSTRUCTIONS_MAX = 4096 };

static void lay_down(struct fake *f, const uint64_t *words)
{
	fake_text(f, TEXT, 0x100);
	fake_memory(f, STACK, words, 8 * WORDS);
	fake_stack(f, STACK, STACK + 8 * WORDS, "task");
}

static void unwind_with(struct Dwarf_CFI_s *cfi, uint8_t place)
{
	static const struct orc_entry call = { .type = ORC_CALL, .sp = ORC_SP, .sp_offset = 24 };
	uint64_t words[WORDS];
	struct fake fake = { .cfi = cfi };
	struct regs first = { 0 };
	struct frames frames;
	for (size_t i = 0; i < WORDS; i++)
		words[i] = i % 2 ? TEXT + i % 0x100 : STACK + 8 * i;
	lay_down(&fake, words);
	if (place & 0x80)
		fake_orc(&fake, TEXT, 0x100, call);
	for (unsigned i = 0; i < REG_RIP; i++)
		regs_set(&first, (enum reg)i, STACK + 64 * i);
	regs_set(&first, REG_RIP, TEXT + (place & 0x7f));
	struct unwind_source source = fake_source(&fake);
	struct err *e = unwind(&source, &first, HOW_NOTE, true, &frames);
	if (e) {
		err_free(e);
		return;
	}
	if (!frames.count || frames.count > UNWIND_DEPTH_MAX ||
	    (frames.end == END_LOST) != (frames.why != NULL))
		abort();
	frames_free(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size || size > INSTRUCTIONS_MAX)
		return 0;
	const struct cfi_function function = { TEXT, 0x100, data + 1, size - 1 };
	struct cfi_file *file = cfi_file_of_functions(&function, 1);
	if (file && cfi_file_is_sane(file))
		unwind_with(cfi_file_cfi(file), data[0]);
	cfi_file_free(file);
	return 0;
}
