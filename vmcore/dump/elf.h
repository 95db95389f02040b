/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF vmcores: /proc/vmcore and copies of it, makedumpfile -E, QEMU's dump-guest-memory.
 *
 * Their pages are read here and not by libkdumpfile, which makes zeros of what it does not have: of
 * the rest of a page that a segment ends in, of what lies behind the end of a cut file, of what
 * makedumpfile left out (p_filesz < p_memsz). Worse, where segments overlap in physical memory, as
 * the one of the kernel's text and the one of the memory around it do in every kdump, it takes
 * either, depending on what was read before; so no check from outside can say which pages of it
 * to trust.
 */
#ifndef VMCORE_DUMP_ELF_H
#define VMCORE_DUMP_ELF_H

#include <stddef.h>
#include <stdint.h>

#include "vmcore/dump/dump.h"

struct arch;
struct dump_file;
struct dump_parts; /* source.h */
struct pa_range;   /* vmcore/memory/ranges.h */
struct notes;
struct elf_dump;

/* A PT_LOAD or PT_NOTE segment: the members of Elf64_Phdr that matter. */
struct elf_segment {
	uint64_t offset; /* p_offset */
	uint64_t vaddr;	 /* p_vaddr */
	uint64_t paddr;	 /* p_paddr */
	uint64_t filesz; /* p_filesz, at most memsz for PT_LOAD */
	uint64_t memsz;	 /* p_memsz */
};

/* What the headers say, all of it checked. */
struct elf_headers {
	const struct arch *arch;   /* NULL: they do not say */
	struct elf_segment *loads; /* owned; paddr + memsz does not overflow */
	struct elf_segment *notes; /* owned; offset + filesz does not overflow */
	/* Owned: the PT_LOADs at addresses of the kernel's half, those without a physical address
	 * among them (vmalloc's memory in /proc/kcore); neither end overflows. */
	struct elf_segment *mapped;
	size_t load_count, note_count, mapped_count;
	bool incomplete; /* makedumpfile ran out of room (DUMP_ELF_INCOMPLETE in e_flags) */
};

/*
 * Reads and checks the ELF header and the program headers. ERR_FORMAT for what is no ELF core
 * file or has headers that make no sense, ERR_UNSUPPORTED for other architectures.
 * Of a @kcore, segments that are larger than physical memory can be are left out, no error.
 */
__attribute__((warn_unused_result)) struct err *elf_check(const struct dump_file *f, bool kcore,
							  struct elf_headers *ret);
void elf_headers_free(struct elf_headers *h);

/*
 * Opens the ELF dump @f, which is borrowed and must outlive the result. Adds to @notes, and fills
 * what of @info comes from the headers and the pages.
 */
__attribute__((warn_unused_result)) struct err *
elf_dump_open(const struct dump_file *f, const struct dump_options *options, struct notes *notes,
	      struct dump_info *info, struct elf_dump **ret);
/*
 * The same by @headers, which elf_check() has read of @f as of a kcore: memory can be read by the
 * kernel's own addresses, too (read_mapped() of the pages).
 */
__attribute__((warn_unused_result)) struct err *
elf_dump_open_mapped(const struct elf_headers *headers, const struct dump_file *f,
		     const struct dump_options *options, struct notes *notes,
		     struct dump_info *info, struct elf_dump **ret);
/* Takes @headers, read again after memory has come or gone, in place of those it has, but what is
 * not in the @count sorted and disjoint ranges at @ram; NULL: all. An error leaves all as it was.
 */
__attribute__((warn_unused_result)) struct err *
elf_dump_renew(struct elf_dump *d, const struct elf_headers *headers, const struct pa_range *ram,
	       size_t count, struct dump_info *info);
/* How many bytes of whole pages of the @count ranges at @ram it does not have. */
uint64_t elf_dump_lacks(const struct elf_dump *d, const struct pa_range *ram, size_t count);
void elf_dump_close(struct elf_dump *d);

struct page_source elf_dump_pages(struct elf_dump *d);

/* As elf_dump_open(), as a source; what an error leaves of @parts is to be freed. */
__attribute__((warn_unused_result)) struct err *elf_dump_source(const struct dump_file *f,
								const struct dump_options *options,
								struct dump_parts *parts);

/* The same by @headers, of which nothing is kept: of a file that says otherwise where memory is. */
__attribute__((warn_unused_result)) struct err *
elf_dump_source_of(const struct elf_headers *headers, const struct dump_file *f,
		   const struct dump_options *options, struct dump_parts *parts);

/* "AArch64" and so on, for the e_machine of another architecture's dump; NULL if unknown. */
const char *elf_machine_name(unsigned machine);

#endif
