// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/confinement.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/close_from.h"
#include "base/err.h"
#include "base/files.h"
#include "base/hex.h"
#include "server/net/captive.h"
#include "server/net/confine.h"
#include "server/net/outer.h"
#include "server/net/peer.h"
#include "server/net/privileges.h"
#include "server/net/server.h"
#include "server/notes_place.h"
#include "server/options.h"

/* ---- what may be read ---- */

struct places {
	char **list; /* owned, with its strings */
	size_t count;
};

static struct err *add_place(struct places *p, const char *path)
{
	char **list = reallocarray(p->list, p->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	p->list = list;
	list[p->count] = strdup(path);
	return list[p->count] ? (p->count++, NULL) : err_nomem();
}

static void free_places(struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
}

/* With the folder of @path in place of the file's name. */
static struct err *add_beside(struct places *p, const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	struct buf beside = BUF_INIT;
	buf_addf(&beside, "%.*s%s", slash ? (int)(slash - path) : 1, slash ? path : ".", name);
	struct err *e = buf_error(&beside);
	if (!e)
		e = add_place(p, beside.data);
	buf_free(&beside);
	return e;
}

/* Where modules are looked for beside a vmlinux: that folder itself if it is a build's or that of a
 * release (vmcore/names/files/module_search.c). */
static struct err *add_around(struct places *p, const char *path)
{
	struct err *e = add_beside(p, path, "/../lib/modules");
	if (!e)
		e = add_beside(p, path, "/modules.order");
	bool of_modules =
		!e && (files_is_there(p->list[p->count - 1]) || strstr(path, "/modules/"));
	if (!e && of_modules)
		e = add_beside(p, path, "");
	return e;
}

static struct err *add_reads(struct places *p, const struct options *o, const char *cache)
{
	static const char *const usual[] = { "/usr/lib/debug", "/lib/modules", "/usr/lib/modules",
					     "/boot" };
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(usual) / sizeof(*usual); i++)
		e = add_place(p, usual[i]);
	for (size_t i = 0; !e && i < o->dumps.count; i++)
		e = add_place(p, o->dumps.list[i]);
	for (size_t i = 0; !e && i < o->symbols.count; i++) {
		e = add_place(p, o->symbols.list[i]);
		if (!e && !files_is_folder(o->symbols.list[i]))
			e = add_around(p, o->symbols.list[i]);
	}
	if (!e && cache)
		e = add_place(p, cache);
	return e;
}

/* ---- both processes ---- */

static struct err *start_outer(const struct options *o, struct server *server,
			       struct captive *command, struct confinement *c)
{
	struct places reads = { 0 }, listens = { 0 };
	const char *folder = NULL;
	struct err *e = add_reads(&reads, o, debuginfod_cache(c->cache_of));
	if (!e && server)
		e = server_later_sockets(server, &listens.list, &listens.count, &folder);
	const struct outer_options options = {
		.socket_owner = server_socket_owner(server),
		.socket_group = server_socket_group(server),
		.reads = (const char *const *)reads.list,
		.read_count = reads.count,
		.keeps = o->symbol_cache,
		.writes = o->write_symbols,
		.appends = c->notes.len ? c->notes.data : NULL,
		.listens = (const char *const *)listens.list,
		.listen_count = listens.count,
		.folder = folder,
		.captive = command,
		/* One more for the client at stdio. */
		.clients = server ? (size_t)o->max_clients + 1 : 0,
		.index = server && o->symbol_cache ? &c->index_process : NULL,
		.debuginfod = debuginfod_why_not(c->cache_of) ? NULL : c->cache_of,
	};
	if (!e)
		e = outer_start(&options, &c->outer);
	free_places(&reads);
	free_places(&listens);
	return e;
}

struct err *confinement_begin(const struct options *o, struct server *server,
			      struct captive *command, struct confinement *ret)
{
	const struct debuginfod_options by_environment = { 0 };
	struct err *unsafe = o->symbol_cache ? folder_check(o->symbol_cache) : NULL;
	if (unsafe)
		return err_wrap(unsafe, "--symbol-cache");
	ret->index_process = (struct index_process){ o->user, o->memory_limit };
	ret->index = (struct vmlinux_index_options){
		.folder = server ? o->symbol_cache : NULL,
		.indexer = index_process_start,
		.indexer_self = &ret->index_process,
	};
	ret->command = command;
	ret->owner = peers_owner();
	struct err *no_place = notes_place(o, &ret->notes, &ret->notes_mode);
	if (no_place || o->live || o->no_confinement)
		return no_place;
	struct err *e = debuginfod_new(&by_environment, &ret->cache_of);
	if (!e)
		e = start_outer(o, server, command, ret);
	if (e)
		return e;
	ret->debuginfod = (struct debuginfod_options){
		.starter = outer_download,
		.starter_self = ret->outer,
		.cache = debuginfod_cache(ret->cache_of),
	};
	ret->index.indexer = outer_index;
	ret->index.indexer_self = ret->outer;
	files_use(outer_files(ret->outer));
	if (server)
		server_use_outer(server, ret->outer);
	const struct confine_options options = {
		.user = o->user,
		.memory = o->memory_limit,
		.files_outside = true,
		.parent = outer_is_parent(ret->outer) ? getppid() : 0,
	};
	e = confine(&options, &ret->held);
	return e ? e : buf_error(&ret->held);
}

struct err *confinement_of_live(const struct options *o, struct server *server,
				struct confinement *c)
{
	const char *own = getenv("TMPDIR");
	const struct debuginfod_options by_environment = { 0 };
	const char *writes[5] = { "/var/tmp" };
	struct confine_options options = {
		.user = o->user,
		.memory = o->memory_limit,
		.writes = writes,
		.write_count = 1,
		/* A virtual machine that starts later gets a port of its own. */
		.makes_sockets = server && o->guests,
		.may_end = c->command ? c->command->pid : 0,
	};
	if (o->no_confinement)
		return privileges_drop(o->user);
	struct err *e = debuginfod_new(&by_environment, &c->cache_of);
	if (e)
		return e;
	/* Who downloads, and who makes indexes. */
	options.starts_programs = !debuginfod_why_not(c->cache_of) || (server && o->symbol_cache);
	if (own && *own)
		writes[options.write_count++] = own;
	if (o->symbol_cache)
		writes[options.write_count++] = o->symbol_cache;
	if (server && server_folder(server))
		writes[options.write_count++] = server_folder(server);
	e = confine(&options, &c->held);
	return e ? e : buf_error(&c->held);
}

void confinement_end(struct confinement *c)
{
	files_use(NULL);
	outer_end(c->outer);
	debuginfod_free(c->cache_of);
	buf_free(&c->held);
	buf_free(&c->notes);
}

/* ---- descriptors ---- */

/* What others pass on has low numbers. */
enum { GIVEN_MAX = 1023 };

static bool names_descriptor(const struct strings *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		if (!strncmp(paths->list[i], "/dev/fd/", strlen("/dev/fd/")) ||
		    !strncmp(paths->list[i], "/proc/self/fd/", strlen("/proc/self/fd/")))
			return true;
	return false;
}

/* The socket that listens already, by the address "fd:N"; -1: it is another address. */
static int given_number(const char *address)
{
	uint64_t number;
	bool given = !strncmp(address, "fd:", strlen("fd:")) &&
		     number_parse(address + strlen("fd:"), false, &number) && number <= GIVEN_MAX;
	return given ? (int)number : -1;
}

static bool is_given(const struct strings *listen, int fd)
{
	for (size_t i = 0; i < listen->count; i++)
		if (given_number(listen->list[i]) == fd)
			return true;
	return false;
}

static int last_given(const struct strings *listen)
{
	int last = -1;
	for (size_t i = 0; i < listen->count; i++)
		if (given_number(listen->list[i]) > last)
			last = given_number(listen->list[i]);
	return last;
}

void close_inherited(const struct options *o)
{
	int fd = STDERR_FILENO + 1;
	if (names_descriptor(&o->dumps) || names_descriptor(&o->symbols))
		return;
	/* Who started us as the server of a dump of a shelf gave one, and no other. */
	if (o->inlet == fd)
		fd++;
	for (int last = last_given(&o->listen); fd <= last; fd++)
		if (!is_given(&o->listen, fd))
			close(fd);
	close_from(fd);
}
