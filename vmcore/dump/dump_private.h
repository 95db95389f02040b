/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What dump.c and dump_live.c open; nobody else includes this. */
#ifndef VMCORE_DUMP_DUMP_PRIVATE_H
#define VMCORE_DUMP_DUMP_PRIVATE_H

#include "vmcore/dump/dump.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/live_kernel.h"

struct dump_file; /* file.h */
struct elf_dump;
struct kdump_dump;
struct mem_device;
struct qmp_machine;

struct dump {
	struct dump_file *files; /* owned */
	size_t file_count;
	struct notes notes;
	struct dump_info info;
	struct page_source pages;
	char format[4096 + 32];	   /* a live source is named by its path */
	struct live_kernel kernel; /* of live memory but QEMU's */
	struct iomem iomem;	   /* as `kernel`; not open if it cannot be had */
	bool of_this_machine;	   /* and it is about that memory */
	uint64_t lacked;	   /* bytes of RAM that kcore did not have from the start */
	int64_t ranges_at;	   /* when dump_renew() looked last, in ms */
	char memory_note[256];	   /* info.memory_note */
	/* one of these */
	struct elf_dump *elf;
	struct kdump_dump *kdump;
	struct mem_device *device;
	struct qmp_machine *machine;
};

/* With room for @count files; closed with dump_close(). */
__attribute__((warn_unused_result)) struct err *dump_new(size_t count, struct dump **ret);

#endif
