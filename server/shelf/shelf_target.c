// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/shelf/shelf_target.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/map.h"
#include "proto/saved.h"
#include "proto/target.h"
#include "server/monitor/dates.h"
#include "server/monitor/rows.h"
#include "server/net/shelf_message.h"
#include "server/shelf/dumps.h"
#include "server/target/arch.h"
#include "server/target/target_kernel.h"

enum {
	OPEN_MOST = 64,	 /* dumps that clients wait for at a time */
	WAIT_MS = 4,	 /* for the keeper, in a turn */
	FRESH_MS = 1000, /* as long as a list is as good as a new one */
};

/* A dump that somebody waits for. */
struct opening {
	uint64_t id; /* 0: the place is free */
	enum { ASKED, OPEN, FAILED } state;
	uint64_t since; /* by clock_ms() */
	char *why;	/* owned, of one that failed */
};

struct shelf_target {
	struct target target;
	int keeper; /* borrowed */
	struct shelf_dumps dumps;
	bool listed, asked, gone; /* there is a list; one is asked for; the keeper has ended */
	uint64_t listed_at;	  /* by clock_ms() */
	struct opening openings[OPEN_MOST];
	struct buf document;
};

/* ---- the list ---- */

enum {
	D_ID,
	D_DATE,
	D_WHEN,
	D_RELEASE,
	D_BUILD_ID,
	D_PANIC,
	D_SIGNATURE,
	D_FUNCTIONS,
	D_SAME,
	D_SIZE,
	D_STATE,
	D_WHY,
	D_PATH,
	D_VALUES
};

static const struct column text_columns[] = {
	{ D_ID, "id", .width = 6 },
	{ D_DATE, "date", "  ", .width = -23, .missing = "" },
	{ D_RELEASE, "release", "  ", .width = -28, .missing = "" },
	{ D_SIGNATURE, "signature", "  ", .width = -18, .digits = 16, .missing = "" },
	{ D_SAME, "same", " ", .width = 4, .missing = "" },
	{ D_PATH, "path", .before = "  " },
	{ D_PANIC, .before = ": " },
	{ D_WHY, .before = ": " },
};
static const struct key json_keys[] = {
	{ D_ID, "id" },
	{ D_PATH, "path" },
	{ D_SIZE, "size" },
	{ D_STATE, "state" },
	{ D_WHEN, "date" },
	{ D_RELEASE, "release" },
	{ D_BUILD_ID, "build_id" },
	{ D_PANIC, "panic" },
	{ D_SIGNATURE, "signature" },
	{ D_SAME, "same" },
	{ D_FUNCTIONS, "functions" },
	{ D_WHY, "why" },
};
static const struct key osdata_keys[] = {
	{ D_ID, "id" },	      { D_DATE, "date" },	    { D_RELEASE, "release" },
	{ D_PANIC, "panic" }, { D_SIGNATURE, "signature" }, { D_SAME, "same" },
	{ D_PATH, "path" },   { D_WHY, "why not" },
};
static const struct key process_keys[] = {
	{ D_ID, "pid" },
	{ D_RELEASE, "user" },
	{ D_PATH, "command" },
};
static const struct row_kind dump_kind = { COLUMNS(text_columns), COLUMNS(json_keys),
					   COLUMNS(osdata_keys) };
static const struct row_kind process_kind = { .osdata = COLUMNS(process_keys) };

static const char *known(const char *text)
{
	return *text ? text : NULL;
}

/* @same counts dumps by signature; @date is what the row points to. */
static void fill(const struct shelf_dump *d, const struct map *same, char date[DATE_SIZE],
		 struct value *v)
{
	static const char *const states[] = {
		[DUMP_NEW] = "new", [DUMP_GOOD] = "good", [DUMP_BAD] = "bad"
	};
	const struct dump_facts *f = &d->facts;
	uint64_t count;
	v[D_ID] = value_number(d->id);
	v[D_PATH] = value_text(d->path);
	v[D_SIZE] = value_number(d->stamp.size);
	v[D_STATE] = value_text(states[d->state]);
	if (f->date)
		v[D_WHEN] = value_number((uint64_t)f->date);
	if (date_format(f->date, date))
		v[D_DATE] = value_text(date);
	v[D_RELEASE] = value_text(known(f->release));
	v[D_BUILD_ID] = value_text(known(f->build_id));
	v[D_PANIC] = value_text(known(f->panic));
	v[D_FUNCTIONS] = value_text(known(f->functions));
	v[D_WHY] = value_text(d->state == DUMP_NEW ? "not looked at yet" : known(f->why));
	if (!f->signature)
		return;
	v[D_SIGNATURE] = value_hex(f->signature);
	if (map_get(same, f->signature, &count))
		v[D_SAME] = value_number(count);
}

/* The last first; those without a date behind them. */
static int by_date(const void *left, const void *right)
{
	const struct shelf_dump *a = *(const struct shelf_dump *const *)left;
	const struct shelf_dump *b = *(const struct shelf_dump *const *)right;
	if (a->facts.date != b->facts.date)
		return a->facts.date < b->facts.date ? 1 : -1;
	return a->id < b->id ? -1 : a->id > b->id;
}

static struct err *count_same(const struct shelf_dumps *d, struct map *same)
{
	for (size_t i = 0; i < d->count; i++) {
		uint64_t count = 0, signature = d->list[i].facts.signature;
		if (!signature)
			continue;
		(void)map_get(same, signature, &count);
		if (!map_put(same, signature, count + 1))
			return err_nomem();
	}
	return NULL;
}

static struct err *print(const struct shelf_dumps *d, const struct row_kind *kind,
			 enum row_printer printer, struct buf *out)
{
	struct map same = MAP_INIT;
	const struct shelf_dump **order = calloc(d->count + 1, sizeof(const struct shelf_dump *));
	struct err *e = order ? count_same(d, &same) : err_nomem();
	for (size_t i = 0; !e && i < d->count; i++)
		order[i] = &d->list[i];
	if (!e)
		qsort(order, d->count, sizeof(*order), by_date);
	for (size_t i = 0; !e && i < d->count; i++) {
		struct value row[D_VALUES] = { 0 };
		char date[DATE_SIZE];
		fill(order[i], &same, date, row);
		row_print(kind, printer, row, out);
	}
	free(order);
	map_free(&same);
	return e ? e : buf_error(out);
}

struct err *shelf_print(struct shelf_dumps *d, bool json, struct buf *out)
{
	if (!json && d->count)
		row_titles(&dump_kind.text, out);
	if (!json && !d->count)
		buf_addstr(out, "no dumps\n");
	return print(d, &dump_kind, json ? PRINT_JSON : PRINT_TEXT, out);
}

/* ---- the keeper ---- */

static struct opening *opening_of(struct shelf_target *t, uint64_t id)
{
	for (size_t i = 0; i < OPEN_MOST; i++)
		if (t->openings[i].id == id)
			return &t->openings[i];
	return NULL;
}

static void take_list(struct shelf_target *t, int fd)
{
	struct buf text = BUF_INIT;
	struct shelf_dumps dumps;
	struct stat st;
	long damaged = -1;
	t->asked = false;
	if (fd < 0 || fstat(fd, &st) || !buf_reserve(&text, (size_t)st.st_size + 1))
		return;
	while (text.len < (size_t)st.st_size) {
		ssize_t n = pread(fd, text.data + text.len, (size_t)st.st_size - text.len,
				  (off_t)text.len);
		if (n <= 0)
			break;
		text.len += (size_t)n;
	}
	text.data[text.len] = 0;
	struct err *e = shelf_dumps_read(&text, &dumps, &damaged);
	buf_free(&text);
	if (!e) {
		shelf_dumps_free(&t->dumps);
		t->dumps = dumps;
		t->listed = true;
		t->listed_at = clock_ms();
	}
	err_free(e);
}

static void take(struct shelf_target *t, const struct keeper_message *m, int fd)
{
	struct opening *o = m->id ? opening_of(t, m->id) : NULL;
	if (m->what == KEEPER_LIST)
		take_list(t, fd);
	if (!o)
		return;
	if (m->what == KEEPER_READY)
		o->state = OPEN;
	if (m->what == KEEPER_FAILED) {
		o->state = FAILED;
		free(o->why);
		o->why = strndup(m->bytes, m->len);
	}
}

/* All that it has said; waits a little if that is nothing. */
static void hear(struct shelf_target *t)
{
	struct keeper_message m;
	struct pollfd polled = { t->keeper, POLLIN, 0 };
	int fd, got;
	(void)poll(&polled, 1, WAIT_MS);
	while ((got = keeper_receive(t->keeper, &m, &fd)) > 0) {
		take(t, &m, fd);
		if (fd >= 0)
			close(fd);
	}
	t->gone |= got < 0;
}

static struct err *ended(void)
{
	return err_new(ERR_IO,
		       "the process that keeps the dumps has ended: start the server again");
}

/* *ret: there is a list that is not old. */
static struct err *need_list(struct shelf_target *t, bool *ret)
{
	struct keeper_message m = { .what = KEEPER_LIST };
	if (t->listed && !t->asked && clock_ms() - t->listed_at > FRESH_MS)
		t->listed = false;
	if (!t->listed && !t->asked && !t->gone) {
		t->asked = true;
		t->gone |= keeper_send(t->keeper, &m, -1) < 0;
	}
	if (!t->listed && !t->gone)
		hear(t);
	*ret = t->listed;
	return t->gone && !t->listed ? ended() : NULL;
}

static struct err *begin_opening(struct shelf_target *t, uint64_t id, struct opening **ret)
{
	struct keeper_message m = { .what = KEEPER_OPEN, .id = id };
	enum { OLD_MS = 300000 };
	struct opening *o = opening_of(t, 0);
	for (size_t i = 0; !o && i < OPEN_MOST; i++)
		if (clock_ms() - t->openings[i].since > OLD_MS)
			o = &t->openings[i];
	if (!o)
		return err_new(ERR_INVALID, "%d dumps are being opened: try again later",
			       OPEN_MOST);
	free(o->why);
	*o = (struct opening){ .id = id, .state = ASKED, .since = clock_ms() };
	*ret = o;
	if (keeper_send(t->keeper, &m, -1) > 0)
		return NULL;
	t->gone = true;
	return ended();
}

static struct err *open_dump(void *self, uint64_t id, bool *ret_ready)
{
	struct shelf_target *t = self;
	struct opening *o = opening_of(t, id);
	struct err *e = NULL;
	if (t->gone)
		return ended();
	if (!o)
		e = begin_opening(t, id, &o);
	if (!e && o->state == ASKED)
		hear(t);
	if (e || (o->state == ASKED && !t->gone))
		return e;
	if (t->gone)
		e = ended();
	else if (o->state == FAILED)
		e = err_new(ERR_INVALID, "attach %" PRIu64 ": %s", id,
			    o->why && *o->why ? o->why : "it cannot be opened");
	*ret_ready = !e;
	free(o->why);
	*o = (struct opening){ 0 };
	return e;
}

void shelf_hand_over(void *closure, int fd, uint64_t id, const struct rsp_saved *saved)
{
	struct shelf_target *t = ((const struct target *)closure)->self;
	struct keeper_message m = { .what = KEEPER_CLIENT, .id = id };
	_Static_assert(offsetof(struct rsp_saved, files_len) <= KEEPER_BYTES, "it fits");
	m.len = (uint32_t)offsetof(struct rsp_saved, files_len);
	memcpy(m.bytes, saved, m.len);
	(void)keeper_send(t->keeper, &m, fd);
}

/* ---- a target without threads ---- */

static struct err *nothing_open(void)
{
	return err_new(ERR_NOTFOUND,
		       "no dump is open: 'info os dumps' lists them, 'attach ID' opens "
		       "one");
}

static struct err *read_memory(void *self, const struct target_view *view, uint64_t addr, void *out,
			       size_t len, size_t *ret_done)
{
	(void)self, (void)view, (void)addr, (void)out, (void)len, (void)ret_done;
	return nothing_open();
}

static struct err *list_threads(void *self, const uint64_t **ret_tids, size_t *ret_count)
{
	static const uint64_t none;
	(void)self;
	*ret_tids = &none;
	*ret_count = 0;
	return NULL;
}

static bool thread_alive(void *self, uint64_t tid)
{
	(void)self, (void)tid;
	return false;
}

static uint64_t current_thread(void *self)
{
	(void)self;
	return 1;
}

static struct err *describe_thread(void *self, uint64_t tid, struct target_thread *ret)
{
	(void)self, (void)tid, (void)ret;
	return nothing_open();
}

static const char *stop_reason(void *self)
{
	(void)self;
	return NULL;
}

static struct err *open_file(void *self, const char *name, struct target_file **ret)
{
	(void)self, (void)name, (void)ret;
	return nothing_open();
}

static const struct target_memory_ops memory_ops = { .read = read_memory };
static const struct target_thread_ops thread_ops = {
	.list = list_threads,
	.alive = thread_alive,
	.current = current_thread,
	.describe = describe_thread,
	.stop_reason = stop_reason,
};
static bool image_offsets(void *self, struct target_offsets *ret)
{
	(void)self, (void)ret;
	return false;
}

static const char *no_text(void *self)
{
	(void)self;
	return NULL;
}

static const struct target_image_ops image_ops = { .offsets = image_offsets,
						   .triple = "x86_64-unknown-linux-gnu",
						   .os_version = no_text,
						   .command_line = no_text };
static const struct target_file_ops file_ops = { .open = open_file };
static const struct target_shelf_ops shelf_ops = { .open = open_dump };

/* ---- documents ---- */

static void add_type(const char *name, const char *title, const char *description, struct buf *out)
{
	buf_addf(out,
		 "<item><column name=\"Type\">%s</column><column "
		 "name=\"Description\">%s</column><column name=\"Title\">%s</column></item>\n",
		 name, description, title);
}

static struct err *get_osdata(void *self, const char *annex, const struct buf **ret_document)
{
	struct shelf_target *t = self;
	bool listed = true;
	bool types = !*annex || !strcmp(annex, "types"), dumps = !strcmp(annex, "dumps");
	struct err *e = NULL;
	if (!types && !dumps && strcmp(annex, "processes") != 0)
		return err_new(ERR_NOTFOUND, "there is no table '%s'", annex);
	if (!types)
		e = need_list(t, &listed);
	if (e || !listed)
		return e;
	buf_reset(&t->document);
	buf_addf(&t->document,
		 "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"osdata.dtd\">\n"
		 "<osdata type=\"%s\">\n",
		 types ? "types" : annex);
	if (types) {
		add_type("dumps", "Dumps", "Listing of all dumps, to attach to by their id",
			 &t->document);
		add_type("processes", "Processes", "The same, as processes", &t->document);
	} else {
		e = print(&t->dumps, dumps ? &dump_kind : &process_kind, PRINT_OSDATA,
			  &t->document);
	}
	buf_addstr(&t->document, "</osdata>\n");
	*ret_document = &t->document;
	return e ? e : buf_error(&t->document);
}

static struct err *get_nothing(void *self, const char *annex, const struct buf **ret_document)
{
	(void)self, (void)annex, (void)ret_document;
	return nothing_open();
}

/* All that a dump may have, for what is not advertised now is not asked for later. */
static const struct target_object objects[] = {
	{ .name = "vmcoreinfo", .clients = TARGET_GDB | TARGET_LLDB, .get = get_nothing },
	{ .name = "exec-file", .clients = TARGET_GDB, .get = get_nothing },
	{ .name = "osdata", .clients = TARGET_GDB, .get = get_osdata, .changes = true },
	{ .name = "libraries", .clients = TARGET_GDB, .get = get_nothing },
	{ .name = NULL },
};

/* ---- commands ---- */

/* Of `dumps`; the list is asked for. */
struct target_job {
	bool json;
};

static struct err *go_on(void *self, struct target_view *view, struct target_job *job,
			 struct buf *out, bool *ret_done)
{
	struct shelf_target *t = self;
	(void)view;
	struct err *e = need_list(t, ret_done);
	if (!e && *ret_done)
		e = shelf_print(&t->dumps, job->json, out);
	if (e || *ret_done)
		free(job);
	return e;
}

static void cancel(void *self, struct target_job *job)
{
	(void)self;
	free(job);
}

static struct err *run(void *self, struct target_view *view, const char *line, struct buf *out,
		       struct target_job **ret_job)
{
	bool json = !strcmp(line, "dumps --json"), done = false;
	if (!*line || !strcmp(line, "help")) {
		buf_addstr(out,
			   "dumps [--json]\n    all dumps of the folder, the last first; 'attach "
			   "ID' opens one, which has other commands\n");
		return NULL;
	}
	if (!json && strcmp(line, "dumps") != 0)
		return err_new(ERR_INVALID,
			       "no dump is open: there is 'dumps [--json]', and 'attach "
			       "ID' opens one, which has other commands");
	struct target_job *job = malloc(sizeof(*job));
	if (!job)
		return err_nomem();
	*job = (struct target_job){ json };
	struct err *e = go_on(self, view, job, out, &done);
	*ret_job = e || done ? NULL : job;
	return e;
}

static const struct target_monitor_ops monitor_ops = { .run = run,
						       .more = go_on,
						       .cancel = cancel };

/* ---- making one ---- */

struct err *shelf_target_new(int keeper, struct target **ret)
{
	struct shelf_target *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->keeper = keeper;
	buf_init(&t->document);
	t->target = (struct target){
		.self = t,
		.what = "a folder of crash dumps",
		.pid = 1,
		.memory = &memory_ops,
		.registers = target_arch_of(arch_unnamed())->none,
		.threads = &thread_ops,
		.image = &image_ops,
		.monitor = &monitor_ops,
		.files = &file_ops,
		.shelf = &shelf_ops,
		.objects = objects,
	};
	*ret = &t->target;
	return NULL;
}

void shelf_target_free(struct target *target)
{
	struct shelf_target *t = target ? target->self : NULL;
	if (!t)
		return;
	for (size_t i = 0; i < OPEN_MOST; i++)
		free(t->openings[i].why);
	shelf_dumps_free(&t->dumps);
	buf_free(&t->document);
	free(t);
}
