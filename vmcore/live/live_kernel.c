// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/live_kernel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/live.h"

enum {
	VMCOREINFO_MAX = 1 << 20, /* bytes of its note */
	KALLSYMS_MAX = 64 << 20,  /* bytes; a kernel of 300,000 symbols has 14 MB */
	PART = 1 << 16,		  /* read at once */
};

/* ---- VMCOREINFO ---- */

/* "27e3c000 1024": where the ELF note lies, and its size (kernel/ksysfs.c: vmcoreinfo_show()). */
static struct err *vmcoreinfo_place(const char *path, uint64_t *ret_pa, uint64_t *ret_size)
{
	FILE *file = fopen(path, "re");
	if (!file && errno == ENOENT)
		return err_new(ERR_IO, "%s does not exist: this kernel was built without it", path);
	if (!file)
		return err_errno(errno, "%s", path);
	int got = fscanf(file, "%" SCNx64 " %" SCNx64, ret_pa, ret_size);
	fclose(file);
	if (got == 2 && *ret_pa && *ret_size && *ret_size <= VMCOREINFO_MAX &&
	    *ret_pa <= UINT64_MAX - *ret_size)
		return NULL;
	return err_new(ERR_FORMAT, "%s does not say where VMCOREINFO is", path);
}

static struct err *read_physical(const struct page_source *pages, uint64_t pa, uint8_t *out,
				 size_t len)
{
	uint8_t page[PAGE_SIZE];
	for (size_t done = 0; done < len;) {
		uint64_t at = pa + done;
		uint16_t from, to;
		struct err *e = pages->read_page(pages->self, at >> PAGE_SHIFT, page, &from, &to);
		if (e)
			return e;
		size_t offset = at % PAGE_SIZE;
		if (offset < from || offset >= to)
			return err_new(ERR_MISSING, "no RAM of this machine");
		size_t part = to - offset < len - done ? to - offset : len - done;
		memcpy(out + done, page + offset, part);
		done += part;
	}
	return NULL;
}

static struct err *read_vmcoreinfo(const struct live_paths *paths, const struct page_source *pages,
				   struct notes *notes)
{
	uint64_t pa, size;
	size_t damage;
	struct err *e = vmcoreinfo_place(paths->vmcoreinfo, &pa, &size);
	if (e)
		return e;
	uint8_t *bytes = malloc(size);
	if (!bytes)
		return err_nomem();
	e = read_physical(pages, pa, bytes, size);
	if (!e)
		e = notes_parse(notes, bytes, size, &damage);
	free(bytes);
	if (!e)
		e = notes_find_vmcoreinfo(notes);
	if (!e && !notes->vmcoreinfo)
		e = err_new(ERR_FORMAT, "no such note is there");
	return err_wrap(e, "read VMCOREINFO at physical address 0x%" PRIx64 ", which %s gives", pa,
			paths->vmcoreinfo);
}

/* ---- symbols ---- */

static bool leads_to_symbols(const struct notes *notes)
{
	static const char line[] = "\nSYMBOL(kallsyms_names)=";
	return notes->vmcoreinfo &&
	       memmem(notes->vmcoreinfo, notes->vmcoreinfo_len, line, strlen(line));
}

/* Whether an address of "0000000000000000 T _text\n" is another. */
static bool shows_addresses(const char *text)
{
	for (const char *line = text; *line;) {
		if (line[strspn(line, "0")] != ' ')
			return true;
		const char *end = strchr(line, '\n');
		if (!end)
			break;
		line = end + 1;
	}
	return false;
}

/* kernel/kallsyms.c: kallsyms_show_value(). */
static const char *why_hidden(const struct live_paths *paths)
{
	FILE *file = fopen(paths->kptr_restrict, "re");
	int level = file ? fgetc(file) : EOF;
	if (file)
		fclose(file);
	return level == '2' ? "kernel.kptr_restrict is 2, which hides them from everybody: set it "
			      "to 1 (sysctl kernel.kptr_restrict=1) while this starts"
			    : "the capability CAP_SYSLOG is needed to see them, which root in a "
			      "container may lack";
}

/* Modules' symbols come last, each line with the module behind a tab. */
static struct err *read_lines(FILE *file, struct buf *out)
{
	for (;;) {
		char part[PART];
		size_t got = fread(part, 1, sizeof(part), file);
		const char *tab = memchr(part, '\t', got);
		if (memchr(part, 0, got))
			return err_new(ERR_FORMAT, "it is no text");
		buf_add(out, part, tab ? (size_t)(tab - part) : got);
		if (out->failed)
			return err_nomem();
		if (out->len > KALLSYMS_MAX)
			return err_new(ERR_FORMAT, "it is longer than %d MiB", KALLSYMS_MAX >> 20);
		if (!tab && got)
			continue;
		if (!tab && ferror(file))
			return err_errno(errno, "read it");
		const char *end = out->len ? memrchr(out->data, '\n', out->len) : NULL;
		buf_cut(out, end ? (size_t)(end + 1 - out->data) : 0);
		return NULL;
	}
}

static struct err *read_kallsyms(const struct live_paths *paths, struct buf *out)
{
	FILE *file = fopen(paths->kallsyms, "re");
	if (!file && errno == ENOENT)
		return err_new(ERR_IO, "%s does not exist: this kernel was built without it",
			       paths->kallsyms);
	if (!file)
		return err_errno(errno, "%s", paths->kallsyms);
	struct err *e = err_wrap(read_lines(file, out), "%s", paths->kallsyms);
	fclose(file);
	if (!e && !out->len)
		e = err_new(ERR_FORMAT, "%s lists no symbols", paths->kallsyms);
	if (!e && !shows_addresses(out->data))
		e = err_new(ERR_IO, "%s shows no addresses: %s", paths->kallsyms,
			    why_hidden(paths));
	return e;
}

static struct err *ask_symbols(const struct live_paths *paths, struct live_kernel *k)
{
	struct err *e = read_kallsyms(paths, &k->kallsyms);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	buf_free(&k->kallsyms);
	k->kallsyms_why = strdup(err_msg(e));
	err_free(e);
	return k->kallsyms_why ? NULL : err_nomem();
}

/* ---- all of it ---- */

static struct err *ask_iomem(const struct live_paths *paths, struct live_kernel *k)
{
	struct ram_map ram;
	struct err *e = ram_map_read(paths->iomem, &ram);
	if (!e) {
		k->code = ram.kernel_code;
		ram_map_free(&ram);
	} else if (err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = NULL;
	}
	return e;
}

struct err *live_kernel_ask(const struct live_paths *paths, const struct page_source *pages,
			    const struct dump_options *options, struct notes *notes,
			    struct live_kernel *ret)
{
	*ret = (struct live_kernel){ .kallsyms = BUF_INIT };
	struct err *e = notes->vmcoreinfo ? NULL : read_vmcoreinfo(paths, pages, notes);
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	if (e)
		dump_warn(options, "VMCOREINFO is not where it should be: %s", err_msg(e));
	err_free(e);
	if (leads_to_symbols(notes))
		return NULL;
	e = ask_symbols(paths, ret);
	return e || notes->vmcoreinfo ? e : ask_iomem(paths, ret);
}

void live_kernel_free(struct live_kernel *k)
{
	buf_free(&k->kallsyms);
	free(k->kallsyms_why);
	k->kallsyms_why = NULL;
}
