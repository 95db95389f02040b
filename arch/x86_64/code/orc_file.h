/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes that a vmlinux has for addresses of the kernel's image: for tables that never change
 * once the kernel is linked, where the dump leaves them out. */
#ifndef ARCH_X86_64_CODE_ORC_FILE_H
#define ARCH_X86_64_CODE_ORC_FILE_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

/* The @len bytes at run-time address @va, from the vmlinux in use; all or nothing. ERR_NOTFOUND
 * when there is none, or it has no bytes there (debug files leave out what is in the image). */
__attribute__((warn_unused_result)) struct err *orc_file_read(const struct kernel *k, uint64_t va,
							      void *out, size_t len);

#endif
