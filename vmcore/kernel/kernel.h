/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel in a dump: where its page tables, symbols and types are, and reading its structures by
 * member name. Opening one finds all of that; the walks over what it holds (CPUs, tasks) are built
 * on it in files of their own.
 */
#ifndef VMCORE_KERNEL_KERNEL_H
#define VMCORE_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/types.h"

struct arch;
struct btf_files;
struct buf;
struct dump;
struct err;
struct kernel;
struct packages;
struct vmcoreinfo;

struct kernel_options {
	const char *const *symbol_paths; /* --symbols, borrowed during the call */
	size_t symbol_path_count;
	const char *debug_cache;   /* as in struct debug_wanted; borrowed during the call */
	struct packages *packages; /* the same; borrowed, must outlive the kernel */
	/*
	 * Gets the debug file of @build_id into the cache, when the dump cannot be read without its
	 * vmlinux and none was found; may take long. An error says why it did not come. May be
	 * NULL.
	 */
	struct err *(*fetch)(void *closure, const char *build_id);
	void *fetch_closure;
	/* As in struct dump_options. */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *closure;
};

/*
 * Finds the kernel in @dump, whose pages @memory caches; both are borrowed and must outlive it.
 * ERR_NOTFOUND when a vmlinux is needed and was not found, ERR_FORMAT when a named one does not
 * fit, ERR_CORRUPT when the dump does not hold together.
 */
__attribute__((warn_unused_result)) struct err *kernel_open(struct dump *dump,
							    struct memory *memory,
							    const struct kernel_options *options,
							    struct kernel **ret);
void kernel_close(struct kernel *k);

struct dump *kernel_dump(const struct kernel *k);
/* What its code is for; never NULL. */
const struct arch *kernel_arch(const struct kernel *k);
struct memory *kernel_memory(const struct kernel *k);
/* The kernel's own address space (swapper_pg_dir). */
const struct vspace *kernel_space(const struct kernel *k);
/* NULL when the dump has none. */
const struct vmcoreinfo *kernel_vmcoreinfo(const struct kernel *k);
/* Its text, as the dump carries it or as it was found in memory; NULL if there is none. Borrowed.
 */
const char *kernel_vmcoreinfo_text(const struct kernel *k, size_t *ret_len);
struct types *kernel_types(const struct kernel *k);

/* Where they come from, where that is a file of BTF alone, and what it was proven by. */
struct types_origin {
	char *path;    /* NULL: from elsewhere. The kernel owns it */
	size_t tasks;  /* besides init_task, of which each one agreed */
	size_t layout; /* sizes and offsets that VMCOREINFO tells, too */
};
/* Borrowed. */
const struct types_origin *kernel_types_origin(const struct kernel *k);
/* Where types are not known: how many tasks agree in where the members of task_struct are; 0 if
 * that is not proven (layout_proof.h). */
size_t kernel_proven_by(const struct kernel *k);
/* The BTF files among what --symbols names, those of modules too; borrowed, NULL never. */
struct btf_files *kernel_btf_files(const struct kernel *k);
/* The symbols that answer first; NULL never. */
const struct symbols *kernel_symbols(const struct kernel *k);
/* The vmlinux in use; NULL if there is none. */
const struct debug_file *kernel_debug_file(const struct kernel *k);

/*
 * Looks for a vmlinux of this kernel, in use or not, as debug_file_find() says; the caller closes
 * it. ERR_NOTFOUND when there is none.
 */
__attribute__((warn_unused_result)) struct err *kernel_find_debug_file(const struct kernel *k,
								       const char *const *paths,
								       size_t count,
								       struct debug_file **ret);
/* What a vmlinux of this kernel is known by; the parts are borrowed. */
struct debug_wanted kernel_debug_wanted(const struct kernel *k);

const char *kernel_release(const struct kernel *k);	 /* uname -r; "" if unknown */
const char *kernel_banner(const struct kernel *k);	 /* linux_banner; "" if unknown */
const char *kernel_build_id(const struct kernel *k);	 /* hex digits; NULL if unknown */
const char *kernel_command_line(const struct kernel *k); /* NULL if unknown */
/* Run-time address of _text (the lowest text segment) and how far KASLR moved it; false if the
 * former is not known. */
bool kernel_text(const struct kernel *k, uint64_t *ret_text, uint64_t *ret_slide);
/* Seconds since 1970: VMCOREINFO's CRASHTIME, or what the file says; 0 if unknown. */
int64_t kernel_date(const struct kernel *k);

/* The run-time address of a symbol from VMCOREINFO, kallsyms or vmlinux; per-CPU symbols as the
 * kernel has them (offsets before 6.15, addresses later). */
bool kernel_symbol(const struct kernel *k, const char *name, uint64_t *ret);
/* Whose symbol holds @address; false if none does. */
bool kernel_symbol_at(const struct kernel *k, uint64_t address, struct symbol *ret);
/* As kernel_symbol(), as an ERR_NOTFOUND that says what it is needed for. */
__attribute__((warn_unused_result)) struct err *
kernel_need_symbol(const struct kernel *k, const char *name, const char *what_for, uint64_t *ret);

/* All or nothing, in the kernel's address space. */
__attribute__((warn_unused_result)) struct err *kernel_read(const struct kernel *k, uint64_t va,
							    void *out, size_t len);
/* The same past the cache and the page tables where the source can do without: see
 * memory_read_mapped(). */
__attribute__((warn_unused_result)) struct err *
kernel_read_mapped(const struct kernel *k, uint64_t va, void *out, size_t len);
__attribute__((warn_unused_result)) struct err *kernel_read_u32(const struct kernel *k, uint64_t va,
								uint32_t *ret);
__attribute__((warn_unused_result)) struct err *kernel_read_u64(const struct kernel *k, uint64_t va,
								uint64_t *ret);
/* False, and *ret untouched, if it cannot be read; for who needs no reason. */
bool kernel_get_u64(const struct kernel *k, uint64_t va, uint64_t *ret);
/*
 * The string at @va, up to its 0 or @size - 1 characters, into @out (which gets a 0 in any case).
 * Bytes up to the first that cannot be read; an error only when not even one can.
 */
__attribute__((warn_unused_result)) struct err *
kernel_read_string(const struct kernel *k, uint64_t va, char *out, size_t size);

/* Whether @member is 1 to 8 bytes long; and then its value where @bytes, as many, are what is
 * there: an integer or a pointer, a bit-field too, signed ones extended. */
bool member_is_number(const struct member *member);
uint64_t member_value(const struct member *member, const unsigned char *bytes);
/* The integer or pointer of @member in the structure at @base: 1, 2, 4 or 8 bytes, bit-fields too,
 * signed ones extended. */
__attribute__((warn_unused_result)) struct err *kernel_read_member(const struct kernel *k,
								   uint64_t base,
								   const struct member *member,
								   uint64_t *ret);
/* The same by name. */
__attribute__((warn_unused_result)) struct err *kernel_read_path(const struct kernel *k,
								 uint64_t base, const char *type,
								 const char *path, uint64_t *ret);
/* False, and *ret untouched, if @member does not exist (its size is 0) or cannot be read. */
bool kernel_get_member(const struct kernel *k, uint64_t base, const struct member *member,
		       uint64_t *ret);

/* Remembers a sentence about what is odd in this dump: shown at the start and by `monitor info`.
 * Past a hundred they are not kept. */
__attribute__((format(printf, 2, 3))) void kernel_note(struct kernel *k, const char *fmt, ...);
/* The sentences so far, one a line, borrowed; "" if there are none. */
const char *kernel_notes(const struct kernel *k);

/* How many there are now; to take back those that come later, of what is read once more. */
struct kernel_notes_mark {
	size_t len;
	unsigned count;
};
struct kernel_notes_mark kernel_notes_mark(const struct kernel *k);
void kernel_notes_rewind(struct kernel *k, const struct kernel_notes_mark *mark);

#endif
