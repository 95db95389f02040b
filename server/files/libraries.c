// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/libraries.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "server/files/exports.h"
#include "server/files/made_image.h"
#include "server/files/served_name.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/image/image.h"
#include "vmcore/image/made_names.h"
#include "vmcore/image/module_names.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/ko_file.h"
#include "vmcore/names/symbols.h"
#include "vmcore/vmcore.h"

enum { SLICE = 8 /* modules before others have their turn */ };

static void add_library(const char *name, const struct ko_section *sections, size_t count,
			struct buf *out)
{
	buf_addstr(out, "<library name=\"");
	buf_addxml(out, name);
	buf_addstr(out, "\">");
	for (size_t i = 0; i < count; i++)
		buf_addf(out, "<section address=\"0x%" PRIx64 "\"/>", sections[i].address);
	buf_addstr(out, "</library>\n");
}

/* The path is a name that gdb opens here or, if it is told to, among its own files. */
static struct err *add_module(const struct library_source *source, const struct module *m,
			      struct buf *out)
{
	const struct module_file *file;
	struct ko_file *ko;
	size_t count;
	struct module_files *files = source->vmcore->module_files;
	struct err *e = module_files_ko(files, m, &ko);
	if (!e)
		e = module_files_get(files, m, &file);
	char *name = e ? NULL : served_name(file->path, file->packed, file->in_package);
	if (!e && !name)
		e = err_new(ERR_IO, "%s is not there any more", file->path);
	if (!e && !exports_has(source->exports, name))
		e = exports_add_fd(source->exports, name, file->fd, NULL);
	if (!e) {
		const struct ko_section *sections = ko_file_sections(ko, &count);
		add_library(name, sections, count, out);
	}
	free(name);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	log_debug(LOG_SYMBOLS, "module %s is no library: %s", m->name, err_msg(e));
	err_free(e);
	return NULL;
}

/* The last one: gdb takes the first frames that it finds. Made of ORC, which older kernels do not
 * have. */
static void add_entry_frames(const struct library_source *source, struct buf *out)
{
	if (source->entry_frames)
		buf_addf(out,
			 "<library name=\"%s\"><section address=\"0x%" PRIx64 "\"/></library>\n",
			 made_entry_frames_name, kernel_arch(source->vmcore->kernel)->map->hole);
}

/* Whether the vmlinux in use has symbols in the memory of @m, and so, most likely, has the
 * client's. */
static bool in_vmlinux(const struct kernel *k, const struct module *m)
{
	const struct symbols *s = kernel_symbols(k);
	for (unsigned r = 0; r < m->region_count; r++) {
		const struct module_region *region = &m->regions[r];
		/* The first symbol at or above the region is that of number low in the end. */
		size_t low = 0, high = symbols_count(s);
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			if (symbols_nth(s, middle).address < region->low)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < symbols_count(s) && symbols_nth(s, low).address < region->high)
			return true;
	}
	return false;
}

/* Sets in @wanted which modules have names in the dump and are no library. */
static struct err *without_file(struct vmcore *host, bool *wanted)
{
	const struct modules *modules = code_map_modules(host->code);
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		struct ko_file *unused;
		struct err *none =
			m->symtab ? module_files_ko(host->module_files, m, &unused) : NULL;
		if (none && err_code(none) == ERR_NOMEM)
			return none;
		wanted[i] = none && !in_vmlinux(host->kernel, m);
		err_free(none);
	}
	return NULL;
}

/* One library of all modules that are none themselves. Where the modules are not those that there
 * were at first there is none: what is made for clients is of those. */
static struct err *add_module_names(const struct library_source *source, struct buf *out)
{
	struct vmcore *host = source->vmcore;
	const struct modules *modules = code_map_modules(host->code);
	const char *name;
	uint64_t low, high;
	if (!source->made || made_image_source(source->made)->code != host->code)
		return NULL;
	bool *wanted = calloc(modules->count + 1, sizeof(*wanted));
	if (!wanted)
		return err_nomem();
	struct err *e = without_file(host, wanted);
	if (!e && module_names_span(modules, wanted, &low, &high)) {
		e = made_image_module_names(source->made, wanted, source->exports, &name);
		if (!e)
			buf_addf(out,
				 "<library name=\"%s\"><segment address=\"0x%" PRIx64
				 "\"/></library>\n",
				 name, low);
	}
	free(wanted);
	return e;
}

/* The same of code that was made at run time, which no file has. */
static struct err *add_made_names(const struct library_source *source, struct buf *out)
{
	struct vmcore *host = source->vmcore;
	uint64_t low, high;
	if (!source->made || made_image_source(source->made)->code != host->code ||
	    !made_names_span(code_map_made(host->code), &low, &high))
		return NULL;
	struct err *e = exports_has(source->exports, made_names_name)
				? NULL
				: made_image_offer_made_names(source->made, source->exports);
	if (!e)
		buf_addf(out,
			 "<library name=\"%s\"><segment address=\"0x%" PRIx64 "\"/></library>\n",
			 made_names_name, low);
	return e;
}

struct err *libraries_continue(const struct library_source *source, bool has_image, size_t *next,
			       struct buf *out, bool *ret_done)
{
	const struct modules *modules = code_map_modules(source->vmcore->code);
	struct err *e = NULL;
	if (!out->len)
		buf_addstr(out, "<library-list version=\"1.0\">\n");
	for (int i = 0; !e && i < SLICE && *next < modules->count; i++)
		e = add_module(source, &modules->list[(*next)++], out);
	*ret_done = *next == modules->count;
	if (!e && *ret_done && !has_image)
		e = add_module_names(source, out);
	if (!e && *ret_done && !has_image)
		e = add_made_names(source, out);
	if (!e && *ret_done) {
		add_entry_frames(source, out);
		buf_addstr(out, "</library-list>\n");
	}
	return e ? e : buf_error(out);
}
