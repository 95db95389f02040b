/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call frame information for the tests: a .debug_frame in an ELF file that is only in memory. */
#ifndef TESTS_UNWIND_CFI_FILE_H
#define TESTS_UNWIND_CFI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct Dwarf_CFI_s;
struct cfi_file;

/* A function and the instructions of its FDE, behind a CIE that has the CFA at rsp + 8. */
struct cfi_function {
	uint64_t start, len;
	const unsigned char *code;
	size_t code_len;
};

struct cfi_file *cfi_file_of_functions(const struct cfi_function *functions, size_t count);
/* The same of code whose caller was interrupted. */
struct cfi_file *cfi_file_of_entries(const struct cfi_function *functions, size_t count);
/* NULL if libdw does not want it. */
struct cfi_file *cfi_file_of_section(const void *section, size_t len);
/* Whether cfi_check() lets it pass. */
bool cfi_file_is_sane(const struct cfi_file *f);
struct Dwarf_CFI_s *cfi_file_cfi(const struct cfi_file *f);
void cfi_file_free(struct cfi_file *f);

#endif
