// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unwind/code_image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86_64/names/ko_relocate.h"
#include "base/bytes.h"
#include "base/err.h"

/* Where the sections of a relocatable file are put; what it does not define is far below. */
#define SECTIONS UINT64_C(0xffffffffc0000000)
#define NOWHERE	 UINT64_C(0xffffffff80000000)

void code_image_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(2);
}

static void *must(void *memory)
{
	if (!memory)
		code_image_die("no memory");
	return memory;
}

static void open_elf(struct code_image *im, const char *path)
{
	elf_version(EV_CURRENT);
	im->fd = open(path, O_RDONLY | O_CLOEXEC);
	im->elf = im->fd < 0 ? NULL : elf_begin(im->fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!im->elf)
		code_image_die("the file cannot be read");
}

static bool is_relocatable(Elf *elf)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(elf, &header))
		code_image_die("the file has no header");
	return header.e_type == ET_REL;
}

static void lay_out(struct code_image *im)
{
	uint64_t at = SECTIONS;
	if (elf_getshdrnum(im->elf, &im->headers) != 0)
		code_image_die("the file has no sections");
	im->addresses = must(calloc(im->headers, sizeof(*im->addresses)));
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		uint64_t align;
		if (!gelf_getshdr(s, &sh) || !(sh.sh_flags & SHF_ALLOC))
			continue;
		align = sh.sh_addralign ? sh.sh_addralign : 1;
		at = (at + align - 1) / align * align;
		im->addresses[elf_ndxscn(s)] = is_relocatable(im->elf) ? at : sh.sh_addr;
		at += sh.sh_size;
	}
}

static void add_section(struct code_image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(s, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return;
	im->sections = must(realloc(im->sections, (im->section_count + 1) * sizeof(*im->sections)));
	im->sections[im->section_count++] =
		(struct code_section){ im->addresses[elf_ndxscn(s)], data->d_size, data->d_buf,
				       sh->sh_flags & SHF_EXECINSTR };
}

static void relocate(struct code_image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *entries = elf_getdata(s, NULL);
	Elf_Scn *target = elf_getscn(im->elf, sh->sh_info);
	Elf_Data *data = target ? elf_getdata(target, NULL) : NULL;
	Elf_Scn *symbols_section = elf_getscn(im->elf, sh->sh_link);
	Elf_Data *symbols = symbols_section ? elf_getdata(symbols_section, NULL) : NULL;
	if (!entries || !data || !data->d_buf || !symbols || !im->addresses[sh->sh_info])
		return;
	for (size_t i = 0; i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		if (!gelf_getrela(entries, (int)i, &r) || r.r_offset + 4 > data->d_size ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(r.r_info), &sym))
			continue;
		uint64_t value = NOWHERE;
		if (sym.st_shndx && sym.st_shndx < im->headers)
			value = im->addresses[sym.st_shndx] + sym.st_value;
		value += (uint64_t)r.r_addend;
		unsigned type = GELF_R_TYPE(r.r_info);
		uint64_t place = im->addresses[sh->sh_info] + r.r_offset;
		if (type == R_X86_64_PC32 || type == R_X86_64_PLT32)
			value -= place;
		size_t size = type == R_X86_64_64 ? 8 : 4;
		if (size <= data->d_size - r.r_offset)
			memcpy((unsigned char *)data->d_buf + r.r_offset, &value, size);
	}
}

static void add_sections(struct code_image *im)
{
	bool relocatable = is_relocatable(im->elf);
	for (Elf_Scn *s = NULL; relocatable && (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_RELA)
			relocate(im, s, &sh);
	}
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_ALLOC)
			add_section(im, s, &sh);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct code_function *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct code_function *const *)a)->name,
		      (*(struct code_function *const *)b)->name);
}

static void add_function(struct code_image *im, uint64_t start, uint64_t size, const char *name)
{
	size_t n = im->function_count;
	if (!(n & (n - 1)))
		im->functions = must(realloc(im->functions, (2 * n + 1) * sizeof(*im->functions)));
	im->functions[im->function_count++] =
		(struct code_function){ start, size, name, strstr(name, ".cold") != NULL };
}

static void add_symbols(struct code_image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(s, NULL);
	bool relocatable = is_relocatable(im->elf);
	for (size_t i = 0; data && i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Sym sym;
		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_size || !sym.st_shndx || sym.st_shndx >= im->headers)
			continue;
		add_function(im, sym.st_value + (relocatable ? im->addresses[sym.st_shndx] : 0),
			     sym.st_size, elf_strptr(im->elf, sh->sh_link, sym.st_name));
	}
}

/* A program without symbols has a table of the beginnings of what CFI is about. */
static void add_table(struct code_image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	enum { HEAD = 12, ENTRY = 8, BY_DATA = 0x3b };
	Elf_Data *data = elf_getdata(s, NULL);
	const unsigned char *bytes = data ? data->d_buf : NULL;
	if (!bytes || data->d_size < HEAD || bytes[2] != 3 || bytes[3] != BY_DATA)
		return;
	uint32_t count = get_u32(bytes + 8);
	for (uint32_t i = 0; i < count && HEAD + ENTRY * (i + 1) <= data->d_size; i++) {
		const unsigned char *entry = bytes + HEAD + ENTRY * i;
		uint64_t start = sh->sh_addr + (uint64_t)(int64_t)(int32_t)get_u32(entry);
		uint64_t fde_at = sh->sh_addr + (uint64_t)(int64_t)(int32_t)get_u32(entry + 4);
		for (size_t k = 0; k < im->section_count; k++) {
			const struct code_section *e = &im->sections[k];
			if (fde_at >= e->address && fde_at + 16 <= e->address + e->size)
				add_function(im, start,
					     get_u32(e->bytes + (fde_at - e->address) + 12), "");
		}
	}
}

static void add_functions(struct code_image *im)
{
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_SYMTAB)
			add_symbols(im, s, &sh);
	}
	size_t names;
	for (Elf_Scn *s = NULL; !im->function_count && (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && elf_getshdrstrndx(im->elf, &names) == 0 &&
		    !strcmp(elf_strptr(im->elf, names, sh.sh_name), ".eh_frame_hdr"))
			add_table(im, s, &sh);
	}
	qsort(im->functions, im->function_count, sizeof(*im->functions), by_start);
	im->by_name = must(calloc(im->function_count + 1, sizeof(*im->by_name)));
	for (size_t i = 0; i < im->function_count; i++)
		im->by_name[i] = &im->functions[i];
	qsort(im->by_name, im->function_count, sizeof(*im->by_name), by_name);
}

const struct code_section *code_image_section(const struct code_image *im, uint64_t address)
{
	for (size_t i = 0; i < im->section_count; i++) {
		const struct code_section *s = &im->sections[i];
		if (address >= s->address && address - s->address < s->size)
			return s;
	}
	return NULL;
}

struct err *code_image_read(void *self, uint64_t address, void *out, size_t len)
{
	const struct code_section *s = code_image_section(self, address);
	if (!s || len > s->size - (address - s->address))
		return err_new(ERR_MISSING, "0x%" PRIx64 " is not in the file", address);
	memcpy(out, s->bytes + (address - s->address), len);
	return NULL;
}

/* Entries begin with two distances from themselves, or, of static branches until 4.18, with two
 * addresses. */
static void add_leads(struct code_image *im, uint64_t start, uint64_t end, unsigned entry)
{
	for (uint64_t at = start; at + entry <= end; at += entry) {
		unsigned char raw[24];
		struct err *e = code_image_read(im, at, raw, entry);
		bool read = !e;
		err_free(e);
		if (!read)
			return;
		uint64_t from = at + (uint64_t)(int64_t)(int32_t)get_u32(raw);
		uint64_t to = at + 4 + (uint64_t)(int64_t)(int32_t)get_u32(raw + 4);
		if (entry == 24) {
			from = get_u64(raw);
			to = get_u64(raw + 8);
		}
		if (!map_put(&im->leads, from, to))
			code_image_die("no memory");
	}
}

static uint64_t find_label(Elf *elf, const char *name)
{
	for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
		GElf_Shdr sh;
		GElf_Sym sym;
		Elf_Data *data;
		if (!gelf_getshdr(s, &sh) || sh.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(s, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++)
			if (!strcmp(elf_strptr(elf, sh.sh_link, sym.st_name), name))
				return sym.st_value;
	}
	return 0;
}

/* Three addresses, or two distances and one address. */
static unsigned jump_entry_bytes(struct code_image *im, uint64_t table)
{
	unsigned char raw[8];
	struct err *e = code_image_read(im, table, raw, sizeof(raw));
	bool read = !e;
	err_free(e);
	const struct code_section *s = read ? code_image_section(im, get_u64(raw)) : NULL;
	return s && s->code ? 24 : 16;
}

/* struct jump_entry (include/linux/jump_label.h), struct exception_table_entry
 * (arch/x86/include/asm/extable.h): 8 bytes until 4.5, 12 from then on. */
static void add_kernel_leads(struct code_image *im)
{
	uint64_t start = find_label(im->elf, "__start___jump_table"), names_at, end;
	size_t names;
	if (start)
		add_leads(im, start, find_label(im->elf, "__stop___jump_table"),
			  jump_entry_bytes(im, start));
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (!gelf_getshdr(s, &sh) || elf_getshdrstrndx(im->elf, &names) != 0)
			continue;
		const char *name = elf_strptr(im->elf, names, sh.sh_name);
		names_at = im->addresses[elf_ndxscn(s)];
		end = names_at + sh.sh_size;
		if (!strcmp(name, "__jump_table") && !start)
			add_leads(im, names_at, end, jump_entry_bytes(im, names_at));
		else if (!strcmp(name, "__ex_table"))
			add_leads(im, names_at, end, sh.sh_size % 12 ? 8 : 12);
	}
}

static void find_orc_tables(struct code_image *im)
{
	size_t names;
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (!gelf_getshdr(s, &sh) || elf_getshdrstrndx(im->elf, &names) != 0)
			continue;
		const char *name = elf_strptr(im->elf, names, sh.sh_name);
		uint64_t address = im->addresses[elf_ndxscn(s)];
		if (!strcmp(name, ".orc_unwind_ip")) {
			im->orc_ip = address;
			im->orc_count = sh.sh_size / 4;
		} else if (!strcmp(name, ".orc_unwind")) {
			im->orc = address;
		}
	}
	const struct code_section *s = code_image_section(im, im->orc);
	if (!im->orc || !im->orc_ip || !s ||
	    !orc_format_guess(s->bytes + (im->orc - s->address), im->orc_count, &im->orc_format))
		im->orc_count = 0;
}

bool code_image_orc_cfa(struct code_image *im, uint64_t pc, int64_t *ret)
{
	uint64_t best = 0, best_start = 0;
	struct orc_entry entry;
	unsigned char raw[ORC_RAW_BYTES];
	/* A module's is not in order. */
	for (uint64_t i = 0; i < im->orc_count; i++) {
		unsigned char ip[4];
		uint64_t at = im->orc_ip + 4 * i;
		struct err *e = code_image_read(im, at, ip, sizeof(ip));
		if (e) {
			err_free(e);
			return false;
		}
		uint64_t start = at + (uint64_t)(int64_t)(int32_t)get_u32(ip);
		if (start <= pc && start >= best_start) {
			best_start = start;
			best = i;
		}
	}
	struct err *e =
		best_start ? code_image_read(im, im->orc + sizeof(raw) * best, raw, sizeof(raw))
			   : err_new(ERR_MISSING, "no entry");
	bool read = !e;
	err_free(e);
	if (!read || !orc_decode(im->orc_format, raw, &entry) || entry.type != ORC_CALL ||
	    entry.sp != ORC_SP)
		return false;
	*ret = entry.sp_offset;
	return true;
}

bool code_image_leads_to(void *self, uint64_t pc, uint64_t *ret_target)
{
	const struct code_image *im = self;
	return map_get(&im->leads, pc, ret_target);
}

static bool is_frame_section(const char *name, const void *closure)
{
	(void)closure;
	return !strcmp(name, ".debug_frame");
}

static void open_cfi(struct code_image *im)
{
	Elf *elf = im->elf;
	if (is_relocatable(elf)) {
		struct err *e =
			ko_relocate(elf, im->addresses, im->headers, is_frame_section, NULL);
		if (e)
			code_image_die(err_msg(e));
	}
	im->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	im->cfi = im->dwarf ? dwarf_getcfi(im->dwarf) : NULL;
	im->own_cfi = !im->cfi;
	if (!im->cfi)
		im->cfi = dwarf_getcfi_elf(im->elf);
	if (!im->cfi || !im->function_count)
		code_image_die("the file has no CFI or no functions");
}

const struct code_function *code_image_function(const struct code_image *im, uint64_t pc)
{
	size_t low = 0, high = im->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (im->functions[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	const struct code_function *f = low ? &im->functions[low - 1] : NULL;
	while (f && f > im->functions && f[-1].start == f->start)
		f--;
	return f && pc - f->start < f->size ? f : NULL;
}

void code_image_open(const char *path, struct code_image *ret)
{
	*ret = (struct code_image){ .leads = MAP_INIT };
	open_elf(ret, path);
	lay_out(ret);
	add_sections(ret);
	add_functions(ret);
	add_kernel_leads(ret);
	find_orc_tables(ret);
	open_cfi(ret);
}

void code_image_close(struct code_image *im)
{
	if (im->own_cfi)
		dwarf_cfi_end(im->cfi);
	dwarf_end(im->dwarf);
	elf_end(im->elf);
	close(im->fd);
	map_free(&im->leads);
	free(im->addresses);
	free(im->sections);
	free(im->functions);
	free(im->by_name);
}
