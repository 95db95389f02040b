// SPDX-License-Identifier: GPL-2.0-or-later
/* Modules' files out of packages: those that the dump has loaded. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vmcore/names/files/debug_search.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/files/package_private.h"
#include "vmcore/names/files/symbol_cache.h"
#include "vmcore/names/files/unpack.h"

/* What may be put aside in front of a vmlinux, and what room is left to that. All modules of a
 * distribution's kernel have 1 to 5 GiB with their debug information. */
#define ASIDE_MAX (UINT64_C(8) << 30)
#define ROOM_LEFT UNPACK_VMLINUX_MAX

/* ---- putting aside ---- */

static struct err *write_to_pile(struct packages *p, struct package *k, struct package_pile *pile,
				 struct package_module *m)
{
	struct package_writer w = { p, k, .fd = pile->fd, .start = pile->size,
				    .most = UNPACK_MODULE_MAX };
	struct err *e = package_write(&w);
	if (e)
		return e;
	m->at = pile->size;
	m->size = w.size;
	pile->size += w.size;
	return NULL;
}

struct err *package_put_aside(struct packages *p, struct package *k,
			      const struct package_entry *entry, struct package_module *m)
{
	struct package_pile *pile = &k->aside;
	if (k->aside_full || m->place != PACKAGE_IN_IT)
		return NULL;
	struct err *e = pile->fd < 0 ? symbol_cache_file(p->cache, &pile->fd) : NULL;
	if (e)
		return e;
	uint64_t room = symbol_cache_room(pile->fd);
	if (entry->size > ASIDE_MAX - pile->size || room < ROOM_LEFT ||
	    room - ROOM_LEFT < entry->size) {
		/* Then the package is read a second time, for those that are loaded. */
		k->aside_full = true;
		log_debug(LOG_SYMBOLS, "%s: no more room for modules in front of its vmlinux",
			  k->path);
		return NULL;
	}
	e = write_to_pile(p, k, pile, m);
	if (!e && m->size)
		m->place = PACKAGE_ASIDE;
	if (!e || err_code(e) != ERR_IO)
		return e;
	k->aside_full = true;
	err_free(e);
	return NULL;
}

/* ---- taking ---- */

struct gathering {
	struct packages *p;
	const char *release;
	const struct packages_wanted *modules;
	size_t count;
	bool *have; /* by index of modules */
};

static bool is_wanted(const struct gathering *g, size_t i, const char *name)
{
	return !g->have[i] && g->modules[i].build_id && !strcmp(g->modules[i].name, name);
}

/* One that lacks, of this name (NULL: of any); g->count if there is none. */
static size_t find_wanted(const struct gathering *g, const char *name)
{
	size_t i = 0;
	while (i < g->count && !is_wanted(g, i, name ? name : g->modules[i].name))
		i++;
	return i;
}

static struct err *add_to_taken(struct packages *p, struct package *k, struct package_module *m,
				int fd)
{
	struct stat st;
	struct package_pile *pile = &k->taken;
	struct err *e = pile->fd < 0 ? symbol_cache_file(p->cache, &pile->fd) : NULL;
	if (!e && fstat(fd, &st))
		e = err_new(ERR_IO, "the file of module %s cannot be looked at", m->name);
	if (!e)
		e = symbol_cache_copy(p->cache, fd, 0, (uint64_t)st.st_size, pile->fd);
	if (e)
		return e;
	m->place = PACKAGE_TAKEN;
	m->at = pile->size;
	m->size = (uint64_t)st.st_size;
	pile->size += m->size;
	return NULL;
}

/* The file of @m, alone in *@fd, is there: takes it if it is a loaded module's. */
static struct err *settle(const struct gathering *g, struct package *k, struct package_module *m,
			  int *fd)
{
	struct elf_identity id = { 0 };
	char *path = NULL;
	m->looked = true;
	m->place = PACKAGE_LEFT;
	struct err *e = package_unpack(g->p, fd, UNPACK_MODULE_MAX);
	if (!e)
		e = elf_identify(*fd, &id);
	/* One file that is damaged does not make the rest of the package worse. */
	if (e && err_code(e) != ERR_NOMEM && err_code(e) != ERR_IO) {
		log_debug(LOG_SYMBOLS, "%s: module %s: %s", k->path, m->name, err_msg(e));
		err_free(e);
		return NULL;
	}
	if (e)
		return e;
	free(m->build_id);
	m->build_id = id.build_id;
	id.build_id = NULL;
	elf_identity_free(&id);
	for (size_t i = 0; !e && m->build_id && i < g->count; i++) {
		if (!is_wanted(g, i, m->name) ||
		    strcasecmp(g->modules[i].build_id, m->build_id) != 0)
			continue;
		g->have[i] = true;
		if (!path && m->place != PACKAGE_TAKEN)
			e = symbol_cache_keep(g->p->cache, *fd, m->build_id, &path);
		if (!e && !path && m->place != PACKAGE_TAKEN)
			e = add_to_taken(g->p, k, m, *fd);
	}
	free(path);
	return e;
}

/* The module @m: what was put aside of it, or the file at hand. */
static struct err *take_module(const struct gathering *g, struct package *k,
			       struct package_module *m)
{
	int fd;
	struct err *e = symbol_cache_file(g->p->cache, &fd);
	if (e)
		return e;
	struct package_writer w = { g->p, k, .fd = fd, .most = UNPACK_MODULE_MAX };
	if (m->place == PACKAGE_ASIDE)
		e = symbol_cache_copy(g->p->cache, k->aside.fd, m->at, m->size, fd);
	else
		e = package_write(&w);
	if (!e)
		e = settle(g, k, m, &fd);
	close(fd);
	return e;
}

static struct err *take_what_is_aside(const struct gathering *g, struct package *k)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < k->contents.count; i++) {
		struct package_module *m = &k->contents.modules[i];
		if (m->place == PACKAGE_ASIDE && find_wanted(g, m->name) < g->count)
			e = take_module(g, k, m);
	}
	return e;
}

/* Whether what lacks may be in @k; *ret_passed is set if the reading has passed it. */
static bool may_have_more(const struct gathering *g, const struct package *k, bool *ret_passed)
{
	*ret_passed = false;
	for (size_t i = 0; i < k->contents.count; i++) {
		const struct package_module *m = &k->contents.modules[i];
		if (!m->looked && m->place == PACKAGE_IN_IT && find_wanted(g, m->name) < g->count) {
			*ret_passed = true;
			return true;
		}
	}
	return !k->contents.whole && find_wanted(g, NULL) < g->count;
}

static struct err *read_on(const struct gathering *g, struct package *k)
{
	while (find_wanted(g, NULL) < g->count) {
		struct package_entry entry;
		struct package_name name;
		struct package_module *m;
		bool end;
		struct err *e = package_next(k, &entry, &name, &end);
		if (e || end || package_is_of_other(k, g->release))
			return e;
		if (name.file != PACKAGE_MODULE)
			continue;
		e = package_meet_module(k, name.module, &m);
		if (!e && !m->looked && find_wanted(g, m->name) < g->count)
			e = take_module(g, k, m);
		if (e)
			return e;
	}
	return NULL;
}

static struct err *take_from_package(const struct gathering *g, struct package *k)
{
	bool passed;
	struct err *e = take_what_is_aside(g, k);
	if (e || !may_have_more(g, k, &passed))
		return e;
	if (passed || !k->stream)
		e = package_begin(g->p, k);
	return e ? e : read_on(g, k);
}

/* Those that are in the cache need no package. */
static struct err *look_into_cache(const struct gathering *g)
{
	struct buf path = BUF_INIT;
	for (size_t i = 0; i < g->count; i++) {
		buf_reset(&path);
		g->have[i] = symbol_cache_find(g->p->cache, g->modules[i].build_id, &path);
	}
	struct err *e = buf_error(&path);
	buf_free(&path);
	return e;
}

static struct err *take_from_all(const struct gathering *g)
{
	struct err *e = NULL;
	for (struct package *k = g->p->list; !e && k; k = k->next) {
		if (k->failure || package_is_of_other(k, g->release))
			continue;
		e = take_from_package(g, k);
		if (e && err_code(e) != ERR_NOMEM) {
			package_fail(k, e);
			err_free(e);
			e = NULL;
		}
		package_end(k);
		package_keep_contents(g->p, k);
	}
	return e;
}

struct err *packages_take_modules(struct packages *p, const char *const *paths, size_t path_count,
				  const char *release, const struct packages_wanted *modules,
				  size_t count)
{
	struct gathering g = { p, release, modules, count, calloc(count + 1, sizeof(*g.have)) };
	struct err *e = g.have ? look_into_cache(&g) : err_nomem();
	for (size_t i = 0; !e && i < path_count; i++) {
		struct package *k;
		if (packages_is_package(paths[i]))
			e = package_get(p, paths[i], &k);
	}
	if (!e && path_count)
		e = take_from_all(&g);
	free(g.have);
	return e;
}

/* ---- offering ---- */

/* The package that @build_id was in, for people. */
static const char *package_of(const struct packages *p, const char *build_id)
{
	for (const struct package *k = p->list; k; k = k->next) {
		for (size_t i = 0; i < k->contents.count; i++) {
			const char *id = k->contents.modules[i].build_id;
			if (id && !strcasecmp(id, build_id))
				return k->path;
		}
	}
	return NULL;
}

static struct err *offer_kept(struct packages *p, const char *build_id, packages_take *take,
			      void *closure, bool *ret_done)
{
	struct buf path = BUF_INIT;
	int fd;
	*ret_done = false;
	if (symbol_cache_find(p->cache, build_id, &path)) {
		struct err *e = debug_file_open_regular(path.data, &fd);
		if (!e)
			*ret_done = take(closure,
					 &(struct packages_file){ fd, path.data,
								  package_of(p, build_id), false });
		err_free(e);
	}
	struct err *e = buf_error(&path);
	buf_free(&path);
	return e;
}

static struct err *offer_taken(struct packages *p, const struct package *k,
			       const struct package_module *m, packages_take *take, void *closure,
			       bool *ret_done)
{
	struct buf path = BUF_INIT;
	int fd;
	struct err *e = symbol_cache_file(p->cache, &fd);
	if (e)
		return e;
	e = symbol_cache_copy(p->cache, k->taken.fd, m->at, m->size, fd);
	buf_addf(&path, "%s/%s.ko", k->path, m->name);
	if (!e)
		e = buf_error(&path);
	if (e)
		close(fd);
	else
		*ret_done = take(closure, &(struct packages_file){ fd, path.data, k->path, true });
	buf_free(&path);
	return e;
}

struct err *packages_offer_module(struct packages *p, const char *name, const char *build_id,
				  packages_take *take, void *closure)
{
	bool done;
	struct err *e = offer_kept(p, build_id, take, closure, &done);
	for (struct package *k = p->list; !e && !done && k; k = k->next) {
		for (size_t i = 0; !e && !done && i < k->contents.count; i++) {
			const struct package_module *m = &k->contents.modules[i];
			if (m->place == PACKAGE_TAKEN && m->build_id && !strcmp(m->name, name) &&
			    !strcasecmp(m->build_id, build_id))
				e = offer_taken(p, k, m, take, closure, &done);
		}
		if (e && err_code(e) != ERR_NOMEM) {
			package_fail(k, e);
			err_free(e);
			e = NULL;
		}
	}
	return e;
}
