// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/elf_identity.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hex.h"
#include "vmcore/names/debug_sections.h"
#include "vmcore/names/elf_guard.h"

enum {
	BUILD_ID_MAX = 64,    /* bytes; SHA-1 has 20, and 32 is the longest in use */
	RELEASE_MAX = 64,     /* __NEW_UTS_LEN, include/uapi/linux/utsname.h */
	SEGMENTS_MAX = 64,    /* of a vmlinux; it has five */
	NOTES_MAX = 64 << 10, /* .notes of vmlinux */
};

void elf_identity_free(struct elf_identity *id)
{
	free(id->dwarf_why);
	free(id->build_id);
	free(id->release);
	*id = (struct elf_identity){ 0 };
}

/* What other files begin with. */
static const struct {
	size_t at, len;
	const char *bytes, *what;
} magics[] = {
	{ 0x202, 4, "HdrS", "a kernel image to boot (bzImage, vmlinuz), which has no symbols" },
	{ 0, 2, "\x1f\x8b", "compressed with gzip; decompress it, or give it with --symbols" },
	{ 0, 6,
	  "\xfd"
	  "7zXZ",
	  "compressed with xz; decompress it, or give it with --symbols" },
	{ 0, 4, "\x28\xb5\x2f\xfd",
	  "compressed with zstd; decompress it, or give it with --symbols" },
	{ 0, 3, "BZh", "compressed with bzip2; decompress it first" },
	{ 0, 8, "KDUMP   ", "a dump, not a vmlinux" },
	{ 0, 8, "DISKDUMP", "a dump, not a vmlinux" },
	{ 0, 12, "makedumpfile", "a flattened dump, not a vmlinux" },
	{ 0, 7, "!<arch>", "an archive (a Debian package?); give it with --symbols" },
	{ 0, 4, "\xed\xab\xee\xdb", "an RPM package; give it with --symbols" },
};

/* NULL if the file is ELF, else what it seems to be. */
static struct err *check_magic(int fd)
{
	char head[0x206] = { 0 };
	ssize_t n = pread(fd, head, sizeof(head), 0);
	if (n >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG))
		return NULL;
	if (n == 0)
		return err_new(ERR_FORMAT, "it is empty");
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (!memcmp(head + magics[i].at, magics[i].bytes, magics[i].len))
			return err_new(ERR_FORMAT, "it is %s", magics[i].what);
	return err_new(ERR_FORMAT, "it is no ELF file");
}

/* Files that were not copied or downloaded to their end have their beginning: without the table of
 * sections, which is behind them, they look as if there were none. */
static struct err *check_length(Elf *elf, const GElf_Ehdr *h)
{
	size_t len;
	if (!elf_rawfile(elf, &len))
		return err_new(ERR_FORMAT, "it cannot be read (%s)", elf_errmsg(-1));
	if (h->e_shoff > len ||
	    (h->e_shoff && (len - h->e_shoff) / sizeof(Elf64_Shdr) < (h->e_shnum ? h->e_shnum : 1)))
		return err_new(ERR_FORMAT,
			       "it is cut off: it has %zu bytes, and its table of sections would "
			       "begin at byte %llu",
			       len, (unsigned long long)h->e_shoff);
	return NULL;
}

static struct err *check_header(Elf *elf, bool *ret_relocatable)
{
	GElf_Ehdr h;
	if (!elf || !gelf_getehdr(elf, &h))
		return err_new(ERR_FORMAT, "its ELF header is damaged (%s)", elf_errmsg(-1));
	if (h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_ident[EI_DATA] != ELFDATA2LSB ||
	    !arch_of_elf(h.e_machine))
		return err_new(ERR_FORMAT, "it is an ELF file of another architecture than x86-64");
	if (h.e_type == ET_CORE)
		return err_new(ERR_FORMAT, "it is a dump (an ELF core), not a vmlinux");
	if (h.e_type != ET_EXEC && h.e_type != ET_DYN && h.e_type != ET_REL)
		return err_new(ERR_FORMAT, "it is an ELF file of unknown type %u", h.e_type);
	*ret_relocatable = h.e_type == ET_REL;
	return check_length(elf, &h);
}

/* The build-id among the notes in @data (System V gABI, "Note Section"); NULL if it is not there or
 * memory is out, which comes to the same. */
static char *build_id_in(Elf_Data *data)
{
	GElf_Nhdr h;
	size_t name, desc;
	for (size_t at = 0; (at = gelf_getnote(data, at, &h, &name, &desc)) > 0;) {
		if (h.n_type != NT_GNU_BUILD_ID || h.n_namesz != sizeof("GNU") ||
		    memcmp((const char *)data->d_buf + name, "GNU", sizeof("GNU")) || !h.n_descsz ||
		    h.n_descsz > BUILD_ID_MAX)
			continue;
		char *digits = calloc(1, 2 * (size_t)h.n_descsz + 1);
		if (digits)
			hex_encode(digits, (const char *)data->d_buf + desc, h.n_descsz);
		return digits;
	}
	return NULL;
}

char *elf_notes_build_id(const unsigned char *notes, size_t len)
{
	for (uint64_t at = 0; range_within(at, sizeof(Elf64_Nhdr), len);) {
		uint64_t name = at + sizeof(Elf64_Nhdr);
		uint64_t name_len = get_u32(notes + at), desc_len = get_u32(notes + at + 4);
		uint64_t desc = name + (name_len + 3) / 4 * 4;
		if (!range_within(desc, desc_len, len))
			return NULL;
		if (get_u32(notes + at + 8) == NT_GNU_BUILD_ID && name_len == sizeof("GNU") &&
		    !memcmp(notes + name, "GNU", sizeof("GNU")) && desc_len &&
		    desc_len <= BUILD_ID_MAX) {
			char *digits = calloc(1, 2 * desc_len + 1);
			if (digits)
				hex_encode(digits, notes + desc, desc_len);
			return digits;
		}
		at = desc + (desc_len + 3) / 4 * 4;
	}
	return NULL;
}

/* Reads [at, at + len) of the first @have bytes of @fd; false if they are not there (yet). */
static bool read_early(int fd, uint64_t have, uint64_t at, void *out, size_t len)
{
	return range_within(at, len, have) && pread(fd, out, len, (off_t)at) == (ssize_t)len;
}

/* The build-id in the notes of the segment @h; false if they are not there yet. */
static bool segment_build_id(int fd, uint64_t have, const Elf64_Phdr *h, char **ret)
{
	uint64_t len = le64toh(h->p_filesz);
	*ret = NULL;
	if (le32toh(h->p_type) != PT_NOTE || !len || len > NOTES_MAX)
		return true;
	unsigned char *notes = malloc(len);
	bool there = notes && read_early(fd, have, le64toh(h->p_offset), notes, len);
	if (there)
		*ret = elf_notes_build_id(notes, len);
	free(notes);
	return there;
}

bool elf_early_build_id(int fd, uint64_t have, char **ret)
{
	Elf64_Ehdr h;
	*ret = NULL;
	if (!read_early(fd, have, 0, &h, sizeof(h)))
		return false;
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_ident[EI_DATA] != ELFDATA2LSB || le16toh(h.e_phentsize) != sizeof(Elf64_Phdr))
		return true;
	for (unsigned i = 0; !*ret && i < le16toh(h.e_phnum) && i < SEGMENTS_MAX; i++) {
		Elf64_Phdr segment;
		uint64_t at;
		if (__builtin_add_overflow(le64toh(h.e_phoff), i * sizeof(segment), &at))
			return true;
		if (!read_early(fd, have, at, &segment, sizeof(segment)) ||
		    !segment_build_id(fd, have, &segment, ret))
			return false;
	}
	return true;
}

/* The release in the banner "Linux version RELEASE (who@where) ..." (linux_banner in
 * init/version-timestamp.c) somewhere in @data; NULL if it is not there. */
static char *release_in(const Elf_Data *data)
{
	static const char banner[] = "Linux version ";
	const char *p = data->d_buf, *end = p + data->d_size;
	while (p && (p = memmem(p, (size_t)(end - p), banner, sizeof(banner) - 1))) {
		p += sizeof(banner) - 1;
		size_t len = 0;
		while (p + len < end && len <= RELEASE_MAX && p[len] > ' ' && p[len] < 0x7f)
			len++;
		/* The same words may begin a format. */
		if (len && len <= RELEASE_MAX && p[0] >= '0' && p[0] <= '9')
			return strndup(p, len);
	}
	return NULL;
}

static void look_at_section(Elf_Scn *scn, const GElf_Shdr *h, const char *name,
			    struct elf_identity *id)
{
	bool has_bytes = h->sh_type != SHT_NOBITS && h->sh_size;
	if (h->sh_type == SHT_SYMTAB && h->sh_size > sizeof(Elf64_Sym))
		id->has_symtab = true;
	if (has_bytes && (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")))
		id->has_dwarf = true;
	if (has_bytes && !strcmp(name, ".BTF"))
		id->has_btf = true;
	if (h->sh_type == SHT_NOTE && !id->build_id) {
		Elf_Data *data = elf_getdata(scn, NULL);
		id->build_id = data ? build_id_in(data) : NULL;
	}
	if (has_bytes && !strcmp(name, ".rodata") && !id->release) {
		Elf_Data *data = elf_rawdata(scn, NULL);
		id->release = data && data->d_buf ? release_in(data) : NULL;
	}
}

static struct err *look_at_sections(Elf *elf, struct elf_identity *id)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names))
		return err_new(ERR_FORMAT, "its section headers are damaged (%s)", elf_errmsg(-1));
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr h;
		const char *name = gelf_getshdr(scn, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
		if (name)
			look_at_section(scn, &h, name, id);
	}
	return NULL;
}

static struct err *check_debug_sections(Elf *elf, struct elf_identity *id)
{
	struct err *why = id->has_dwarf ? debug_sections_check(elf) : NULL;
	if (!why)
		return NULL;
	id->has_dwarf = false;
	id->dwarf_why = strdup(err_msg(why));
	err_free(why);
	return id->dwarf_why ? NULL : err_nomem();
}

struct err *elf_identify(int fd, struct elf_identity *ret)
{
	struct err *e = check_magic(fd);
	if (e)
		return e;
	elf_version(EV_CURRENT);
	struct elf_identity id = { 0 };
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, NULL);
	e = check_header(elf, &id.relocatable);
	if (!e)
		e = look_at_sections(elf, &id);
	if (!e)
		e = check_debug_sections(elf, &id);
	if (!e)
		e = elf_guard_check(elf);
	elf_guard_end(elf);
	if (e)
		elf_identity_free(&id);
	else
		*ret = id;
	return e;
}

/* The first section that @wanted accepts, or NULL. */
static Elf_Scn *
find_section(Elf *elf, bool (*wanted)(const GElf_Shdr *h, const char *name, const void *closure),
	     const void *closure, GElf_Shdr *ret)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		const char *name =
			gelf_getshdr(scn, ret) ? elf_strptr(elf, names, ret->sh_name) : NULL;
		if (name && wanted(ret, name, closure))
			return scn;
	}
	return NULL;
}

static bool is_symtab(const GElf_Shdr *h, const char *name, const void *closure)
{
	(void)name, (void)closure;
	return h->sh_type == SHT_SYMTAB;
}

static bool is_called(const GElf_Shdr *h, const char *name, const void *closure)
{
	return h->sh_type != SHT_NOBITS && !strcmp(name, closure);
}

uint64_t elf_symbol_values(int fd, const char *const *names, size_t count, uint64_t *values)
{
	elf_version(EV_CURRENT);
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, NULL);
	GElf_Shdr h;
	Elf_Scn *scn = elf ? find_section(elf, is_symtab, NULL, &h) : NULL;
	Elf_Data *table = scn ? elf_getdata(scn, NULL) : NULL;
	size_t symbols = table && h.sh_entsize ? table->d_size / h.sh_entsize : 0;
	uint64_t found = 0;
	for (size_t i = 1; i < symbols; i++) {
		GElf_Sym sym;
		const char *name = gelf_getsym(table, (int)i, &sym) && sym.st_shndx != SHN_UNDEF
					   ? elf_strptr(elf, h.sh_link, sym.st_name)
					   : NULL;
		for (size_t n = 0; name && n < count; n++) {
			if (strcmp(name, names[n]))
				continue;
			values[n] = sym.st_value;
			found |= UINT64_C(1) << n;
		}
	}
	if (elf_guard_is_bad(elf))
		found = 0;
	elf_guard_end(elf);
	return found;
}

struct err *elf_section_bytes(int fd, const char *name, struct buf *out)
{
	elf_version(EV_CURRENT);
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, NULL);
	GElf_Shdr h;
	Elf_Scn *scn = elf ? find_section(elf, is_called, name, &h) : NULL;
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	struct err *e = NULL;
	if (data && data->d_buf) {
		buf_add(out, data->d_buf, data->d_size);
		e = buf_error(out);
		if (!e)
			e = elf_guard_check(elf);
	} else {
		e = err_new(ERR_NOTFOUND, "there is no section %s", name);
	}
	elf_guard_end(elf);
	return e;
}
