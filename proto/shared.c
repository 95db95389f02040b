// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/slice.h"
#include "proto/shared.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "proto/rsp.h"
#include "proto/stop.h"
#include "proto/target.h"
#include "proto/tdesc.h"

/*
 * What of a stack goes with jThreadsInfo: lldb reads the frames of most threads from it, 512 bytes
 * a packet. Not of so many threads that the reply would take longer than it saves.
 */
enum { STACK_BYTES = 1024, STACKS_MAX = 2048 };

struct err *rsp_shared_new(const struct target *target, struct rsp_shared **ret_shared)
{
	struct rsp_shared *shared = calloc(1, sizeof(*shared));
	if (!shared)
		return err_nomem();
	shared->target = target;
	buf_init(&shared->target_xml);
	buf_init(&shared->xml.text);
	buf_init(&shared->process_xml.text);
	buf_init(&shared->json.text);
	buf_init(&shared->stop_threads);
	buf_init(&shared->stop_pcs);
	struct err *e = tdesc_build(target->registers, &shared->target_xml);
	if (!e)
		e = register_layout_make(&shared->layout, target);
	if (e) {
		rsp_shared_free(shared);
		return err_wrap(e, "describe the registers of %s", target->what);
	}
	*ret_shared = shared;
	return NULL;
}

void rsp_shared_set_turns(struct rsp_shared *shared, const struct rsp_turns *turns)
{
	shared->turns = *turns;
}

void rsp_take_turn(const struct rsp_shared *shared)
{
	if (shared->turns.take)
		shared->turns.take(shared->turns.self);
}

void rsp_leave_turn(const struct rsp_shared *shared)
{
	if (shared->turns.leave)
		shared->turns.leave(shared->turns.self);
}

void rsp_shared_free(struct rsp_shared *shared)
{
	if (!shared)
		return;
	register_layout_free(&shared->layout);
	buf_free(&shared->target_xml);
	buf_free(&shared->xml.text);
	buf_free(&shared->process_xml.text);
	buf_free(&shared->json.text);
	buf_free(&shared->stop_threads);
	buf_free(&shared->stop_pcs);
	free(shared);
}

const char *shared_stop_reason(const struct rsp_shared *shared)
{
	const struct target *t = shared->target;
	const char *reason = target_stop_reason(t);
	return reason ? reason : t->what;
}

void shared_describe(const struct rsp_shared *shared, uint64_t tid, struct target_thread *ret)
{
	struct err *e = target_describe_thread(shared->target, tid, ret);
	if (!e)
		return;
	log_debug(LOG_REFUSED, "%s: describe thread %" PRIu64 ": %s", target_name(shared->target),
		  tid, err_msg(e));
	err_free(e);
	*ret = (struct target_thread){ .name = "?", .cpu = -1 };
}

void shared_renew_threads(struct rsp_shared *shared)
{
	struct err *e = target_renew_threads(shared->target);
	if (e)
		log_debug(LOG_REFUSED, "%s: the old list of threads has to do: %s",
			  target_name(shared->target), err_msg(e));
	err_free(e);
}

/* All threads, of which those from document->next on are left: *ret_tids[.. *ret_end). */
static struct err *threads_left(const struct rsp_shared *shared,
				const struct thread_document *document, const uint64_t **ret_tids,
				size_t *ret_end)
{
	size_t count;
	struct err *e = target_threads(shared->target, ret_tids, &count);
	if (e)
		return e;
	*ret_end = count > document->next ? count : document->next;
	return NULL;
}

/* gdb manual, "Thread List Format". @process: its id, or 0 where ids have none. */
static void add_thread_xml(const struct rsp_shared *shared, uint64_t process, uint64_t tid,
			   struct buf *out)
{
	struct target_thread thread;
	shared_describe(shared, tid, &thread);
	buf_addstr(out, "<thread id=\"");
	if (process)
		buf_addf(out, "p%" PRIx64 ".", process);
	buf_addf(out, "%" PRIx64 "\"", tid);
	if (thread.cpu >= 0)
		buf_addf(out, " core=\"%d\"", thread.cpu);
	buf_addstr(out, " name=\"");
	buf_addxml(out, thread.name);
	if (thread.label) {
		buf_addstr(out, "\" id_str=\"");
		buf_addxml(out, thread.label);
	}
	buf_addstr(out, "\"/>\n");
}

/* The whole document if @process is 0, else the entries alone. */
static struct err *continue_xml(struct rsp_shared *shared, uint64_t process,
				struct thread_document *d)
{
	const uint64_t *tids;
	size_t end;
	const struct slice now = slice_begin();
	if (!d->begun && !process)
		buf_addstr(&d->text, THREADS_XML_BEGIN);
	d->begun = true;
	struct err *e = threads_left(shared, d, &tids, &end);
	for (; !e && d->next < end && !slice_is_over(&now); d->next++)
		add_thread_xml(shared, process, tids[d->next], &d->text);
	if (e || d->next < end)
		return e;
	if (!process)
		buf_addstr(&d->text, THREADS_XML_END);
	d->ready = true;
	return buf_error(&d->text);
}

/* Empties a document that could not be made, for another try. */
static void start_over(struct thread_document *d)
{
	buf_free(&d->text);
	*d = (struct thread_document){ .text = BUF_INIT };
}

/* Empties a document about threads of before. */
static void drop_old(const struct rsp_shared *shared, struct thread_document *d)
{
	uint64_t now = target_generation(shared->target);
	if (d->generation != now)
		start_over(d);
	d->generation = now;
}

static struct err *get_xml(struct rsp_shared *shared, uint64_t process, struct thread_document *d,
			   const struct buf **ret)
{
	drop_old(shared, d);
	struct err *e = d->ready ? NULL : continue_xml(shared, process, d);
	if (e) {
		start_over(d);
		return err_wrap(e, "list the threads");
	}
	*ret = d->ready ? &d->text : NULL;
	return NULL;
}

struct err *shared_threads_xml(struct rsp_shared *shared, const struct buf **ret_document)
{
	return get_xml(shared, 0, &shared->xml, ret_document);
}

struct err *shared_process_xml(struct rsp_shared *shared, uint64_t id,
			       const struct buf **ret_entries)
{
	if (shared->process_id != id)
		start_over(&shared->process_xml);
	shared->process_id = id;
	return get_xml(shared, id, &shared->process_xml, ret_entries);
}

/* Without the object's end. */
static void begin_thread_json(const struct rsp_shared *shared, uint64_t tid, const char *reason,
			      const struct register_values *values, struct json *j)
{
	const struct register_layout *layout = &shared->layout;
	struct target_thread thread;
	shared_describe(shared, tid, &thread);
	json_object(j, NULL);
	json_u64(j, "tid", tid);
	json_str(j, "name", thread.name);
	if (reason) {
		json_u64(j, "signal", STOP_SIGTRAP);
		json_str(j, "reason", "exception");
		json_str(j, "description", reason);
	}
	json_object(j, "registers");
	for (size_t i = 0; i < layout->ops->expedited_count; i++) {
		size_t row = layout->ops->expedited[i];
		char key[8], hex[2 * 64 + 1];
		if (!values->known[row])
			continue;
		size_t len = layout->ops->table[row].bits / 8;
		snprintf(key, sizeof(key), "%zu", row);
		hex_encode(hex, values->bytes + layout->offset[row], len);
		hex[2 * len] = 0;
		json_str(j, key, hex);
	}
	json_end(j);
}

void shared_add_thread_json(const struct rsp_shared *shared, uint64_t tid, const char *reason,
			    const struct register_values *values, struct json *j)
{
	begin_thread_json(shared, tid, reason, values, j);
	json_end(j);
}

/*
 * "memory" of a thread's object (lldb docs, "jThreadsInfo"): from rsp on. lldb keeps it for
 * whatever thread it reads next, so it must be the same for all.
 */
static void add_stack(struct rsp_shared *shared, const struct target_view *view,
		      const struct register_values *values)
{
	const struct register_layout *layout = &shared->layout;
	uint8_t bytes[STACK_BYTES];
	char hex[2 * STACK_BYTES + 1];
	size_t done;
	if (layout->sp == layout->ops->count || !values->known[layout->sp])
		return;
	uint64_t at = get_u64(values->bytes + layout->offset[layout->sp]);
	if (at > UINT64_MAX - STACK_BYTES || !target_memory_is_shared(shared->target, at) ||
	    !target_memory_is_shared(shared->target, at + STACK_BYTES - 1))
		return;
	struct err *e = target_read_memory(shared->target, view, at, bytes, sizeof(bytes), &done);
	if (e) {
		err_free(e);
		return;
	}
	hex_encode(hex, bytes, done);
	hex[2 * done] = 0;
	json_array(&shared->json_writer, "memory");
	json_object(&shared->json_writer, NULL);
	json_u64(&shared->json_writer, "address", at);
	json_str(&shared->json_writer, "bytes", hex);
	json_end(&shared->json_writer);
	json_end(&shared->json_writer);
}

/* One thread in lldb's two lists. */
static void add_thread_lldb(struct rsp_shared *shared, uint64_t tid)
{
	const struct register_layout *layout = &shared->layout;
	const struct target_view view = { .tid = tid };
	struct register_values values;
	registers_read(layout, &view, layout->stop_first, layout->stop_count, &values);
	const char *comma = shared->stop_threads.len ? "," : "";
	buf_addf(&shared->stop_threads, "%s%" PRIx64, comma, tid);
	if (layout->pc < layout->ops->count && values.known[layout->pc])
		buf_addf(&shared->stop_pcs, "%s%" PRIx64, comma,
			 get_u64(values.bytes + layout->offset[layout->pc]));
	else
		shared->pcs_known = false;
	bool current = tid == target_current_thread(shared->target);
	begin_thread_json(shared, tid, current ? shared_stop_reason(shared) : NULL, &values,
			  &shared->json_writer);
	if (shared->with_stacks)
		add_stack(shared, &view, &values);
	json_end(&shared->json_writer);
}

/*
 * Both keys of lldb docs, "QListThreadsInStopReply". lldb wants as many pcs as threads: where one
 * is not known there are none, and lldb reads them one by one.
 */
static struct err *finish_lldb(struct rsp_shared *shared)
{
	struct buf stop = BUF_INIT;
	buf_addf(&stop, "threads:%s;", shared->stop_threads.data);
	if (shared->pcs_known)
		buf_addf(&stop, "thread-pcs:%s;", shared->stop_pcs.data);
	buf_free(&shared->stop_threads);
	buf_free(&shared->stop_pcs);
	shared->stop_threads = stop;
	shared->json.ready = true;
	return buf_error(&stop);
}

static size_t thread_count(const struct rsp_shared *shared)
{
	const uint64_t *tids;
	size_t count = 0;
	err_free(target_threads(shared->target, &tids, &count));
	return count;
}

static struct err *continue_lldb(struct rsp_shared *shared)
{
	struct thread_document *d = &shared->json;
	const uint64_t *tids;
	size_t end;
	const struct slice now = slice_begin();
	if (!d->begun) {
		shared->json_writer = (struct json)JSON_INIT(&d->text);
		json_array(&shared->json_writer, NULL);
		buf_reset(&shared->stop_threads);
		buf_reset(&shared->stop_pcs);
		shared->pcs_known = true;
	}
	struct err *e = threads_left(shared, d, &tids, &end);
	/* Of a machine that runs a stack is another by the time that the list is read. */
	if (!e && !d->begun)
		shared->with_stacks = shared->target->memory &&
				      thread_count(shared) <= STACKS_MAX &&
				      !shared->target->threads->renew;
	d->begun = true;
	for (; !e && d->next < end && !slice_is_over(&now); d->next++)
		add_thread_lldb(shared, tids[d->next]);
	if (e || d->next < end)
		return e;
	json_end(&shared->json_writer);
	e = buf_error(&d->text);
	return e ? e : finish_lldb(shared);
}

struct err *shared_threads_lldb(struct rsp_shared *shared, const struct buf **ret_json,
				const struct buf **ret_stop_threads)
{
	drop_old(shared, &shared->json);
	struct err *e = shared->json.ready ? NULL : continue_lldb(shared);
	if (e) {
		start_over(&shared->json);
		return err_wrap(e, "list the threads");
	}
	*ret_json = shared->json.ready ? &shared->json.text : NULL;
	*ret_stop_threads = shared->json.ready ? &shared->stop_threads : NULL;
	return NULL;
}
