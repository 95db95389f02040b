// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/raw.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "base/regs.h"
#include "server/monitor/frames/frames.h"
#include "server/monitor/frames/pointed.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

enum {
	WORD = 8,
	/* The most words of a frame: a stack of KASAN's kernels has 32 KiB (arch/x86/include/asm/
	 * page_64_types.h). */
	WORDS_MAX = 8192,
};

/* A value of raw_stack.marks: the frame whose registers were saved there, and which those are. */
#define MARK(frame, registers) ((uint64_t)(frame) << 32 | (registers))

static uint64_t mark_frame(uint64_t mark)
{
	return mark >> 32;
}

static bool mark_has(uint64_t mark, unsigned n)
{
	return mark >> n & 1;
}

/* A register that several frames share was saved for the first of them. */
static bool add_marks(struct map *marks, size_t number, const struct frame *f)
{
	for (unsigned n = 0; n < REGS_MAX; n++) {
		uint64_t mark = MARK(number, 0);
		if (!(f->saved_known >> n & 1))
			continue;
		if (map_get(marks, f->saved[n], &mark) && mark_frame(mark) != number)
			continue;
		if (!map_put(marks, f->saved[n], mark | UINT64_C(1) << n))
			return false;
	}
	return true;
}

struct err *raw_stack_new(struct vmcore *h, const struct task *task, const struct frames *frames,
			  struct raw_stack *ret)
{
	struct raw_stack s = { h, task, frames, MAP_INIT };
	for (size_t i = 0; i < frames->count; i++) {
		if (!add_marks(&s.marks, i, &frames->list[i])) {
			map_free(&s.marks);
			return err_nomem();
		}
	}
	*ret = s;
	return NULL;
}

void raw_stack_free(struct raw_stack *s)
{
	map_free(&s->marks);
}

/* ---- which words ---- */

/* The end of the stack that holds @address; 0 if that is none of the task's or its CPU's. */
static uint64_t stack_end(const struct raw_stack *s, uint64_t address)
{
	const struct tasks *tasks = &s->h->tasks;
	uint64_t low = s->task->stack;
	if (low && address >= low && address - low < tasks->stack_size)
		return low + tasks->stack_size;
	const struct cpu *cpu =
		s->task->on_cpu ? cpus_find(&s->h->cpus, (unsigned)s->task->cpu) : NULL;
	const struct cpu_stack *stack = cpu ? cpu_stack_at(cpu, address) : NULL;
	return stack ? stack->high : 0;
}

size_t raw_stack_words(const struct raw_stack *s, size_t number, uint64_t *ret_low)
{
	const struct frame *f = &s->frames->list[number];
	uint64_t low = regs_sp(&f->regs), end = stack_end(s, low);
	if (!regs_sp_known(&f->regs) || frame_mode(f) == FRAME_USER)
		return 0;
	if (number + 1 < s->frames->count) {
		uint64_t next = regs_sp(&f[1].regs);
		/* An overflow begins below the stack, a switch leads away from it. */
		if (next > low && (next <= end || (!end && next - low <= WORD * WORDS_MAX)))
			end = next;
	}
	if (end <= low)
		return 0;
	*ret_low = low;
	return end - low > WORD * WORDS_MAX ? WORDS_MAX : (size_t)(end - low) / WORD;
}

bool raw_stack_frame_of(const struct raw_stack *s, uint64_t address, size_t *ret_number)
{
	for (size_t i = 0; i < s->frames->count; i++) {
		uint64_t low = 0;
		size_t count = raw_stack_words(s, i, &low);
		if (address < low || address - low >= WORD * count)
			continue;
		*ret_number = i;
		return true;
	}
	return false;
}

/* Where a word leads if it is a return address, or looks like one. */
static bool find_target(const struct raw_stack *s, uint64_t value, struct code_place *ret)
{
	if (!code_map_is_code(s->h->code, value - 1))
		return false;
	*ret = code_place_find(s->h->code, value, false);
	return ret->kind == PLACE_NAMED;
}

/* False, with the kind of missing memory, if the word cannot be read. */
static bool read_word(const struct raw_stack *s, uint64_t address, uint64_t *ret,
		      const char **ret_kind)
{
	struct err *e = kernel_read_u64(s->h->kernel, address, ret);
	const char *kind = e ? err_memory_kind(err_code(e)) : NULL;
	if (e)
		*ret_kind = kind ? kind : "missing";
	bool ok = !e;
	err_free(e);
	return ok;
}

/* ---- text ---- */

/* "rbx, r12 of #3" */
static void add_saved(const struct raw_stack *s, uint64_t mark, struct buf *out)
{
	const struct frame *f = &s->frames->list[mark_frame(mark)];
	const char *separator = "";
	for (unsigned n = 0; n < REGS_MAX; n++) {
		if (!mark_has(mark, n))
			continue;
		buf_addf(out, "%s%s", separator, regs_name(&f->regs, n));
		separator = ", ";
	}
	buf_addf(out, " of #%" PRIu64, mark_frame(mark));
}

void raw_stack_saved(const struct raw_stack *s, uint64_t address, struct buf *text)
{
	uint64_t mark;
	if (!map_get(&s->marks, address & ~(uint64_t)(WORD - 1), &mark))
		return;
	buf_addstr(text, ", saved ");
	add_saved(s, mark, text);
}

static void mark_text(const struct raw_stack *s, uint64_t mark, uint64_t value, struct buf *out)
{
	const struct frame *f = &s->frames->list[mark_frame(mark)];
	add_saved(s, mark, out);
	struct code_place target;
	if (mark_has(mark, f->regs.arch->pc) && frame_mode(f) != FRAME_USER &&
	    find_target(s, value, &target)) {
		buf_addstr(out, ": ");
		add_code_place(&target, out);
	}
}

static void word_text(const struct raw_stack *s, uint64_t address, uint64_t value, struct buf *out)
{
	uint64_t mark;
	struct pointed pointed;
	buf_addf(out, "        %016" PRIx64 "  %016" PRIx64, address, value);
	if (map_get(&s->marks, address, &mark)) {
		buf_addstr(out, "  ← ");
		mark_text(s, mark, value, out);
	} else {
		/* Of a call that has returned, or a pointer to a function: part of no frame. */
		struct code_place target;
		if (find_target(s, value, &target)) {
			buf_addstr(out, "    (");
			add_code_place(&target, out);
			buf_addch(out, ')');
		}
	}
	if (pointed_find(s->h, value, &pointed)) {
		buf_addstr(out, "  ");
		pointed_text(&pointed, out);
	}
	buf_addch(out, '\n');
}

void raw_stack_text(const struct raw_stack *s, size_t number, struct buf *out)
{
	uint64_t low, value;
	const char *kind = NULL, *said = NULL;
	size_t count = raw_stack_words(s, number, &low);
	for (size_t i = 0; i < count; i++) {
		uint64_t address = low + WORD * i;
		if (read_word(s, address, &value, &kind)) {
			said = NULL;
			word_text(s, address, value, out);
		} else if (kind != said) {
			/* A hole is said once. */
			said = kind;
			buf_addf(out, "        %016" PRIx64 "  %s\n", address, kind);
		}
	}
}

/* ---- JSON ---- */

static void word_json(const struct raw_stack *s, uint64_t address, uint64_t value, struct json *j)
{
	uint64_t mark;
	struct code_place target;
	struct pointed pointed;
	json_hex(j, "value", value);
	if (map_get(&s->marks, address, &mark)) {
		json_array(j, "saved");
		for (unsigned n = 0; n < REGS_MAX; n++)
			if (mark_has(mark, n))
				json_str(j, NULL,
					 regs_name(&s->frames->list[mark_frame(mark)].regs, n));
		json_end(j);
		json_u64(j, "frame", mark_frame(mark));
	}
	if (find_target(s, value, &target)) {
		json_str(j, "symbol", target.symbol.name);
		json_u64(j, "offset", target.offset);
		if (target.module)
			json_str(j, "module", target.module->name);
	}
	if (pointed_find(s->h, value, &pointed))
		pointed_json(&pointed, j);
}

void raw_stack_json(const struct raw_stack *s, size_t number, struct json *j)
{
	uint64_t low, value;
	const char *kind;
	size_t count = raw_stack_words(s, number, &low);
	json_array(j, "words");
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		json_hex(j, "address", low + WORD * i);
		if (read_word(s, low + WORD * i, &value, &kind))
			word_json(s, low + WORD * i, value, j);
		else
			json_str(j, "kind", kind);
		json_end(j);
	}
	json_end(j);
}
