/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds of every unwind, for the fuzz targets: abort() where it does not. Above all, what lies
 * in registers that are not known has no part in any answer. Each question is asked twice, with
 * other values there.
 */
#ifndef TESTS_FUZZ_UNKNOWN_H
#define TESTS_FUZZ_UNKNOWN_H

#include <stdbool.h>

#include "tests/fuzz/require.h"
#include "unwind/unwind.h"

/* Values for the registers of @r that are not known: what nothing was written to, or such as might
 * lead somewhere. */
enum garbage { GARBAGE_ZERO, GARBAGE_PLAUSIBLE };
void put_garbage(struct regs *r, enum garbage kind);

/*
 * unwind() from @first, checked; *ret is freed with frames_free(). False if memory is out.
 * Strategies are also asked one by one, of each frame and as if it had been called and as if it had
 * been interrupted. Without CFI, of which expressions may say anything, what @source has is all
 * that may make a register known.
 */
bool unwind_checked(const struct unwind_source *source, const struct regs *first,
		    enum frame_how how, bool interrupted, struct frames *ret);

#endif
