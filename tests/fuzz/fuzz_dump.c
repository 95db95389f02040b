// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A dump of random bytes: what it is, its headers, notes, flattened form and, if all of that is in
 * order, its pages.
 *
 * A fuzzer leaves libkdumpfile out, because it leaves memory behind with every file of some
 * versions, and its own faults are not ours; in `make check` it is in.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/flatten.h"
#include "vmcore/dump/identify.h"
#include "vmcore/dump/kdump.h"
#include "vmcore/dump/kdump_pages.h"
#include "vmcore/dump/notes.h"
#include "vmcore/memory/memory.h"

enum { PAGES_READ = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct dump_options options;

/* Reads some pages, where there are any, and walks over what they hold as page tables. */
static void use_pages(const struct page_source *pages)
{
	struct memory *m;
	struct err *e = memory_new(pages, 8 * PAGE_SIZE, &m);
	if (e) {
		err_free(e);
		return;
	}
	uint64_t pfn = 0;
	for (unsigned i = 0; i < PAGES_READ && memory_next_page(m, pfn, &pfn); i++, pfn++) {
		uint8_t page[PAGE_SIZE + 1];
		size_t done;
		err_free(memory_read_phys(m, pfn << PAGE_SHIFT, page, sizeof(page), &done));
		const struct vspace space = { .root = pfn << PAGE_SHIFT, .levels = 4 + i % 2 };
		struct vtop t;
		uint64_t next;
		err_free(memory_vtop(m, &space, pfn * 0x1234567, &t));
		memory_next(m, &space, 0, &next);
	}
	memory_free(m);
}

static void try_elf(const struct dump_file *f)
{
	struct notes notes = NOTES_INIT;
	struct dump_info info = { 0 };
	struct elf_dump *d;
	struct err *e = elf_dump_open(f, &options, &notes, &info, &d);
	if (!e) {
		const struct page_source pages = elf_dump_pages(d);
		use_pages(&pages);
		elf_dump_close(d);
	}
	err_free(e);
	notes_free(&notes);
}

static void read_kdump_pages(const struct dump_file *f, const struct kdump_header *h)
{
	struct kdump_pages *p;
	struct err *e = kdump_pages_open(f, h, 1, &p);
	if (e) {
		err_free(e);
		return;
	}
	uint64_t pfn = 0;
	for (unsigned i = 0; i < PAGES_READ && kdump_pages_next(p, pfn, &pfn); i++, pfn++) {
		uint8_t page[PAGE_SIZE];
		err_free(kdump_pages_read(p, pfn, page));
		err_free(kdump_pages_read(p, pfn ^ 1, page));
	}
	kdump_pages_free(p);
}

static void try_kdump(const struct dump_file *f)
{
	struct kdump_header h;
	struct notes notes = NOTES_INIT;
	struct err *e = kdump_check(f, &h);
	if (!e)
		e = kdump_check_set(f, &h, 1);
	if (!e) {
		read_kdump_pages(f, &h);
		e = notes_read(&notes, f, h.notes.offset, h.notes.len, &options);
	}
	if (!e)
		e = notes_find_vmcoreinfo(&notes);
	err_free(e);
	notes_free(&notes);
}

static void try_parts(const char *path)
{
	struct dump_file f = DUMP_FILE_INIT;
	enum dump_kind kind;
	struct err *e = dump_file_open(path, &f);
	if (!e)
		e = dump_identify(&f, &kind);
	if (!e && kind == DUMP_FLATTENED) {
		e = flatten_undo(&f, &options);
		if (!e)
			e = dump_identify(&f, &kind);
	}
	if (!e && kind == DUMP_ELF)
		try_elf(&f);
	if (!e && kind == DUMP_KDUMP)
		try_kdump(&f);
	err_free(e);
	dump_file_close(&f);
}

#ifndef FUZZING
static void try_whole(const char *path)
{
	struct dump *d;
	struct err *e = dump_open(&path, 1, &options, &d);
	if (!e) {
		use_pages(dump_pages(d));
		dump_close(d);
	}
	err_free(e);
}
#else
#define try_whole(path) ((void)(path))
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[32];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	try_parts(path);
	try_whole(path);
	close(fd);
	return 0;
}
