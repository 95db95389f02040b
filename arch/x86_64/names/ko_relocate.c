// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/names/ko_relocate.h"

#include <gelf.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"

enum {
	RATIO_MAX = 1100,      /* of what deflate can make of its input; 1032 in theory */
	INFLATED_MAX = 1 << 30 /* bytes of a section */
};

struct job {
	Elf *elf;
	const uint64_t *addresses;
	size_t count;
	size_t names;	 /* index of the section names' table */
	uint64_t budget; /* bytes of relocations left: all together, they fit into the file */
};

/* The symbols that a table of relocations speaks of. */
struct symbols {
	const unsigned char *bytes; /* Elf64_Sym[] */
	size_t count;
};

/* ---- one relocation ---- */

/* False for a symbol that the file does not define. */
static bool symbol_value(const struct job *j, const unsigned char *symbol, uint64_t *ret)
{
	unsigned section = get_u16(symbol + offsetof(Elf64_Sym, st_shndx));
	uint64_t value = get_u64(symbol + offsetof(Elf64_Sym, st_value));
	if (section == SHN_ABS) {
		*ret = value;
		return true;
	}
	if (section == SHN_UNDEF || section >= SHN_LORESERVE || section >= j->count)
		return false;
	*ret = j->addresses[section] + value;
	return true;
}

struct patch {
	unsigned size; /* bytes; 0: nothing to do */
	bool relative; /* to where it is written */
	bool is_signed;
};

/* System V ABI for x86-64, table 4.9. Debug information and unwind tables have no others. */
static bool describe(uint32_t type, struct patch *ret)
{
	switch (type) {
	case R_X86_64_NONE:
		*ret = (struct patch){ 0 };
		return true;
	case R_X86_64_64:
		*ret = (struct patch){ 8, false, false };
		return true;
	case R_X86_64_PC64:
		*ret = (struct patch){ 8, true, false };
		return true;
	case R_X86_64_32:
		*ret = (struct patch){ 4, false, false };
		return true;
	case R_X86_64_32S:
		*ret = (struct patch){ 4, false, true };
		return true;
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		*ret = (struct patch){ 4, true, true };
		return true;
	default:
		return false;
	}
}

static bool fits(const struct patch *p, uint64_t value)
{
	if (p->size == 8)
		return true;
	return p->is_signed ? (int64_t)value == (int32_t)value : value <= UINT32_MAX;
}

static struct err *apply_one(const struct job *j, const struct symbols *s,
			     const unsigned char *relocation, Elf_Data *target, uint64_t address)
{
	uint64_t offset = get_u64(relocation), info = get_u64(relocation + 8), value = 0;
	uint64_t addend = get_u64(relocation + 16);
	struct patch patch;
	if (!describe(ELF64_R_TYPE(info), &patch))
		return err_new(ERR_UNSUPPORTED, "relocations of type %u are not known",
			       (unsigned)ELF64_R_TYPE(info));
	if (!patch.size)
		return NULL;
	if (!range_within(offset, patch.size, target->d_size))
		return err_new(ERR_FORMAT, "a relocation lies behind the end of its section");
	if (ELF64_R_SYM(info) >= s->count)
		return err_new(ERR_FORMAT, "a relocation's symbol does not exist");
	if (symbol_value(j, s->bytes + ELF64_R_SYM(info) * sizeof(Elf64_Sym), &value)) {
		value += addend;
		if (patch.relative)
			value -= address + offset;
		if (!fits(&patch, value))
			value = 0;
	}
	unsigned char *at = (unsigned char *)target->d_buf + offset;
	if (patch.size == 8)
		put_u64(at, value);
	else
		put_u32(at, (uint32_t)value);
	return NULL;
}

/* ---- a section ---- */

static struct err *find_symbols(const struct job *j, uint32_t index, struct symbols *ret)
{
	GElf_Shdr header;
	Elf_Scn *section = elf_getscn(j->elf, index);
	Elf_Data *data = section && gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB
				 ? elf_rawdata(section, NULL)
				 : NULL;
	if (!data || !data->d_buf)
		return err_new(ERR_FORMAT, "relocations without a symbol table");
	*ret = (struct symbols){ data->d_buf, data->d_size / sizeof(Elf64_Sym) };
	return NULL;
}

/* Its bytes, that may be changed; *ret is NULL if it has none. */
static struct err *open_target(Elf_Scn *section, const GElf_Shdr *header, Elf_Data **ret)
{
	GElf_Chdr compression;
	*ret = NULL;
	if (header->sh_type == SHT_NOBITS)
		return NULL;
	if (header->sh_flags & SHF_COMPRESSED) {
		if (!gelf_getchdr(section, &compression) || compression.ch_size > INFLATED_MAX ||
		    compression.ch_size / RATIO_MAX > header->sh_size)
			return err_new(ERR_FORMAT, "its compression header is damaged");
		if (elf_compress(section, 0, 0) < 0)
			return err_new(ERR_UNSUPPORTED, "it cannot be decompressed: %s",
				       elf_errmsg(-1));
	}
	Elf_Data *data = elf_getdata(section, NULL);
	if (!data)
		return err_new(ERR_FORMAT, "%s", elf_errmsg(-1));
	if (data->d_buf)
		*ret = data;
	return NULL;
}

static struct err *apply_table(struct job *j, Elf_Scn *table, const GElf_Shdr *header,
			       Elf_Data *target)
{
	struct symbols symbols = { 0 };
	Elf_Data *data = elf_rawdata(table, NULL);
	if (!data || (!data->d_buf && data->d_size))
		return err_new(ERR_FORMAT, "relocations: %s", elf_errmsg(-1));
	if (data->d_size > j->budget)
		return err_new(ERR_FORMAT, "tables of relocations overlap");
	j->budget -= data->d_size;
	struct err *e = find_symbols(j, header->sh_link, &symbols);
	for (size_t at = 0; !e && at + sizeof(Elf64_Rela) <= data->d_size; at += sizeof(Elf64_Rela))
		e = apply_one(j, &symbols, (const unsigned char *)data->d_buf + at, target,
			      j->addresses[header->sh_info]);
	return e;
}

/* The header says where the section lies now: .eh_frame counts from there. */
static bool set_address(Elf_Scn *section, GElf_Shdr *header, uint64_t address)
{
	header->sh_addr = address;
	return gelf_update_shdr(section, header);
}

static struct err *relocate_target(struct job *j, Elf_Scn *table, const GElf_Shdr *header,
				   ko_wanted *wanted, const void *closure)
{
	GElf_Shdr target_header;
	Elf_Data *target;
	Elf_Scn *section = header->sh_info && header->sh_info < j->count
				   ? elf_getscn(j->elf, header->sh_info)
				   : NULL;
	const char *name = section && gelf_getshdr(section, &target_header)
				   ? elf_strptr(j->elf, j->names, target_header.sh_name)
				   : NULL;
	if (!name || !wanted(name, closure))
		return NULL;
	struct err *e = open_target(section, &target_header, &target);
	if (!e && target)
		e = apply_table(j, table, header, target);
	if (!e && target &&
	    (!gelf_getshdr(section, &target_header) ||
	     !set_address(section, &target_header, j->addresses[header->sh_info])))
		e = err_new(ERR_FORMAT, "%s", elf_errmsg(-1));
	return err_wrap(e, "section %s", name);
}

struct err *ko_relocate(Elf *elf, const uint64_t *addresses, size_t count, ko_wanted *wanted,
			const void *closure)
{
	struct job j = { .elf = elf, .addresses = addresses, .count = count };
	struct err *e = NULL;
	if (elf_getshdrstrndx(elf, &j.names) || !elf_rawfile(elf, &j.budget))
		return err_new(ERR_FORMAT, "its section headers are damaged (%s)", elf_errmsg(-1));
	for (Elf_Scn *section = NULL; !e && (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA)
			e = relocate_target(&j, section, &header, wanted, closure);
	}
	return e;
}

const struct files_arch x86_64_files = { .relocate = ko_relocate };
