// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the kernel in a dump: its page tables, its symbols, its vmlinux if needed, its types. */
#include "vmcore/kernel/kernel_private.h"
#include "vmcore/kernel/members.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/prstatus.h"
#include "vmcore/find/arch.h"
#include "vmcore/find/crashed_kernel.h"
#include "vmcore/find/image_build_id.h"
#include "vmcore/find/image_symbols.h"
#include "vmcore/find/vmcoreinfo_memory.h"
#include "vmcore/names/files/btf_files.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/packages.h"
#include "vmcore/names/vmcoreinfo.h"

enum {
	BTF_MAX = 64 << 20,	    /* Debian's is 4.4 MB */
	NOTES_MAX = 64 << 10,	    /* .notes of vmlinux */
	COMMAND_LINE_MAX = 4096,    /* COMMAND_LINE_SIZE is 2048 */
	IMAGE_SCAN_MAX = 128 << 20, /* how far into the image its banner is looked for */
};

/* From VMCOREINFO (5.10 and later), or the kernel's .notes section, once symbols tell where it is
 * (include/asm-generic/vmlinux.lds.h: NOTES). */
static void find_build_id(struct kernel *k)
{
	const char *told = vmcoreinfo_get(k->info, "BUILD-ID");
	uint64_t start, stop;
	if (told && *told) {
		k->build_id = strdup(told);
		return;
	}
	if (!kernel_symbol(k, "__start_notes", &start) ||
	    !kernel_symbol(k, "__stop_notes", &stop) || stop <= start || stop - start > NOTES_MAX)
		return;
	unsigned char *notes = malloc(stop - start);
	struct err *e = notes ? kernel_read(k, start, notes, stop - start) : NULL;
	if (notes && !e)
		k->build_id = elf_notes_build_id(notes, stop - start);
	err_free(e);
	free(notes);
}

/* Of the file that --live names only memory tells whether it is this machine's. */
static struct err *check_listed_symbols(const struct kernel *k)
{
	char banner[BANNER_MAX], wanted[sizeof("Linux version ") + RELEASE_MAX];
	uint64_t at;
	if (!symbols_address(k->kallsyms, "linux_banner", &at))
		return err_new(ERR_NOTFOUND, "/proc/kallsyms lists functions only");
	snprintf(wanted, sizeof(wanted), "Linux version %s ", k->release);
	struct err *e = kernel_read_string(k, at, banner, sizeof(banner));
	bool good = !e && !strncmp(banner, wanted, strlen(wanted));
	err_free(e);
	return good ? NULL
		    : err_new(ERR_CORRUPT, "/proc/kallsyms is that of another kernel than %s",
			      k->release);
}

/* Where VMCOREINFO does not lead to symbols, a kernel that runs may have listed them. @e, taken,
 * says that there were none. */
static struct err *open_listed_symbols(struct kernel *k, struct err *e)
{
	const struct dump_info *info = dump_info(k->dump);
	if (!e || err_code(e) != ERR_NOTFOUND || (!info->kallsyms && !info->kallsyms_why))
		return e;
	if (info->kallsyms) {
		err_free(e);
		e = symbols_from_kallsyms_text(info->kallsyms, k->info, &k->kallsyms);
		if (!e)
			e = check_listed_symbols(k);
		if (e) {
			symbols_free(k->kallsyms);
			k->kallsyms = NULL;
		}
		return e;
	}
	kernel_note(k, "VMCOREINFO does not lead to the kernel's symbols, and %s",
		    info->kallsyms_why);
	return e;
}

/* Where nothing leads to symbols, they are searched for. @e, taken, says that there were none. */
static struct err *search_symbols(struct kernel *k, struct err *e)
{
	uint64_t text;
	if (!e || err_code(e) == ERR_NOMEM ||
	    !kernel_arch(k)->find->image_start(k->memory, &k->space, &text))
		return e;
	log_debug(LOG_SYMBOLS, "kallsyms: %s", err_msg(e));
	k->found_image = text;
	err_free(e);
	return image_symbols_find(kernel_arch(k)->map, k->memory, &k->space, text, k->info,
				  &k->kallsyms);
}

/* The kernel's own symbols; without them a vmlinux is needed, and *ret_why (else NULL) says why. */
static struct err *open_kallsyms(struct kernel *k, const char **ret_why)
{
	struct err *e = NULL;
	uint64_t init_task;
	if (!k->kallsyms) {
		e = symbols_from_kallsyms(k->memory, &k->space, k->info, &k->kallsyms);
		e = open_listed_symbols(k, e);
		e = search_symbols(k, e);
	}
	if (e) {
		log_debug(LOG_SYMBOLS, "kallsyms: %s", err_msg(e));
		if (err_code(e) == ERR_NOMEM)
			return e;
		if (err_code(e) != ERR_NOTFOUND)
			kernel_note(k, "the dump's own symbol table cannot be used: %s",
				    err_msg(e));
		*ret_why = err_code(e) == ERR_NOTFOUND
				   ? "the kernel's own symbol table was not found in its memory"
				   : "the kernel's own symbol table cannot be used";
		err_free(e);
		return NULL;
	}
	/* Without CONFIG_KALLSYMS_ALL. */
	*ret_why = symbols_address(k->kallsyms, "init_task", &init_task)
			   ? NULL
			   : "the kernel's own symbol table has functions only";
	return NULL;
}

/* BTF where symbols say that it is, in the dump's memory; or, where they do not, in the image. */
static struct err *types_from_memory(struct kernel *k)
{
	uint64_t start, stop, text;
	if (!kernel_symbol(k, "__start_BTF", &start) || !kernel_symbol(k, "__stop_BTF", &stop))
		return kernel_arch(k)->find->image_start(k->memory, &k->space, &text)
			       ? image_types_find(kernel_arch(k)->map, k->memory, &k->space, text,
						  &k->types)
			       : err_new(ERR_NOTFOUND, "the kernel has no BTF");
	if (stop <= start || stop - start > BTF_MAX)
		return err_new(ERR_CORRUPT, "the kernel's BTF would be %" PRIu64 " bytes long",
			       stop - start);
	void *data = malloc(stop - start);
	if (!data)
		return err_nomem();
	struct err *e = kernel_read(k, start, data, stop - start);
	if (!e)
		e = types_from_btf(data, stop - start, NULL, &k->types);
	free(data);
	return err_wrap(e, "read the kernel's BTF");
}

/* Takes @e, and says what was found and refused, too. */
static struct err *add_refused(struct err *e, const struct buf *tried)
{
	/* The first is the likeliest. */
	struct err *more = err_new(err_code(e), "%s. Refused: %.*s", err_msg(e),
				   (int)strcspn(tried->data, "\n"), tried->data);
	err_free(e);
	return more;
}

struct err *kernel_find_debug_file(const struct kernel *k, const char *const *paths, size_t count,
				   struct debug_file **ret)
{
	struct debug_wanted wanted = kernel_debug_wanted(k);
	struct buf tried = BUF_INIT;
	struct debug_file *file = NULL;
	struct err *e = debug_file_find(paths, count, &wanted, &tried, &file);
	log_debug(LOG_SYMBOLS, "vmlinux: %s%s", file ? file->path : "none\n", tried.data);
	if (e && err_code(e) == ERR_NOTFOUND && tried.len)
		e = add_refused(e, &tried);
	buf_free(&tried);
	if (!e)
		*ret = file;
	return e;
}

static struct err *find_file(struct kernel *k, const struct kernel_options *options)
{
	return kernel_find_debug_file(k, options->symbol_paths, options->symbol_path_count,
				      &k->file);
}

static bool is_missing(const struct err *e)
{
	return e && err_code(e) == ERR_NOTFOUND;
}

/*
 * Has the vmlinux that was not found, as @missing (taken) says, fetched by @build_id, and looks
 * again. Why it did not come is added to the message if it is the @last that is tried, or if no
 * other will come either; *ret_hopeless says that.
 */
static struct err *fetch_file(struct kernel *k, const struct kernel_options *options,
			      const char *build_id, bool last, struct err *missing,
			      bool *ret_hopeless)
{
	struct err *e = options->fetch(options->fetch_closure, build_id);
	*ret_hopeless = e && err_code(e) == ERR_UNSUPPORTED;
	if (e && !last && !*ret_hopeless) {
		err_free(e);
		return missing;
	}
	struct err *result =
		e ? err_new(err_code(missing), "%s. debuginfod: %s", err_msg(missing), err_msg(e))
		  : find_file(k, options);
	err_free(missing);
	err_free(e);
	return result;
}

static struct err *set_likely_id(struct kernel *k, const char *build_id)
{
	log_debug(LOG_SYMBOLS, "build-id: %s, in the image", build_id);
	free(k->likely_build_id);
	k->likely_build_id = strdup(build_id);
	return k->likely_build_id ? NULL : err_nomem();
}

/* Looks again by each of the build-ids in the image, here and then elsewhere. Takes @missing. */
static struct err *find_by_likely_ids(struct kernel *k, const struct kernel_options *options,
				      struct err *missing)
{
	struct image_build_ids ids;
	uint64_t text = k->found_image;
	bool hopeless = !options->fetch;
	if (!text && !vmcoreinfo_symbol(k->info, "_stext", &text))
		return missing;
	image_build_ids(kernel_arch(k)->map, k->memory, &k->space, text, &ids);
	for (size_t i = 0; is_missing(missing) && i < ids.count; i++) {
		err_free(missing);
		missing = set_likely_id(k, ids.list[i]);
		if (!missing)
			missing = find_file(k, options);
	}
	for (size_t i = 0; is_missing(missing) && !hopeless && i < ids.count; i++) {
		struct err *e = set_likely_id(k, ids.list[i]);
		if (e) {
			err_free(missing);
			return e;
		}
		missing =
			fetch_file(k, options, ids.list[i], i + 1 == ids.count, missing, &hopeless);
	}
	return missing;
}

/* Looks for the vmlinux and checks it. @why is why it is needed, and added to a failure; NULL: it
 * is not. */
static struct err *open_file(struct kernel *k, const struct kernel_options *options,
			     const char *why)
{
	bool hopeless;
	struct err *e = find_file(k, options);
	if (why && is_missing(e) && !k->build_id)
		e = find_by_likely_ids(k, options, e);
	else if (why && is_missing(e) && options->fetch)
		e = fetch_file(k, options, k->build_id, true, e, &hopeless);
	return why && e && err_code(e) == ERR_NOTFOUND ? err_wrap(e, "%s", why) : e;
}

/*
 * The vmlinux's symbols, moved to where the kernel is. They tell where the kernel keeps its own
 * build-id, if nothing did until now: the last word on whether the file is this kernel's.
 */
static struct err *open_file_symbols(struct kernel *k)
{
	struct err *e = symbols_from_elf(k->file->fd, k->file->path, k->slide, &k->elf_symbols);
	if (e)
		return e;
	if (k->file->dwarf_why)
		kernel_note(k, "%s: %s", k->file->path, k->file->dwarf_why);
	if (!k->build_id)
		find_build_id(k);
	if (k->build_id && k->file->build_id && strcasecmp(k->build_id, k->file->build_id) != 0)
		return err_new(
			ERR_FORMAT,
			"%s: it belongs to another kernel: its build-id is %s, the dump's %s",
			k->file->path, k->file->build_id, k->build_id);
	return NULL;
}

/* Without the folders, which 'monitor symbols' lists: what cannot be told without types is said by
 * @e, which is taken, to whoever asks. What was found and refused, and why nothing could be
 * fetched, stays. */
static struct err *open_without_types(struct kernel *k, struct err *e)
{
	static const char searched[] = ". Looked for: ";
	static const char *const more[] = { ". Refused: ", ". debuginfod: " };
	const char *said = err_msg(e), *list = strstr(said, searched), *rest = NULL;
	struct buf why = BUF_INIT;
	for (size_t i = 0; list && !rest && i < sizeof(more) / sizeof(*more); i++)
		rest = strstr(list, more[i]);
	buf_addf(&why, "%.*s%s", list ? (int)(list - said) : (int)strlen(said), said,
		 rest ? rest : "");
	struct err *failed = buf_error(&why);
	if (!failed)
		failed = types_none(why.data, &k->types);
	buf_free(&why);
	err_free(e);
	return failed;
}

static bool has_types(const struct debug_file *file)
{
	return file && (file->has_btf || file->has_dwarf);
}

/* From the dump's memory; if that has none, from the vmlinux in use or a file of BTF; else from a
 * vmlinux, which may not have been needed yet. If there is none either, they are not known. */
static struct err *open_types(struct kernel *k, const struct kernel_options *options)
{
	struct err *e = types_from_memory(k);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	log_debug(LOG_SYMBOLS, "types: %s", err_msg(e));
	if (err_code(e) != ERR_NOTFOUND)
		kernel_note(k, "the dump's own type information cannot be used: %s", err_msg(e));
	err_free(e);
	bool found = false;
	e = has_types(k->file) ? NULL : kernel_types_from_btf_files(k, &found);
	if (e || found)
		return e;
	if (!k->file) {
		e = open_file(k, options, "the dump holds none");
		if (!e)
			e = open_file_symbols(k);
		else if (is_missing(e))
			return open_without_types(k, e);
	}
	if (e)
		return e;
	e = debug_file_types(k->file, &k->types);
	return is_missing(e) ? open_without_types(k, e) : e;
}

/* How far the kernel was moved: VMCOREINFO says, or the vmlinux's _stext against VMCOREINFO's. */
static void find_slide(struct kernel *k)
{
	uint64_t stext;
	if (vmcoreinfo_kernel_offset(k->info, &k->slide))
		return;
	if (k->file && k->file->text && kernel_symbol(k, "_stext", &stext))
		k->slide = stext - k->file->text;
}

static const char banner_prefix[] = "Linux version ";

/* The words behind "Linux version " at the banner, which is the release. */
static void release_from_banner(struct kernel *k)
{
	if (strncmp(k->banner, banner_prefix, strlen(banner_prefix)) != 0)
		return;
	const char *release = k->banner + strlen(banner_prefix);
	size_t len = strcspn(release, " ");
	if (len < sizeof(k->release)) {
		memcpy(k->release, release, len);
		k->release[len] = 0;
	}
}

static void read_banner(struct kernel *k)
{
	uint64_t at;
	if (*k->banner || !kernel_symbol(k, "linux_banner", &at))
		return;
	err_free(kernel_read_string(k, at, k->banner, sizeof(k->banner)));
	if (!*k->release)
		release_from_banner(k);
}

/* Takes the string at @at, if it is a banner. linux_proc_banner begins alike: "Linux version %s".
 */
static bool take_banner(struct kernel *k, uint64_t at)
{
	struct err *e = kernel_read_string(k, at, k->banner, sizeof(k->banner));
	bool good = !e && !strchr(k->banner, '%');
	err_free(e);
	if (good)
		release_from_banner(k);
	return good && *k->release;
}

/*
 * Looks through the image from @text on for linux_banner, when no symbol says where it is. There
 * may be others like it: since 6.1 one that the link has left without its build number.
 */
static bool find_banner(struct kernel *k, uint64_t text)
{
	char page[PAGE_SIZE + sizeof(banner_prefix)];
	for (uint64_t offset = 0; offset < IMAGE_SCAN_MAX; offset += PAGE_SIZE) {
		size_t got;
		struct err *e =
			memory_read(k->memory, &k->space, text + offset, page, sizeof(page), &got);
		if (e) {
			err_free(e);
			continue;
		}
		const char *at = page;
		while ((at = memmem(at, got - (size_t)(at - page), banner_prefix,
				    strlen(banner_prefix)))) {
			if (take_banner(k, text + offset + (uint64_t)(at - page)))
				return true;
			at++;
		}
	}
	return false;
}

/* Whether the string that lies where linux_banner would be is that of the release that was found.
 */
static bool is_banner(const struct kernel *k, const char *found)
{
	size_t prefix = strlen(banner_prefix), len = strlen(k->release);
	return *k->release && !strncmp(found, banner_prefix, prefix) &&
	       !strncmp(found + prefix, k->release, len) && found[prefix + len] == ' ' &&
	       !strchr(found, '%');
}

/* Nothing has a name then. Takes @e, which says why. */
static struct err *open_without_symbols(struct kernel *k, struct err *e)
{
	kernel_note(k, "the kernel's symbols are not known: %s", err_msg(e));
	err_free(e);
	e = symbols_new("none", 0, &k->kallsyms);
	return e ? e : symbols_finish(k->kallsyms);
}

/* A dump with no VMCOREINFO anywhere: the vmlinux's symbols, moved to where the image is mapped. */
static struct err *open_without_vmcoreinfo(struct kernel *k, const struct kernel_options *options,
					   uint64_t text)
{
	struct symbols *linked;
	uint64_t link_text, banner;
	char found[BANNER_MAX];

	k->found_image = text;
	if (!find_banner(k, text))
		kernel_note(k, "the kernel's release was not found in its memory");
	struct err *e = open_file(k, options, "the dump has no VMCOREINFO");
	if (is_missing(e))
		return open_without_symbols(k, e);
	if (e)
		return e;
	e = symbols_from_elf(k->file->fd, k->file->path, 0, &linked);
	if (e)
		return e;
	bool good = symbols_address(linked, "_text", &link_text) ||
		    symbols_address(linked, "_stext", &link_text);
	symbols_free(linked);
	if (!good)
		return err_new(ERR_FORMAT,
			       "%s has no symbol _text, so where it was loaded cannot be "
			       "told",
			       k->file->path);
	k->slide = text - link_text;
	e = open_file_symbols(k);
	if (e)
		return e;
	if (!symbols_address(k->elf_symbols, "linux_banner", &banner))
		return err_new(ERR_FORMAT, "%s has no symbol linux_banner", k->file->path);
	e = kernel_read_string(k, banner, found, sizeof(found));
	bool same = !e && is_banner(k, found);
	err_free(e);
	if (same)
		memcpy(k->banner, found, sizeof(k->banner));
	else
		return err_new(ERR_FORMAT,
			       "%s is not the vmlinux of this dump: linux_banner is not where it "
			       "would be%s%s",
			       k->file->path, *k->release ? "; the dump's kernel is " : "",
			       k->release);
	return NULL;
}

/*
 * Opens the vmlinux, if --symbols names some or (@why, not NULL) the kernel's own symbols do not
 * do. If none is found, what there is has to do.
 */
static struct err *open_wanted_file(struct kernel *k, const struct kernel_options *options,
				    const char *why)
{
	if (!options->symbol_path_count && !why)
		return NULL;
	struct err *e = open_file(k, options, why);
	if (!is_missing(e))
		return e;
	log_debug(LOG_SYMBOLS, "%s", err_msg(e));
	if (!k->kallsyms)
		return open_without_symbols(k, e);
	/* The folders may have been named for the modules in them, or for types. */
	if (!why && !btf_files_any(k->btf_files, k->release))
		kernel_note(k, "there is no vmlinux of this kernel in what --symbols names; the "
			       "dump's own symbols do");
	else if (why)
		kernel_note(k, "only functions have names: %s", err_msg(e));
	err_free(e);
	return NULL;
}

/* VMCOREINFO is there, or else the kernel's own symbols. */
static struct err *open_with_symbols(struct kernel *k, const struct kernel_options *options)
{
	const char *why = NULL;
	struct err *e = NULL;
	const char *release = vmcoreinfo_get(k->info, "OSRELEASE");
	if (release)
		snprintf(k->release, sizeof(k->release), "%s", release);
	e = open_kallsyms(k, &why);
	if (!e && !k->info)
		read_banner(k);
	if (e)
		return e;
	find_build_id(k);
	e = open_wanted_file(k, options, why);
	if (e)
		return e;
	find_slide(k);
	return k->file ? open_file_symbols(k) : NULL;
}

static void read_command_line(struct kernel *k)
{
	uint64_t at;
	if (!kernel_symbol(k, "saved_command_line", &at))
		return;
	struct err *e = kernel_read_u64(k, at, &at);
	k->command_line = e ? NULL : calloc(1, COMMAND_LINE_MAX);
	if (k->command_line) {
		e = kernel_read_string(k, at, k->command_line, COMMAND_LINE_MAX);
		if (e) {
			free(k->command_line);
			k->command_line = NULL;
		}
	}
	err_free(e);
}

/* By /proc/kallsyms, of a kernel that runs; *ret_found is false if it does not lead there. */
static struct err *ground_from_symbols(struct kernel *k, bool *ret_found)
{
	const struct dump_info *info = dump_info(k->dump);
	*ret_found = false;
	if (!info->kallsyms)
		return NULL;
	struct err *e = symbols_from_kallsyms_text(info->kallsyms, NULL, &k->kallsyms);
	if (!e)
		e = kernel_arch(k)->find->from_symbols(k->memory, k->kallsyms, info, &k->space);
	if (!e) {
		*ret_found = true;
		kernel_note(k, "there is no VMCOREINFO; the kernel was found by /proc/kallsyms");
		return NULL;
	}
	symbols_free(k->kallsyms);
	k->kallsyms = NULL;
	if (err_code(e) == ERR_NOMEM)
		return e;
	kernel_note(k, "the kernel cannot be found by /proc/kallsyms: %s", err_msg(e));
	err_free(e);
	return NULL;
}

/* Adds to @e, which is taken, why the running kernel did not tell its symbols. */
static struct err *add_hidden(struct err *e, const struct dump_info *info)
{
	if (!info->kallsyms_why)
		return e;
	struct err *more = err_new(err_code(e), "%s. %s", err_msg(e), info->kallsyms_why);
	err_free(e);
	return more;
}

static void note_found_vmcoreinfo(struct kernel *k)
{
	const struct dump_info *info = dump_info(k->dump);
	kernel_note(k, "%s carries no VMCOREINFO%s; the kernel's own was found in memory",
		    info->live ? info->format : "the dump",
		    info->vmcoreinfo_len ? " that leads to a kernel" : "");
}

/*
 * VMCOREINFO out of memory, with page tables that @by_cr3 (then in k->space) or it leads to. None
 * is an error without @by_cr3 only.
 */
static struct err *ground_from_memory(struct kernel *k, const struct kernel_options *options,
				      const struct cpu_note *notes, size_t count, bool by_cr3)
{
	const struct dump_info *info = dump_info(k->dump);
	char *text;
	size_t len;
	struct err *e = paging_find_vmcoreinfo(k->memory, dump_pages(k->dump), info,
					       by_cr3 ? &k->space : NULL, options->progress,
					       options->closure, &text, &len);
	if (e && err_code(e) == ERR_NOTFOUND && by_cr3) {
		err_free(e);
		return NULL;
	}
	if (e)
		return e;
	note_found_vmcoreinfo(k);
	k->found_text = text;
	k->found_text_len = len;
	e = vmcoreinfo_parse(text, len, &k->info);
	/* CR3 may be a process's, whose tables die with it: take the kernel's own. */
	return e ? e
		 : kernel_arch(k)->find->from_vmcoreinfo(k->memory, k->info, info, notes, count,
							 &k->space);
}

/* By the VMCOREINFO that the file carries. */
static struct err *ground_from_file(struct kernel *k, const struct cpu_note *notes, size_t count)
{
	const struct dump_info *info = dump_info(k->dump);
	struct err *e = vmcoreinfo_parse(info->vmcoreinfo, info->vmcoreinfo_len, &k->info);
	if (!e)
		e = kernel_arch(k)->find->from_vmcoreinfo(k->memory, k->info, info, notes, count,
							  &k->space);
	if (!e)
		return NULL;
	vmcoreinfo_free(k->info);
	k->info = NULL;
	return e;
}

/*
 * By CR3's page tables, which have the image at @text: its symbols, and by them the kernel's own
 * tables and VMCOREINFO. *ret_found is false if it has no symbols that can be read.
 */
static struct err *ground_from_image(struct kernel *k, uint64_t text, bool *ret_found)
{
	char *info;
	size_t len;
	struct err *e = image_symbols_find(kernel_arch(k)->map, k->memory, &k->space, text, NULL,
					   &k->kallsyms);
	*ret_found = !e;
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	if (e) {
		log_debug(LOG_SYMBOLS, "kallsyms: %s", err_msg(e));
		err_free(e);
		return NULL;
	}
	kernel_arch(k)->find->take_own_tables(k->memory, k->kallsyms, text, &k->space);
	e = paging_vmcoreinfo_of_symbols(k->memory, &k->space, k->kallsyms, &info, &len);
	if (e) {
		log_debug(LOG_SYMBOLS, "VMCOREINFO: %s", err_msg(e));
		err_free(e);
		kernel_note(k, "there is no VMCOREINFO; the kernel was found by its image");
		return NULL;
	}
	note_found_vmcoreinfo(k);
	k->found_text = info;
	k->found_text_len = len;
	return vmcoreinfo_parse(info, len, &k->info);
}

/* VMCOREINFO, page tables; *ret_text is where the image begins if only CR3 told, else 0. */
static struct err *find_ground(struct kernel *k, const struct kernel_options *options,
			       uint64_t *ret_text)
{
	const struct dump_info *info = dump_info(k->dump);
	struct err *useless = NULL; /* why the file's VMCOREINFO is of no use */
	struct cpu_note *notes;
	size_t count;
	bool found;

	*ret_text = 0;
	struct err *e = cpu_notes_read(info, &notes, &count);
	if (e)
		return e;
	if (k->found_text) {
		e = vmcoreinfo_parse(k->found_text, k->found_text_len, &k->info);
		if (!e)
			e = kernel_arch(k)->find->from_vmcoreinfo(k->memory, k->info, info, notes,
								  count, &k->space);
		goto out;
	}
	if (info->vmcoreinfo && info->vmcoreinfo_len) {
		useless = ground_from_file(k, notes, count);
		if (!useless || err_code(useless) == ERR_NOMEM) {
			e = useless;
			useless = NULL;
			goto out;
		}
		log_debug(LOG_SYMBOLS, "%s", err_msg(useless));
	}
	e = ground_from_symbols(k, &found);
	if (e || found)
		goto out;
	/* It is of some kernel: CR3 alone does not tell that this is the one that is wanted. */
	if (useless && err_code(useless) != ERR_FORMAT) {
		e = ground_from_memory(k, options, notes, count, false);
		goto out;
	}
	e = kernel_arch(k)->find->from_notes(k->memory, notes, count, &k->space, ret_text);
	if (!e) {
		e = ground_from_image(k, *ret_text, &found);
		if (!e && !found)
			e = ground_from_memory(k, options, notes, count, true);
		goto out;
	}
	/* All memory of a machine of QEMU's is much to ask for, when its CPUs run no Linux. */
	if (info->live && count)
		goto out;
	struct err *by_memory = ground_from_memory(k, options, notes, count, false);
	if (by_memory && err_code(by_memory) == ERR_NOTFOUND) {
		err_free(by_memory);
		e = add_hidden(e, info);
	} else {
		err_free(e);
		e = by_memory;
	}
out:
	free(notes);
	/* What the file says of itself is the better reason. */
	if (e && useless && err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = useless;
		useless = NULL;
	}
	err_free(useless);
	return err_wrap(e, "find the kernel in the dump");
}

/* @found, to be taken: VMCOREINFO of the kernel that is wanted, or NULL to look for it. */
static struct err *open_one(struct dump *dump, struct memory *memory,
			    const struct kernel_options *options, char *found, size_t found_len,
			    struct kernel **ret)
{
	uint64_t text;
	struct kernel *k = calloc(1, sizeof(*k));
	if (!k) {
		free(found);
		return err_nomem();
	}
	k->dump = dump;
	k->memory = memory;
	k->packages = options->packages;
	k->found_text = found;
	k->found_text_len = found_len;
	buf_init(&k->notes);

	struct err *e = NULL;
	k->members = kernel_members_new();
	if (!k->members)
		e = err_nomem();
	if (!e && options->debug_cache) {
		k->debug_cache = strdup(options->debug_cache);
		if (!k->debug_cache)
			e = err_nomem();
	}
	if (!e)
		e = btf_files_new(options->symbol_paths, options->symbol_path_count, &k->btf_files);
	if (!e)
		e = find_ground(k, options, &text);
	if (!e && (k->info || k->kallsyms))
		e = open_with_symbols(k, options);
	else if (!e)
		e = open_without_vmcoreinfo(k, options, text);
	if (!e)
		e = open_types(k, options);
	if (e) {
		kernel_close(k);
		return e;
	}
	read_banner(k);
	read_command_line(k);
	*ret = k;
	return NULL;
}

/*
 * A dump that was taken by QEMU while a kernel that was booted to save one ran, and that does not
 * say which kernel it is about: it is the one that has crashed. Opens that in place of *k, or says
 * why not.
 */
static struct err *prefer_crashed(struct dump *dump, struct memory *memory,
				  const struct kernel_options *options, struct kernel **k)
{
	struct kernel *crashed;
	uint64_t header;
	char *text;
	size_t len;
	if (dump_info(dump)->live || !(*k)->command_line ||
	    !crashed_kernel_header((*k)->command_line, &header))
		return NULL;
	struct err *e = crashed_kernel_vmcoreinfo(memory, header, &text, &len);
	if (!e)
		e = open_one(dump, memory, options, text, len, &crashed);
	if (!e) {
		kernel_note(crashed,
			    "the dump was taken while another kernel ran, to save one of its own: "
			    "this is the kernel that had crashed");
		kernel_close(*k);
		*k = crashed;
		return NULL;
	}
	if (err_code(e) == ERR_NOMEM)
		return e;
	kernel_note(*k,
		    "this kernel was booted to save a dump of one that had crashed, which is not "
		    "found: %s",
		    err_msg(e));
	err_free(e);
	return NULL;
}

struct err *kernel_open(struct dump *dump, struct memory *memory,
			const struct kernel_options *options, struct kernel **ret)
{
	struct kernel *k;
	struct err *e = open_one(dump, memory, options, NULL, 0, &k);
	if (!e) {
		e = prefer_crashed(dump, memory, options, &k);
		if (e)
			kernel_close(k);
	}
	dump_drop_kallsyms(dump);
	if (!e)
		*ret = k;
	return e;
}
