/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long one turn of work may last before others have theirs. Whatever takes longer is done in
 * slices by this clock: a count of things is none, for a thing may take a microsecond or a
 * millisecond.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* With what is read and written around it a turn of the loop stays under 5 ms. */
enum {
	SLICE_NS = 3 * 1000 * 1000,
	/* What a machine that runs changes meanwhile would end the work: better that it is done. */
	SLICE_LIVE_NS = 100 * 1000 * 1000,
};

struct slice {
	int64_t end;
};

/* One that begins now. */
static inline struct slice slice_begin(void)
{
	return (struct slice){ clock_ns() + SLICE_NS };
}

/* Likewise, of a list of what may be another one in the next turn where @live. */
static inline struct slice slice_begin_list(bool live)
{
	return (struct slice){ clock_ns() + (live ? SLICE_LIVE_NS : SLICE_NS) };
}

/* Asked after each thing that was done. */
static inline bool slice_is_over(const struct slice *s)
{
	return clock_ns() >= s->end;
}

#endif
