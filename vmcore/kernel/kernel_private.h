/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What kernel_open.c fills in and kernel.c answers from; nobody else includes this. */
#ifndef VMCORE_KERNEL_KERNEL_PRIVATE_H
#define VMCORE_KERNEL_KERNEL_PRIVATE_H

#include "base/buf.h"
#include "vmcore/kernel/kernel.h"

enum {
	RELEASE_MAX = 65, /* __NEW_UTS_LEN + 1 */
	BANNER_MAX = 512,
};

struct kernel {
	struct dump *dump;     /* borrowed */
	struct memory *memory; /* borrowed */
	struct vspace space;
	struct vmcoreinfo *info; /* owned; NULL if there is none */
	char *found_text;	 /* owned: VMCOREINFO's text that was found in memory, or NULL */
	size_t found_text_len;
	struct symbols *kallsyms;     /* owned; NULL if the dump has none that can be used */
	struct symbols *elf_symbols;  /* owned; NULL if no vmlinux is in use */
	struct types *types;	      /* owned */
	struct want_answers *members; /* owned; see members.h */
	size_t proven_by;	      /* tasks that agree in what is proven without types */
	struct btf_files *btf_files;  /* owned; among what --symbols names */
	struct types_origin origin;   /* its path is owned */
	struct debug_file *file;      /* owned; NULL if no vmlinux is in use */
	char release[RELEASE_MAX];
	char banner[BANNER_MAX];
	char *build_id;		   /* owned */
	char *likely_build_id;	   /* owned; found in the image, see image_build_id.h; or NULL */
	char *debug_cache;	   /* owned; NULL if there is none */
	struct packages *packages; /* borrowed; NULL if there is nothing that takes them */
	char *command_line;	   /* owned */
	uint64_t slide;
	uint64_t found_image; /* where the image begins, if only CR3 told; else 0 */
	struct buf notes;     /* kernel_note()'s sentences, one a line */
	unsigned note_count;
};

/*
 * Types from the BTF files among what --symbols names, once they are proven to be this kernel's;
 * *ret_found is false if there are none that are. ERR_FORMAT when one that was named is of another
 * kernel; the others that do not fit are noted.
 */
__attribute__((warn_unused_result)) struct err *kernel_types_from_btf_files(struct kernel *k,
									    bool *ret_found);

#endif
