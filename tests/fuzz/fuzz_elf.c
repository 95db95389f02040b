// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as a vmlinux: taken for the wanted one, its symbols, sections and types, its CFI, what
 * DWARF says of places in its code, and what is put right in it when it is served.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/files/frame_cure.h"
#include "server/files/image_cure.h"
#include "server/files/overlay.h"
#include "tests/fuzz/require.h"
#include "unwind/cfi_check.h"
#include "vmcore/code/code_path.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/elf_reduce.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/btf.h"
#include "vmcore/names/types/dwarf_file.h"
#include "vmcore/names/types/dwarf_to_btf.h"
#include "vmcore/names/types/types.h"

/* What a part of it tells, the whole tells the same. */
static void ask_early(int fd, size_t size)
{
	char *whole, *part;
	bool told = elf_early_build_id(fd, size, &whole);
	REQUIRE(told || !whole);
	if (elf_early_build_id(fd, size / 2, &part))
		REQUIRE(told && !part == !whole && (!part || !strcmp(part, whole)));
	else
		REQUIRE(!part);
	free(part);
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20, PLACES_MAX = 8, SLIDE = 0x2000000 };

/* Some addresses that the file's symbols name, ascending and each once. */
struct places {
	uint64_t list[PLACES_MAX];
	size_t count;
};

static void ask_symbols(int fd, struct places *ret)
{
	static const char *const names[] = { "_text", "_stext", "linux_banner", "schedule" };
	uint64_t values[4];
	struct symbols *s;
	*ret = (struct places){ .count = 0 };
	REQUIRE(!(elf_symbol_values(fd, names, 4, values) >> 4));
	struct err *e = symbols_from_elf(fd, "a vmlinux", SLIDE, &s);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t i = 0; i < symbols_count(s); i++) {
		struct symbol symbol = symbols_nth(s, i), other;
		REQUIRE(symbols_get(s, symbol.name, &other));
		REQUIRE(!symbols_at(s, symbol.address, &other) || other.address <= symbol.address);
		uint64_t at = symbol.address - SLIDE;
		if (ret->count < PLACES_MAX && (!ret->count || ret->list[ret->count - 1] < at))
			ret->list[ret->count++] = at;
	}
	symbols_free(s);
}

static void ask_types(const struct debug_file *file)
{
	static const char *const names[] = { "sample", "task_struct", "outer", "pair", "int" };
	static const char *const paths[] = { "a", "b[1].c", "bits", "thread.sp", "x[99999999]" };
	struct types *types;
	struct err *e = debug_file_types(file, &types);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t size;
		int64_t value;
		struct member member;
		err_free(types_size(types, names[i], &size));
		err_free(types_enumerator(types, names[i], "ONE", &value));
		for (size_t j = 0; j < sizeof(paths) / sizeof(*paths); j++)
			err_free(types_member(types, names[i], paths[j], &member));
	}
	types_free(types);
}

/* ---- DWARF ---- */

/* As vmcore/code/code_variables.c and code_scopes.c ask. */
static void ask_scope(Dwarf_Die *scope, uint64_t pc)
{
	Dwarf_Attribute attribute;
	Dwarf_Die child;
	Dwarf_Op *ops;
	size_t count;
	if (dwarf_child(scope, &child) == 0 &&
	    dwarf_attr_integrate(&child, DW_AT_location, &attribute))
		(void)dwarf_getlocation_addr(&attribute, pc, &ops, &count, 1);
	(void)dwarf_diename(scope);
}

/* What is converted has to be sound: alone, and as what a module's would build on. */
static void convert_types(Dwarf *dwarf, int fd)
{
	struct dwarf_to_btf *base = NULL, *split = NULL;
	struct buf first = BUF_INIT, second = BUF_INIT;
	struct btf *b = NULL, *s = NULL;
	struct err *e = dwarf_to_btf(dwarf, NULL, &first, &base);
	if (!e) {
		REQUIRE(!btf_parse(first.data, first.len, NULL, &b));
		REQUIRE(!btf_is_split(first.data, first.len));
		e = dwarf_to_btf(dwarf, base, &second, &split);
	}
	if (!e) {
		REQUIRE(!btf_parse(second.data, second.len, b, &s));
		int out = memfd_create("reduced", MFD_CLOEXEC);
		if (out >= 0) {
			err_free(elf_reduce(fd, &first, out));
			close(out);
		}
	}
	err_free(e);
	btf_free(s);
	btf_free(b);
	dwarf_to_btf_free(split);
	dwarf_to_btf_free(base);
	buf_free(&second);
	buf_free(&first);
}

static void ask_dwarf(int fd, const struct places *places)
{
	struct dwarf_file *file;
	struct err *e = dwarf_file_open(fd, "a vmlinux", &file);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t i = 0; i < places->count; i++) {
		struct code_path path;
		if (!code_path_find(dwarf_file_dwarf(file), SLIDE, places->list[i] + SLIDE, &path))
			continue;
		REQUIRE(path.depth <= CODE_PATH_MAX && path.pc == places->list[i]);
		for (size_t n = 0; n < path.depth; n++)
			ask_scope(&path.list[n], path.pc);
	}
	convert_types(dwarf_file_dwarf(file), fd);
	dwarf_file_close(file);
}

static void find_rows(Dwarf_CFI *cfi, const struct places *places)
{
	for (size_t i = 0; cfi && i < places->count; i++) {
		Dwarf_Frame *row;
		if (dwarf_cfi_addrframe(cfi, places->list[i], &row) == 0)
			free(row);
	}
}

/* As vmcore/code/cfi_files.c: what cfi_check() refuses is not looked at. */
static void ask_cfi(int fd, const struct places *places)
{
	const char *why;
	Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	Dwarf *dwarf = elf ? dwarf_begin_elf(elf, DWARF_C_READ, NULL) : NULL;
	if (dwarf && cfi_check_elf(elf, ".debug_frame", &why))
		find_rows(dwarf_getcfi(dwarf), places);
	if (elf && cfi_check_elf(elf, ".eh_frame", &why)) {
		Dwarf_CFI *cfi = dwarf_getcfi_elf(elf);
		find_rows(cfi, places);
		dwarf_cfi_end(cfi);
	}
	dwarf_end(dwarf);
	elf_end(elf);
}

/* ---- what is served ---- */

/* What is put right is still the same file: patches lie in it, and it is cured once. */
static void ask_cure(int fd, const uint8_t *data, size_t size, const struct places *places)
{
	struct overlay overlay = OVERLAY_INIT;
	err_free(image_cure(fd, &overlay));
	REQUIRE(overlay_end(&overlay) <= size);
	err_free(frame_cure(fd, places->list, places->count, &overlay));
	REQUIRE(overlay_end(&overlay) <= size);
	uint8_t *copy = malloc(size ? size : 1);
	if (copy) {
		memcpy(copy, data, size);
		overlay_apply(&overlay, 0, copy, size);
	}
	free(copy);
	overlay_free(&overlay);
}

static void ask_sections(int fd)
{
	static const char *const names[] = { ".BTF", ".notes", ".orc_unwind", "" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct buf bytes = BUF_INIT;
		err_free(elf_section_bytes(fd, names[i], &bytes));
		buf_free(&bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct debug_wanted wanted = { .release = NULL };
	struct debug_file *file;
	struct elf_identity id;
	struct places places;
	char path[32];
	int fd = memfd_create("vmlinux", MFD_CLOEXEC);
	if (size > FILE_MAX || fd < 0 || write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct err *e = elf_identify(fd, &id);
	if (!e)
		elf_identity_free(&id);
	err_free(e);
	ask_early(fd, size);
	ask_symbols(fd, &places);
	e = debug_file_open(path, &wanted, &file);
	if (!e) {
		ask_types(file);
		debug_file_close(file);
		ask_dwarf(fd, &places);
		ask_cfi(fd, &places);
	}
	err_free(e);
	ask_sections(fd);
	ask_cure(fd, data, size, &places);
	close(fd);
	return 0;
}
