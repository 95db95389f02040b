// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/debug_sections.h"

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* ELFCOMPRESS_ZSTD; older headers do not have it. */
enum { COMPRESS_ZSTD = 2 };

/* Bytes of all debug sections together; a kernel's have 600 MB. */
#define DECOMPRESSED_MAX (UINT64_C(3) << 30)

/* Before the compressed bytes of GNU's format: "ZLIB", and how many there will be, in big endian.
 */
enum { GNU_HEADER = 12 };

static const char advice[] = "a copy made with objcopy --decompress-debug-sections will do";

struct seen {
	bool relocatable, zstd, gnu;
	uint64_t decompressed;
};

static void add(struct seen *s, uint64_t size)
{
	if (__builtin_add_overflow(s->decompressed, size, &s->decompressed))
		s->decompressed = UINT64_MAX;
}

static void look_at_gnu(struct seen *s, Elf_Scn *section)
{
	Elf_Data *data = elf_rawdata(section, NULL);
	const unsigned char *bytes = data ? data->d_buf : NULL;
	uint64_t size = 0;
	if (!bytes || data->d_size < GNU_HEADER || memcmp(bytes, "ZLIB", 4) != 0)
		return;
	s->gnu = true;
	for (int i = 4; i < GNU_HEADER; i++)
		size = size << 8 | bytes[i];
	add(s, size);
}

static void look_at(struct seen *s, Elf_Scn *section, const GElf_Shdr *h, const char *name)
{
	GElf_Chdr compression;
	if (h->sh_type == SHT_NOBITS)
		return;
	if (!strncmp(name, ".zdebug_", strlen(".zdebug_"))) {
		look_at_gnu(s, section);
	} else if (!strncmp(name, ".debug_", strlen(".debug_")) && h->sh_flags & SHF_COMPRESSED &&
		   gelf_getchdr(section, &compression)) {
		add(s, compression.ch_size);
		if (compression.ch_type == COMPRESS_ZSTD)
			s->zstd = true;
	}
}

/*
 * Whether libelf knows zstd (since 0.189, and only if it was built so): it is given a file to try,
 * an ELF header and a compressed section of one byte. The one in question may be damaged.
 */
static bool libelf_has_zstd(void)
{
	struct sample {
		Elf64_Ehdr header;
		Elf64_Chdr compression;
		/* A zstd frame (RFC 8878): its magic number, a single segment of one byte, a last
		 * raw block of one byte. */
		unsigned char frame[10];
		char names[6];
		Elf64_Shdr sections[3];
	} sample = {
		.header = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					 ELFDATA2LSB, EV_CURRENT },
			    .e_type = ET_REL,
			    .e_machine = EM_NONE,
			    .e_version = EV_CURRENT,
			    .e_shoff = offsetof(struct sample, sections),
			    .e_ehsize = sizeof(Elf64_Ehdr),
			    .e_shentsize = sizeof(Elf64_Shdr),
			    .e_shnum = 3,
			    .e_shstrndx = 2 },
		.compression = { COMPRESS_ZSTD, 0, 1, 1 },
		.frame = { 0x28, 0xb5, 0x2f, 0xfd, 0x20, 1, 9, 0, 0, 'a' },
		.names = "\0.d\0.",
		.sections = { [1] = { .sh_name = 1,
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_COMPRESSED,
				      .sh_offset = offsetof(struct sample, compression),
				      .sh_size = sizeof(Elf64_Chdr) + sizeof(sample.frame),
				      .sh_addralign = 8 },
			      [2] = { .sh_name = 4,
				      .sh_type = SHT_STRTAB,
				      .sh_offset = offsetof(struct sample, names),
				      .sh_size = sizeof(sample.names) } },
	};
	Elf *elf = elf_memory((char *)&sample, sizeof(sample));
	Elf_Scn *section = elf ? elf_getscn(elf, 1) : NULL;
	bool has = section && elf_compress(section, 0, 0) == 1;
	elf_end(elf);
	return has;
}

struct err *debug_sections_check(Elf *elf)
{
	size_t names;
	GElf_Ehdr header;
	struct seen s = { 0 };
	if (!gelf_getehdr(elf, &header) || elf_getshdrstrndx(elf, &names))
		return NULL;
	s.relocatable = header.e_type == ET_REL;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr h;
		const char *name =
			gelf_getshdr(section, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
		if (name)
			look_at(&s, section, &h, name);
	}
	if (s.decompressed > DECOMPRESSED_MAX)
		return err_new(ERR_FORMAT,
			       "its debug sections would have %llu MiB when they are decompressed, "
			       "more than any kernel's",
			       (unsigned long long)(s.decompressed >> 20));
	if (s.zstd && !libelf_has_zstd())
		return err_new(ERR_UNSUPPORTED,
			       "its debug sections are compressed with zstd, which the libelf here "
			       "(%s) does not read; %s",
			       dwfl_version(NULL), advice);
	if (s.gnu && s.relocatable)
		return err_new(
			ERR_UNSUPPORTED,
			"its debug sections are compressed in GNU's old format (.zdebug_info), "
			"which is not read in modules; %s",
			advice);
	return NULL;
}
