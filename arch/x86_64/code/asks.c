// SPDX-License-Identifier: GPL-2.0-or-later
/* What the strategies of x86-64 ask of the kernel's assembly, answered by names of functions. */
#include <string.h>

#include "arch/x86_64/code/asm_names.h"
#include "arch/x86_64/code/code_tables.h"
#include "arch/x86_64/code/orc_tables.h"
#include "arch/x86_64/code/x86_64.h"
#include "arch/x86_64/unwind/asks.h"
#include "base/err.h"
#include "vmcore/code/arch.h"
#include "vmcore/code/code_map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/entry_code.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/types/types.h"

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

static bool keeps_callee_saved(void *self, uint64_t pc)
{
	const struct unwind_question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->parts->code, pc, &symbol) && asm_keeps_callee_saved(symbol.name);
}

static bool enters_guest(void *self, uint64_t pc, struct guest_entry *ret)
{
	const struct unwind_question *q = self;
	struct code_map *code = q->parts->code;
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
	const struct unwind_question *q = self;
	const struct kernel *k = q->parts->k;
	struct symbol symbol;
	uint64_t offset;
	/* Where types do not tell, it may be such a kernel. */
	bool untyped = types_why_none(kernel_types(k));
	if (!code_map_in_kernel(q->parts->code, pc) ||
	    !code_map_symbol(q->parts->code, pc, &symbol) || !asm_is_old_syscall(symbol.name) ||
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
	const struct unwind_question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->parts->code, function, &symbol) && symbol.address == function &&
	       asm_is_return(symbol.name);
}

static enum unwind_handler calls_handler(void *self, uint64_t pc)
{
	const struct unwind_question *q = self;
	struct symbol symbol;
	if (!code_map_in_kernel(q->parts->code, pc) ||
	    !code_map_symbol(q->parts->code, pc, &symbol))
		return HANDLER_NONE;
	return asm_calls_handler(symbol.name);
}

static bool is_thunk(void *self, uint64_t function)
{
	const struct unwind_question *q = self;
	struct symbol symbol;
	return code_map_symbol(q->parts->code, function, &symbol) && asm_is_thunk(symbol.name);
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
	const struct unwind_question *q = self;
	const struct kernel *k = q->parts->k;
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

static const struct x86_asks asks = {
	.keeps_callee_saved = keeps_callee_saved,
	.enters_guest = enters_guest,
	.drops_user_rsp = drops_user_rsp,
	.is_return = is_return,
	.calls_handler = calls_handler,
	.is_thunk = is_thunk,
	.edge = find_edge,
};

const struct code_arch x86_64_code = {
	.asks = &asks,
	.keeps_frame_pointers = keeps_frame_pointers,
	.tables_new = orc_tables_new,
	.tables_free = orc_tables_free,
	.tables_find = orc_tables_find,
	.rules_new = code_tables_new,
	.rules_free = code_tables_free,
	.rules_find = code_tables_find,
};
