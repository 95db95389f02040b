/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ELF file with code and CFI, executable or relocatable (a kernel module, which is relocated to
 * where no kernel is), for the programs that hold ways to unwind against CFI: fp_code, code_cfi.
 * What keeps them from their work ends them, with a sentence and status 2.
 */
#ifndef TESTS_UNWIND_CODE_IMAGE_H
#define TESTS_UNWIND_CODE_IMAGE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/orc.h"
#include "base/map.h"

struct code_section {
	uint64_t address, size;
	const unsigned char *bytes; /* the file's */
	bool code;
};

struct code_function {
	uint64_t start, size;
	const char *name; /* "" if it has none */
	bool part;	  /* of another, elsewhere: it does not begin with a call */
};

struct code_image {
	int fd;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *cfi;
	bool own_cfi;	     /* cfi is no part of dwarf */
	uint64_t *addresses; /* of sections, by number */
	size_t headers;
	struct code_section *sections;
	size_t section_count;
	struct code_function *functions; /* by address */
	struct code_function **by_name;
	size_t function_count;
	uint64_t orc_ip, orc, orc_count; /* ORC's tables; 0: there are none */
	enum orc_format orc_format;
	struct map leads; /* from static branches, and from faults, to where they may go on */
};

struct err;

/* Says @what is wrong, and ends the program. */
__attribute__((noreturn)) void code_image_die(const char *what);

void code_image_open(const char *path, struct code_image *ret);
void code_image_close(struct code_image *im);

/* Bytes of @self, a struct code_image: all or nothing. The error is the caller's. */
struct err *code_image_read(void *self, uint64_t address, void *out, size_t len);

/* The section, the first function (of those that begin at the same place) that @address is in; or
 * NULL. */
const struct code_section *code_image_section(const struct code_image *im, uint64_t address);
const struct code_function *code_image_function(const struct code_image *im, uint64_t address);

/* Where the instruction at @pc may lead to as well, see struct code_source. @self as above. */
bool code_image_leads_to(void *self, uint64_t pc, uint64_t *ret_target);

/* What has to be added to rsp for the CFA that ORC has at @pc; false if it does not go by rsp. */
bool code_image_orc_cfa(struct code_image *im, uint64_t pc, int64_t *ret);

#endif
