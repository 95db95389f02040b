// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/osdata.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/monitor/rows.h"
#include "server/monitor/team/team_tables.h"
#include "server/service.h"
#include "server/target/osdata_tables.h"
#include "vmcore/vmcore.h"

static osdata_table make_types;

/* Names and columns of what native gdb has, too, are its own: IDEs read "processes". */
static const struct table {
	const char *name, *title, *description;
	osdata_table *make;
	/* In its place: it is made whenever somebody asks for it, at once. */
	struct err *(*now)(const struct service *s, struct buf *out);
} tables[] = {
	{ "types", NULL, NULL, make_types, NULL },
	{ "processes", "Processes", "Listing of all processes", osdata_processes, NULL },
	{ "threads", "Threads", "Listing of all threads", osdata_threads, NULL },
	{ "cpus", "CPUs", "Listing of all CPUs", osdata_cpus, NULL },
	{ "modules", "Kernel modules", "Listing of all loaded kernel modules", osdata_modules,
	  NULL },
	{ "vms", "Virtual machines", "Listing of all virtual machines of KVM", osdata_vms, NULL },
	{ "vcpus", "vCPUs", "Listing of all vCPUs of all virtual machines", osdata_vcpus, NULL },
	{ "slots", "Memory slots", "Listing of all memory slots of all virtual machines",
	  osdata_slots, NULL },
	{ "clients", "Clients", "Listing of all who look at this dump now", NULL,
	  clients_osdata },
	{ "notes", "Notes", "Listing of all that was written down about this dump", NULL,
	  notes_osdata },
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

struct osdata {
	const struct service *s; /* borrowed */
	struct buf documents[TABLES];
	bool made[TABLES], begun[TABLES];
	size_t next[TABLES]; /* where the table goes on */
	uint64_t generation; /* of the host's tasks that they are made of */
	uint64_t recovered;  /* the host's, then */
};

struct err *osdata_new(const struct service *service, struct osdata **ret)
{
	struct osdata *o = calloc(1, sizeof(*o));
	if (!o)
		return err_nomem();
	o->s = service;
	for (int i = 0; i < TABLES; i++)
		buf_init(&o->documents[i]);
	*ret = o;
	return NULL;
}

void osdata_free(struct osdata *o)
{
	if (!o)
		return;
	for (int i = 0; i < TABLES; i++)
		buf_free(&o->documents[i]);
	free(o);
}

enum { TYPE_NAME, TYPE_DESCRIPTION, TYPE_TITLE, TYPE_VALUES };

static const struct key type_keys[] = {
	{ TYPE_NAME, "Type" },
	{ TYPE_DESCRIPTION, "Description" },
	{ TYPE_TITLE, "Title" },
};
static const struct row_kind type_kind = { .osdata = COLUMNS(type_keys) };

static struct err *make_types(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	(void)h, (void)next;
	*ret_done = true;
	for (int i = 1; i < TABLES; i++) {
		const struct value row[TYPE_VALUES] = {
			[TYPE_NAME] = value_text(tables[i].name),
			[TYPE_DESCRIPTION] = value_text(tables[i].description),
			[TYPE_TITLE] = value_text(tables[i].title),
		};
		row_print(&type_kind, PRINT_OSDATA, row, out);
	}
	return NULL;
}

/* ---- documents ---- */

/* A slice of it. */
static struct err *make(struct osdata *o, size_t table)
{
	const struct table *t = &tables[table];
	struct buf *out = &o->documents[table];
	bool done = false;
	if (!o->begun[table]) {
		buf_reset(out);
		o->next[table] = 0;
		buf_addstr(out, "<?xml version=\"1.0\"?>\n"
				"<!DOCTYPE target SYSTEM \"osdata.dtd\">\n");
		buf_addf(out, "<osdata type=\"%s\">\n", t->name);
	}
	struct err *e = t->now ? t->now(o->s, out)
			       : t->make(o->s->vmcore, &o->next[table], out, &done);
	done |= t->now != NULL;
	if (done)
		buf_addstr(out, "</osdata>\n");
	if (!e)
		e = buf_error(out);
	o->begun[table] = !e && !done;
	o->made[table] = !e && done;
	return e;
}

/* Of a machine that runs, tables are as old as its list of tasks. */
static void drop_old(struct osdata *o)
{
	const struct vmcore *h = o->s->vmcore;
	if (o->generation == h->generation && o->recovered == h->recovered)
		return;
	o->generation = h->generation;
	o->recovered = h->recovered;
	for (int i = 0; i < TABLES; i++) {
		buf_reset(&o->documents[i]);
		o->made[i] = o->begun[i] = false;
	}
}

struct err *osdata_get(struct osdata *o, const char *annex, const struct buf **ret)
{
	drop_old(o);
	*ret = NULL;
	for (size_t i = 0; i < TABLES; i++) {
		if (strcmp(*annex ? annex : "types", tables[i].name) != 0)
			continue;
		if (!o->made[i] || tables[i].now) {
			struct err *e = make(o, i);
			if (e)
				return e;
		}
		*ret = o->made[i] ? &o->documents[i] : NULL;
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "there is no table '%s'", annex);
}
