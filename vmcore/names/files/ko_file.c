// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/ko_file.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/files/arch.h"
#include "vmcore/names/types/dwarf_file.h"

enum {
	PAGE = 4096,
	SECTIONS_MAX = 4096, /* that are loaded; the largest modules have a hundred */
	NAME_MAX_LENGTH = 512,
};

/* The file, opened with the sections that somebody asked for relocated. */
struct copy {
	bool tried;
	Elf *elf;  /* owned */
	char *why; /* owned; what went wrong */
	enum err_code code;
};

struct ko_file {
	int fd;
	char *path; /* owned */
	Elf *elf;   /* owned; as it is on disk */
	const struct files_arch *arch;
	struct ko_section *sections; /* owned; SHF_ALLOC ones */
	size_t count;
	uint64_t *addresses; /* owned; by index of section header, 0 for what is not loaded */
	size_t headers;
	struct copy for_dwarf, for_cfi, for_bytes;
	struct dwarf_file *dwarf; /* owned */
	Dwarf *cfi_dwarf;	  /* owned; for .debug_frame alone */
	Dwarf_CFI *debug_frame;	  /* cfi_dwarf's */
	Dwarf_CFI *eh_frame;	  /* owned */
};

static void close_copy(struct copy *c)
{
	elf_guard_end(c->elf);
	free(c->why);
}

void ko_file_close(struct ko_file *f)
{
	if (!f)
		return;
	dwarf_cfi_end(f->eh_frame);
	dwarf_end(f->cfi_dwarf);
	dwarf_file_close(f->dwarf);
	close_copy(&f->for_dwarf);
	close_copy(&f->for_cfi);
	close_copy(&f->for_bytes);
	elf_guard_end(f->elf);
	free(f->sections);
	free(f->addresses);
	free(f->path);
	free(f);
}

bool ko_file_is_bad(const struct ko_file *f)
{
	return elf_guard_is_bad(f->elf) || elf_guard_is_bad(f->for_dwarf.elf) ||
	       elf_guard_is_bad(f->for_cfi.elf) || elf_guard_is_bad(f->for_bytes.elf);
}

/* ---- section headers ---- */

static struct err *check_header(Elf *elf, const struct files_arch **ret)
{
	GElf_Ehdr h;
	if (!elf || !gelf_getehdr(elf, &h))
		return err_new(ERR_FORMAT, "it is no ELF file, or its header is damaged (%s)",
			       elf_errmsg(-1));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    !arch_of_elf(h.e_machine) || h.e_type != ET_REL)
		return err_new(ERR_FORMAT, "it is no module for x86-64");
	*ret = arch_of_elf(h.e_machine)->files;
	return NULL;
}

/* How many of the sections before have the same name. */
static unsigned count_before(const struct ko_file *f, const char *name)
{
	unsigned n = 0;
	for (size_t i = 0; i < f->count; i++)
		n += !strcmp(f->sections[i].name, name);
	return n;
}

static void add_section(struct ko_file *f, const GElf_Shdr *h, const char *name, size_t index,
			ko_place *place, void *closure, uint64_t *nowhere)
{
	struct ko_section *s = &f->sections[f->count];
	*s = (struct ko_section){
		.name = name,
		.index = (unsigned)index,
		.size = h->sh_size,
		.align = h->sh_addralign,
		.code = h->sh_flags & SHF_EXECINSTR,
		.writable = h->sh_flags & SHF_WRITE,
	};
	s->loaded = place(closure, name, count_before(f, name), &s->address);
	if (!s->loaded) {
		s->address = *nowhere;
		*nowhere += (h->sh_size % (UINT64_C(1) << 32) / PAGE + 2) * PAGE;
	}
	f->addresses[index] = s->address;
	f->count++;
}

static struct err *read_sections(struct ko_file *f, ko_place *place, void *closure)
{
	size_t names;
	uint64_t nowhere = KO_NOWHERE;
	struct err *e = check_header(f->elf, &f->arch);
	if (e)
		return e;
	if (elf_getshdrstrndx(f->elf, &names) || elf_getshdrnum(f->elf, &f->headers))
		return err_new(ERR_FORMAT, "its section headers are damaged (%s)", elf_errmsg(-1));
	f->sections = calloc(SECTIONS_MAX, sizeof(*f->sections));
	f->addresses = calloc(f->headers + 1, sizeof(*f->addresses));
	if (!f->sections || !f->addresses)
		return err_nomem();
	for (Elf_Scn *section = NULL; (section = elf_nextscn(f->elf, section));) {
		GElf_Shdr h;
		if (!gelf_getshdr(section, &h))
			return err_new(ERR_FORMAT, "a section header is damaged (%s)",
				       elf_errmsg(-1));
		if (!(h.sh_flags & SHF_ALLOC))
			continue;
		if (f->count == SECTIONS_MAX)
			return err_new(ERR_FORMAT, "it has more than %d sections to load",
				       SECTIONS_MAX);
		const char *name = elf_strptr(f->elf, names, h.sh_name);
		if (!name || strnlen(name, NAME_MAX_LENGTH) == NAME_MAX_LENGTH)
			return err_new(ERR_FORMAT, "the name of a section is damaged");
		add_section(f, &h, name, elf_ndxscn(section), place, closure, &nowhere);
	}
	return NULL;
}

struct err *ko_file_open(int fd, const char *path, ko_place *place, void *closure,
			 struct ko_file **ret)
{
	elf_version(EV_CURRENT);
	struct ko_file *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->fd = fd;
	f->path = strdup(path);
	f->elf = elf_guard_begin(fd, ELF_C_READ_MMAP, path);
	struct err *e = f->path ? read_sections(f, place, closure) : err_nomem();
	if (!e)
		e = elf_guard_check(f->elf);
	if (e) {
		ko_file_close(f);
		return err_wrap(e, "%s", path);
	}
	*ret = f;
	return NULL;
}

const struct ko_section *ko_file_sections(const struct ko_file *f, size_t *ret_count)
{
	*ret_count = f->count;
	return f->sections;
}

/* ---- relocated copies ---- */

static bool is_debug(const char *name, const void *closure)
{
	(void)closure;
	return !strncmp(name, ".debug_", strlen(".debug_"));
}

static bool is_cfi(const char *name, const void *closure)
{
	(void)closure;
	return !strcmp(name, ".debug_frame") || !strcmp(name, ".eh_frame");
}

static struct err *copy_error(const struct copy *c)
{
	return c->why ? err_new(c->code, "%s", c->why) : NULL;
}

static void keep_error(struct copy *c, struct err *e)
{
	if (!e)
		return;
	c->why = strdup(err_msg(e));
	c->code = err_code(e);
	/* Without memory for the reason there is none for the rest either. */
	if (!c->why) {
		elf_guard_end(c->elf);
		c->elf = NULL;
	}
	err_free(e);
}

/* Opens @c the first time. */
static struct err *open_copy(struct ko_file *f, struct copy *c, ko_wanted *wanted,
			     const void *closure)
{
	if (!c->tried) {
		c->tried = true;
		c->elf = elf_guard_begin(f->fd, ELF_C_READ_MMAP_PRIVATE, f->path);
		struct err *e = c->elf ? f->arch->relocate(c->elf, f->addresses, f->headers, wanted,
							   closure)
				       : err_new(ERR_FORMAT, "%s", elf_errmsg(-1));
		keep_error(c, err_wrap(e, "%s", f->path));
	}
	return c->elf ? copy_error(c) : err_new(ERR_FORMAT, "%s cannot be opened", f->path);
}

struct err *ko_file_dwarf(struct ko_file *f, Dwarf **ret)
{
	struct err *e = open_copy(f, &f->for_dwarf, is_debug, NULL);
	if (!e && !f->dwarf) {
		e = dwarf_file_of_elf(f->for_dwarf.elf, f->fd, f->path, &f->dwarf);
		keep_error(&f->for_dwarf, e);
		e = copy_error(&f->for_dwarf);
	}
	if (e)
		return e;
	*ret = dwarf_file_dwarf(f->dwarf);
	return NULL;
}

void ko_file_cfi(struct ko_file *f, Dwarf_CFI **ret_debug_frame, Dwarf_CFI **ret_eh_frame)
{
	bool first = !f->for_cfi.tried;
	struct err *e = open_copy(f, &f->for_cfi, is_cfi, NULL);
	if (!e && first) {
		f->cfi_dwarf = dwarf_begin_elf(f->for_cfi.elf, DWARF_C_READ, NULL);
		if (f->cfi_dwarf)
			f->debug_frame = dwarf_getcfi(f->cfi_dwarf);
		f->eh_frame = dwarf_getcfi_elf(f->for_cfi.elf);
	}
	err_free(e);
	*ret_debug_frame = f->debug_frame;
	*ret_eh_frame = f->eh_frame;
}

Elf *ko_file_cfi_elf(const struct ko_file *f)
{
	return f->for_cfi.elf;
}

/* The bytes of one section are wanted now, but those of another may be next: all tables that are
 * loaded are small. */
static bool is_orc(const char *name, const void *closure)
{
	(void)closure;
	return !strncmp(name, ".orc_", strlen(".orc_"));
}

struct err *ko_file_section_bytes(struct ko_file *f, const char *name, struct buf *out,
				  uint64_t *ret_address)
{
	struct err *e = open_copy(f, &f->for_bytes, is_orc, NULL);
	for (size_t i = 0; !e && i < f->count; i++) {
		if (strcmp(f->sections[i].name, name) != 0 || !f->sections[i].loaded)
			continue;
		GElf_Shdr h;
		Elf_Scn *section = elf_getscn(f->for_bytes.elf, f->sections[i].index);
		Elf_Data *data = section && gelf_getshdr(section, &h) && h.sh_type != SHT_NOBITS
					 ? elf_rawdata(section, NULL)
					 : NULL;
		if (!data || !data->d_buf)
			continue;
		buf_add(out, data->d_buf, data->d_size);
		*ret_address = f->sections[i].address;
		e = elf_guard_check(f->for_bytes.elf);
		return e ? err_wrap(e, "%s", f->path) : buf_error(out);
	}
	return e ? e : err_new(ERR_NOTFOUND, "%s: there is no section %s", f->path, name);
}
