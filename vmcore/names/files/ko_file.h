/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A module's file (.ko, .ko.debug), as its sections lie in a running kernel: what they hold is
 * relocated in memory by the addresses where the loader put them. Every file is an enemy's.
 */
#ifndef VMCORE_NAMES_FILES_KO_FILE_H
#define VMCORE_NAMES_FILES_KO_FILE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct ko_file;

/* Where the @nth (from 0) section called @name lies; false if it is not in memory. */
typedef bool ko_place(void *closure, const char *name, unsigned nth, uint64_t *ret);

/* A section that is loaded, or would be (SHF_ALLOC). */
struct ko_section {
	const char *name; /* borrowed from the file */
	unsigned index;	  /* of its section header */
	uint64_t size;	  /* in bytes */
	uint64_t align;
	bool code, writable;
	bool loaded; /* the kernel has it in memory */
	/* Run-time address; of one that is not loaded, an address that no x86-64 CPU has
	 * (KO_NOWHERE and up), a different one for each. */
	uint64_t address;
};

/* Not canonical. */
#define KO_NOWHERE UINT64_C(0x8000000000000000)

/*
 * Reads the section headers of the file open as @fd (borrowed; must stay open), called @path in
 * messages (copied). @place is asked once for every SHF_ALLOC section, in their order. ERR_FORMAT
 * when it is no x86-64 relocatable ELF file or is damaged.
 */
__attribute__((warn_unused_result)) struct err *
ko_file_open(int fd, const char *path, ko_place *place, void *closure, struct ko_file **ret);
void ko_file_close(struct ko_file *f);

/* Whether the file was cut off or written since: what it says is not to be believed. */
bool ko_file_is_bad(const struct ko_file *f);

/* All SHF_ALLOC sections in the order of section headers; borrowed. */
const struct ko_section *ko_file_sections(const struct ko_file *f, size_t *ret_count);

/*
 * The file's DWARF with all of its sections relocated, made when it is first asked for (50 ms for
 * kvm.ko) and kept; a failure is kept as well. Borrowed. ERR_NOTFOUND when there is none,
 * ERR_UNSUPPORTED when it is compressed in a way that libelf cannot undo, ERR_FORMAT.
 */
__attribute__((warn_unused_result)) struct err *ko_file_dwarf(struct ko_file *f, Dwarf **ret);

/* Its .debug_frame (if *ret_debug_frame is not NULL) and .eh_frame, which alone are relocated for
 * this. Both may be NULL. Borrowed. */
void ko_file_cfi(struct ko_file *f, Dwarf_CFI **ret_debug_frame, Dwarf_CFI **ret_eh_frame);

/* The ELF file that these come from; NULL if there is neither. Borrowed. */
Elf *ko_file_cfi_elf(const struct ko_file *f);

/* Adds the relocated bytes of the first section called @name to @out and gives the section's
 * run-time address. ERR_NOTFOUND if there is none that is loaded and has bytes in the file. */
__attribute__((warn_unused_result)) struct err *
ko_file_section_bytes(struct ko_file *f, const char *name, struct buf *out, uint64_t *ret_address);

#endif
