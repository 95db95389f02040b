// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbols from the .symtab of a vmlinux (System V gABI, chapter 4, "Symbol Table"). */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/symbols.h"

/* A file being read. */
struct elf_symbols {
	Elf *elf;
	GElf_Shdr *sections; /* owned; by section number */
	size_t section_count;
	uint64_t slide;
	struct symbols *symbols;
};

static struct err *elf_error(const char *what)
{
	return err_new(ERR_FORMAT, "%s: %s", what, elf_errmsg(-1));
}

static struct err *read_sections(struct elf_symbols *r)
{
	if (elf_getshdrnum(r->elf, &r->section_count))
		return elf_error("section headers");
	r->sections = calloc(r->section_count + 1, sizeof(*r->sections));
	if (!r->sections)
		return err_nomem();
	for (size_t i = 0; i < r->section_count; i++) {
		Elf_Scn *scn = elf_getscn(r->elf, i);
		if (!scn || !gelf_getshdr(scn, &r->sections[i]))
			return elf_error("section header");
	}
	return NULL;
}

/* The letter of nm(1); 0 for a symbol that is no place. */
static char type_letter(const GElf_Sym *sym, const GElf_Shdr *section)
{
	bool global = GELF_ST_BIND(sym->st_info) != STB_LOCAL;
	char letter;
	if (!section)
		letter = 'a';
	else if (!(section->sh_flags & SHF_ALLOC))
		return 0;
	else if (GELF_ST_BIND(sym->st_info) == STB_WEAK)
		return GELF_ST_TYPE(sym->st_info) == STT_OBJECT ? 'V' : 'W';
	else if (section->sh_flags & SHF_EXECINSTR)
		letter = 't';
	else if (section->sh_type == SHT_NOBITS)
		letter = 'b';
	else
		letter = section->sh_flags & SHF_WRITE ? 'd' : 'r';
	return (char)(global ? letter - 'a' + 'A' : letter);
}

/* The section of a symbol, NULL for an absolute one; false when it is defined nowhere. */
static bool section_of(const struct elf_symbols *r, const GElf_Sym *sym, uint32_t extended,
		       const GElf_Shdr **ret)
{
	size_t index = sym->st_shndx == SHN_XINDEX ? extended : sym->st_shndx;
	if (sym->st_shndx == SHN_ABS) {
		*ret = NULL;
		return true;
	}
	if (index == SHN_UNDEF || index >= r->section_count ||
	    (sym->st_shndx >= SHN_LORESERVE && sym->st_shndx != SHN_XINDEX))
		return false;
	*ret = &r->sections[index];
	return true;
}

/* Up to 6.14 the per-CPU section is linked at 0, and its symbols are offsets, which KASLR does not
 * move. The linker also puts symbols into it that are addresses (__per_cpu_load). */
static bool is_per_cpu_offset(const GElf_Sym *sym, const GElf_Shdr *section)
{
	return !section->sh_addr && sym->st_value <= section->sh_size;
}

/* Functions and objects answer for an address rather than labels, those with a size rather than
 * those without. */
static unsigned weight_of(const GElf_Sym *sym)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	return (type == STT_FUNC || type == STT_OBJECT ? 2U : 0U) + (sym->st_size != 0);
}

static struct err *add_symbol(struct elf_symbols *r, const GElf_Sym *sym, uint32_t extended,
			      const char *name)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	const GElf_Shdr *section;
	if (!name || !*name || type == STT_FILE || type == STT_SECTION || type == STT_TLS ||
	    !section_of(r, sym, extended, &section))
		return NULL;
	struct symbol s = {
		.name = name,
		.address = sym->st_value,
		.size = sym->st_size,
		.type = type_letter(sym, section),
	};
	if (!s.type)
		return NULL;
	if (section && !is_per_cpu_offset(sym, section))
		s.address += r->slide;
	return symbols_add(r->symbols, &s, strlen(name), weight_of(sym));
}

static struct err *read_table(struct elf_symbols *r, size_t number)
{
	const GElf_Shdr *header = &r->sections[number];
	Elf_Data *table = elf_getdata(elf_getscn(r->elf, number), NULL);
	if (!table || !header->sh_entsize)
		return elf_error("symbol table");
	Elf_Data *extended = NULL;
	for (size_t i = 0; i < r->section_count && !extended; i++)
		if (r->sections[i].sh_type == SHT_SYMTAB_SHNDX && r->sections[i].sh_link == number)
			extended = elf_getdata(elf_getscn(r->elf, i), NULL);
	struct err *e = NULL;
	size_t count = table->d_size / header->sh_entsize;
	for (size_t i = 1; i < count && !e; i++) {
		GElf_Sym sym;
		Elf32_Word index = 0;
		if (!gelf_getsymshndx(table, extended, (int)i, &sym, &index))
			return elf_error("symbol");
		e = add_symbol(r, &sym, index, elf_strptr(r->elf, header->sh_link, sym.st_name));
	}
	return e;
}

static struct err *read_elf(struct elf_symbols *r)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(r->elf, &header))
		return elf_error("no ELF file");
	if (header.e_type == ET_REL)
		return err_new(ERR_FORMAT, "it is relocatable: its symbols have no addresses yet");
	struct err *e = read_sections(r);
	for (size_t i = 0; i < r->section_count && !e; i++)
		if (r->sections[i].sh_type == SHT_SYMTAB)
			e = read_table(r, i);
	if (!e && !symbols_count(r->symbols))
		e = err_new(ERR_NOTFOUND, "it has no symbol table");
	return e ? e : symbols_finish(r->symbols);
}

struct err *symbols_from_elf(int fd, const char *path, uint64_t slide, struct symbols **ret)
{
	elf_version(EV_CURRENT);
	struct elf_symbols r = { .slide = slide };
	struct err *e = symbols_new("symtab", 0, &r.symbols);
	if (e)
		return e;
	r.elf = elf_guard_begin(fd, ELF_C_READ_MMAP, path);
	e = r.elf ? read_elf(&r) : elf_error("open");
	if (!e)
		e = elf_guard_check(r.elf);
	elf_guard_end(r.elf);
	free(r.sections);
	if (e) {
		symbols_free(r.symbols);
		return err_wrap(e, "symbols of %s", path);
	}
	*ret = r.symbols;
	return NULL;
}
