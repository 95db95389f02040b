// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/regs.h"
#include "base/slice.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/threads.h"
#include "server/monitor/job.h"
#include "server/monitor/noted.h"
#include "server/service.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

enum {
	THREAD_TID,
	THREAD_PID,
	THREAD_COMM,
	THREAD_KIND,
	THREAD_TASK,
	THREAD_VCPU,
	THREAD_STATE,	    /* a letter in any case */
	THREAD_KNOWN_STATE, /* the same, if it is known */
	THREAD_CPU,
	THREAD_ON_CPU,
	THREAD_FROM,
	THREAD_WHY,
	THREAD_REGS,
	THREAD_RIP_FROM, /* where its rip is from, the rip and its place; else why it is unknown */
	THREAD_RIP,
	THREAD_PLACE,
	THREAD_RIP_UNKNOWN,
	THREAD_NOTES,
	THREAD_VALUES
};

static const struct column text_columns[] = {
	{ THREAD_TID, "tid", .width = 9 },
	{ THREAD_STATE, "st", .before = "  " },
	{ THREAD_ON_CPU, .before = "*", .instead = " " },
	{ THREAD_CPU, "cpu", " ", .width = 3, .missing = "-1" },
	{ THREAD_COMM, "comm", "  ", .width = -16 },
	{ THREAD_TASK, "task", " ", .width = -18, .digits = 16, .missing = "unknown" },
	{ THREAD_RIP_FROM, "regs", "  ", .width = -6 },
	{ THREAD_RIP, "rip", "  ", .digits = 16 },
	{ THREAD_PLACE, .before = " " },
	{ THREAD_RIP_UNKNOWN, .before = "  unknown: " },
};

static const struct key json_keys[] = {
	{ THREAD_TID, "tid" },		 { THREAD_PID, "pid" },	  { THREAD_COMM, "comm" },
	{ THREAD_KIND, "kind" },	 { THREAD_TASK, "task" }, { THREAD_VCPU, "vcpu" },
	{ THREAD_KNOWN_STATE, "state" }, { THREAD_CPU, "cpu" },	  { THREAD_ON_CPU, "on_cpu" },
	{ THREAD_FROM, "regs_from" },	 { THREAD_WHY, "why" },	  { THREAD_REGS, "regs" },
	{ THREAD_NOTES, "notes" },
};

/* Names of what native gdb has, too, are its own: IDEs read "processes". */
static const struct key osdata_keys[] = {
	{ THREAD_COMM, "command" }, { THREAD_PID, "pid" },     { THREAD_TID, "tid" },
	{ THREAD_CPU, "core" },	    { THREAD_STATE, "state" }, { THREAD_TASK, "task" },
};

static const struct key process_keys[] = {
	{ THREAD_PID, "pid" },	   { THREAD_COMM, "command" }, { THREAD_CPU, "cores" },
	{ THREAD_STATE, "state" }, { THREAD_TASK, "task" },
};

static const struct row_kind thread_kind = { COLUMNS(text_columns), COLUMNS(json_keys),
					     COLUMNS(osdata_keys) };
static const struct row_kind process_kind = { .osdata = COLUMNS(process_keys) };

static void regs_json(const void *of, const char *key, struct json *j)
{
	const struct regs *regs = of;
	json_object(j, key);
	for (uint32_t left = regs->known; left; left &= left - 1) {
		unsigned n = (unsigned)__builtin_ctz(left);
		json_hex(j, regs_name(regs, n), regs->value[n]);
	}
	json_end(j);
}

static void place_text(const void *of, struct buf *out)
{
	add_code_place(of, out);
}

static const struct value_printers regs_printers = { .json = regs_json };
/* What is noted of a thread. */
struct noted_thread {
	const struct notebook *notes;
	struct note_subject subject;
};

static void notes_json(const void *of, const char *key, struct json *j)
{
	const struct noted_thread *noted = of;
	(void)key;
	noted_json(noted->notes, &noted->subject, j);
}

static const struct value_printers notes_printers = { .json = notes_json };
static const struct value_printers place_printers = { .text = place_text };

/* What the list of tasks has of one. */
static void fill_task(const struct task *t, struct value *v)
{
	v[THREAD_TID] = value_number(t->tid);
	v[THREAD_PID] = value_number(t->pid);
	v[THREAD_COMM] = value_text(t->comm);
	if (t->address)
		v[THREAD_TASK] = value_hex(t->address);
	v[THREAD_STATE] = value_char(t->state);
	if (t->cpu >= 0)
		v[THREAD_CPU] = value_number((uint64_t)t->cpu);
}

/* On a machine that runs the list is older than the registers: who has what a switch left runs no
 * more. */
static bool is_on_cpu(const struct task *t, const struct first_regs *first)
{
	return t->on_cpu && first->from != REGS_SWITCH;
}

static void fill_json(struct vmcore *h, const struct task *t, const struct first_regs *first,
		      struct value *v)
{
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, t);
	const struct seen_vcpu *seen = vcpu ? NULL : vmcore_seen_vcpu_of(h, t);
	v[THREAD_KIND] = value_text(t->bare ? "cpu" : t->idle ? "idle" : "task");
	if (vcpu)
		v[THREAD_VCPU] = value_hex(vcpu->address);
	else if (seen)
		v[THREAD_VCPU] = value_hex(seen->address);
	if (t->state != '?')
		v[THREAD_KNOWN_STATE] = v[THREAD_STATE];
	v[THREAD_FROM] = value_text(regs_from_name(first->from));
	v[THREAD_WHY] = value_text(first->why);
	v[THREAD_REGS] = value_parts(&regs_printers, &first->regs);
}

/* @place is what the row points to. */
static void fill_rip(const struct vmcore *h, const struct first_regs *first,
		     struct code_place *place, struct value *v)
{
	if (!regs_pc_known(&first->regs)) {
		v[THREAD_RIP_UNKNOWN] = value_text(first->why ? first->why : "no registers");
		return;
	}
	const struct frame frame = unwinder_first_frame(first);
	*place = code_place_of_frame(h->code, &frame);
	v[THREAD_RIP_FROM] = value_text(regs_from_name(first->from));
	v[THREAD_RIP] = value_hex(regs_pc(&frame.regs));
	v[THREAD_PLACE] = value_parts(&place_printers, place);
}

/* ---- the command ---- */

struct listing {
	struct target_job job;
	enum row_printer printer;
	const struct notebook *notes; /* borrowed */
	size_t next;		      /* index of the task */
};

static struct err *show_task(struct vmcore *h, const struct task *t, const struct listing *l,
			     struct buf *out)
{
	const struct first_regs *first;
	struct value row[THREAD_VALUES] = { 0 };
	struct code_place place;
	const struct noted_thread noted = { l->notes, { .about = NOTE_THREAD, .tid = t->tid } };
	struct err *e = registers_get(h->registers, t, &first);
	if (e)
		return e;
	fill_task(t, row);
	row[THREAD_ON_CPU] = value_bool(is_on_cpu(t, first));
	if (l->printer == PRINT_JSON)
		fill_json(h, t, first, row);
	else
		fill_rip(h, first, &place, row);
	row[THREAD_NOTES] = value_parts(&notes_printers, &noted);
	row_print(&thread_kind, l->printer, row, out);
	if (l->printer == PRINT_TEXT)
		noted_text(l->notes, &noted.subject, "           ", out);
	return NULL;
}

static struct err *show_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct listing *l = (struct listing *)job;
	const struct slice now = slice_begin_list(h->live);
	struct err *e = NULL;
	while (!e && l->next < h->tasks.count && !slice_is_over(&now))
		e = show_task(h, &h->tasks.list[l->next++], l, out);
	*ret_done = l->next >= h->tasks.count;
	return e;
}

static void free_listing(struct target_job *job)
{
	free(job);
}

struct err *monitor_threads(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	(void)view;
	struct listing *l = malloc(sizeof(*l));
	if (!l)
		return err_nomem();
	*l = (struct listing){
		.job = { .slice = show_slice, .free = free_listing, .rests_on = JOB_ON_TASKS },
		.printer = args->printer,
		.notes = service->notes,
	};
	noted_look(service, args->printer == PRINT_JSON, out);
	if (args->printer == PRINT_TEXT)
		row_titles(&thread_kind.text, out);
	*args->ret_job = &l->job;
	return NULL;
}

/* ---- `info os` ---- */

bool threads_osdata(const struct vmcore *h, bool processes, size_t *next, struct buf *out)
{
	const struct slice now = slice_begin();
	while (*next < h->tasks.count && !slice_is_over(&now)) {
		const struct task *t = &h->tasks.list[(*next)++];
		struct value row[THREAD_VALUES] = { 0 };
		if (t->idle || (processes && t->tid != t->pid))
			continue;
		fill_task(t, row);
		row_print(processes ? &process_kind : &thread_kind, PRINT_OSDATA, row, out);
	}
	return *next >= h->tasks.count;
}
