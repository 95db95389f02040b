// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/index_section.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "server/files/overlay.h"

enum {
	SECTIONS_MAX = 4096, /* no vmlinux has that many */
	NAMES_MAX = 1 << 20, /* bytes of all their names */
	ALIGNMENT = 16,
	INDEX_VERSION = 8,
	INDEX_HEADER = 24, /* the version and five offsets */
	UNIT_SIZE = 16,	   /* its offset and its length */
};

static const char index_name[] = ".gdb_index";

/* A file's table of sections. */
struct table {
	Elf64_Ehdr header;
	Elf64_Shdr *rows; /* owned */
	char *names;	  /* owned, with a 0 behind them */
	size_t names_len;
};

static void table_free(struct table *t)
{
	free(t->rows);
	free(t->names);
}

static bool read_at(int fd, uint64_t offset, void *out, size_t len)
{
	return offset <= INT64_MAX - len && pread(fd, out, len, (off_t)offset) == (ssize_t)len;
}

static struct err *read_rows(int fd, struct table *t)
{
	const Elf64_Ehdr *h = &t->header;
	if (!read_at(fd, 0, &t->header, sizeof(t->header)) ||
	    memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_shentsize != sizeof(Elf64_Shdr) ||
	    !h->e_shnum || h->e_shnum > SECTIONS_MAX || h->e_shstrndx >= h->e_shnum)
		return err_new(ERR_FORMAT, "its section headers are damaged, or there are none");
	t->rows = calloc(h->e_shnum, sizeof(*t->rows));
	if (!t->rows)
		return err_nomem();
	if (!read_at(fd, h->e_shoff, t->rows, h->e_shnum * sizeof(*t->rows)))
		return err_new(ERR_FORMAT, "its section headers are cut off");
	return NULL;
}

/* On failure, too, @t is to be freed. */
static struct err *read_table(int fd, struct table *t)
{
	struct err *e = read_rows(fd, t);
	if (e)
		return e;
	const Elf64_Shdr *names = &t->rows[t->header.e_shstrndx];
	if (names->sh_type != SHT_STRTAB || names->sh_flags & SHF_COMPRESSED ||
	    names->sh_size > NAMES_MAX)
		return err_new(ERR_FORMAT, "its sections have no names");
	t->names_len = names->sh_size;
	t->names = calloc(1, t->names_len + 1);
	if (!t->names)
		return err_nomem();
	if (!read_at(fd, names->sh_offset, t->names, t->names_len))
		return err_new(ERR_FORMAT, "the names of its sections are cut off");
	return NULL;
}

static const Elf64_Shdr *find(const struct table *t, const char *name)
{
	for (unsigned i = 0; i < t->header.e_shnum; i++)
		if (t->rows[i].sh_name < t->names_len &&
		    !strcmp(t->names + t->rows[i].sh_name, name))
			return &t->rows[i];
	return NULL;
}

bool index_section_is_wanted(int fd)
{
	struct table t = { 0 };
	struct err *e = read_table(fd, &t);
	bool wanted =
		!e && find(&t, ".debug_info") && !find(&t, index_name) && !find(&t, ".debug_names");
	err_free(e);
	table_free(&t);
	return wanted;
}

/* ---- checking ---- */

/* Bytes of .debug_info when it is not compressed; false if it cannot be told. */
static bool find_info_size(int fd, const struct table *t, uint64_t *ret)
{
	const Elf64_Shdr *info = find(t, ".debug_info");
	Elf64_Chdr compressed;
	if (!info)
		return false;
	*ret = info->sh_size;
	if (!(info->sh_flags & SHF_COMPRESSED))
		return true;
	if (!read_at(fd, info->sh_offset, &compressed, sizeof(compressed)))
		return false;
	*ret = compressed.ch_size;
	return true;
}

/* Whether the tables are one behind the other; *ret is where each begins, and the end. */
static bool check_tables(const struct buf *index, uint32_t ret[6])
{
	if (index->len < INDEX_HEADER || index->len > UINT32_MAX ||
	    get_u32(index->data) != INDEX_VERSION)
		return false;
	for (unsigned i = 0; i < 5; i++)
		ret[i] = get_u32(index->data + 4 + (size_t)4 * i);
	ret[5] = (uint32_t)index->len;
	for (unsigned i = 0; i < 5; i++)
		if (ret[i] < INDEX_HEADER || ret[i] > ret[i + 1])
			return false;
	return true;
}

static bool check_units(const struct buf *index, const uint32_t tables[6], uint64_t info)
{
	uint64_t end = 0;
	if (tables[0] == tables[1] || (tables[1] - tables[0]) % UNIT_SIZE)
		return false;
	for (uint32_t at = tables[0]; at < tables[1]; at += UNIT_SIZE) {
		uint64_t unit = get_u64(index->data + at), len = get_u64(index->data + at + 8);
		if (unit < end || !range_within(unit, len, info))
			return false;
		end = unit + len;
	}
	return end == info;
}

struct err *index_section_check(int fd, const struct buf *index)
{
	struct table t = { 0 };
	uint32_t tables[6];
	uint64_t info;
	struct err *e = read_table(fd, &t);
	if (!e && (!find_info_size(fd, &t, &info) || !check_tables(index, tables) ||
		   !check_units(index, tables, info)))
		e = err_new(ERR_FORMAT, "it is no index of this file");
	table_free(&t);
	return e;
}

/* ---- adding ---- */

static uint64_t align(uint64_t offset)
{
	return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static struct err *add_index(const struct table *t, uint64_t file_size, const struct buf *index,
			     const struct overlay *cures, struct overlay *ret)
{
	const Elf64_Ehdr *h = &t->header;
	size_t old = h->e_shnum * sizeof(*t->rows);
	uint64_t at_index = align(file_size), at_names = align(at_index + index->len);
	uint64_t at_rows = align(at_names + t->names_len + sizeof(index_name));
	struct buf names = BUF_INIT, rows = BUF_INIT;
	const Elf64_Shdr added = { .sh_name = (Elf64_Word)t->names_len,
				   .sh_type = SHT_PROGBITS,
				   .sh_offset = at_index,
				   .sh_size = index->len,
				   .sh_addralign = 1 };
	Elf64_Ehdr header = *h;
	header.e_shoff = at_rows;
	header.e_shnum++;
	overlay_apply(cures, h->e_shoff, t->rows, old);
	t->rows[h->e_shstrndx].sh_offset = at_names;
	t->rows[h->e_shstrndx].sh_size = t->names_len + sizeof(index_name);
	buf_add(&names, t->names, t->names_len);
	buf_add(&names, index_name, sizeof(index_name));
	buf_add(&rows, t->rows, old);
	buf_add(&rows, &added, sizeof(added));
	struct err *e = buf_error(&names);
	if (!e)
		e = buf_error(&rows);
	if (!e)
		e = overlay_add(ret, 0, &header, sizeof(header));
	if (!e)
		e = overlay_add(ret, at_index, index->data, index->len);
	if (!e)
		e = overlay_add(ret, at_names, names.data, names.len);
	if (!e)
		e = overlay_add(ret, at_rows, rows.data, rows.len);
	buf_free(&names);
	buf_free(&rows);
	return e;
}

struct err *index_section_add(int fd, const struct buf *index, const struct overlay *cures,
			      struct overlay *ret)
{
	struct table t = { 0 };
	struct stat st;
	struct err *e = read_table(fd, &t);
	if (!e && (fstat(fd, &st) || st.st_size < 0))
		e = err_new(ERR_FORMAT, "its size is not known");
	if (!e)
		e = add_index(&t, (uint64_t)st.st_size, index, cures, ret);
	if (e)
		overlay_free(ret);
	table_free(&t);
	return e;
}
