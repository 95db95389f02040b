/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call frame information from the debug file of the kernel. */
#ifndef SERVER_KERNEL_CFI_FILES_H
#define SERVER_KERNEL_CFI_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct Dwarf_CFI_s;
struct cfi_files;
struct err;
struct kernel;

/* Opens nothing yet. @k is borrowed and must outlive the result. */
__attribute__((warn_unused_result)) struct err *cfi_files_new(const struct kernel *k,
							      struct cfi_files **ret);
void cfi_files_free(struct cfi_files *f);

/*
 * The section that may cover @pc, and how far that lies above the address that the section speaks
 * of; false if there is none. Borrowed. The file is opened when it is first asked for.
 */
bool cfi_files_find(struct cfi_files *f, uint64_t pc, struct Dwarf_CFI_s **ret_cfi,
		    uint64_t *ret_bias);

#endif
