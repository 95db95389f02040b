// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/elf_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/leb.h"

enum {
	CONTENT_ALIGN_MAX = 64,
	BUILD_ID_MAX = 64,     /* bytes; SHA-1's 20 as a rule */
	NAMES_MAX = INT32_MAX, /* st_name has 32 bits */
};

struct section {
	Elf64_Shdr header;
	struct buf content; /* owned */
};

struct elf_writer {
	struct section *sections; /* owned; [0] is the null section */
	size_t section_count, section_capacity;
	Elf64_Phdr *loads; /* owned */
	size_t load_count;
	struct buf section_names, names;
	struct buf locals, globals; /* Elf64_Sym[] */
};

struct err *elf_writer_new(struct elf_writer **ret)
{
	struct elf_writer *w = calloc(1, sizeof(*w));
	if (!w)
		return err_nomem();
	buf_init(&w->section_names);
	buf_init(&w->names);
	buf_init(&w->locals);
	buf_init(&w->globals);
	buf_addch(&w->section_names, 0);
	buf_addch(&w->names, 0);
	Elf64_Sym null = { 0 };
	buf_add(&w->locals, &null, sizeof(null));
	w->section_capacity = 64;
	w->sections = calloc(w->section_capacity, sizeof(*w->sections));
	if (!w->sections) {
		elf_writer_free(w);
		return err_nomem();
	}
	buf_init(&w->sections[0].content);
	w->section_count = 1;
	*ret = w;
	return NULL;
}

void elf_writer_free(struct elf_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->section_count; i++)
		buf_free(&w->sections[i].content);
	free(w->sections);
	free(w->loads);
	buf_free(&w->section_names);
	buf_free(&w->names);
	buf_free(&w->locals);
	buf_free(&w->globals);
	free(w);
}

/* ---- names ---- */

static bool is_graphic(char c)
{
	return c > ' ' && c < 0x7f;
}

/* Appends @name with its end mark to @names; *ret_at is where. */
static struct err *add_name(struct buf *names, const char *name, uint32_t *ret_at)
{
	size_t len = strlen(name), at = names->len;
	if (len > NAMES_MAX || at + len + 1 > NAMES_MAX)
		return err_new(ERR_UNSUPPORTED, "the names have more than %d bytes", NAMES_MAX);
	buf_add(names, name, len + 1);
	if (names->failed)
		return err_nomem();
	for (char *c = names->data + at; *c; c++)
		if (!is_graphic(*c))
			*c = '?';
	*ret_at = (uint32_t)at;
	return NULL;
}

/* ---- what is added ---- */

static struct err *next_section(struct elf_writer *w, struct section **ret)
{
	if (w->section_count == w->section_capacity) {
		size_t more = 2 * w->section_capacity;
		struct section *grown = reallocarray(w->sections, more, sizeof(*grown));
		if (!grown)
			return err_nomem();
		w->sections = grown;
		w->section_capacity = more;
	}
	*ret = &w->sections[w->section_count];
	return NULL;
}

struct err *elf_writer_section(struct elf_writer *w, const struct elf_section *section,
			       struct buf *content, unsigned *ret_index)
{
	struct section *s = NULL;
	uint64_t size = content ? content->len : section->size;
	uint64_t align = section->align ? section->align : 1;
	uint32_t name;
	if (content && content->failed)
		return err_nomem();
	if (w->section_count >= ELF_SECTIONS_MAX)
		return err_new(ERR_UNSUPPORTED, "more than %d sections", ELF_SECTIONS_MAX);
	if ((section->type == SHT_NOBITS) == (content != NULL) || align & (align - 1) ||
	    (content && align > CONTENT_ALIGN_MAX) || section->address + size < section->address)
		return err_new(ERR_INVALID, "section %s of 0x%" PRIx64 " bytes at 0x%" PRIx64,
			       section->name, size, section->address);
	struct err *e = next_section(w, &s);
	if (!e)
		e = add_name(&w->section_names, section->name, &name);
	if (e)
		return e;
	s->header = (Elf64_Shdr){
		.sh_name = name,
		.sh_type = section->type,
		.sh_flags = section->flags,
		.sh_addr = section->address,
		.sh_size = size,
		.sh_addralign = align,
	};
	buf_init(&s->content);
	if (content) {
		s->content = *content;
		buf_init(content);
	}
	*ret_index = (unsigned)w->section_count++;
	return NULL;
}

struct err *elf_writer_load(struct elf_writer *w, uint64_t address, uint64_t size, uint32_t flags)
{
	if (w->load_count >= ELF_SECTIONS_MAX)
		return err_new(ERR_UNSUPPORTED, "more than %d segments", ELF_SECTIONS_MAX);
	if (address + size < address)
		return err_new(ERR_INVALID, "a segment of 0x%" PRIx64 " bytes at 0x%" PRIx64, size,
			       address);
	Elf64_Phdr *loads = reallocarray(w->loads, w->load_count + 1, sizeof(*loads));
	if (!loads)
		return err_nomem();
	w->loads = loads;
	loads[w->load_count++] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = flags,
		.p_vaddr = address,
		.p_paddr = address,
		.p_memsz = size,
		.p_align = 1,
	};
	return NULL;
}

struct err *elf_writer_symbol(struct elf_writer *w, const struct elf_symbol *symbol)
{
	struct buf *group = symbol->bind == STB_LOCAL ? &w->locals : &w->globals;
	uint32_t name;
	if (!*symbol->name)
		return NULL;
	if (group->len / sizeof(Elf64_Sym) >= ELF_SYMBOLS_MAX)
		return err_new(ERR_UNSUPPORTED, "more than %d symbols", ELF_SYMBOLS_MAX);
	if (symbol->section != SHN_ABS && symbol->section >= w->section_count)
		return err_new(ERR_INVALID, "symbol %s lies in no section", symbol->name);
	struct err *e = add_name(&w->names, symbol->name, &name);
	if (e)
		return e;
	Elf64_Sym sym = {
		.st_name = name,
		.st_info = ELF64_ST_INFO(symbol->bind, symbol->type),
		.st_shndx = (uint16_t)symbol->section,
		.st_value = symbol->value,
		.st_size = symbol->size,
	};
	buf_add(group, &sym, sizeof(sym));
	return buf_error(group);
}

/* ---- the file ---- */

static struct err *add_own(struct elf_writer *w, const char *name, uint32_t type,
			   struct buf *content, struct section **ret)
{
	struct section *s = NULL;
	uint32_t at;
	struct err *e = next_section(w, &s);
	if (!e)
		e = add_name(&w->section_names, name, &at);
	if (e)
		return e;
	s->header = (Elf64_Shdr){ .sh_name = at, .sh_type = type, .sh_addralign = 1 };
	s->content = *content;
	s->header.sh_size = content->len;
	buf_init(content);
	w->section_count++;
	*ret = s;
	return NULL;
}

static struct err *add_symbol_table(struct elf_writer *w)
{
	struct section *s = NULL;
	size_t locals = w->locals.len / sizeof(Elf64_Sym);
	buf_add(&w->locals, w->globals.data, w->globals.len);
	buf_free(&w->globals);
	struct err *e = buf_error(&w->locals);
	if (!e)
		e = add_own(w, ".symtab", SHT_SYMTAB, &w->locals, &s);
	if (e)
		return e;
	s->header.sh_addralign = 8;
	s->header.sh_entsize = sizeof(Elf64_Sym);
	s->header.sh_link = (uint32_t)w->section_count;
	s->header.sh_info = (uint32_t)locals;
	return add_own(w, ".strtab", SHT_STRTAB, &w->names, &s);
}

static struct err *add_own_sections(struct elf_writer *w)
{
	struct section *s = NULL;
	uint32_t unused;
	struct err *e = add_symbol_table(w);
	/* Its own name must be in it before its bytes are moved away. */
	if (!e)
		e = add_name(&w->section_names, ".shstrtab", &unused);
	if (e)
		return e;
	e = next_section(w, &s);
	if (e)
		return e;
	*s = (struct section){
		.header = { .sh_name = unused, .sh_type = SHT_STRTAB, .sh_addralign = 1 },
		.content = w->section_names,
	};
	s->header.sh_size = s->content.len;
	buf_init(&w->section_names);
	w->section_count++;
	return NULL;
}

static uint64_t align_up(uint64_t at, uint64_t align)
{
	return align > 1 ? (at + align - 1) & ~(align - 1) : at;
}

/* Says where each section's bytes lie, from @at on; returns where they end. */
static uint64_t place_sections(struct elf_writer *w, uint64_t at)
{
	for (size_t i = 1; i < w->section_count; i++) {
		Elf64_Shdr *h = &w->sections[i].header;
		if (h->sh_type != SHT_NOBITS)
			at = align_up(at, h->sh_addralign);
		h->sh_offset = at;
		if (h->sh_type != SHT_NOBITS)
			at += h->sh_size;
	}
	return align_up(at, 8);
}

static void add_header(const struct elf_writer *w, uint16_t machine, uint64_t section_table,
		       struct buf *out)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT, ELFOSABI_NONE },
		.e_type = ET_EXEC,
		.e_machine = machine,
		.e_version = EV_CURRENT,
		/* gdb warns of a program that starts in none of its sections. */
		.e_entry = w->load_count ? w->loads[0].p_vaddr : 0,
		.e_phoff = w->load_count ? sizeof(header) : 0,
		.e_shoff = section_table,
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)w->load_count,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = (uint16_t)w->section_count,
		.e_shstrndx = (uint16_t)(w->section_count - 1),
	};
	buf_add(out, &header, sizeof(header));
}

static void pad(struct buf *out, uint64_t to)
{
	while (out->len < to && !out->failed)
		buf_addch(out, 0);
}

struct err *elf_writer_build_id(struct elf_writer *w, const char *digits)
{
	size_t len = digits ? strlen(digits) / 2 : 0;
	unsigned char id[BUILD_ID_MAX];
	struct buf note = BUF_INIT;
	unsigned unused;
	struct elf_section section = {
		.name = ".note.gnu.build-id",
		.type = SHT_NOTE,
		.align = 4,
	};
	if (!len || len > sizeof(id) || !hex_decode(id, digits, 2 * len))
		return NULL;
	leb_add_u32(&note, sizeof("GNU"));
	leb_add_u32(&note, (uint32_t)len);
	leb_add_u32(&note, NT_GNU_BUILD_ID);
	buf_add(&note, "GNU", sizeof("GNU"));
	buf_add(&note, id, len);
	while (note.len % 4 && !note.failed)
		buf_addch(&note, 0);
	struct err *e = elf_writer_section(w, &section, &note, &unused);
	buf_free(&note);
	return e;
}

struct err *elf_writer_finish(struct elf_writer *w, uint16_t machine, struct buf *out)
{
	struct err *e = add_own_sections(w);
	if (e)
		return e;
	uint64_t table = place_sections(w, sizeof(Elf64_Ehdr) + w->load_count * sizeof(Elf64_Phdr));
	/* Segments without bytes begin nowhere in the file; the start of its sections will do. */
	for (size_t i = 0; i < w->load_count; i++)
		w->loads[i].p_offset = sizeof(Elf64_Ehdr);
	buf_reserve(out, table + w->section_count * sizeof(Elf64_Shdr));
	add_header(w, machine, table, out);
	if (w->load_count)
		buf_add(out, w->loads, w->load_count * sizeof(*w->loads));
	for (size_t i = 1; i < w->section_count; i++) {
		struct section *s = &w->sections[i];
		if (s->header.sh_type == SHT_NOBITS)
			continue;
		pad(out, s->header.sh_offset);
		buf_add(out, s->content.data, s->content.len);
		buf_free(&s->content);
	}
	pad(out, table);
	for (size_t i = 0; i < w->section_count; i++)
		buf_add(out, &w->sections[i].header, sizeof(Elf64_Shdr));
	return buf_error(out);
}
