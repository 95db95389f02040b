// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/kernelfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/recipe/physmem.h"

static struct err *read_symbols(struct kernelfile *f)
{
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr shdr;
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB || !shdr.sh_entsize)
			continue;
		Elf_Data *data = elf_getdata(scn, NULL);
		for (size_t i = 0; data && i < shdr.sh_size / shdr.sh_entsize; i++) {
			GElf_Sym sym;
			if (!gelf_getsym(data, (int)i, &sym) || sym.st_shndx == SHN_UNDEF)
				continue;
			unsigned int type = GELF_ST_TYPE(sym.st_info);
			const char *name = elf_strptr(f->elf, shdr.sh_link, sym.st_name);
			if (!name || !*name || type == STT_SECTION || type == STT_FILE)
				continue;
			if (!names_put(&f->symbols, name, strlen(name), sym.st_value, false))
				return err_nomem();
		}
	}
	return NULL;
}

static struct err *open_elf(struct kernelfile *f, const char *path)
{
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return err_errno(errno, "open %s", path);
	elf_version(EV_CURRENT);
	f->elf = elf_begin(f->fd, ELF_C_READ_MMAP, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF)
		return err_new(ERR_FORMAT, "%s is not an ELF file", path);
	return read_symbols(f);
}

struct err *kernelfile_open(const char *path, struct kernelfile **ret)
{
	struct kernelfile *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	names_init(&f->symbols);
	names_init(&f->types);
	struct err *e = open_elf(f, path);
	if (e)
		kernelfile_close(f);
	else
		*ret = f;
	return e;
}

void kernelfile_close(struct kernelfile *f)
{
	if (!f)
		return;
	dwarf_end(f->dwarf);
	elf_end(f->elf);
	if (f->fd >= 0)
		close(f->fd);
	names_free(&f->symbols);
	names_free(&f->types);
	free(f);
}

static struct err *load_segment(struct kernelfile *f, const GElf_Phdr *phdr, struct physmem *mem)
{
	size_t size;
	const char *image = elf_rawfile(f->elf, &size);
	if (!image || phdr->p_offset > size || phdr->p_filesz > size - phdr->p_offset)
		return err_new(ERR_FORMAT, "segment at %#jx lies outside of the file",
			       (uintmax_t)phdr->p_vaddr);
	if (!physmem_valid(phdr->p_paddr, phdr->p_memsz) || phdr->p_filesz > phdr->p_memsz)
		return err_new(ERR_FORMAT, "segment at %#jx has a bad size or address",
			       (uintmax_t)phdr->p_vaddr);
	if (!physmem_set_state(mem, phdr->p_paddr, phdr->p_memsz, PAGE_PRESENT) ||
	    !physmem_write(mem, phdr->p_paddr, image + phdr->p_offset, phdr->p_filesz))
		return err_nomem();
	return NULL;
}

struct err *kernelfile_load(struct kernelfile *f, struct physmem *mem)
{
	size_t count;
	if (elf_getphdrnum(f->elf, &count))
		return err_new(ERR_FORMAT, "no program headers: %s", elf_errmsg(-1));
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;
		if (!gelf_getphdr(f->elf, (int)i, &phdr) || phdr.p_type != PT_LOAD)
			continue;
		struct err *e = load_segment(f, &phdr, mem);
		if (e)
			return e;
	}
	return NULL;
}

struct err *kernelfile_section(struct kernelfile *f, const char *name, const void **ret_bytes,
			       size_t *ret_len)
{
	size_t strings;
	if (elf_getshdrstrndx(f->elf, &strings))
		return err_new(ERR_FORMAT, "no section names: %s", elf_errmsg(-1));
	Elf_Scn *scn = NULL;
	while ((scn = elf_nextscn(f->elf, scn))) {
		GElf_Shdr shdr;
		const char *its_name =
			gelf_getshdr(scn, &shdr) ? elf_strptr(f->elf, strings, shdr.sh_name) : NULL;
		if (!its_name || strcmp(its_name, name))
			continue;
		Elf_Data *data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf)
			return err_new(ERR_FORMAT, "section %s has no content", name);
		*ret_bytes = data->d_buf;
		*ret_len = data->d_size;
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "no section %s", name);
}
