// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/regs.h"
#include "proto/target.h"
#include "server/host.h"
#include "server/kernel/code_map.h"
#include "server/kernel/modules.h"
#include "server/kernel/unwind_source.h"
#include "server/monitor_commands.h"
#include "server/printable.h"
#include "unwind/pt_regs.h"

/* What the command line asks for. */
struct wanted {
	const struct task *task; /* NULL: all */
	bool regs;
};

/* ---- names ---- */

struct place {
	bool named;
	struct symbol symbol;
	uint64_t offset;
	const struct module *module; /* NULL: the kernel's own, or nobody's */
};

/* A return address may lie behind its function's last instruction, when that calls what never
 * returns: the call is what is looked up. */
static struct place place_of(const struct host *h, const struct frame *f)
{
	struct place p = { 0 };
	uint64_t pc = f->regs.value[REG_RIP];
	if (regs_user_mode(&f->regs))
		return p;
	uint64_t at = f->interrupted || !pc ? pc : pc - 1;
	p.module = code_map_module(h->code, at);
	p.named = code_map_symbol(h->code, at, &p.symbol);
	if (p.named)
		p.offset = pc - p.symbol.address;
	return p;
}

static const char *end_name(enum unwind_end end)
{
	static const char *const names[] = {
		[END_USER] = "user", [END_KTHREAD] = "kthread", [END_LOST] = "lost"
	};
	return names[end];
}

/* ---- JSON ---- */

static void registers_json(struct json *j, const struct frame *f)
{
	json_object(j, "regs");
	for (enum reg n = 0; n < REG_COUNT; n++)
		if (regs_known(&f->regs, n))
			json_hex(j, reg_name(n), f->regs.value[n]);
	json_end(j);
	json_object(j, "saved");
	for (enum reg n = 0; n < REG_COUNT; n++)
		if (f->saved_known >> n & 1)
			json_hex(j, reg_name(n), f->saved[n]);
	json_end(j);
}

static void frame_json(struct json *j, const struct host *h, const struct frame *f)
{
	struct place p = place_of(h, f);
	json_object(j, NULL);
	json_hex(j, "pc", f->regs.value[REG_RIP]);
	if (f->cfa)
		json_hex(j, "cfa", f->cfa);
	if (p.named) {
		json_str(j, "name", p.symbol.name);
		json_u64(j, "offset", p.offset);
	}
	if (p.module)
		json_str(j, "module", p.module->name);
	json_str(j, "how", frame_how_name(f->how));
	json_bool(j, "interrupted", f->interrupted);
	registers_json(j, f);
	json_end(j);
}

static void frames_json(const struct host *h, const struct task *task, const struct frames *frames,
			struct buf *out)
{
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_u64(&j, "tid", task->tid);
	json_array(&j, "frames");
	for (size_t i = 0; i < frames->count; i++)
		frame_json(&j, h, &frames->list[i]);
	json_end(&j);
	json_str(&j, "end", end_name(frames->end));
	if (frames->why)
		json_str(&j, "why", frames->why);
	json_end(&j);
	buf_addch(out, '\n');
}

/* ---- text ---- */

static void registers_text(const struct frame *f, struct buf *out)
{
	for (enum reg n = 0; n < REG_COUNT; n++) {
		if (!regs_known(&f->regs, n))
			continue;
		buf_addf(out, "        %-8s 0x%016" PRIx64, reg_name(n), f->regs.value[n]);
		if (f->saved_known >> n & 1)
			buf_addf(out, " ← [0x%016" PRIx64 "]", f->saved[n]);
		buf_addch(out, '\n');
	}
}

static void frame_text(const struct host *h, size_t number, const struct frame *f, struct buf *out)
{
	struct place p = place_of(h, f);
	buf_addf(out, "#%-3zu 0x%016" PRIx64 "  %-6s  ", number, f->regs.value[REG_RIP],
		 frame_how_name(f->how));
	if (p.named) {
		add_printable(out, p.symbol.name);
		buf_addf(out, "+0x%" PRIx64, p.offset);
	} else {
		buf_addstr(out, regs_user_mode(&f->regs) ? "(user mode)" : "?");
	}
	if (p.module) {
		buf_addstr(out, " [");
		add_printable(out, p.module->name);
		buf_addch(out, ']');
	}
	buf_addstr(out, f->interrupted && number ? " (interrupted)\n" : "\n");
}

static void frames_text(const struct host *h, const struct task *task, const struct frames *frames,
			bool regs, struct buf *out)
{
	buf_addf(out, "%" PRIu32 " ", task->tid);
	add_printable(out, task->comm);
	if (task->on_cpu)
		buf_addf(out, ", on CPU %d", task->cpu);
	buf_addch(out, '\n');
	for (size_t i = 0; i < frames->count; i++) {
		frame_text(h, i, &frames->list[i], out);
		if (regs)
			registers_text(&frames->list[i], out);
	}
	if (frames->why)
		buf_addf(out, "lost: %s\n", frames->why);
}

/* ---- the command ---- */

static struct err *task_on_cpu(const struct host *h, const char *text, const struct task **ret)
{
	uint64_t number, index;
	if (!text || !number_parse(text, false, &number) || number > UINT32_MAX)
		return err_new(ERR_INVALID, "--cpu takes the number of a CPU");
	const struct cpu *cpu = cpus_find(&h->cpus, (unsigned)number);
	if (!cpu)
		return err_new(ERR_NOTFOUND, "there is no CPU %" PRIu64, number);
	if (!map_get(&h->tasks.by_address, cpu->curr, &index))
		return err_new(ERR_NOTFOUND, "what runs on CPU %" PRIu64 " is unknown", number);
	*ret = &h->tasks.list[index];
	return NULL;
}

static struct err *task_by_id(const struct host *h, const char *text, const struct task **ret)
{
	uint64_t tid;
	if (!number_parse(text, false, &tid))
		return err_new(ERR_INVALID, "'%s' is no thread id", text);
	*ret = tasks_find(&h->tasks, tid);
	return *ret ? NULL : err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
}

static struct err *parse(const struct host *h, const struct target_view *view,
			 const struct monitor_arguments *args, struct wanted *ret)
{
	bool chosen = false;
	struct wanted w = { .task = tasks_find(&h->tasks, view->tid) };
	for (size_t i = 0; i < args->count; i++) {
		const char *word = args->list[i];
		struct err *e = NULL;
		if (!strcmp(word, "--regs")) {
			w.regs = true;
			continue;
		}
		if (chosen)
			return err_new(ERR_INVALID, "one of TID, --all and --cpu will do");
		chosen = true;
		if (!strcmp(word, "--all"))
			w.task = NULL;
		else if (!strcmp(word, "--cpu"))
			e = task_on_cpu(h, ++i < args->count ? args->list[i] : NULL, &w.task);
		else
			e = task_by_id(h, word, &w.task);
		if (e)
			return e;
	}
	if (!chosen && !w.task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	*ret = w;
	return NULL;
}

struct err *monitor_bt(struct host *h, struct target_view *view,
		       const struct monitor_arguments *args, struct buf *out)
{
	struct wanted w = { 0 };
	struct err *e = parse(h, view, args, &w);
	for (size_t i = 0; !e && i < h->tasks.count; i++) {
		const struct task *task = &h->tasks.list[i];
		struct frames frames;
		if (w.task && task != w.task)
			continue;
		e = unwinder_frames(h->unwinder, task, &frames);
		if (e)
			break;
		if (args->json)
			frames_json(h, task, &frames, out);
		else
			frames_text(h, task, &frames, w.regs, out);
		if (!w.task && !args->json)
			buf_addch(out, '\n');
		frames_free(&frames);
	}
	return e;
}
