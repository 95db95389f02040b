// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/elf_reduce.h"

#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/names/elf_guard.h"

/* What becomes of a section. */
enum fate {
	DROPPED,
	EMPTIED, /* its header stays, as SHT_NOBITS */
	KEPT,
};

struct reduction {
	Elf *in, *out;	    /* owned */
	size_t count;	    /* of sections of `in` */
	size_t names;	    /* its section of their names */
	enum fate *fates;   /* owned; by index */
	size_t *to;	    /* owned; the new index, 0 if it is dropped */
	size_t symtab;	    /* index in `in`; 0: none */
	Elf64_Sym *symbols; /* owned; copied and renumbered */
	struct buf strings; /* of sections' names */
	bool relocatable;
};

static struct err *damaged(void)
{
	return err_new(ERR_FORMAT, "it is damaged (%s)", elf_errmsg(-1));
}

static struct err *cannot_write(void)
{
	return err_new(ERR_IO, "it cannot be written (%s)", elf_errmsg(-1));
}

static const char *name_of(const struct reduction *r, const GElf_Shdr *h)
{
	const char *name = elf_strptr(r->in, r->names, h->sh_name);
	return name ? name : "";
}

static bool has_frames(const struct reduction *r)
{
	for (size_t i = 1; i < r->count; i++) {
		GElf_Shdr h;
		if (gelf_getshdr(elf_getscn(r->in, i), &h) && h.sh_type != SHT_NOBITS &&
		    !strcmp(name_of(r, &h), ".debug_frame"))
			return true;
	}
	return false;
}

static enum fate fate_of(const struct reduction *r, const GElf_Shdr *h, const char *frames)
{
	const char *name = name_of(r, h);
	/* The file's own BTF would be a second one. */
	if (!strcmp(name, ".BTF") || !strcmp(name, ".BTF_ids"))
		return DROPPED;
	if (h->sh_type == SHT_SYMTAB)
		return KEPT;
	if (h->sh_type == SHT_NOTE && h->sh_flags & SHF_ALLOC)
		return KEPT;
	if (h->sh_type != SHT_NOBITS && !strcmp(name, frames))
		return KEPT;
	if (h->sh_type == SHT_RELA && r->relocatable && !strncmp(name, ".rela", 5) &&
	    !strcmp(name + 5, frames))
		return KEPT;
	return h->sh_flags & SHF_ALLOC && h->sh_type != SHT_RELA ? EMPTIED : DROPPED;
}

/* Decides on each section. The names of symbols go with them. */
static struct err *choose(struct reduction *r)
{
	const char *frames = has_frames(r) ? ".debug_frame" : ".eh_frame";
	size_t next = 1;
	for (size_t i = 1; i < r->count; i++) {
		GElf_Shdr h;
		if (!gelf_getshdr(elf_getscn(r->in, i), &h))
			return damaged();
		if (r->fates[i] != KEPT)
			r->fates[i] = fate_of(r, &h, frames);
		if (h.sh_type == SHT_SYMTAB && !r->symtab) {
			r->symtab = i;
			if (!h.sh_link || h.sh_link >= r->count)
				return damaged();
			r->fates[h.sh_link] = KEPT;
		} else if (h.sh_type == SHT_SYMTAB || h.sh_type == SHT_SYMTAB_SHNDX) {
			return err_new(ERR_UNSUPPORTED, "it has more sections than this can keep");
		}
	}
	for (size_t i = 1; i < r->count; i++)
		r->to[i] = r->fates[i] == DROPPED ? 0 : next++;
	return NULL;
}

/* Copies the symbols, with the new numbers of their sections. Those of dropped sections stay as
 * undefined ones without a name, for relocations go by their place. */
static struct err *renumber_symbols(struct reduction *r)
{
	Elf_Data *data = r->symtab ? elf_getdata(elf_getscn(r->in, r->symtab), NULL) : NULL;
	size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
	if (!data || !data->d_buf)
		return err_new(ERR_FORMAT, "it has no symbol table");
	r->symbols = calloc(count + 1, sizeof(*r->symbols));
	if (!r->symbols)
		return err_nomem();
	for (size_t i = 0; i < count; i++) {
		Elf64_Sym s;
		memcpy(&s, (const char *)data->d_buf + i * sizeof(s), sizeof(s));
		if (s.st_shndx && s.st_shndx < SHN_LORESERVE) {
			size_t to = s.st_shndx < r->count ? r->to[s.st_shndx] : 0;
			s.st_shndx = (Elf64_Section)to;
			if (!to)
				s.st_name = 0;
		}
		r->symbols[i] = s;
	}
	return NULL;
}

static uint32_t add_name(struct reduction *r, const char *name)
{
	uint32_t at = (uint32_t)r->strings.len;
	buf_add(&r->strings, name, strlen(name) + 1);
	return at;
}

/* Without bytes the data says no more than how many there were. */
static struct err *copy_content(struct reduction *r, size_t index, const GElf_Shdr *h, Elf_Scn *to)
{
	bool kept = r->fates[index] == KEPT;
	Elf_Data *from = kept ? elf_rawdata(elf_getscn(r->in, index), NULL) : NULL;
	Elf_Data *data = elf_newdata(to);
	if (!data || (kept && !from))
		return data ? damaged() : cannot_write();
	*data = (Elf_Data){ .d_buf = !kept		  ? NULL
				     : index == r->symtab ? (void *)r->symbols
							  : from->d_buf,
			    .d_type = ELF_T_BYTE,
			    .d_size = kept ? from->d_size : h->sh_size,
			    .d_align = h->sh_addralign ? h->sh_addralign : 1,
			    .d_version = EV_CURRENT };
	return NULL;
}

static struct err *copy_section(struct reduction *r, size_t index)
{
	GElf_Shdr h;
	Elf_Scn *to = elf_newscn(r->out);
	if (!gelf_getshdr(elf_getscn(r->in, index), &h))
		return damaged();
	if (!to)
		return cannot_write();
	const char *name = name_of(r, &h);
	if (r->fates[index] == EMPTIED)
		h.sh_type = SHT_NOBITS;
	struct err *e = copy_content(r, index, &h, to);
	if (e)
		return e;
	h.sh_name = add_name(r, name);
	h.sh_link = h.sh_link < r->count ? (GElf_Word)r->to[h.sh_link] : 0;
	if (h.sh_type == SHT_RELA)
		h.sh_info = h.sh_info < r->count ? (GElf_Word)r->to[h.sh_info] : 0;
	if (!h.sh_addralign)
		h.sh_addralign = 1;
	return gelf_update_shdr(to, &h) ? NULL : cannot_write();
}

static struct err *add_section(struct reduction *r, uint32_t name, uint32_t type,
			       const struct buf *content)
{
	GElf_Shdr h;
	Elf_Scn *scn = elf_newscn(r->out);
	Elf_Data *data = scn ? elf_newdata(scn) : NULL;
	if (!data || !gelf_getshdr(scn, &h))
		return cannot_write();
	*data = (Elf_Data){ .d_buf = content->data,
			    .d_type = ELF_T_BYTE,
			    .d_size = content->len,
			    .d_align = 1,
			    .d_version = EV_CURRENT };
	h.sh_name = name;
	h.sh_type = type;
	h.sh_addralign = 1;
	return gelf_update_shdr(scn, &h) ? NULL : cannot_write();
}

/* Last, for the bytes must not move any more. */
static struct err *add_names(struct reduction *r)
{
	uint32_t name = add_name(r, ".shstrtab");
	struct err *e = buf_error(&r->strings);
	return e ? e : add_section(r, name, SHT_STRTAB, &r->strings);
}

/* Segments as they were, without content: a debugger asks them how a file is moved. */
static struct err *copy_segments(struct reduction *r)
{
	size_t count;
	if (elf_getphdrnum(r->in, &count))
		return damaged();
	if (r->relocatable || !count)
		return NULL;
	if (!gelf_newphdr(r->out, count))
		return cannot_write();
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr p;
		if (!gelf_getphdr(r->in, (int)i, &p))
			return damaged();
		p.p_offset = 0;
		p.p_filesz = 0;
		/* Of notes without content nothing is left to say. */
		if (p.p_type == PT_NOTE)
			p = (GElf_Phdr){ .p_type = PT_NULL };
		if (!gelf_update_phdr(r->out, (int)i, &p))
			return cannot_write();
	}
	return NULL;
}

static struct err *copy_header(struct reduction *r)
{
	GElf_Ehdr from, to;
	if (!gelf_getehdr(r->in, &from))
		return damaged();
	if (!gelf_newehdr(r->out, ELFCLASS64) || !gelf_getehdr(r->out, &to))
		return cannot_write();
	to.e_ident[EI_DATA] = ELFDATA2LSB;
	to.e_type = from.e_type;
	to.e_machine = from.e_machine;
	to.e_version = EV_CURRENT;
	to.e_entry = from.e_entry;
	to.e_shstrndx = 0;
	return gelf_update_ehdr(r->out, &to) ? NULL : cannot_write();
}

static struct err *finish(struct reduction *r)
{
	GElf_Ehdr h;
	if (!gelf_getehdr(r->out, &h))
		return cannot_write();
	size_t sections;
	if (elf_getshdrnum(r->out, &sections))
		return cannot_write();
	h.e_shstrndx = (GElf_Half)(sections - 1);
	if (!gelf_update_ehdr(r->out, &h))
		return cannot_write();
	struct err *e = elf_guard_check(r->in);
	if (e)
		return e;
	return elf_update(r->out, ELF_C_WRITE) < 0 ? cannot_write() : NULL;
}

static struct err *write_all(struct reduction *r, const struct buf *btf)
{
	struct err *e = copy_header(r);
	if (!e)
		e = copy_segments(r);
	buf_addch(&r->strings, 0);
	for (size_t i = 1; !e && i < r->count; i++)
		if (r->fates[i] != DROPPED)
			e = copy_section(r, i);
	if (!e)
		e = add_section(r, add_name(r, ".BTF"), SHT_PROGBITS, btf);
	/* The names of all are complete with this one's. */
	if (!e)
		e = add_names(r);
	return e ? e : finish(r);
}

struct err *elf_reduce(int fd, const struct buf *btf, int out)
{
	GElf_Ehdr h;
	elf_version(EV_CURRENT);
	struct reduction r = { .in = elf_guard_begin(fd, ELF_C_READ_MMAP, NULL),
			       .strings = BUF_INIT };
	struct err *e = r.in && gelf_getehdr(r.in, &h) && !elf_getshdrnum(r.in, &r.count) &&
					!elf_getshdrstrndx(r.in, &r.names)
				? NULL
				: damaged();
	r.relocatable = !e && h.e_type == ET_REL;
	if (!e && r.count >= SHN_LORESERVE)
		e = err_new(ERR_UNSUPPORTED, "it has more sections than this can keep");
	if (!e) {
		r.fates = calloc(r.count + 1, sizeof(*r.fates));
		r.to = calloc(r.count + 1, sizeof(*r.to));
		r.out = elf_begin(out, ELF_C_WRITE, NULL);
		e = !r.fates || !r.to ? err_nomem() : r.out ? NULL : cannot_write();
	}
	if (!e)
		e = choose(&r);
	if (!e)
		e = renumber_symbols(&r);
	if (!e)
		e = write_all(&r, btf);
	elf_end(r.out);
	elf_guard_end(r.in);
	free(r.fates);
	free(r.to);
	free(r.symbols);
	buf_free(&r.strings);
	return e;
}
