// SPDX-License-Identifier: GPL-2.0-or-later
/* The one place that calls a target's operations. */
#include "proto/target.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

/* How much of a name or a line goes into a debug message. */
#define SHOWN_MAX 120

const char *target_name(const struct target *t)
{
	return t->name ? t->name : t->what;
}

/* One call: what was asked, and how it failed, if @e is set. */
__attribute__((format(printf, 3, 4))) static void
trace_call(const struct target *t, const struct err *e, const char *fmt, ...)
{
	char asked[2 * SHOWN_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(asked, sizeof(asked), fmt, args);
	va_end(args);
	const char *kind = e ? err_memory_kind(err_code(e)) : NULL;
	log_write(LOG_TARGET, "%s: %s%s%s%s%s", target_name(t), asked, kind ? ": " : "",
		  kind ? kind : "", e ? ": " : "", e ? err_msg(e) : "");
}

/* Costs one load where nobody looks. */
#define trace(...)                               \
	do {                                     \
		if (log_on(LOG_TARGET))          \
			trace_call(__VA_ARGS__); \
	} while (0)

void target_begin(const struct target *t)
{
	if (t->begin)
		t->begin(t->self);
}

bool target_prepare(const struct target *t, unsigned client)
{
	bool done = !t->prepare || t->prepare(t->self, client);
	if (t->prepare)
		trace(t, NULL, "prepare for a client%s", done ? ": done" : "");
	return done;
}

/* ---- memory ---- */

struct err *target_read_memory(const struct target *t, const struct target_view *view,
			       uint64_t addr, void *out, size_t len, size_t *ret_done)
{
	size_t done = 0;
	assert(view->tid && len);
	assert(!view->physical || t->memory->physical);
	struct err *e = t->memory->read(t->self, view, addr, out, len, &done);
	trace(t, e, "%zu of %zu bytes at %s0x%" PRIx64 " of thread %" PRIu64, e ? 0 : done, len,
	      view->physical ? "physical " : "", addr, view->tid);
	if (e)
		return e;
	assert(done && done <= len);
	*ret_done = done;
	return NULL;
}

bool target_next_memory(const struct target *t, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next)
{
	enum { STEP = 4096 };
	uint64_t next = (addr | (STEP - 1)) + 1;
	bool found = t->memory->next ? t->memory->next(t->self, view, addr, &next) : next > addr;
	trace(t, NULL, "memory above 0x%" PRIx64 ": %s0x%" PRIx64, addr, found ? "" : "none, ",
	      found ? next : addr);
	if (!found)
		return false;
	assert(next > addr);
	*ret_next = next;
	return true;
}

bool target_memory_is_shared(const struct target *t, uint64_t addr)
{
	return t->memory->is_shared && t->memory->is_shared(t->self, addr);
}

/* ---- registers, threads ---- */

struct err *target_read_registers(const struct target *t, const struct target_view *view,
				  size_t first, size_t count, uint8_t *values, bool *known)
{
	const struct target_register_ops *ops = t->registers;
	assert(view->tid && count && first < ops->count && count <= ops->count - first);
	struct err *e = ops->read(t->self, view, first, count, values, known);
	trace(t, e, "registers %zu to %zu of thread %" PRIu64 ", frame %u", first,
	      first + count - 1, view->tid, view->frame);
	return e;
}

struct err *target_threads(const struct target *t, const uint64_t **ret_tids, size_t *ret_count)
{
	struct err *e = t->threads->list(t->self, ret_tids, ret_count);
	trace(t, e, "list of threads: %zu", e ? 0 : *ret_count);
	return e;
}

struct err *target_renew_threads(const struct target *t)
{
	assert(!t->threads->renew || t->threads->generation);
	if (!t->threads->renew)
		return NULL;
	struct err *e = t->threads->renew(t->self);
	trace(t, e, "list of threads anew");
	return e;
}

uint64_t target_generation(const struct target *t)
{
	return t->threads->generation ? t->threads->generation(t->self) : 0;
}

bool target_thread_alive(const struct target *t, uint64_t tid)
{
	return t->threads->alive(t->self, tid);
}

uint64_t target_current_thread(const struct target *t)
{
	uint64_t tid = t->threads->current(t->self);
	assert(tid);
	return tid;
}

struct err *target_describe_thread(const struct target *t, uint64_t tid, struct target_thread *ret)
{
	struct err *e = t->threads->describe(t->self, tid, ret);
	trace(t, e, "thread %" PRIu64, tid);
	assert(e || ret->name);
	return e;
}

const char *target_stop_reason(const struct target *t)
{
	return t->threads->stop_reason(t->self);
}

/* ---- documents ---- */

struct err *target_document(const struct target *t, const struct target_object *object,
			    const char *annex, const struct buf **ret_document)
{
	const struct buf *document = NULL;
	struct err *e = object->get(t->self, annex, &document);
	trace(t, e, "document %s '%.*s'%s", object->name, SHOWN_MAX, annex,
	      document || e ? "" : ": not yet");
	if (!e)
		*ret_document = document;
	return e;
}

struct err *target_document_beside(const struct target *t, const struct target_object *object,
				   struct target_file *const *open, size_t count,
				   const struct buf **ret_document)
{
	const struct buf *document = NULL;
	if (!object->get_beside)
		return target_document(t, object, "", ret_document);
	struct err *e = object->get_beside(t->self, open, count, &document);
	trace(t, e, "document %s%s", object->name, document || e ? "" : ": not yet");
	if (!e)
		*ret_document = document;
	return e;
}

/* ---- files ---- */

struct err *target_open_file(const struct target *t, const char *name, struct target_file **ret)
{
	struct target_file *file = NULL;
	struct err *e = t->files->open(t->self, name, &file);
	trace(t, e, "open %.*s%s", SHOWN_MAX, name, file || e ? "" : ": not yet");
	if (!e)
		*ret = file;
	return e;
}

struct err *target_read_file(const struct target *t, struct target_file *file, uint64_t offset,
			     void *out, size_t len, size_t *ret_done)
{
	size_t done = 0;
	assert(file && len);
	struct err *e = t->files->read(t->self, file, offset, out, len, &done);
	trace(t, e, "%zu of %zu bytes of a file at 0x%" PRIx64, e ? 0 : done, len, offset);
	if (e)
		return e;
	assert(done <= len);
	*ret_done = done;
	return NULL;
}

struct err *target_file_status(const struct target *t, struct target_file *file,
			       struct target_file_status *ret)
{
	assert(file);
	struct err *e = t->files->status(t->self, file, ret);
	trace(t, e, "status of a file");
	return e;
}

void target_close_file(const struct target *t, struct target_file *file)
{
	assert(file);
	t->files->close(t->self, file);
}

/* ---- the image ---- */

bool target_offsets(const struct target *t, struct target_offsets *ret)
{
	return t->image && t->image->offsets(t->self, ret);
}

const char *target_os_version(const struct target *t)
{
	return t->image ? t->image->os_version(t->self) : NULL;
}

const char *target_command_line(const struct target *t)
{
	return t->image ? t->image->command_line(t->self) : NULL;
}

/* ---- clients that see each other ---- */

struct err *target_join(const struct target *t, const struct target_visitor *visitor,
			struct target_member **ret)
{
	struct target_member *member = NULL;
	*ret = NULL;
	if (!t->team)
		return NULL;
	struct err *e = t->team->join(t->team_self, t, visitor, &member);
	trace(t, e, "a client joins");
	assert(e || member);
	if (!e)
		*ret = member;
	return e;
}

void target_leave(const struct target *t, struct target_member *member)
{
	if (member)
		t->team->leave(member);
}

void target_comes(const struct target *t, struct target_member *member)
{
	if (member && t->team)
		t->team->look_at(member, t);
}

void target_member_is(const struct target *t, struct target_member *member, const char *program)
{
	if (member)
		t->team->is(member, program);
}

bool target_follows(const struct target *t, struct target_member *member)
{
	return member && t->team->follows(member);
}

bool target_next_shown(const struct target *t, struct target_member *member,
		       struct target_shown *ret)
{
	assert(member);
	bool is = t->team->next(member, ret);
	trace(t, NULL, is ? "a client is shown thread %" PRIu64 : "a client waits (%" PRIu64 ")",
	      is ? ret->tid : 0);
	assert(!is || ret->words);
	return is;
}

void target_unwait(const struct target *t, struct target_member *member)
{
	if (member)
		t->team->unwait(member);
}

struct target_manner target_manner(const struct target *t, const struct target_member *member)
{
	struct target_manner manner = { 0 };
	if (member)
		t->team->manner(member, &manner);
	return manner;
}

void target_recall_manner(const struct target *t, struct target_member *member,
			  const struct target_manner *manner)
{
	if (member)
		t->team->recall(member, manner);
}

struct err *target_open(const struct target *t, uint64_t id, bool *ret_ready)
{
	*ret_ready = false;
	struct err *e = t->shelf->open(t->self, id, ret_ready);
	trace(t, e, "open %" PRIu64 ": %s", id, *ret_ready ? "ready" : "not yet");
	return e;
}

/* ---- commands ---- */

struct err *target_run_command(const struct target *t, struct target_view *view, const char *line,
			       struct buf *out, struct target_job **ret_job)
{
	struct target_job *job = NULL;
	assert(view->tid);
	struct err *e = t->monitor->run(t->self, view, line, out, &job);
	trace(t, e, "command %.*s%s", SHOWN_MAX, line, job ? ": not done" : "");
	assert(view->tid && (!job || (t->monitor->more && t->monitor->cancel)));
	/* Memory was out for what it said: nobody would go on with it. */
	if (e && job)
		target_cancel_command(t, job);
	*ret_job = e ? NULL : job;
	return e;
}

struct err *target_continue_command(const struct target *t, struct target_view *view,
				    struct target_job *job, struct buf *out, bool *ret_done)
{
	bool done = false;
	assert(job);
	struct err *e = t->monitor->more(t->self, view, job, out, &done);
	trace(t, e, "command goes on%s", done ? ": done" : "");
	*ret_done = done || e;
	return e;
}

void target_cancel_command(const struct target *t, struct target_job *job)
{
	assert(job);
	t->monitor->cancel(t->self, job);
}
