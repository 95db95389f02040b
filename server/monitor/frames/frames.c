// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/frames.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/regs.h"
#include "server/monitor/frames/evidence.h"
#include "server/monitor/frames/held.h"
#include "server/monitor/frames/raw.h"
#include "server/monitor/frames/seen_vcpu_rows.h"
#include "server/monitor/noted.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/code_scopes.h"
#include "vmcore/code/modules.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

static const char *end_name(enum unwind_end end)
{
	static const char *const names[] = {
		[END_USER] = "user", [END_KTHREAD] = "kthread", [END_LOST] = "lost"
	};
	return names[end];
}

/* Without marks if nobody asks for the words. False, and @out failed, when memory is out. */
static bool open_raw(struct vmcore *h, const struct task *task, const struct frames *frames,
		     const struct frames_detail *detail, struct raw_stack *ret, struct buf *out)
{
	*ret = (struct raw_stack){ h, task, frames, MAP_INIT };
	struct err *e = detail->raw ? raw_stack_new(h, task, frames, ret) : NULL;
	bool ok = !e;
	out->failed |= !ok;
	err_free(e);
	return ok;
}

/* Empty if nobody asks for them, or nothing is known. A failure fails @out. */
static struct code_scope_list find_scopes(const struct vmcore *h, const struct frame *f,
					  const struct frames_detail *detail, struct buf *out)
{
	static const struct code_scope_list none;
	const struct code_scope_list *list = &none;
	if (!detail->inlined || frame_mode(f) == FRAME_USER)
		return none;
	struct err *e = code_scopes_at(h->scopes, frame_code_address(f), &list);
	out->failed |= e != NULL;
	err_free(e);
	return *list;
}

/* Whether a vCPU that lies in the frame is worth a line: to who looks at stacks, and where nothing
 * else says which vCPU KVM's code is about. */
static bool wants_evidence(const struct vmcore *h, const struct frame *f, const struct vcpu *vcpu,
			   const struct frames_detail *detail)
{
	return detail->raw || detail->regs || (!vcpu && is_code_of_kvm(h, f));
}

/* What a note is about that is shown at frame @number. */
static struct note_subject subject_of(const struct task *task, size_t number, const struct frame *f)
{
	return (struct note_subject){
		.about = NOTE_FRAME,
		.tid = task->tid,
		.frame = (unsigned)number,
		.address = regs_pc_known(&f->regs) ? regs_pc(&f->regs) : 0,
	};
}

/* ---- JSON ---- */

static void registers_json(struct json *j, const struct frame *f)
{
	json_object(j, "regs");
	for (unsigned n = 0; n < REGS_MAX; n++)
		if (regs_known(&f->regs, n))
			json_hex(j, regs_name(&f->regs, n), f->regs.value[n]);
	json_end(j);
	json_object(j, "saved");
	for (unsigned n = 0; n < REGS_MAX; n++)
		if (f->saved_known >> n & 1)
			json_hex(j, regs_name(&f->regs, n), f->saved[n]);
	json_end(j);
}

void add_place_members(struct json *j, const struct vmcore *h, const struct frame *f)
{
	struct code_place p = code_place_of_frame(h->code, f);
	if (regs_pc_known(&f->regs))
		json_hex(j, "pc", regs_pc(&f->regs));
	if (p.kind == PLACE_NAMED) {
		json_str(j, "name", p.symbol.name);
		json_u64(j, "offset", p.offset);
	}
	if (p.module)
		json_str(j, "module", p.module->name);
}

void add_end_members(struct json *j, const struct frames *frames)
{
	json_str(j, "end", end_name(frames->end));
	if (frames->why)
		json_str(j, "why", frames->why);
}

void add_frame_members(struct json *j, const struct vmcore *h, const struct frame *f)
{
	add_place_members(j, h, f);
	if (f->cfa)
		json_hex(j, "cfa", f->cfa);
	json_str(j, "how", frame_how_name(f->how));
	json_bool(j, "interrupted", f->interrupted);
	if (f->traced)
		json_bool(j, "traced", true);
	registers_json(j, f);
}

static void scope_json(struct json *j, const struct code_scope *scope)
{
	if (scope->file)
		json_str(j, "file", scope->file);
	if (scope->line > 0)
		json_u64(j, "line", (uint64_t)scope->line);
}

/* The function's own place, and those of what was inlined there, innermost first. */
static void scopes_json(struct json *j, const struct code_scope_list *scopes)
{
	if (!scopes->count)
		return;
	scope_json(j, &scopes->list[scopes->count - 1]);
	json_array(j, "inlined");
	for (size_t i = 0; i + 1 < scopes->count; i++) {
		json_object(j, NULL);
		if (scopes->list[i].name)
			json_str(j, "name", scopes->list[i].name);
		scope_json(j, &scopes->list[i]);
		json_end(j);
	}
	json_end(j);
}

void add_frames_json(struct vmcore *h, const struct task *task, const struct frames *frames,
		     const struct frames_detail *detail, struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct raw_stack raw;
	if (!open_raw(h, task, frames, detail, &raw, out))
		return;
	json_object(&j, NULL);
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, task);
	const struct seen_vcpu *seen = vcpu ? NULL : vmcore_seen_vcpu_of(h, task);
	json_u64(&j, "tid", task->tid);
	if (vcpu || seen)
		json_hex(&j, "vcpu", vcpu ? vcpu->address : seen->address);
	if (seen)
		seen_vcpu_json(seen, &j);
	noted_thread_json(detail->notes, task->tid, frames, &j);
	json_array(&j, "frames");
	for (size_t i = 0; i < frames->count; i++) {
		json_object(&j, NULL);
		add_frame_members(&j, h, &frames->list[i]);
		struct code_scope_list scopes = find_scopes(h, &frames->list[i], detail, out);
		scopes_json(&j, &scopes);
		const struct note_subject subject = subject_of(task, i, &frames->list[i]);
		noted_json(detail->notes, &subject, &j);
		struct held_list held = held_find(h, &frames->list[i], vcpu);
		held_json(&j, vcpu, &held);
		if (wants_evidence(h, &frames->list[i], vcpu, detail))
			evidence_json(&raw, i, &j);
		if (detail->raw)
			raw_stack_json(&raw, i, &j);
		json_end(&j);
	}
	raw_stack_free(&raw);
	json_end(&j);
	add_end_members(&j, frames);
	json_end(&j);
	buf_addch(out, '\n');
}

/* ---- text ---- */

void add_task_title(const struct task *task, struct buf *out)
{
	buf_addf(out, "%" PRIu32 " ", task->tid);
	add_printable(out, task->comm);
	if (task->on_cpu && !task->bare)
		buf_addf(out, ", on CPU %d", task->cpu);
}

static void registers_text(const struct frame *f, struct buf *out)
{
	for (unsigned n = 0; n < REGS_MAX; n++) {
		if (!regs_known(&f->regs, n))
			continue;
		buf_addf(out, "        %-8s 0x%016" PRIx64, regs_name(&f->regs, n),
			 f->regs.value[n]);
		if (f->saved_known >> n & 1)
			buf_addf(out, " ← [0x%016" PRIx64 "]", f->saved[n]);
		buf_addch(out, '\n');
	}
}

static void begin_frame_line(const struct vmcore *h, size_t number, const struct frame *f,
			     struct buf *out)
{
	if (regs_pc_known(&f->regs))
		buf_addf(out, "#%-3zu 0x%016" PRIx64 "  %-6s  ", number, regs_pc(&f->regs),
			 frame_how_name(f->how));
	else
		buf_addf(out, "#%-3zu %-18s  %-6s  ", number, "unknown", frame_how_name(f->how));
	struct code_place place = code_place_of_frame(h->code, f);
	add_code_place(&place, out);
	if (!regs_pc_known(&f->regs))
		buf_addstr(out, ", where SYSENTER does not tell");
	if (f->interrupted && number && frame_mode(f) != FRAME_USER)
		buf_addstr(out, " (interrupted)");
	if (f->traced)
		buf_addstr(out, " (traced)");
}

void add_frame_line(const struct vmcore *h, size_t number, const struct frame *f, struct buf *out)
{
	begin_frame_line(h, number, f, out);
	buf_addch(out, '\n');
}

/* ---- recursion ---- */

enum {
	PERIOD_MAX = 8, /* functions that call each other in turn */
	FOLD_LEAST = 8, /* frames; fewer are shown */
};

/* How often the @period frames that end with @last come again behind it, at the same places. */
static size_t count_repeats(const struct frames *f, size_t last, size_t period)
{
	size_t same = 0;
	while (last + 1 + same < f->count &&
	       regs_pc(&f->list[last + 1 + same].regs) ==
		       regs_pc(&f->list[last + 1 + same - period].regs))
		same++;
	return same / period;
}

size_t add_repeats(const struct frames *frames, size_t last, struct buf *out)
{
	for (size_t period = 1; period <= PERIOD_MAX && period <= last + 1; period++) {
		size_t times = count_repeats(frames, last, period);
		if (times < 2 || times * period < FOLD_LEAST)
			continue;
		if (period == 1)
			buf_addf(out, "     %zu more frames like this one\n", times);
		else
			buf_addf(out, "     the last %zu frames %zu more times\n", period, times);
		return times * period;
	}
	return 0;
}

static void scope_text(const struct code_scope *scope, struct buf *out)
{
	if (!scope->file)
		return;
	buf_addstr(out, " at ");
	add_printable(out, scope->file);
	if (scope->line > 0)
		buf_addf(out, ":%d", scope->line);
}

/* Below the frame's line: what it stands in, from the outside in. */
static void scopes_text(const struct code_scope_list *scopes, struct buf *out)
{
	for (size_t i = scopes->count; i-- > 0;) {
		const struct code_scope *scope = &scopes->list[i];
		bool outermost = i + 1 == scopes->count;
		if (outermost && !scope->file)
			continue;
		buf_addstr(out, outermost ? "       " : "        inlined ");
		if (!outermost)
			add_printable(out, scope->name ? scope->name : "?");
		scope_text(scope, out);
		buf_addch(out, '\n');
	}
}

void add_frames_text(struct vmcore *h, const struct task *task, const struct frames *frames,
		     const struct frames_detail *detail, struct buf *out)
{
	struct raw_stack raw;
	if (!open_raw(h, task, frames, detail, &raw, out))
		return;
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, task);
	add_task_title(task, out);
	if (vcpu)
		buf_addf(out, ", vm %" PRIu32 " vcpu %d, struct kvm_vcpu 0x%" PRIx64, vcpu->vm->pid,
			 vcpu->id, vcpu->address);
	else
		seen_vcpu_title(vmcore_seen_vcpu_of(h, task), out);
	buf_addch(out, '\n');
	noted_thread_text(detail->notes, task->tid, frames, "", out);
	for (size_t i = 0; i < frames->count; i++) {
		struct held_list held = held_find(h, &frames->list[i], vcpu);
		begin_frame_line(h, i, &frames->list[i], out);
		held_text(&held, out);
		buf_addch(out, '\n');
		held_disagreements(vcpu, &held, out);
		const struct note_subject subject = subject_of(task, i, &frames->list[i]);
		noted_text(detail->notes, &subject, "       ", out);
		if (wants_evidence(h, &frames->list[i], vcpu, detail))
			evidence_text(&raw, i, out);
		struct code_scope_list scopes = find_scopes(h, &frames->list[i], detail, out);
		scopes_text(&scopes, out);
		if (detail->regs)
			registers_text(&frames->list[i], out);
		if (detail->raw)
			raw_stack_text(&raw, i, out);
		if (!detail->regs && !detail->raw)
			i += add_repeats(frames, i, out);
	}
	raw_stack_free(&raw);
	if (frames->why)
		buf_addf(out, "lost: %s\n", frames->why);
}
