// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/unwind_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "vmcore/code/cfi_files.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_tables.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/orc_tables.h"
#include "vmcore/code/traced_returns.h"
#include "vmcore/code/unwind_source_asm.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/entry_code.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kernel/tasks/stack_copy.h"
#include "vmcore/kernel/tasks/task_stamp.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/names/types/types.h"

enum { LIVE_ATTEMPTS = 4 }; /* to read a task that keeps being switched */

struct unwinder {
	struct unwinder_parts parts;
	struct orc_tables *orc;	    /* owned */
	struct cfi_files *cfi;	    /* owned */
	struct code_tables *tables; /* owned */
	struct traced_layout traced;
	bool lacks_frames; /* the kernel keeps no frame pointers, as far as is known */
	/* On a machine that runs: of the task that is being unwound, and whether one was met whose
	 * code is not among that of the modules that were listed. */
	struct stack_copy copy;
	bool code_is_old;
};

/* What the unwinder's questions are about. */
struct question {
	struct unwinder *u;
	const struct task *task;
	const struct cpu *cpu; /* where the task runs; NULL if it does not */
	/* Read when a trampoline is met first. */
	struct traced_returns traced; /* owned */
	bool traced_read;
	struct err *error; /* owned: memory is out */
};

/*
 * Whether functions of the kernel begin with push %rbp and mov %rsp,%rbp, behind what is there for
 * ftrace and between moves of arguments: all of those that it has.
 */
static bool keeps_frame_pointers(const struct kernel *k)
{
	static const char *const names[] = { "vfs_read", "vfs_write", "do_exit", "schedule" };
	static const unsigned char mov[] = { 0x48, 0x89, 0xe5 };
	enum { PUSH_RBP = 0x55 };
	unsigned char code[32];
	unsigned with = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t at;
		if (!kernel_symbol(k, names[i], &at))
			continue;
		struct err *e = kernel_read(k, at, code, sizeof(code));
		const unsigned char *push = e ? NULL : memchr(code, PUSH_RBP, sizeof(code));
		const size_t left = push ? sizeof(code) - (size_t)(push - code) : 0;
		bool keeps = left && memmem(push, left, mov, sizeof(mov));
		err_free(e);
		if (!keeps)
			return false;
		with++;
	}
	return with > 0;
}

struct err *unwinder_new(const struct unwinder_parts *parts, struct unwinder **ret)
{
	struct unwinder *u = calloc(1, sizeof(*u));
	if (!u)
		return err_nomem();
	u->parts = *parts;
	u->lacks_frames = types_why_none(kernel_types(parts->k)) && !keeps_frame_pointers(parts->k);
	struct err *e =
		orc_tables_new(parts->k, code_map_modules(parts->code), parts->files, &u->orc);
	if (!e)
		e = cfi_files_new(parts->k, code_map_modules(parts->code), parts->files, &u->cfi);
	if (!e)
		e = code_tables_new(parts->k, parts->code, &u->tables);
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
	orc_tables_free(u->orc);
	cfi_files_free(u->cfi);
	code_tables_free(u->tables);
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
	return orc_tables_find(q->u->orc, module, pc, ret);
}

static bool find_stack(void *self, uint64_t address, struct unwind_stack *ret)
{
	const struct question *q = self;
	uint64_t low = q->task->stack, size = q->u->parts.tasks->stack_size;
	if (low && address >= low && address - low < size) {
		*ret = (struct unwind_stack){ low, low + size, "task" };
		return true;
	}
	const struct cpu_stack *stack = q->cpu ? cpu_stack_at(q->cpu, address) : NULL;
	if (!stack && q->task->block && address - q->task->block < size) {
		*ret = (struct unwind_stack){ q->task->block, q->task->block + size, "unknown" };
		return true;
	}
	if (!stack)
		return false;
	*ret = (struct unwind_stack){ stack->low, stack->high, stack->name };
	return true;
}

static bool keeps_callee_saved(void *self, uint64_t pc)
{
	const struct question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->u->parts.code, pc, &symbol) &&
	       asm_keeps_callee_saved(symbol.name);
}

static bool enters_guest(void *self, uint64_t pc, struct guest_entry *ret)
{
	const struct question *q = self;
	struct code_map *code = q->u->parts.code;
	struct symbol symbol;
	struct guest_entry entry = { .code = GUEST_ASSEMBLY };
	if (!code_map_symbol(code, pc, &symbol))
		return false;
	entry.function = symbol.address;
	/* What HOST_RIP names: since 5.19 a place within __vmx_vcpu_run, before a function of its
	 * own in front of it, which that calls vmx_vmenter() to come out of. */
	if (!strcmp(symbol.name, "vmx_vmexit")) {
		if (!code_map_address(code, "kvm_intel", "__vmx_vcpu_run", &entry.function) ||
		    entry.function >= symbol.address) {
			entry = (struct guest_entry){ .code = GUEST_CALLED };
			code_map_address(code, "kvm_intel", "vmx_vmenter", &entry.function);
			if (pc != symbol.address)
				return false;
		}
	} else if (!asm_enters_guest(symbol.name, &entry.code)) {
		return false;
	}
	*ret = entry;
	return true;
}

/* Such kernels have thread_struct.usersp; of the task that runs, old_rsp of its CPU is newer. */
static bool drops_user_rsp(void *self, uint64_t pc, uint64_t *ret_kept_at)
{
	const struct question *q = self;
	const struct kernel *k = q->u->parts.k;
	struct symbol symbol;
	uint64_t offset;
	/* Where types do not tell, it may be such a kernel. */
	bool untyped = types_why_none(kernel_types(k));
	if (!code_map_in_kernel(q->u->parts.code, pc) ||
	    !code_map_symbol(q->u->parts.code, pc, &symbol) || !asm_is_old_syscall(symbol.name) ||
	    (!untyped && !types_offset(kernel_types(k), "task_struct", "thread.usersp", &offset)))
		return false;
	*ret_kept_at = 0;
	if (!q->task->on_cpu && !untyped)
		*ret_kept_at = q->task->address + offset;
	else if (q->cpu)
		cpu_symbol(k, q->cpu, "old_rsp", ret_kept_at);
	return true;
}

static bool is_return(void *self, uint64_t function)
{
	const struct question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->u->parts.code, function, &symbol) && symbol.address == function &&
	       asm_is_return(symbol.name);
}

static enum unwind_handler calls_handler(void *self, uint64_t pc)
{
	const struct question *q = self;
	struct symbol symbol;
	if (!code_map_in_kernel(q->u->parts.code, pc) ||
	    !code_map_symbol(q->u->parts.code, pc, &symbol))
		return HANDLER_NONE;
	return asm_calls_handler(symbol.name);
}

static bool follow_code(void *self, uint64_t pc, bool exact, struct code_rules *ret,
			uint64_t *ret_function)
{
	const struct question *q = self;
	return code_tables_find(q->u->tables, pc, exact, ret, ret_function);
}

static bool is_thunk(void *self, uint64_t function)
{
	const struct question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->u->parts.code, function, &symbol) && asm_is_thunk(symbol.name);
}

/* Both entries of FRED lie in a page of their own, that of the kernel 256 bytes behind user mode's
 * (arch/x86/entry/entry_64_fred.S); not among the other entry code. */
static bool fred_entry(const struct kernel *k, uint64_t pc, uint64_t *ret)
{
	static const char *const names[] = { "asm_fred_entrypoint_user",
					     "asm_fred_entrypoint_kernel" };
	enum { ENTRY_BYTES = 256 };
	uint64_t start;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!kernel_symbol(k, names[i], &start) || pc < start || pc - start >= ENTRY_BYTES)
			continue;
		*ret = start;
		return true;
	}
	return false;
}

static bool find_edge(void *self, uint64_t pc, struct entry_edge *ret)
{
	/* arch/x86/entry/entry_64.S, entry_64_compat.S; until 4.1 the second of each pair. */
	static const struct {
		const char *name;
		enum entry_by by;
	} entries[] = {
		{ "entry_SYSCALL_64", ENTRY_BY_SYSCALL },
		{ "system_call", ENTRY_BY_SYSCALL },
		{ "entry_SYSCALL_compat", ENTRY_BY_SYSCALL32 },
		{ "ia32_cstar_target", ENTRY_BY_SYSCALL32 },
		{ "entry_SYSENTER_compat", ENTRY_BY_SYSENTER },
		{ "ia32_sysenter_target", ENTRY_BY_SYSENTER },
		{ "entry_INT80_compat", ENTRY_BY_INT80 },
		{ "ia32_syscall", ENTRY_BY_INT80 },
	};
	const struct question *q = self;
	const struct kernel *k = q->u->parts.k;
	struct entry_edge edge = { .percpu = q->cpu ? q->cpu->offset : 0 };
	uint64_t start;
	if (fred_entry(k, pc, &edge.start)) {
		edge.by = ENTRY_BY_FRED;
		*ret = edge;
		return true;
	}
	if (!entry_code_is(k, pc))
		return false;
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		if (!kernel_symbol(k, entries[i].name, &start) || start > pc || start < edge.start)
			continue;
		edge.start = start;
		edge.by = entries[i].by;
	}
	kernel_symbol(k, "error_entry", &edge.makes_regs);
	*ret = edge;
	return true;
}

static enum unwind_return see_traced(void *self, uint64_t slot, uint64_t address, uint64_t *ret)
{
	struct question *q = self;
	const struct unwinder *u = q->u;
	if (!traced_is_trampoline(&u->traced, address))
		return RETURN_PLAIN;
	if (!q->traced_read)
		q->error =
			traced_returns_read(u->parts.k, &u->traced, q->task->address, &q->traced);
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
	if (regs_known(&first->regs, REG_RIP) && regs_known(&first->regs, REG_RSP))
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
	struct question q = {
		.u = u,
		.task = task,
		/* While it does not run, its CPU's stacks hold what other tasks are about. */
		.cpu = task->on_cpu ? cpus_find(u->parts.cpus, (unsigned)task->cpu) : NULL,
	};
	struct unwind_source source = {
		.self = &q,
		.read = read_memory,
		.is_text = is_text,
		.cfi = find_cfi,
		.orc = find_orc,
		.stack = find_stack,
		.keeps_callee_saved = keeps_callee_saved,
		.enters_guest = enters_guest,
		.drops_user_rsp = drops_user_rsp,
		.is_return = is_return,
		.calls_handler = calls_handler,
		.code = follow_code,
		.is_thunk = is_thunk,
		.edge = find_edge,
		.traced = see_traced,
		.lacks_frames = lacks_frames,
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
			code_map_module(u->parts.code, frames->list[i].regs.value[REG_RIP] - 1);
		if (m && m != last && !module_is_there(u->parts.k, m))
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
	uint64_t pc = frames->list[frames->count - 1].regs.value[REG_RIP] - 1;
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
