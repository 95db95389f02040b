// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/module_types.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/types_proof.h"
#include "vmcore/names/files/btf_files.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/types/btf.h"
#include "vmcore/names/types/types.h"

enum {
	BTF_MAX = 32 << 20,	/* bytes; kvm's has 160 KB */
	BTF_MODULES_MAX = 16384 /* a walk ends there */
};

/* What is known of one module's types. */
struct module_entry {
	bool tried;
	unsigned generation; /* of the files, then */
	struct types *types; /* owned; NULL if there are none */
	enum err_code code;  /* of the failure */
	char *why;	     /* owned; NULL when memory was out */
};

struct module_types {
	struct kernel *k; /* borrowed, like the next two */
	const struct modules *modules;
	struct module_files *files;   /* may be NULL */
	struct module_entry *entries; /* owned; by index of modules */
	bool base_tried;
	struct types *base; /* owned; of the vmlinux's BTF, or NULL */
};

struct err *module_types_new(struct kernel *k, const struct modules *modules,
			     struct module_files *files, struct module_types **ret)
{
	struct module_types *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	m->k = k;
	m->modules = modules;
	m->files = files;
	m->entries = calloc(modules->count + 1, sizeof(*m->entries));
	if (!m->entries) {
		free(m);
		return err_nomem();
	}
	*ret = m;
	return NULL;
}

void module_types_free(struct module_types *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->modules->count; i++) {
		types_free(m->entries[i].types);
		free(m->entries[i].why);
	}
	free(m->entries);
	types_free(m->base);
	free(m);
}

/* ---- finding a module's BTF ---- */

/* Bytes of BTF in memory. */
struct blob {
	uint64_t at, len;
};

static struct err *blob_of_btf(const struct kernel *k, uint64_t btf, struct blob *ret)
{
	struct err *e = kernel_read_path(k, btf, "btf", "data", &ret->at);
	return e ? e : kernel_read_path(k, btf, "btf", "data_size", &ret->len);
}

/* The struct btf that the list btf_modules has for @module. */
static struct err *find_btf(const struct kernel *k, const struct module *module, uint64_t *ret)
{
	uint64_t head, link, at, owner;
	struct map seen = MAP_INIT;
	if (!kernel_symbol(k, "btf_modules", &head) ||
	    !types_offset(kernel_types(k), "btf_module", "list", &link))
		return err_new(ERR_NOTFOUND, "the kernel keeps no BTF of modules");
	struct err *e = kernel_read_u64(k, head, &at);
	while (!e && at != head) {
		bool added;
		if (!map_add(&seen, at, 0, &added))
			e = err_nomem();
		else if (!added || seen.used > BTF_MODULES_MAX)
			e = err_new(ERR_CORRUPT, "the list btf_modules goes round in a circle");
		else
			e = kernel_read_path(k, at - link, "btf_module", "module", &owner);
		if (!e && owner == module->address) {
			e = kernel_read_path(k, at - link, "btf_module", "btf", ret);
			break;
		}
		if (!e)
			e = kernel_read_u64(k, at, &at);
	}
	map_free(&seen);
	if (!e && at == head)
		e = err_new(ERR_NOTFOUND, "the kernel keeps no BTF of it");
	return e;
}

static struct err *blob_of_module(const struct kernel *k, const struct module *module,
				  struct blob *ret)
{
	struct err *e = kernel_read_path(k, module->address, "module", "btf_data", &ret->at);
	if (!e)
		e = kernel_read_path(k, module->address, "module", "btf_data_size", &ret->len);
	return e || (ret->at && ret->len) ? e : err_new(ERR_NOTFOUND, "it has no BTF");
}

/* Takes the types at @blob; @e is why there is none, if it is not NULL. */
static struct err *read_blob(struct kernel *k, struct err *e, const struct blob *blob,
			     struct types **ret)
{
	if (e)
		return e;
	if (!blob->len || blob->len > BTF_MAX)
		return err_new(ERR_CORRUPT, "its BTF would be %" PRIu64 " bytes long", blob->len);
	void *data = malloc(blob->len);
	if (!data)
		return err_nomem();
	e = kernel_read(k, blob->at, data, blob->len);
	if (!e)
		e = types_from_btf(data, blob->len, kernel_types(k), ret);
	free(data);
	return e;
}

/* ---- one module ---- */

static struct err *read_from_list(struct kernel *k, const struct module *module, struct types **ret)
{
	uint64_t btf = 0;
	struct blob blob = { 0 };
	struct err *e = find_btf(k, module, &btf);
	if (!e)
		e = blob_of_btf(k, btf, &blob);
	return read_blob(k, e, &blob, ret);
}

static struct err *read_from_struct(struct kernel *k, const struct module *module,
				    struct types **ret)
{
	struct blob blob = { 0 };
	struct err *e = blob_of_module(k, module, &blob);
	return read_blob(k, e, &blob, ret);
}

/* What BTF in the module's file builds on: the vmlinux's that it was made with, if that is in use,
 * or else the kernel's own. */
static struct types *base_of_files(struct module_types *m)
{
	const struct debug_file *file = kernel_debug_file(m->k);
	if (!m->base_tried && file && file->has_btf) {
		struct err *e = debug_file_types(file, &m->base);
		if (e)
			log_debug(LOG_SYMBOLS, "%s", err_msg(e));
		err_free(e);
	}
	m->base_tried = true;
	return m->base ? m->base : kernel_types(m->k);
}

/* The file was told by its build-id; what its BTF builds on is not. */
static struct err *read_from_file_btf(struct module_types *m, const struct module *module,
				      struct types **ret)
{
	const struct module_file *file;
	struct buf btf = BUF_INIT;
	struct types *t, *base = base_of_files(m);
	struct err *e = m->files ? module_files_get(m->files, module, &file) : NULL;
	if (e)
		return e;
	if (!m->files || !file->path || !file->has_btf || !types_btf(base))
		return err_new(ERR_NOTFOUND, "no file has BTF of it");
	e = elf_section_bytes(file->fd, ".BTF", &btf);
	if (!e)
		e = types_from_btf(btf.data, btf.len, base, &t);
	buf_free(&btf);
	if (e)
		return err_wrap(e, "%s", file->path);
	e = btf_check_base(types_btf(t));
	if (e)
		types_free(t);
	else
		*ret = t;
	return err_wrap(e, "%s", file->path);
}

static struct err *read_from_file(struct module_types *m, const struct module *module,
				  struct types **ret)
{
	Dwarf *dwarf;
	if (!m->files)
		return err_new(ERR_NOTFOUND, "no files of modules are looked for");
	struct err *e = module_files_dwarf(m->files, module, &dwarf);
	return e ? e : types_of_dwarf(dwarf, ret);
}

/* ---- from a file of BTF alone ---- */

struct taking {
	struct kernel *k;
	struct types *types; /* owned; NULL as long as none fits */
	struct err *why;     /* owned; why the first does not */
};

/* What builds on the kernel's types is proven by that; what holds all types itself, as those are.
 */
static struct err *use_btf_file(struct kernel *k, const struct btf_file *file, struct types **ret)
{
	struct types *t;
	struct types_proof proof;
	bool split = btf_is_split(file->data, file->len);
	if (split && !types_btf(kernel_types(k)))
		return err_new(ERR_UNSUPPORTED, "it builds on the BTF of the kernel, whose types "
						"are not from BTF here");
	struct err *e = types_from_btf(file->data, file->len, split ? kernel_types(k) : NULL, &t);
	if (e)
		return split ? err_wrap(e, "it does not build on the kernel's BTF that is in use")
			     : e;
	e = split ? btf_check_base(types_btf(t)) : types_prove(k, t, &proof);
	if (e)
		types_free(t);
	else
		*ret = t;
	return e;
}

static struct err *take_btf_file(void *closure, const struct btf_file *file, bool *ret_taken)
{
	struct taking *t = closure;
	struct err *e = err_wrap(use_btf_file(t->k, file, &t->types), "%s", file->path);
	*ret_taken = !e;
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	if (t->why)
		err_free(e);
	else
		t->why = e;
	return NULL;
}

static struct err *read_from_btf_file(struct kernel *k, const struct module *module,
				      struct types **ret)
{
	struct buf failed = BUF_INIT;
	struct taking t = { .k = k };
	struct err *e = btf_files_offer_module(kernel_btf_files(k), module->name, &failed,
					       take_btf_file, &t);
	if (!e && !t.types && !t.why && failed.len)
		t.why = err_new(ERR_FORMAT, "%.*s", (int)strcspn(failed.data, "\n"), failed.data);
	buf_free(&failed);
	if (!e && !t.types) {
		e = t.why ? t.why : err_new(ERR_NOTFOUND, "there is no file of its BTF");
		t.why = NULL;
	}
	err_free(t.why);
	if (!e)
		*ret = t.types;
	return e;
}

/* What is to be said of two sources that were asked one after the other, @first with the error that
 * is given: nothing if the other succeeded, else what is more than that there is none. Takes both.
 */
static struct err *more_telling(struct err *first, struct err *then)
{
	if (!then || err_code(then) == ERR_NOMEM || err_code(first) == ERR_NOTFOUND) {
		err_free(first);
		return then;
	}
	err_free(then);
	return first;
}

/* A file with DWARF says most of why there are none, unless a file of BTF was there and did not
 * fit. */
static struct err *read_from_files(struct module_types *m, const struct module *module,
				   struct types **ret)
{
	struct err *btf = read_from_btf_file(m->k, module, ret);
	if (!btf || err_code(btf) == ERR_NOMEM)
		return btf;
	struct err *e = read_from_file(m, module, ret);
	if (e && err_code(e) != ERR_NOMEM) {
		/* A reduced file has no DWARF, and a whole one may have no BTF. */
		struct err *other = read_from_file_btf(m, module, ret);
		if (!other || err_code(other) != ERR_NOTFOUND) {
			err_free(e);
			e = other;
		} else {
			err_free(other);
		}
	}
	return more_telling(btf, e);
}

/*
 * Tries every source. The error is the one that helps: what is wrong with BTF that is there, or,
 * where the kernel keeps none, as before 5.11, why no file has the types.
 */
static struct err *read_types(struct module_types *m, const struct module *module,
			      struct module_entry *entry)
{
	struct err *btf = read_from_list(m->k, module, &entry->types);
	if (!btf || err_code(btf) == ERR_NOMEM)
		return btf;
	struct err *e = read_from_struct(m->k, module, &entry->types);
	if (e && err_code(e) != ERR_NOMEM) {
		log_debug(LOG_SYMBOLS, "BTF of module %s: %s; %s", module->name, err_msg(btf),
			  err_msg(e));
		err_free(e);
		e = read_from_files(m, module, &entry->types);
	}
	return more_telling(btf, e);
}

static struct err *fill_entry(struct module_types *m, const struct module *module,
			      struct module_entry *entry)
{
	struct err *e = read_types(m, module, entry);
	if (!e)
		return NULL;
	e = err_wrap(e, "types of module %s", module->name);
	entry->types = NULL;
	entry->code = err_code(e);
	free(entry->why);
	entry->why = strdup(err_msg(e));
	log_debug(LOG_SYMBOLS, "%s", err_msg(e));
	return e;
}

struct err *module_types_get(struct module_types *m, const char *name, struct types **ret)
{
	const struct module *module = modules_named(m->modules, name);
	if (!module)
		return err_new(ERR_NOTFOUND, "there is no module %s", name);
	struct module_entry *entry = &m->entries[module - m->modules->list];
	unsigned generation = m->files ? module_files_generation(m->files) : 0;
	if (!entry->tried || (!entry->types && entry->generation != generation)) {
		entry->tried = true;
		entry->generation = generation;
		struct err *e = fill_entry(m, module, entry);
		if (e)
			return e;
	}
	if (!entry->types)
		return entry->why ? err_new(entry->code, "%s", entry->why) : err_nomem();
	*ret = entry->types;
	return NULL;
}

/* ---- several ---- */

struct err *module_types_scope(struct module_types *m, const char *const *names,
			       struct type_scope *ret)
{
	struct type_scope scope = { 0 };
	for (; *names && scope.count < TYPE_SCOPE_MAX - 1; names++) {
		struct err *e = module_types_get(m, *names, &scope.list[scope.count]);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		scope.count += !e;
		err_free(e);
	}
	scope.list[scope.count++] = kernel_types(m->k);
	*ret = scope;
	return NULL;
}

/* One question to one source. */
struct question {
	const char *type, *name;
	struct member *ret_member;
	uint64_t *ret_size;
	int64_t *ret_value;
};

static struct err *ask_one(struct types *t, const struct question *q)
{
	if (q->ret_member)
		return types_member(t, q->type, q->name, q->ret_member);
	if (q->ret_size)
		return types_size(t, q->type, q->ret_size);
	return types_enumerator(t, q->type, q->name, q->ret_value);
}

/* The error is that of the first source: the module that should know. */
static struct err *ask(const struct type_scope *s, const struct question *q)
{
	struct err *first = NULL;
	for (unsigned i = 0; i < s->count; i++) {
		struct err *e = ask_one(s->list[i], q);
		if (!e || err_code(e) == ERR_NOMEM) {
			err_free(first);
			return e;
		}
		if (first)
			err_free(e);
		else
			first = e;
	}
	return first ? first : err_new(ERR_NOTFOUND, "there are no types");
}

struct err *type_scope_member(const struct type_scope *s, const char *type, const char *path,
			      struct member *ret)
{
	return ask(s, &(struct question){ .type = type, .name = path, .ret_member = ret });
}

struct err *type_scope_size(const struct type_scope *s, const char *type, uint64_t *ret)
{
	return ask(s, &(struct question){ .type = type, .ret_size = ret });
}

struct err *type_scope_enumerator(const struct type_scope *s, const char *enum_name,
				  const char *constant, int64_t *ret)
{
	return ask(s, &(struct question){ .type = enum_name, .name = constant, .ret_value = ret });
}

bool type_scope_offset(const struct type_scope *s, const char *type, const char *path,
		       uint64_t *ret_offset)
{
	struct member m;
	struct err *e = type_scope_member(s, type, path, &m);
	bool yes = !e;
	err_free(e);
	if (yes)
		*ret_offset = m.offset;
	return yes;
}

bool type_scope_has(const struct type_scope *s, const char *type, const char *path)
{
	uint64_t offset;
	return type_scope_offset(s, type, path, &offset);
}
