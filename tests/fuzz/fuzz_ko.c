// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a module's file, which may be compressed: its sections, CFI and tables, relocated;
 * what its DWARF says of places in them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "unwind/cfi_check.h"
#include "vmcore/code/code_path.h"
#include "vmcore/names/debug_sections.h"
#include "vmcore/names/files/ko_file.h"
#include "vmcore/names/files/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PLACES_MAX = 16,
	UNPACKED_MAX = 2 << 20, /* of files of some KiB */
};

/* Every other section is in memory. */
static bool place(void *closure, const char *name, unsigned nth, uint64_t *ret)
{
	unsigned *count = closure;
	(void)nth;
	*ret = UINT64_C(0xffffffffc0000000) + 0x1000 * (uint64_t)*count + (uint8_t)*name;
	return (*count)++ % 2 == 0;
}

static void check_sections(const struct ko_file *f)
{
	size_t count;
	const struct ko_section *s = ko_file_sections(f, &count);
	for (size_t i = 0; i < count; i++)
		if (s[i].loaded != (s[i].address >= UINT64_C(0xffffffffc0000000)))
			abort();
}

/* Rows for the beginnings of its sections, from CFI that was checked. */
static void find_rows(const struct ko_file *f, Dwarf_CFI *cfi)
{
	size_t count;
	const struct ko_section *s = ko_file_sections(f, &count);
	for (size_t i = 0; i < count && i < PLACES_MAX; i++) {
		Dwarf_Frame *row;
		if (dwarf_cfi_addrframe(cfi, s[i].address, &row) == 0)
			free(row);
	}
}

static void find_paths(const struct ko_file *f, Dwarf *dwarf)
{
	size_t count;
	const struct ko_section *s = ko_file_sections(f, &count);
	for (size_t i = 0; i < count && i < PLACES_MAX; i++) {
		struct code_path path;
		if (code_path_find(dwarf, 0, s[i].address, &path) && path.depth > CODE_PATH_MAX)
			abort();
	}
}

static void use(struct ko_file *f)
{
	static const char *const tables[] = { ".orc_unwind", ".orc_unwind_ip" };
	Dwarf_CFI *debug_frame, *eh_frame;
	Dwarf *dwarf;
	const char *why;
	check_sections(f);
	ko_file_cfi(f, &debug_frame, &eh_frame);
	if (debug_frame && cfi_check_elf(ko_file_cfi_elf(f), ".debug_frame", &why))
		find_rows(f, debug_frame);
	if (eh_frame && cfi_check_elf(ko_file_cfi_elf(f), ".eh_frame", &why))
		find_rows(f, eh_frame);
	for (size_t i = 0; i < 2; i++) {
		struct buf out = BUF_INIT;
		uint64_t address;
		err_free(ko_file_section_bytes(f, tables[i], &out, &address));
		buf_free(&out);
	}
	struct err *e = ko_file_dwarf(f, &dwarf);
	if (!e)
		find_paths(f, dwarf);
	err_free(e);
}

static void use_file(int fd)
{
	struct ko_file *f;
	unsigned count = 0;
	struct err *e = ko_file_open(fd, "a module", place, &count, &f);
	if (!e) {
		use(f);
		ko_file_close(f);
	}
	err_free(e);
}

static void check_debug_sections(int fd)
{
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf)
		err_free(debug_sections_check(elf));
	elf_end(elf);
}

/* As the file itself, or as one that it unpacks to. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat st;
	int unpacked, fd = memfd_create("ko", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	struct err *e = unpack_file(fd, UNPACK_MODULE_MAX, &unpacked);
	if (!e && unpacked >= 0) {
		if (fstat(unpacked, &st) || (uint64_t)st.st_size > UNPACKED_MAX)
			abort();
		close(fd);
		fd = unpacked;
	}
	err_free(e);
	use_file(fd);
	check_debug_sections(fd);
	close(fd);
	return 0;
}
