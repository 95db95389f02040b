// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/unwind_source.h"

#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/err.h"
#include "vmcore/code/arch.h"
#include "vmcore/code/cfi_files.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/stack_copy.h"
#include "vmcore/kernel/tasks/task_stamp.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/names/types/types.h"

enum { LIVE_ATTEMPTS = 4 }; /* to read a task that keeps being switched */

struct unwinder {
	struct unwinder_parts parts;
	struct orc_tables *orc;	   /* owned */
	struct cfi_files *cfi;	   /* owned */
	struct code_tables *rules; /* owned */
	const struct code_arch *arch;
	struct traced_layout traced;
	bool lacks_frames; /* the kernel keeps no frame pointers, as far as is known */
	/* On a machine that runs: of the task that is being unwound, and whether one was met whose
	 * code is not among that of the modules that were listed. */
	struct stack_copy copy;
	bool code_is_old;
};

/* What the unwinder's questions are about. */
struct question {
	struct unwind_question asked; /* first: what the architecture answers knows no more */
	struct unwinder *u;
	/* Read when a trampoline is met first. */
	struct traced_returns traced; /* owned */
	bool traced_read;
	struct err *error; /* owned: memory is out */
};

struct err *unwinder_new(const struct unwinder_parts *parts, struct unwinder **ret)
{
	struct unwinder *u = calloc(1, sizeof(*u));
	if (!u)
		return err_nomem();
	u->parts = *parts;
	u->lacks_frames = types_why_none(kernel_types(parts->k)) &&
			  !kernel_arch(parts->k)->code->keeps_frame_pointers(parts->k);
	const struct code_arch *arch = kernel_arch(parts->k)->code;
	u->arch = arch;
	struct err *e = NULL;
	if (arch->tables_new)
		e = arch->tables_new(parts->k, code_map_modules(parts->code), parts->files,
				     &u->orc);
	if (!e)
		e = cfi_files_new(parts->k, code_map_modules(parts->code), parts->files, &u->cfi);
	if (!e && arch->rules_new)
		e = arch->rules_new(parts->k, parts->code, &u->rules);
	if (e) {
		unwinder_free(u);
		return e;
	}
	traced_layout_find(parts->k, &u->traced);
	*ret = u;
	return NULL;
}

void unwinder_free(struct unwinder *u)
{
	if (!u)
		return;
	if (u->orc)
		u->arch->tables_free(u->orc);
	cfi_files_free(u->cfi);
	if (u->rules)
		u->arch->rules_free(u->rules);
	stack_copy_free(&u->copy);
	free(u);
}

struct orc_tables *unwinder_orc(const struct unwinder *u)
{
	return u->orc;
}

/* ---- answers ---- */

static struct err *read_memory(void *self, uint64_t address, void *out, size_t len)
{
	const struct question *q = self;
	if (stack_copy_read(&q->u->copy, address, out, len))
		return NULL;
	return kernel_read(q->u->parts.k, address, out, len);
}

static bool is_text(void *self, uint64_t pc, uint64_t *ret_function)
{
	const struct question *q = self;
	struct symbol symbol;
	if (!code_map_is_code(q->u->parts.code, pc))
		return false;
	*ret_function = code_map_symbol(q->u->parts.code, pc, &symbol) ? symbol.address : 0;
	return true;
}

static bool find_cfi(void *self, uint64_t pc, struct Dwarf_CFI_s **ret_cfi, uint64_t *ret_bias)
{
	const struct question *q = self;
	const struct module *module = code_map_module(q->u->parts.code, pc);
	return cfi_files_find(q->u->cfi, module, pc, ret_cfi, ret_bias);
}

/* The kernel's own table ends with an entry that would cover all that lies behind it. */
static bool find_orc(void *self, uint64_t pc, struct orc_entry *ret)
{
	const struct question *q = self;
	const struct module *module = code_map_module(q->u->parts.code, pc);
	if (!module && !code_map_in_kernel(q->u->parts.code, pc))
		return false;
	return q->u->arch->tables_find(q->u->orc, module, pc, ret);
}

static bool find_stack(void *self, uint64_t address, struct unwind_stack *ret)
{
	const struct question *q = self;
	uint64_t low = q->asked.task->stack, size = q->u->parts.tasks->stack_size;
	if (low && address >= low && address - low < size) {
		*ret = (struct unwind_stack){ low, low + size, "task" };
		return true;
	}
	const struct cpu_stack *stack = q->asked.cpu ? cpu_stack_at(q->asked.cpu, address) : NULL;
	if (!stack && q->asked.task->block && address - q->asked.task->block < size) {
		*ret = (struct unwind_stack){ q->asked.task->block, q->asked.task->block + size,
					      "unknown" };
		return true;
	}
	if (!stack)
		return false;
	*ret = (struct unwind_stack){ stack->low, stack->high, stack->name };
	return true;
}

static bool follow_code(void *self, uint64_t pc, bool exact, struct code_rules *ret,
			uint64_t *ret_function)
{
	const struct question *q = self;
	return q->u->arch->rules_find(q->u->rules, pc, exact, ret, ret_function);
}

static enum unwind_return see_traced(void *self, uint64_t slot, uint64_t address, uint64_t *ret)
{
	struct question *q = self;
	const struct unwinder *u = q->u;
	if (!traced_is_trampoline(&u->traced, address))
		return RETURN_PLAIN;
	if (!q->traced_read)
		q->error = traced_returns_read(u->parts.k, &u->traced, q->asked.task->address,
					       &q->traced);
	q->traced_read = true;
	return traced_returns_find(&q->traced, slot, ret) ? RETURN_TRACED : RETURN_LOST;
}

/* Where the list of modules is not known, all that lies outside the image may be theirs. */
static bool lacks_frames(void *self, uint64_t pc)
{
	const struct question *q = self;
	return q->u->lacks_frames && !code_map_in_kernel(q->u->parts.code, pc);
}

/* ---- a task ---- */

struct frame unwinder_first_frame(const struct first_regs *first)
{
	/* The switch left a return address; a note says where the CPU was stopped. */
	bool stopped = first->from != REGS_SWITCH;
	return (struct frame){
		.regs = first->regs,
		.how = first->from == REGS_FOUND ? HOW_FOUND
		       : stopped		 ? HOW_NOTE
						 : HOW_SWITCH,
		.interrupted = stopped,
	};
}

/* Why that is no place to unwind from; NULL if it is. */
static const char *why_unknown(const struct first_regs *first)
{
	if (regs_pc_known(&first->regs) && regs_sp_known(&first->regs))
		return NULL;
	return first->why ? first->why : "its registers are unknown";
}

struct err *unwinder_first(struct unwinder *u, const struct task *task, struct frame *ret,
			   const char **ret_why)
{
	const struct first_regs *first;
	struct err *e = registers_get(u->parts.registers, task, &first);
	if (e)
		return e;
	*ret = unwinder_first_frame(first);
	*ret_why = why_unknown(first);
	return NULL;
}

static struct err *lost(const char *reason, struct frames *ret)
{
	char *why = strdup(reason);
	if (!why)
		return err_nomem();
	*ret = (struct frames){ .end = END_LOST, .why = why };
	return NULL;
}

static struct err *frames_from(struct unwinder *u, const struct task *task,
			       const struct first_regs *regs, struct frames *ret)
{
	const struct frame first = unwinder_first_frame(regs);
	const char *why = why_unknown(regs);
	if (why)
		return lost(why, ret);
	const struct arch *arch = kernel_arch(u->parts.k);
	struct question q = {
		.u = u,
		.asked = {
			.parts = &u->parts,
			.task = task,
			/* While it does not run, its CPU's stacks hold what other tasks are about. */
			.cpu = task->on_cpu ? cpus_find(u->parts.cpus, (unsigned)task->cpu) : NULL,
		},
	};
	struct unwind_source source = {
		.self = &q,
		.read = read_memory,
		.is_text = is_text,
		.cfi = find_cfi,
		.orc = u->orc ? find_orc : NULL,
		.stack = find_stack,
		.code = u->rules ? follow_code : NULL,
		.traced = see_traced,
		.lacks_frames = lacks_frames,
		.asks = arch->code->asks,
		.arch = arch->unwind,
		.page_size = PAGE_SIZE,
	};
	struct err *e = unwind(&source, &first.regs, first.how, first.interrupted, ret);
	traced_returns_free(&q.traced);
	if (q.error && !e)
		frames_free(ret);
	if (q.error && e)
		err_free(q.error);
	return e ? e : q.error;
}

static struct err *read_stamp(const struct unwinder *u, const struct task *task,
			      enum stamp_time when, struct task_stamp *ret)
{
	return task_stamp_read(u->parts.k, registers_stamps(u->parts.registers), task, when, ret);
}

/* Whether @task was switched in since @before was read. */
static bool has_changed(const struct unwinder *u, const struct task *task,
			const struct task_stamp *before)
{
	struct task_stamp after;
	struct err *e = read_stamp(u, task, STAMP_AFTER, &after);
	bool same = !e && task_stamp_equal(before, &after);
	err_free(e);
	return !same;
}

/* The first module of @frames that is not what it was when the modules were listed, or NULL. One
 * that is there now was there while @frames were read: a task that sleeps in its code keeps it. */
static const struct module *changed_module(const struct unwinder *u, const struct frames *frames)
{
	const struct module *last = NULL;
	for (size_t i = 0; i < frames->count; i++) {
		const struct module *m =
			code_map_module(u->parts.code, regs_pc(&frames->list[i].regs) - 1);
		if (m && m != last &&
		    !module_is_there(u->parts.k, code_map_modules(u->parts.code), m))
			return m;
		last = m;
	}
	return NULL;
}

/* Whether frames ended in code of nobody that is known: of a module that has come since, perhaps.
 */
static bool ends_in_unknown_code(const struct unwinder *u, const struct frames *frames)
{
	if (frames->end != END_LOST || !frames->count)
		return false;
	uint64_t pc = regs_pc(&frames->list[frames->count - 1].regs) - 1;
	return is_kernel_address(pc) && !code_map_in_kernel(u->parts.code, pc) &&
	       !code_map_module(u->parts.code, pc);
}

static struct err *lost_in_module(const struct module *m, struct frames *ret)
{
	struct err *why =
		err_new(ERR_NOTFOUND,
			"the module %s is not what it was when the modules were listed: ask again",
			m->name);
	struct err *e = lost(err_msg(why), ret);
	err_free(why);
	return e;
}

/* Of the moment of @stamp, if there is an equal one behind. */
static struct err *frames_of_stamp(struct unwinder *u, const struct task *task,
				   const struct task_stamp *stamp, struct frames *ret)
{
	struct first_regs first;
	/* The list may be older. */
	struct task now = *task;
	now.stack = stamp->stack;
	now.sp = stamp->sp;
	now.on_cpu = stamp->on_cpu;
	struct err *e = registers_of_stamp(u->parts.registers, task, stamp, &u->copy, &first);
	if (e)
		return e;
	e = frames_from(u, &now, &first, ret);
	free(first.why);
	return e;
}

/* On a machine that runs: frames of one moment, or none. */
static struct err *live_frames(struct unwinder *u, const struct task *task, struct frames *ret)
{
	struct task_stamp before;
	for (unsigned attempt = 0; attempt < LIVE_ATTEMPTS; attempt++) {
		struct err *e = read_stamp(u, task, STAMP_BEFORE, &before);
		if (e && err_code(e) != ERR_NOMEM) {
			struct err *failed = lost(err_msg(e), ret);
			err_free(e);
			return failed;
		}
		if (!e)
			e = frames_of_stamp(u, task, &before, ret);
		u->copy.len = 0;
		if (e)
			return e;
		const struct module *gone = changed_module(u, ret);
		/* One whose registers are unknown, as it runs or has ended, says so. */
		if (ret->count && has_changed(u, task, &before)) {
			frames_free(ret);
			continue;
		}
		u->code_is_old |= gone || ends_in_unknown_code(u, ret);
		if (!gone)
			return NULL;
		frames_free(ret);
		return lost_in_module(gone, ret);
	}
	return lost("the task changed while being read, again and again", ret);
}

bool unwinder_code_is_old(struct unwinder *u)
{
	bool old = u->code_is_old;
	u->code_is_old = false;
	return old;
}

struct err *unwinder_frames(struct unwinder *u, const struct task *task, struct frames *ret)
{
	const struct dump *dump = kernel_dump(u->parts.k);
	if (dump_info(dump)->running)
		return live_frames(u, task, ret);
	const struct first_regs *first;
	struct err *e = registers_get(u->parts.registers, task, &first);
	if (!e)
		e = frames_from(u, task, first, ret);
	if (e || dump_is_still(dump))
		return e;
	frames_free(ret);
	return lost("the machine was set going while the stack was read", ret);
}
