/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What two crashes have in common that came the same way. */
#ifndef SERVER_MONITOR_FRAMES_SIGNATURE_H
#define SERVER_MONITOR_FRAMES_SIGNATURE_H

#include <stdint.h>

#include "base/buf.h"

struct err;
struct vmcore;

/*
 * Of the thread that crashed: the names of its kernel functions, from the one that called panic()
 * on (from the innermost where nothing did) to the system call, interrupt or thread that it all
 * began with. Where in a function, and in which part that a compiler cut off from it (.cold,
 * .isra.0), does not count: it is the same for all builds of one source.
 */
struct signature {
	uint64_t hash;	      /* of these; 0: unknown */
	struct buf functions; /* the first of them: "sysrq_handle_crash < __handle_sysrq < ..." */
	const char *why;      /* why it is unknown; static, NULL if it is not */
};

/* ERR_NOMEM only. *ret is freed with signature_free(). */
__attribute__((warn_unused_result)) struct err *signature_of(struct vmcore *h,
							     struct signature *ret);
void signature_free(struct signature *s);

#endif
