// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/notes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/file.h"

enum {
	NOTE_HEADER = 12,	   /* n_namesz, n_descsz, n_type */
	NOTE_BYTES_MAX = 64 << 20, /* of one area; 8192 CPUs of a QEMU dump need 7 MiB */
};

void dump_warn(const struct dump_options *options, const char *fmt, ...)
{
	if (!options->warn)
		return;
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	if (!b.failed)
		options->warn(options->warn_closure, b.data);
	buf_free(&b);
}

void notes_free(struct notes *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->blocks[i]);
	free(n->list);
	free(n->blocks);
	free(n->vmcoreinfo);
	*n = (struct notes)NOTES_INIT;
}

static bool grow(struct notes *n)
{
	size_t capacity = n->capacity ? 2 * n->capacity : 16;
	struct dump_note *list = realloc(n->list, capacity * sizeof(*list));
	if (list)
		n->list = list;
	char **blocks = realloc(n->blocks, capacity * sizeof(*blocks));
	if (blocks)
		n->blocks = blocks;
	if (!list || !blocks)
		return false;
	n->capacity = capacity;
	return true;
}

static struct err *add(struct notes *n, uint32_t type, const uint8_t *name, size_t name_len,
		       const uint8_t *desc, size_t len)
{
	if (n->count == n->capacity && !grow(n))
		return err_nomem();
	char *copy = malloc(name_len + 1 + len);
	if (!copy)
		return err_nomem();
	memcpy(copy, name, name_len);
	copy[name_len] = '\0';
	memcpy(copy + name_len + 1, desc, len);
	n->blocks[n->count] = copy;
	n->list[n->count++] = (struct dump_note){
		.name = copy,
		.type = type,
		.desc = (const uint8_t *)copy + name_len + 1,
		.len = len,
	};
	return NULL;
}

static uint64_t align4(uint64_t v)
{
	return (v + 3) & ~UINT64_C(3);
}

struct err *notes_parse(struct notes *n, const uint8_t *bytes, size_t len, size_t *ret_damage_at)
{
	size_t at = 0;
	while (len - at >= NOTE_HEADER) {
		uint32_t name_len = get_u32(bytes + at);
		uint32_t desc_len = get_u32(bytes + at + 4);
		uint32_t type = get_u32(bytes + at + 8);
		uint64_t desc_at = NOTE_HEADER + align4(name_len);
		uint64_t end = desc_at + desc_len;

		/* The padding behind the last descriptor may be missing. */
		if (end > len - at)
			break;
		/* CPUs that were never online leave a header of zeros. */
		if (name_len || desc_len) {
			struct err *e = add(n, type, bytes + at + NOTE_HEADER, name_len,
					    bytes + at + desc_at, desc_len);
			if (e)
				return e;
		}
		end = align4(end);
		at = end < len - at ? at + (size_t)end : len;
	}
	*ret_damage_at = len - at < NOTE_HEADER ? len : at;
	return NULL;
}

struct err *notes_read(struct notes *n, const struct dump_file *f, uint64_t offset, uint64_t len,
		       const struct dump_options *options)
{
	if (len > NOTE_BYTES_MAX)
		return err_new(ERR_FORMAT, "its notes claim to be %" PRIu64 " bytes long", len);
	if (len == 0)
		return NULL;
	uint8_t *bytes = malloc((size_t)len);
	if (!bytes)
		return err_nomem();
	size_t done;
	struct err *e = dump_file_read_part(f, offset, bytes, (size_t)len, &done);
	if (e)
		goto out;
	if (done < len)
		dump_warn(options,
			  "%s: its notes are cut off: CPU registers or VMCOREINFO may be missing",
			  f->path);
	size_t damage_at;
	e = notes_parse(n, bytes, done, &damage_at);
	if (!e && damage_at < done && done == len)
		dump_warn(options,
			  "%s: the note at 0x%" PRIx64 " is damaged: it and those behind it are "
			  "not used",
			  f->path, offset + damage_at);
out:
	free(bytes);
	return e;
}

struct err *notes_set_vmcoreinfo(struct notes *n, const void *text, size_t len)
{
	len = strnlen(text, len);
	char *copy = malloc(len + 1);
	if (!copy)
		return err_nomem();
	memcpy(copy, text, len);
	copy[len] = '\0';
	free(n->vmcoreinfo);
	n->vmcoreinfo = copy;
	n->vmcoreinfo_len = len;
	return NULL;
}

struct err *notes_find_vmcoreinfo(struct notes *n)
{
	if (n->vmcoreinfo)
		return NULL;
	for (size_t i = 0; i < n->count; i++) {
		if (strcmp(n->list[i].name, "VMCOREINFO") == 0)
			return notes_set_vmcoreinfo(n, n->list[i].desc, n->list[i].len);
	}
	return NULL;
}
