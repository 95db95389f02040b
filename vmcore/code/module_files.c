// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/module_files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/ko_file.h"
#include "vmcore/names/files/module_search.h"
#include "vmcore/names/files/packages.h"
#include "vmcore/names/files/unpack.h"

/* What is kept of a module. */
struct slot {
	bool sections_read, looked_for, ko_tried;
	unsigned generation; /* in which it was looked for last */
	struct module_sections sections;
	char *sections_why; /* owned */
	struct module_file file;
	struct ko_file *ko; /* owned */
	char *ko_why;	    /* owned */
	enum err_code ko_code;
};

/* A file that was in use before a better one came, for those who still have it. */
struct retired {
	struct ko_file *ko; /* owned */
	int fd;		    /* owned */
	struct retired *next;
};

struct module_files {
	const struct kernel *k; /* borrowed, like the next */
	const struct modules *modules;
	struct module_search *search; /* owned */
	struct slot *slots;	      /* owned; by index of modules */
	struct retired *retired;      /* owned; each module has one at most */
	unsigned generation;
};

struct err *module_files_new(const struct kernel *k, const struct modules *modules,
			     const char *const *paths, size_t count, struct module_files **ret)
{
	struct module_files *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->k = k;
	f->modules = modules;
	f->slots = calloc(modules->count + 1, sizeof(*f->slots));
	for (size_t i = 0; f->slots && i < modules->count; i++)
		f->slots[i].file = (struct module_file){ .module = &modules->list[i], .fd = -1 };
	struct err *e = f->slots ? NULL : err_nomem();
	if (!e)
		e = module_search_new(paths, count, kernel_release(k), NULL,
				      kernel_debug_wanted(k).cache, &f->search);
	if (e) {
		module_files_free(f);
		return e;
	}
	*ret = f;
	return NULL;
}

static void close_file(struct module_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	free(file->path);
	file->path = NULL;
	free(file->package);
	file->package = NULL;
	free(file->dwarf_why);
	file->dwarf_why = NULL;
}

void module_files_free(struct module_files *f)
{
	if (!f)
		return;
	for (size_t i = 0; f->slots && i < f->modules->count; i++) {
		struct slot *s = &f->slots[i];
		ko_file_close(s->ko);
		close_file(&s->file);
		free(s->file.build_id);
		free(s->file.why);
		free(s->file.tried);
		module_sections_free(&s->sections);
		free(s->sections_why);
		free(s->ko_why);
	}
	while (f->retired) {
		struct retired *r = f->retired;
		f->retired = r->next;
		ko_file_close(r->ko);
		close(r->fd);
		free(r);
	}
	free(f->slots);
	module_search_free(f->search);
	free(f);
}

static struct slot *slot_of(struct module_files *f, const struct module *m)
{
	return &f->slots[m - f->modules->list];
}

/* Keeps the message of @e (freed) in *ret; an error when memory is out. */
static struct err *keep_message(struct err *e, char **ret)
{
	*ret = strdup(err_msg(e));
	err_free(e);
	return *ret ? NULL : err_nomem();
}

/* ---- sections ---- */

static struct err *read_sections(struct module_files *f, const struct module *m, struct slot *s)
{
	if (s->sections_read)
		return NULL;
	struct err *e = module_sections_read(f->k, m, &s->sections);
	/* What could not be read now may be there the next time. */
	s->sections_read = !e || err_code(e) != ERR_IO;
	free(s->sections_why);
	s->sections_why = NULL;
	if (e && err_code(e) != ERR_NOMEM)
		e = keep_message(e, &s->sections_why);
	if (!e) {
		free(s->file.build_id);
		s->file.build_id = module_build_id(f->k, m, &s->sections);
	}
	return e;
}

struct err *module_files_sections(struct module_files *f, const struct module *m,
				  const struct module_sections **ret, const char **ret_why)
{
	struct slot *s = slot_of(f, m);
	struct err *e = read_sections(f, m, s);
	if (e)
		return e;
	*ret = &s->sections;
	if (ret_why)
		*ret_why = s->sections_why;
	return NULL;
}

/* ---- finding ---- */

struct candidate {
	struct module_file *file; /* the best so far */
	struct buf tried;
};

/* A stripped file of the right build-id is the module's too, but says less. */
static bool is_better(const struct elf_identity *id, const struct module_file *than)
{
	return !than->path || (id->has_dwarf && !than->has_dwarf);
}

static struct err *check(const struct elf_identity *id, const struct module_file *wanted)
{
	if (!id->relocatable)
		return err_new(ERR_FORMAT, "it is no kernel module");
	if (!id->build_id)
		return err_new(ERR_FORMAT, "it has no build-id, so nothing tells whether it is the "
					   "module's");
	if (strcasecmp(id->build_id, wanted->build_id) != 0)
		return err_new(ERR_FORMAT,
			       "it belongs to another build of the module: its build-id is %s, the "
			       "dump's %s",
			       id->build_id, wanted->build_id);
	return NULL;
}

/* A file that was found. */
struct found {
	const char *path;
	int fd; /* taken with it; -1 then */
	bool packed;
	const char *package; /* or NULL */
	bool in_package;
};

/* Takes @found, and what @id has of its own. */
static void take(struct module_file *file, struct elf_identity *id, struct found *found)
{
	char *copy = strdup(found->path);
	char *package = found->package ? strdup(found->package) : NULL;
	if (!copy || (found->package && !package)) {
		free(copy);
		free(package);
		return;
	}
	close_file(file);
	file->path = copy;
	file->fd = found->fd;
	found->fd = -1;
	file->packed = found->packed;
	file->package = package;
	file->in_package = found->in_package;
	file->dwarf_why = id->dwarf_why;
	id->dwarf_why = NULL;
	file->has_symtab = id->has_symtab;
	file->has_dwarf = id->has_dwarf;
	file->has_btf = id->has_btf;
}

/* Takes found->fd, and @e, with which the file could not even be opened. True ends the search. */
static bool try_found(struct candidate *c, struct found *found, bool has_name, struct err *e)
{
	struct elf_identity id = { 0 };
	if (!e)
		e = elf_identify(found->fd, &id);
	if (!e)
		e = check(&id, c->file);
	if (!e && is_better(&id, c->file))
		take(c->file, &id, found);
	/* That of the user's which is the vmlinux by another name was never meant to be the
	 * module's. */
	if (e && (has_name || id.relocatable))
		buf_addf(&c->tried, "%s: %s\n", found->path, err_msg(e));
	if (found->fd >= 0)
		close(found->fd);
	err_free(e);
	elf_identity_free(&id);
	return c->file->has_dwarf;
}

static bool try_file(void *closure, const char *path)
{
	bool has_name = module_search_has_module_name(path);
	struct found found = { .path = path, .fd = -1 };
	struct err *e = debug_file_open_regular(path, &found.fd);
	if (!e && has_name)
		e = unpack_in_place(&found.fd, UNPACK_MODULE_MAX, &found.packed);
	return try_found(closure, &found, has_name, e);
}

static bool try_packages_file(void *closure, const struct packages_file *file)
{
	struct found found = { file->path, file->fd, false, file->package, file->in_package };
	return try_found(closure, &found, true, NULL);
}

/* What was taken out of packages before others: the user has named those. */
static struct err *search(struct module_files *f, const struct module *m, const char *build_id,
			  struct candidate *c)
{
	struct packages *packages = kernel_debug_wanted(f->k).packages;
	struct err *e = NULL;
	if (packages)
		e = packages_offer_module(packages, m->name, build_id, try_packages_file, c);
	if (e || c->file->has_dwarf)
		return e;
	return module_search_run(f->search, m->name, build_id, try_file, c);
}

static struct err *say_why_not(struct module_files *f, const struct module *m, struct slot *s)
{
	struct buf hint = BUF_INIT;
	debug_package_hint(*kernel_release(f->k) ? kernel_release(f->k) : NULL, s->file.build_id,
			   &hint);
	struct err *why;
	if (!s->file.build_id)
		why = err_new(ERR_NOTFOUND,
			      "the dump does not have the build-id of module %s, so no file can be "
			      "told to be its own",
			      m->name);
	else
		why = err_new(ERR_NOTFOUND,
			      "no file of module %s with build-id %s was found%s; it is in %s",
			      m->name, s->file.build_id,
			      *s->file.tried ? ", and those found are of other builds" : "",
			      hint.data);
	buf_free(&hint);
	return keep_message(why, &s->file.why);
}

static struct err *look_for(struct module_files *f, const struct module *m, struct slot *s)
{
	struct candidate c = { .file = &s->file, .tried = BUF_INIT };
	struct err *e = read_sections(f, m, s);
	if (!e && s->file.build_id)
		e = search(f, m, s->file.build_id, &c);
	if (!e)
		e = buf_error(&c.tried);
	if (!e) {
		s->file.tried = strdup(c.tried.data);
		if (!s->file.tried)
			e = err_nomem();
	}
	buf_free(&c.tried);
	if (!e && !s->file.path)
		e = say_why_not(f, m, s);
	return e;
}

struct err *module_files_take_from_packages(struct module_files *f, const char *const *paths,
					    size_t count)
{
	struct packages *packages = kernel_debug_wanted(f->k).packages;
	if (!packages || !count)
		return NULL;
	struct packages_wanted *wanted = calloc(f->modules->count + 1, sizeof(*wanted));
	struct err *e = wanted ? NULL : err_nomem();
	for (size_t i = 0; !e && i < f->modules->count; i++) {
		struct slot *s = &f->slots[i];
		e = read_sections(f, &f->modules->list[i], s);
		wanted[i] = (struct packages_wanted){ f->modules->list[i].name, s->file.build_id };
	}
	if (!e)
		e = packages_take_modules(packages, paths, count, kernel_release(f->k), wanted,
					  f->modules->count);
	free(wanted);
	return e;
}

void module_files_look_again(struct module_files *f)
{
	f->generation++;
}

unsigned module_files_generation(const struct module_files *f)
{
	return f->generation;
}

/* Puts the opened file of @old aside, with its descriptor. */
static struct err *retire(struct module_files *f, struct slot *s, struct module_file *old)
{
	struct retired *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	*r = (struct retired){ s->ko, old->fd, f->retired };
	f->retired = r;
	s->ko = NULL;
	old->fd = -1;
	return NULL;
}

static void swap_files(struct module_file *a, struct module_file *b)
{
	struct module_file c = *a;
	*a = *b;
	*b = c;
}

/* Looks for a file with DWARF where none was found before. */
static struct err *look_for_better(struct module_files *f, const struct module *m, struct slot *s)
{
	struct module_file old = s->file;
	s->file = (struct module_file){ .module = m, .build_id = old.build_id, .fd = -1 };
	struct err *e = look_for(f, m, s);
	if (!e && s->file.has_dwarf && s->ko)
		e = retire(f, s, &old);
	if (e) {
		swap_files(&s->file, &old);
	} else if (s->file.has_dwarf) {
		free(s->ko_why);
		s->ko_why = NULL;
		s->ko_tried = false;
	} else if (old.path) {
		/* As good as what is in use. */
		swap_files(&s->file, &old);
		char *tried = s->file.tried;
		s->file.tried = old.tried;
		old.tried = tried;
	}
	close_file(&old);
	free(old.why);
	free(old.tried);
	return e;
}

struct err *module_files_get(struct module_files *f, const struct module *m,
			     const struct module_file **ret)
{
	struct slot *s = slot_of(f, m);
	if (!s->looked_for || (s->generation != f->generation && !s->file.has_dwarf)) {
		struct err *e = s->looked_for ? look_for_better(f, m, s) : look_for(f, m, s);
		if (e)
			return e;
		s->looked_for = true;
		s->generation = f->generation;
		log_debug(LOG_SYMBOLS, "module %s: %s", m->name,
			  s->file.path ? s->file.path : s->file.why);
	}
	*ret = &s->file;
	return NULL;
}

/* ---- opening ---- */

struct placing {
	const struct kernel *k;
	const struct module *m;
	const struct module_sections *sections;
};

/* Per-CPU data is in no list: struct module's percpu is where its copies begin (kernel/module:
 * percpu_modalloc()), an offset like those of the kernel's own per-CPU symbols. */
static bool place(void *closure, const char *name, unsigned nth, uint64_t *ret)
{
	const struct placing *p = closure;
	if (module_sections_find(p->sections, name, nth, ret))
		return true;
	uint64_t percpu;
	if (strcmp(name, ".data..percpu") != 0 || nth)
		return false;
	struct err *e = kernel_read_path(p->k, p->m->address, "module", "percpu", &percpu);
	bool found = !e && percpu;
	err_free(e);
	if (found)
		*ret = percpu;
	return found;
}

static struct err *open_ko(struct module_files *f, const struct module *m, struct slot *s)
{
	const struct module_file *file;
	struct err *e = module_files_get(f, m, &file);
	if (e)
		return e;
	if (!file->path)
		return err_new(ERR_NOTFOUND, "%s", file->why);
	if (!s->sections.count)
		return err_new(ERR_NOTFOUND, "%s",
			       s->sections_why ? s->sections_why : "the module has no sections");
	struct placing placing = { f->k, m, &s->sections };
	return ko_file_open(file->fd, file->path, place, &placing, &s->ko);
}

struct err *module_files_ko(struct module_files *f, const struct module *m, struct ko_file **ret)
{
	struct slot *s = slot_of(f, m);
	const struct module_file *file;
	/* It may be another one by now. */
	struct err *gone = module_files_get(f, m, &file);
	if (gone)
		return gone;
	if (!s->ko_tried) {
		struct err *e = open_ko(f, m, s);
		if (e) {
			s->ko_code = err_code(e);
			if (s->ko_code == ERR_NOMEM)
				return e;
			e = keep_message(e, &s->ko_why);
			if (e)
				return e;
		}
		s->ko_tried = true;
	}
	if (!s->ko)
		return err_new(s->ko_code, "%s", s->ko_why);
	if (ko_file_is_bad(s->ko))
		return err_new(ERR_IO, "%s was cut off or written while it was open", s->file.path);
	*ret = s->ko;
	return NULL;
}

struct err *module_files_dwarf(struct module_files *f, const struct module *m, Dwarf **ret)
{
	struct ko_file *ko;
	struct err *e = module_files_ko(f, m, &ko);
	return e ? e : ko_file_dwarf(ko, ret);
}
