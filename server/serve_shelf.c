// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/serve_shelf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/fnv.h"
#include "proto/target.h"
#include "server/confinement.h"
#include "server/monitor/frames/signature.h"
#include "server/net/captive.h"
#include "server/net/peer.h"
#include "server/net/server.h"
#include "server/net/shelf_message.h"
#include "server/options.h"
#include "server/shelf/dumps.h"
#include "server/shelf/keeper.h"
#include "server/shelf/shelf_target.h"
#include "server/target/guests.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

/* ---- what the servers of the dumps are told ---- */

enum { ARGUMENTS_MOST = 4096 };

struct arguments {
	char **list; /* owned, with its strings */
	size_t count;
	bool failed;
};

static void add(struct arguments *a, const char *name, const char *value)
{
	char **list = a->failed || a->count >= ARGUMENTS_MOST
			      ? NULL
			      : reallocarray(a->list, a->count + 1, sizeof(*list));
	struct buf text = BUF_INIT;
	if (list)
		a->list = list;
	buf_addf(&text, value ? "--%s=%s" : "--%s", name, value);
	a->failed |= !list || text.failed;
	if (a->failed)
		buf_free(&text);
	else
		a->list[a->count++] = text.data;
}

static void add_number(struct arguments *a, const char *name, size_t number)
{
	char text[24];
	snprintf(text, sizeof(text), "%zu", number);
	add(a, name, text);
}

static void add_if(struct arguments *a, const char *name, bool is)
{
	if (is)
		add(a, name, NULL);
}

/* Symbols are one store for all. */
static struct err *make_arguments(const struct options *o, struct arguments *a)
{
	for (size_t i = 0; i < o->symbols.count; i++)
		add(a, "symbols", o->symbols.list[i]);
	if (o->symbol_cache)
		add(a, "symbol-cache", o->symbol_cache);
	if (o->notes)
		add(a, "notes", o->notes);
	if (o->group)
		add(a, "group", o->group);
	add(a, "user", o->user);
	add_number(a, "memory-limit", o->memory_limit);
	add_number(a, "cache-size", o->cache_size);
	add_number(a, "patience", o->patience);
	add_number(a, "max-clients", o->max_clients);
	add_number(a, "idle", o->idle);
	add_if(a, "any-user", o->any_user);
	add_if(a, "no-confinement", o->no_confinement);
	add_if(a, "no-context-threads", o->no_context_threads);
	add_if(a, "no-serve-files", o->no_serve_files);
	add_if(a, "no-extra-cfi", o->no_extra_cfi);
	return a->failed ? err_nomem() : NULL;
}

static void free_arguments(struct arguments *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->list[i]);
	free(a->list);
}

/* ---- the index ---- */

/* Below the folder for caches of who runs this (basedir specification), the system's of root. */
static bool add_cache_folder(const struct options *o, struct buf *out)
{
	const char *own = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	if (o->symbol_cache)
		buf_addstr(out, o->symbol_cache);
	else if (geteuid() == 0)
		buf_addstr(out, "/var/cache/vmcore-gdbserver");
	else if (own && *own == '/')
		buf_addf(out, "%s/vmcore-gdbserver", own);
	else if (home && *home == '/')
		buf_addf(out, "%s/.cache/vmcore-gdbserver", home);
	return out->len && !out->failed;
}

static void make_folders(char *path)
{
	for (char *at = path + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		(void)!mkdir(path, 0700);
		*at = '/';
	}
	(void)!mkdir(path, 0700);
}

/* Empty if there is no place for it, with a sentence: all dumps are looked at again the next time.
 */
static void find_index(const struct options *o, const char *folder, struct buf *ret)
{
	if (!add_cache_folder(o, ret))
		return;
	make_folders(ret->data);
	struct err *unsafe = folder_check(ret->data);
	bool good = !unsafe && !access(ret->data, W_OK | X_OK);
	if (!good)
		fprintf(stderr, "vmcore-gdbserver: no index is kept: %s: %s\n", ret->data,
			unsafe ? err_msg(unsafe) : strerror(errno));
	err_free(unsafe);
	if (good)
		buf_addf(ret, "/shelf-%016" PRIx64 ".index",
			 fnv_add(FNV_BEGIN, folder, strlen(folder)));
	else
		buf_reset(ret);
}

/* ---- both ways to use it ---- */

struct shelf {
	char *folder; /* owned */
	struct buf index;
	struct arguments arguments;
	struct keeper_options keeper;
};

static void close_shelf(struct shelf *s)
{
	free_arguments(&s->arguments);
	buf_free(&s->index);
	free(s->folder);
}

/* *ret must stay where it is. */
static struct err *open_shelf(const struct options *o, struct shelf *ret)
{
	*ret = (struct shelf){ .index = BUF_INIT };
	ret->folder = files_real(o->dumps.list[0]);
	if (!ret->folder)
		return err_errno(errno, "look for dumps in %s", o->dumps.list[0]);
	find_index(o, ret->folder, &ret->index);
	struct err *e = make_arguments(o, &ret->arguments);
	ret->keeper = (struct keeper_options){
		.folder = ret->folder,
		.index = ret->index.len ? ret->index.data : NULL,
		.arguments = ret->arguments.list,
		.argument_count = ret->arguments.count,
	};
	return e ? e : buf_error(&ret->index);
}

struct err *shelf_run_commands(const struct options *o, struct buf *ret_text)
{
	struct shelf s;
	struct shelf_dumps dumps = SHELF_DUMPS_INIT;
	struct err *e = open_shelf(o, &s);
	if (!e)
		e = keeper_list(&s.keeper, &dumps);
	for (size_t i = 0; !e && i < o->exec.count; i++) {
		bool json = !strcmp(o->exec.list[i], "dumps --json");
		if (json || !strcmp(o->exec.list[i], "dumps"))
			e = shelf_print(&dumps, json, ret_text);
		else
			e = err_new(ERR_INVALID,
				    "cannot do '%s' with %s: it is a folder of dumps, which has "
				    "'dumps' and 'dumps --json' alone; name one of its dumps",
				    o->exec.list[i], s.folder);
	}
	shelf_dumps_free(&dumps);
	close_shelf(&s);
	return e;
}

/* The clients' process: confined as one that reads a dump. */
static struct err *serve_clients(const struct options *o, struct server *server,
				 struct target *target, int *ret_status)
{
	/* Nothing of the folder is to be read by it. */
	struct options without = *o;
	struct confinement confined = CONFINEMENT_INIT;
	struct served_list served = { 0 };
	without.dumps.count = 0;
	struct err *e = confinement_begin(&without, server, NULL, &confined);
	if (!e)
		e = served_host(NULL, target, &served);
	if (!e)
		e = server_run(server, &served, NULL, NULL, ret_status);
	served_free(&served);
	server_free(server);
	confinement_end(&confined);
	return e;
}

struct err *shelf_serve(const struct options *o, int *ret_status)
{
	struct shelf s;
	struct peers peers = PEERS_INIT;
	struct server *server = NULL;
	struct target *target = NULL;
	int keeper = -1;
	struct err *e = open_shelf(o, &s);
	if (!e)
		e = peers_open(o->any_user, o->group, &peers);
	if (!e)
		e = keeper_start(&s.keeper, &keeper);
	if (!e)
		e = shelf_target_new(keeper, &target);
	const struct serve_options options = {
		.listen = o->listen.list,
		.listen_count = o->listen.count,
		.peers = &peers,
		.max_clients = o->max_clients,
		.quiet = o->quiet,
		.patience = (uint64_t)o->patience * 1000,
		.inlet = -1,
		.hand_over = shelf_hand_over,
		.hand_over_closure = target,
	};
	if (!e)
		e = server_new(&options, &server);
	if (!e && !o->quiet)
		fprintf(stderr, "dumps     below %s\n", s.folder);
	if (!e)
		e = serve_clients(o, server, target, ret_status);
	shelf_target_free(target);
	if (keeper >= 0)
		close(keeper);
	peers_close(&peers);
	close_shelf(&s);
	return e;
}

/* ---- for the keeper ---- */

struct err *shelf_summary(struct vmcore *h, struct buf *ret)
{
	const struct kernel *k = h->kernel;
	struct signature s;
	struct err *e = signature_of(h, &s);
	if (e)
		return e;
	/* Strings are borrowed here. */
	const struct dump_facts facts = {
		.release = (char *)(uintptr_t)kernel_release(k),
		.build_id = (char *)(uintptr_t)(kernel_build_id(k) ? kernel_build_id(k) : ""),
		.panic = (char *)(uintptr_t)(h->panic ? h->panic : ""),
		.functions = s.functions.data,
		.why = (char *)(uintptr_t) "",
		.date = kernel_date(k) > 0 ? kernel_date(k) : 0,
		.signature = s.hash,
	};
	dump_facts_add(&facts, ret);
	buf_addch(ret, '\n');
	signature_free(&s);
	return buf_error(ret);
}

void shelf_tell_failed(int inlet, const char *why)
{
	struct keeper_message m = { .what = KEEPER_FAILED };
	m.len = (uint32_t)strnlen(why, KEEPER_BYTES - 1);
	memcpy(m.bytes, why, m.len);
	(void)keeper_send(inlet, &m, -1);
}
