/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call frame information from the debug files of the kernel and its modules. */
#ifndef VMCORE_CODE_CFI_FILES_H
#define VMCORE_CODE_CFI_FILES_H

#include <stdbool.h>
#include <stdint.h>

struct Dwarf_CFI_s;
struct cfi_files;
struct err;
struct kernel;
struct module;
struct module_files;
struct modules;

/* Opens nothing yet. All is borrowed and must outlive the result; @files may be NULL: then modules
 * have none. */
__attribute__((warn_unused_result)) struct err *cfi_files_new(const struct kernel *k,
							      const struct modules *modules,
							      struct module_files *files,
							      struct cfi_files **ret);
void cfi_files_free(struct cfi_files *f);

/*
 * The section that may cover @pc, which lies in @module (one of those given to cfi_files_new();
 * NULL: in the kernel itself), and how far that lies above the address that the section speaks of;
 * false if there is none. Borrowed. A file is opened when it is first asked for.
 */
bool cfi_files_find(struct cfi_files *f, const struct module *module, uint64_t pc,
		    struct Dwarf_CFI_s **ret_cfi, uint64_t *ret_bias);

#endif
