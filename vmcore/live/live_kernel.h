/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a running kernel says of itself in /sys and /proc. /proc/kcore has VMCOREINFO since 4.19 and
 * /dev/mem never, and VMCOREINFO leads to the symbols since 6.0.
 */
#ifndef VMCORE_LIVE_LIVE_KERNEL_H
#define VMCORE_LIVE_LIVE_KERNEL_H

#include <stdint.h>

#include "base/buf.h"

struct dump_options;
struct err;
struct live_paths;
struct notes;
struct page_source;

/* All of it unknown if it was not needed. */
struct live_kernel {
	struct buf kallsyms; /* owned: the lines of /proc/kallsyms but modules' and what follows */
	char *kallsyms_why;  /* owned: why they could not be had, and what to do; or NULL */
	uint64_t code;	     /* the physical address of _text; 0 if unknown */
};

/*
 * Adds VMCOREINFO to @notes, if they have none, from where @paths->vmcoreinfo says that it is in
 * @pages; reads symbols where it does not lead to them. What cannot be found out is left out, and
 * options->warn told of it. Out of memory is the only error. To be closed also after that.
 */
__attribute__((warn_unused_result)) struct err *
live_kernel_ask(const struct live_paths *paths, const struct page_source *pages,
		const struct dump_options *options, struct notes *notes, struct live_kernel *ret);
void live_kernel_free(struct live_kernel *k);

#endif
