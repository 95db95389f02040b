/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory copied out by QEMU, when its own cannot be opened: by `pmemsave` to an anonymous
 * file that was handed to QEMU, which no name leads to and nothing is left of; or by the human
 * monitor's `xp`, several times slower, where QEMU may not open that. Whole blocks are fetched, and
 * kept until they are forgotten.
 */
#ifndef VMCORE_LIVE_QMP_COPY_H
#define VMCORE_LIVE_QMP_COPY_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct qmp;
struct qmp_copy;
struct qmp_ram;

/* @q is borrowed and must outlive the result. Tries at @probe, the address of RAM, which way works.
 */
__attribute__((warn_unused_result)) struct err *qmp_copy_new(struct qmp *q, uint64_t probe,
							     struct qmp_copy **ret);
void qmp_copy_free(struct qmp_copy *c);
/* "pmemsave" or "xp". */
const char *qmp_copy_way(const struct qmp_copy *c);
/* Reads @len bytes at @pa, all of which lie in @ram and in one page. */
__attribute__((warn_unused_result)) struct err *
qmp_copy_read(struct qmp_copy *c, const struct qmp_ram *ram, uint64_t pa, void *out, size_t len);
void qmp_copy_forget(struct qmp_copy *c);

#endif
