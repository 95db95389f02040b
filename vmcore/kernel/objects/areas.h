/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Areas of virtual memory: the kernel's own (vmalloc and its like), and those of processes. */
#ifndef VMCORE_KERNEL_OBJECTS_AREAS_H
#define VMCORE_KERNEL_OBJECTS_AREAS_H

#include <stdbool.h>
#include <stdint.h>

struct kernel;

struct kernel_area {
	uint64_t start, end; /* [start, end) */
	uint64_t vm;	     /* vm_struct; 0 if it has none */
	uint64_t caller;     /* who asked for it: an address of code; 0 if unknown */
};

/*
 * The area of vmalloc, vmap, ioremap and modules that holds @address (mm/vmalloc.c): in the tree at
 * vmap_area_root, or since 6.9 in those of vmap_nodes. False if there is none, or types or symbols
 * are not known.
 */
bool kernel_area_find(const struct kernel *k, uint64_t address, struct kernel_area *ret);

enum { AREA_FILE_MAX = 255 };

struct user_area {
	uint64_t vma; /* vm_area_struct */
	uint64_t start, end, flags;
	uint64_t file;			   /* struct file; 0 if it is none's */
	char file_name[AREA_FILE_MAX + 1]; /* the last part of its path; "" if unknown */
	uint64_t file_offset;		   /* of start, in bytes */
};

/*
 * The area of the process with the mm_struct at @mm that holds @address: in mm_rb, or since 6.1 in
 * the maple tree mm_mt (lib/maple_tree.c). False as above.
 */
bool user_area_find(const struct kernel *k, uint64_t mm, uint64_t address, struct user_area *ret);

#endif
