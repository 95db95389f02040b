// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/write_types.h"

#include <fts.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/files/types_archive.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/elf_reduce.h"
#include "vmcore/names/files/module_search.h"
#include "vmcore/names/files/package_name.h"
#include "vmcore/names/files/unpack.h"
#include "vmcore/names/types/dwarf_file.h"
#include "vmcore/names/types/dwarf_to_btf.h"

enum {
	FILES_MAX = 4096,      /* a distribution has some thousand modules */
	ENTRIES_MAX = 1 << 20, /* of a folder that is looked through */
	DEPTH_MAX = 16,	       /* of folders in it */
	HELD_MAX = 64,	       /* files that stay open until they are read */
};

/* A debug file to take in. */
struct input {
	char *path; /* owned */
	int fd;	    /* owned: it is open, unpacked if it was packed; -1: it is to be opened again */
	bool named; /* by the user, not found in a folder */
	bool kernel;
	char *build_id;			    /* owned */
	char *release;			    /* owned; of a kernel, NULL if it does not say */
	char name[MODULE_SEARCH_NAME_SIZE]; /* of a module */
};

struct inputs {
	struct input *list; /* owned */
	size_t count, capacity;
};

static void free_input(struct input *i)
{
	if (i->fd >= 0)
		close(i->fd);
	free(i->path);
	free(i->build_id);
	free(i->release);
}

/* ---- which files ---- */

/* *ret is as before after an error, or -1. */
static struct err *open_input(const char *path, int *ret)
{
	bool packed;
	struct err *e = debug_file_open_regular(path, ret);
	if (!e) {
		e = unpack_in_place(ret, UNPACK_VMLINUX_MAX, &packed);
		if (e) {
			close(*ret);
			*ret = -1;
		}
	}
	return e;
}

static struct err *check_input(const struct elf_identity *id)
{
	if (id->dwarf_why)
		return err_new(ERR_UNSUPPORTED, "%s", id->dwarf_why);
	if (!id->has_dwarf)
		return err_new(ERR_UNSUPPORTED, "it has no DWARF to take types from");
	if (!id->build_id)
		return err_new(ERR_UNSUPPORTED,
			       "it has no build-id, by which it would be found again");
	return NULL;
}

/* What it is; its DWARF is read later. *ret is to be freed also after an error. */
static struct err *identify(const char *path, struct input *ret)
{
	struct elf_identity id = { 0 };
	const char *slash = strrchr(path, '/');
	struct err *e = open_input(path, &ret->fd);
	if (!e)
		e = elf_identify(ret->fd, &id);
	if (!e)
		e = check_input(&id);
	if (!e && id.relocatable && !module_search_module_name(slash ? slash + 1 : path, ret->name))
		e = err_new(ERR_FORMAT, "it is not called NAME.ko, so which module it is of is "
					"not known");
	if (!e && !(ret->path = strdup(path)))
		e = err_nomem();
	if (!e) {
		ret->kernel = !id.relocatable;
		ret->build_id = id.build_id;
		ret->release = id.release;
		id.build_id = id.release = NULL;
	}
	elf_identity_free(&id);
	return e;
}

static const struct input *find_input(const struct inputs *l, const struct input *like)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->list[i].kernel ? like->kernel
				      : !like->kernel && !strcmp(l->list[i].name, like->name))
			return &l->list[i];
	return NULL;
}

/* Adds the file at @path; of what a folder has by several names the first is as good. */
static struct err *add_input(struct inputs *l, const char *path, bool named)
{
	struct input i = { .fd = -1, .named = named };
	struct err *e = identify(path, &i);
	const struct input *known = e ? NULL : find_input(l, &i);
	if (known && strcasecmp(known->build_id, i.build_id) != 0)
		e = err_new(ERR_FORMAT, "it is another build of %s than %s",
			    i.kernel ? "the kernel" : i.name, known->path);
	if (!e && l->count == FILES_MAX)
		e = err_new(ERR_UNSUPPORTED, "there are more than %d files", FILES_MAX);
	if (!e && !known && l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 16;
		struct input *grown = reallocarray(l->list, capacity, sizeof(*grown));
		if (grown) {
			l->list = grown;
			l->capacity = capacity;
		} else {
			e = err_nomem();
		}
	}
	if (e || known) {
		free_input(&i);
		return err_wrap(e, "%s", path);
	}
	if (l->count >= HELD_MAX) {
		close(i.fd);
		i.fd = -1;
	}
	l->list[l->count++] = i;
	return NULL;
}

/* A folder has thousands of modules: those are taken without being named whose types this program
 * looks for. */
static bool is_wanted(const char *file)
{
	char name[MODULE_SEARCH_NAME_SIZE];
	struct package_name what;
	package_name_read(file, &what);
	if (what.file == PACKAGE_VMLINUX)
		return true;
	return module_search_module_name(file, name) &&
	       (!strcmp(name, "kvm") || !strcmp(name, "kvm_intel") || !strcmp(name, "kvm_amd"));
}

/* What lies there by such a name and does not do (the stripped file beside the debug file) is
 * passed over. */
static struct err *add_folder(struct inputs *l, const char *folder)
{
	char *copy = strdup(folder);
	char *const roots[] = { copy, NULL };
	FTS *walk = copy ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL) : NULL;
	struct err *e = walk ? NULL : err_new(ERR_IO, "%s cannot be looked through", folder);
	FTSENT *at;
	for (size_t seen = 0; !e && seen < ENTRIES_MAX && (at = fts_read(walk)); seen++) {
		if (at->fts_info == FTS_D && at->fts_level > DEPTH_MAX)
			fts_set(walk, at, FTS_SKIP);
		if (at->fts_info != FTS_F || !is_wanted(at->fts_name))
			continue;
		e = add_input(l, at->fts_path, false);
		if (e && err_code(e) == ERR_UNSUPPORTED) {
			err_free(e);
			e = NULL;
		}
	}
	if (walk)
		fts_close(walk);
	free(copy);
	return e;
}

static struct err *gather(struct inputs *l, const char *const *paths, size_t count)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < count; i++) {
		struct stat st;
		bool folder = !stat(paths[i], &st) && S_ISDIR(st.st_mode);
		e = folder ? add_folder(l, paths[i]) : add_input(l, paths[i], true);
	}
	for (size_t i = 0; !e && i < l->count; i++) {
		if (!l->list[i].kernel)
			continue;
		struct input first = l->list[0];
		l->list[0] = l->list[i];
		l->list[i] = first;
		return NULL;
	}
	return e ? e
		 : err_new(ERR_NOTFOUND, "there is no vmlinux with debug information in what "
					 "--symbols names, and "
					 "types of modules build on its");
}

/* ---- each of them ---- */

static struct err *convert(int fd, const char *path, const struct dwarf_to_btf *base,
			   struct buf *btf, struct dwarf_to_btf **ret)
{
	struct dwarf_file *file;
	struct err *e = dwarf_file_open(fd, path, &file);
	if (e)
		return e;
	e = dwarf_to_btf(dwarf_file_dwarf(file), base, btf, ret);
	dwarf_file_close(file);
	return e;
}

/* As debug packages have them: names by which they are told (vmcore/names/files/package_name.h). */
static void add_name(const struct input *i, const struct input *kernel, struct buf *out)
{
	bool told = kernel->release && package_name_is_release(kernel->release);
	if (i->kernel)
		buf_addf(out, "usr/lib/debug/boot/vmlinux%s%s", told ? "-" : "",
			 told ? kernel->release : "");
	else
		buf_addf(out, "usr/lib/debug/lib/modules/%s/kernel/%s.ko",
			 told ? kernel->release : "unknown", i->name);
}

static struct err *add_one(struct types_archive *a, struct input *i, const struct input *kernel,
			   const struct dwarf_to_btf *base, struct dwarf_to_btf **ret)
{
	struct buf btf = BUF_INIT, name = BUF_INIT;
	int reduced = memfd_create("reduced", MFD_CLOEXEC);
	struct err *e = reduced < 0 ? err_new(ERR_IO, "no file can be made in memory") : NULL;
	if (!e && i->fd < 0)
		e = open_input(i->path, &i->fd);
	if (!e)
		e = convert(i->fd, i->path, base, &btf, ret);
	if (!e)
		e = elf_reduce(i->fd, &btf, reduced);
	add_name(i, kernel, &name);
	if (!e)
		e = buf_error(&name);
	if (!e)
		e = types_archive_add(a, name.data, reduced);
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
	if (reduced >= 0)
		close(reduced);
	buf_free(&name);
	buf_free(&btf);
	return err_wrap(e, "%s", i->path);
}

static struct err *add_all(struct types_archive *a, const struct inputs *l)
{
	struct dwarf_to_btf *base = NULL;
	struct err *e = add_one(a, &l->list[0], &l->list[0], NULL, &base);
	for (size_t i = 1; !e && i < l->count; i++) {
		struct dwarf_to_btf *own = NULL;
		e = add_one(a, &l->list[i], &l->list[0], base, &own);
		dwarf_to_btf_free(own);
	}
	dwarf_to_btf_free(base);
	return e;
}

struct err *write_types(const char *const *paths, size_t count, const char *archive)
{
	struct inputs l = { .count = 0 };
	struct types_archive *a = NULL;
	struct err *e = types_archive_new(archive, &a);
	if (!e)
		e = gather(&l, paths, count);
	if (!e)
		e = add_all(a, &l);
	e = types_archive_finish(a, e);
	for (size_t i = 0; i < l.count; i++)
		free_input(&l.list[i]);
	free(l.list);
	return err_wrap(e, "--write-types");
}
