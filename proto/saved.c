// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/saved.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "proto/frame.h"
#include "proto/reply.h"
#include "proto/rsp.h"
#include "proto/session.h"
#include "proto/shared.h"
#include "proto/target.h"

/* ---- files ---- */

struct saved_file {
	uint32_t slot;
	uint32_t name_len;
	uint64_t size;
	int64_t mtime;
};

static void save_files(struct rsp *s, struct rsp_saved *to)
{
	size_t len = 0;
	to->files_len = 0;
	to->files_lost = false;
	for (size_t i = 0; i < s->files.count; i++) {
		const struct file_reading *reading = &s->files.readings[i];
		if (!s->files.slots[i] && !s->files.readings[i].lost)
			continue;
		struct saved_file file = {
			.slot = (uint32_t)i,
			.name_len = (uint32_t)strlen(reading->name),
			.size = reading->size,
			.mtime = reading->mtime,
		};
		if (sizeof(file) + file.name_len + 1 > sizeof(to->files) - len) {
			to->files_lost = true;
			break;
		}
		memcpy(to->files + len, &file, sizeof(file));
		memcpy(to->files + len + sizeof(file), reading->name, file.name_len + 1);
		len += sizeof(file) + file.name_len + 1;
	}
	to->files_len = (uint32_t)len;
	s->files.changed = false;
}

static struct err *restore_files(struct rsp *s, const struct rsp_saved *from)
{
	size_t len = from->files_len < sizeof(from->files) ? from->files_len : sizeof(from->files);
	struct saved_file file;
	for (size_t at = 0; len - at > sizeof(file);) {
		memcpy(&file, from->files + at, sizeof(file));
		at += sizeof(file);
		if (file.name_len >= len - at || from->files[at + file.name_len] ||
		    strlen(from->files + at) != file.name_len)
			break;
		if (!session_reserve_file(s, file.slot, from->files + at, file.size, file.mtime))
			return err_nomem();
		at += file.name_len + 1;
	}
	return NULL;
}

/* ---- what is attached ---- */

static void save_processes(const struct rsp *s, struct rsp_saved *to)
{
	_Static_assert((int)RSP_SAVED_PROCESSES >= (int)PROCESSES_MAX, "room for all");
	to->process_count = (uint32_t)s->processes.count;
	to->current = (uint32_t)s->processes.current;
	for (size_t i = 0; i < s->processes.count; i++) {
		const struct process *p = &s->processes.list[i];
		const struct target_view *view = i == s->processes.current ? &s->view : &p->view;
		to->processes[i] = (struct saved_process){
			.id = p->id,
			.tid = view->tid,
			.frame = view->frame,
			.physical = view->physical,
			.entered = p->entered,
			.attached = p->attached,
		};
	}
}

/* What of @from is there of the process @p. */
static void restore_view(struct process *p, const struct saved_process *from)
{
	const struct target *t = p->shared->target;
	if (target_thread_alive(t, from->tid)) {
		p->view.tid = from->tid;
		p->view.frame = from->frame;
	}
	p->view.physical = from->physical && t->memory && t->memory->physical;
}

static struct err *restore_processes(struct rsp *s, const struct rsp_saved *from)
{
	size_t count =
		from->process_count < PROCESSES_MAX ? from->process_count : (size_t)PROCESSES_MAX;
	struct err *e = NULL;
	s->multiprocess = from->multiprocess;
	for (size_t i = 0; !e && i < count; i++) {
		const struct saved_process *p = &from->processes[i];
		if (!p->id)
			break;
		e = process_restore(s, i, p->id, p->entered, p->attached);
		if (!e)
			restore_view(&s->processes.list[i], p);
	}
	process_make_current(s, from->current < s->processes.count ? from->current : 0);
	return e;
}

/* ---- all of it ---- */

void rsp_save(struct rsp *s, struct rsp_saved *to)
{
	save_processes(s, to);
	to->stop_tid = s->stop_tid;
	to->stop_id = s->stop_id;
	to->next_listed = s->next_listed;
	to->next_process = s->next_process;
	to->named_tid = s->named.tid;
	to->named_process = s->named_process;
	to->multiprocess = s->multiprocess;
	to->client = s->client;
	to->acks = s->acks;
	to->error_text = s->error_text;
	to->error_strings = s->error_strings;
	to->list_in_stop = s->list_in_stop;
	to->bare_x = s->bare_x;
	to->probed_register = s->probed_register;
	to->greeted = s->greeted;
	to->talked = s->talked;
	/* Who waits for others does so again. */
	to->in_progress = s->busy && !s->wait.on;
	to->is_gdb = s->is_gdb;
	to->manner = target_manner(s->target, s->view.member);
	if (s->files.changed)
		save_files(s, to);
}

static void restore_named(struct rsp *s, const struct rsp_saved *from)
{
	const struct processes *all = &s->processes;
	if (from->named_process >= all->count || !all->list[from->named_process].attached ||
	    !target_thread_alive(all->list[from->named_process].shared->target, from->named_tid))
		return;
	s->named = (struct target_view){ .tid = from->named_tid, .member = s->view.member };
	s->named_process = (size_t)from->named_process;
}

const char *rsp_unanswered(const struct rsp *s, size_t *ret_len)
{
	*ret_len = s->in.len - s->in_used;
	if (rsp_is_busy(s) || !frame_is_between(&s->frame))
		return NULL;
	return *ret_len ? s->in.data + s->in_used : "";
}

struct err *rsp_restore(struct rsp *s, const struct rsp_saved *from)
{
	s->client = from->client == TARGET_LLDB ? TARGET_LLDB : TARGET_GDB;
	s->acks = from->acks;
	s->error_text = from->error_text;
	s->error_strings = from->error_strings;
	s->list_in_stop = from->list_in_stop;
	s->bare_x = from->bare_x;
	s->probed_register = from->probed_register;
	s->greeted = from->greeted;
	s->talked = from->talked;
	s->next_listed = (size_t)from->next_listed;
	s->is_gdb = from->is_gdb && s->client == TARGET_GDB;
	session_tell_program(s);
	struct target_manner manner = from->manner;
	manner.name[TARGET_NAME_MAX] = 0;
	target_recall_manner(s->target, s->view.member, &manner);
	s->next_process = (size_t)from->next_process;
	s->stop_tid = from->stop_tid;
	s->stop_id = from->stop_id;
	struct err *e = restore_processes(s, from);
	if (!e)
		restore_named(s, from);
	return e ? e : restore_files(s, from);
}

struct err *rsp_set_note(struct rsp *s, const char *note)
{
	char *copy = strdup(note);
	if (!copy)
		return err_nomem();
	free(s->note);
	s->note = copy;
	return NULL;
}

/* ---- the answer that is lost ---- */

static bool begins(const struct buf *packet, const char *text)
{
	size_t len = strlen(text);
	return packet->len >= len && !memcmp(packet->data, text, len);
}

/* In the form that the client takes; old gdbs take text for memory's bytes. */
static void add_error(const struct rsp *s, const struct buf *packet, const char *why,
		      struct buf *out)
{
	struct reply r;
	bool console = begins(packet, "qRcmd,") && !s->error_text;
	bool memory = begins(packet, "m") || begins(packet, "x");
	reply_open(&r, out);
	if (console) {
		reply_console(&r, why, strlen(why));
		reply_console(&r, "\n", 1);
	}
	if (begins(packet, "vFile:"))
		buf_addstr(r.out, "F-1,5");
	else if (memory || console)
		reply_error(&r, REPLY_E_LOST, why);
	else
		session_error(s, &r, REPLY_E_LOST, why);
	reply_close(&r);
}

struct err *rsp_answer_lost(const struct rsp_saved *from, const char *in, size_t len,
			    const char *why, struct buf *out, size_t *ret_used)
{
	/* What an error's form depends on, and no more. */
	const struct rsp form = {
		.client = from->client == TARGET_LLDB ? TARGET_LLDB : TARGET_GDB,
		.error_text = from->error_text,
		.error_strings = from->error_strings,
	};
	struct frame frame = FRAME_INIT;
	size_t used, at = 0;
	*ret_used = 0;
	while (at < len) {
		enum frame_event event = frame_parse(&frame, in + at, len - at, &used);
		at += used;
		if (event != FRAME_PACKET && event != FRAME_UNUSABLE)
			continue;
		if (from->acks && !from->in_progress)
			buf_addch(out, '+');
		add_error(&form, &frame.payload, why, out);
		*ret_used = at;
		break;
	}
	frame_free(&frame);
	return buf_error(out);
}
