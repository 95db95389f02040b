// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/image_cure.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "arch/address.h"
#include "base/bytes.h"
#include "base/err.h"
#include "server/files/overlay.h"
#include "vmcore/vmcore.h"

/* A table of headers: 16 bits count them, but no vmlinux has that many. */
enum { HEADERS_MAX = 4096 };

static struct err *read_exactly(int fd, uint64_t offset, void *out, size_t len)
{
	if (offset > INT64_MAX - len)
		return err_new(ERR_FORMAT, "a table would be past the end of all files");
	ssize_t n = pread(fd, out, len, (off_t)offset);
	if (n < 0)
		return err_errno(errno, "read its headers");
	return (size_t)n == len ? NULL : err_new(ERR_FORMAT, "its headers are cut off");
}

/* Reads a table of headers of @size bytes each; the caller frees. */
static struct err *read_table(int fd, uint64_t offset, unsigned count, size_t size, void **ret)
{
	if (count > HEADERS_MAX)
		return err_new(ERR_FORMAT, "it has %u headers", count);
	void *table = malloc(count * size + 1);
	if (!table)
		return err_nomem();
	struct err *e = read_exactly(fd, offset, table, count * size);
	if (e) {
		free(table);
		return e;
	}
	*ret = table;
	return NULL;
}

static struct err *cure_segments(int fd, const Elf64_Ehdr *h, struct overlay *overlay)
{
	void *table = NULL;
	unsigned char null_type[4];
	if (!h->e_phnum)
		return NULL;
	if (h->e_phentsize != sizeof(Elf64_Phdr))
		return err_new(ERR_FORMAT, "its program headers have an odd size");
	struct err *e = read_table(fd, h->e_phoff, h->e_phnum, sizeof(Elf64_Phdr), &table);
	const Elf64_Phdr *segments = table;
	put_u32(null_type, PT_NULL);
	for (unsigned i = 0; !e && i < h->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr < KERNEL_HALF)
			e = overlay_add(overlay,
					h->e_phoff + i * sizeof(*segments) +
						offsetof(Elf64_Phdr, p_type),
					null_type, sizeof(null_type));
	}
	free(table);
	return e;
}

/* gdb warns of sections with bytes to load that are in no segment. */
static struct err *cure_sections(int fd, const Elf64_Ehdr *h, struct overlay *overlay)
{
	void *table = NULL;
	unsigned char nobits[4];
	if (!h->e_shnum)
		return NULL;
	if (h->e_shentsize != sizeof(Elf64_Shdr))
		return err_new(ERR_FORMAT, "its section headers have an odd size");
	struct err *e = read_table(fd, h->e_shoff, h->e_shnum, sizeof(Elf64_Shdr), &table);
	const Elf64_Shdr *sections = table;
	put_u32(nobits, SHT_NOBITS);
	for (unsigned i = 0; !e && i < h->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];
		if (s->sh_flags & SHF_ALLOC && s->sh_size && s->sh_addr < KERNEL_HALF &&
		    s->sh_type == SHT_PROGBITS)
			e = overlay_add(overlay,
					h->e_shoff + i * sizeof(*sections) +
						offsetof(Elf64_Shdr, sh_type),
					nobits, sizeof(nobits));
	}
	free(table);
	return e;
}

struct err *image_cure(int fd, struct overlay *overlay)
{
	Elf64_Ehdr h;
	struct err *e = read_exactly(fd, 0, &h, sizeof(h));
	/* A position-independent image is linked at 0 as a whole. */
	if (e || h.e_type != ET_EXEC)
		return e;
	e = cure_segments(fd, &h, overlay);
	return e ? e : cure_sections(fd, &h, overlay);
}
