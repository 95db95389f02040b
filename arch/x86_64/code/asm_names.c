// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/code/asm_names.h"

#include <stddef.h>
#include <string.h>

/*
 * ORC says how a function moves rsp and rbp and nothing of the other registers that a callee keeps.
 * Compiled code may have saved those anywhere; the functions below are assembly that does not touch
 * them, in every kernel that has them. No name is here that is a C function in some kernel or
 * configuration (memcpy with KASAN, do_softirq_own_stack from 5.12 on), and none that changes the
 * registers and puts them back (copy_page, csum_partial_copy_generic, __switch_to_asm, error_entry,
 * __vmx_vcpu_run, __svm_vcpu_run, __put_user_* until 5.9).
 */
static const struct {
	const char *name;
	bool prefix;
} kept[] = {
	/* arch/x86/entry/thunk_64.S: save the registers that a callee may change, call, put them
	 * back */
	{ "preempt_schedule_thunk", false },
	{ "preempt_schedule_notrace_thunk", false },
	{ "___preempt_schedule", false },
	{ "___preempt_schedule_notrace", false },
	{ "trace_hardirqs_on_thunk", false },
	{ "trace_hardirqs_off_thunk", false },
	{ "lockdep_sys_exit_thunk", false },

	/* arch/x86/entry/entry_64.S, 5.8 to 5.11: change rsp, with the old one in rbp */
	{ "asm_call_on_stack", false },
	{ "asm_call_irq_on_stack", false },
	{ "asm_call_sysvec_on_stack", false },

	/* arch/x86/kvm/vmx/vmenter.S: push a made-up interrupt frame, with the old rsp in rbp */
	{ "vmx_do_nmi_irqoff", false },
	{ "vmx_do_interrupt_irqoff", false },
	{ "vmx_do_interrupt_nmi_irqoff", false },

	/* arch/x86/lib/retpoline.S: a call, a write to the return address, a return */
	{ "__x86_indirect_thunk_", true },
	{ "__x86_return_thunk", false },

	/* arch/x86/include/asm/static_call.h: one jump */
	{ "__SCT__", true },

	/* arch/x86/kernel/ftrace_64.S: saves what a callee may change */
	{ "ftrace_caller", false },

	/* arch/x86/lib/getuser.S: rax and rdx alone */
	{ "__get_user_1", false },
	{ "__get_user_2", false },
	{ "__get_user_4", false },
	{ "__get_user_8", false },
	{ "__get_user_nocheck_", true },

	/* arch/x86/lib/{clear_page_64,copy_user_64,memset_64,memcpy_64}.S: registers that a callee
	 * may change */
	{ "clear_page_erms", false },
	{ "clear_page_orig", false },
	{ "clear_page_rep", false },
	{ "copy_user_generic_unrolled", false },
	{ "copy_user_generic_string", false },
	{ "copy_user_enhanced_fast_string", false },
	{ "rep_movs_alternative", false },
	{ "rep_stos_alternative", false },
	{ "memcpy_erms", false },
	{ "memcpy_orig", false },
	{ "memset_erms", false },
	{ "memset_orig", false },
};

bool asm_keeps_callee_saved(const char *name)
{
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		if (kept[i].prefix ? !strncmp(name, kept[i].name, strlen(kept[i].name))
				   : !strcmp(name, kept[i].name))
			return true;
	return false;
}

bool asm_enters_guest(const char *name, enum guest_code *ret)
{
	/* arch/x86/kvm/{svm,vmx}/vmenter.S, from 5.1 (VMX) and 5.7 (SVM) on; before, inline
	 * assembly in vmx.c and svm.c. */
	static const struct {
		const char *name;
		enum guest_code code;
	} entries[] = {
		{ "__svm_vcpu_run", GUEST_ASSEMBLY }, { "__svm_sev_es_vcpu_run", GUEST_ASSEMBLY },
		{ "__vmx_vcpu_run", GUEST_ASSEMBLY }, { "svm_vcpu_run", GUEST_INLINE },
		{ "vmx_vcpu_run", GUEST_INLINE },
	};
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		if (strcmp(name, entries[i].name) != 0)
			continue;
		*ret = entries[i].code;
		return true;
	}
	return false;
}

static bool is_one_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

bool asm_is_old_syscall(const char *name)
{
	/* arch/x86/kernel/entry_64.S: labels that kallsyms has; a call returns behind one of them
	 */
	static const char *const names[] = {
		"system_call",
		"system_call_after_swapgs",
		"system_call_fastpath",
		"sysret_check",
		"sysret_careful",
		"ret_from_sys_call",
		"sysret_signal",
		"sysret_audit",
		"auditsys",
		"tracesys",
	};
	return is_one_of(names, sizeof(names) / sizeof(*names), name);
}

bool asm_is_return(const char *name)
{
	/* arch/x86/lib/retpoline.S, from 5.19 on: jumps to __x86_return_thunk, which the kernel may
	 * turn into returns or jumps to another at its start */
	static const char *const names[] = {
		"__ret",
		"__x86_return_thunk",
		"call_depth_return_thunk",
		"its_return_thunk",
		"retbleed_return_thunk",
		"srso_alias_return_thunk",
		"srso_return_thunk",
	};
	return is_one_of(names, sizeof(names) / sizeof(*names), name);
}

bool asm_is_indirect_jump(const char *name, enum reg *ret)
{
	/* arch/x86/lib/retpoline.S: the array of them begins with that of rax. */
	static const char thunk[] = "__x86_indirect_thunk_";
	if (strncmp(name, thunk, sizeof(thunk) - 1) != 0)
		return false;
	if (!strcmp(name + sizeof(thunk) - 1, "array")) {
		*ret = REG_RAX;
		return true;
	}
	for (unsigned n = REG_RAX; n <= REG_R15; n++) {
		if (strcmp(name + sizeof(thunk) - 1, x86_64_regs.names[n]) != 0)
			continue;
		*ret = (enum reg)n;
		return true;
	}
	return false;
}

bool asm_is_thunk(const char *name)
{
	/* arch/x86/lib/retpoline.S (the array is where the others begin, and the name that symbols
	 * of an address give), arch/x86/include/asm/static_call.h */
	return !strncmp(name, "__x86_indirect_", 15) || !strncmp(name, "__SCT__", 7);
}

enum unwind_handler asm_calls_handler(const char *name)
{
	/* The apicinterrupt rows of arch/x86/kernel/entry_64.S, later arch/x86/entry/entry_64.S. */
	static const char *const interrupts[] = {
		"common_interrupt",	      "apic_timer_interrupt",
		"call_function_interrupt",    "call_function_single_interrupt",
		"deferred_error_interrupt",   "error_interrupt",
		"hyperv_callback_vector",     "irq_move_cleanup_interrupt",
		"irq_work_interrupt",	      "kvm_posted_intr_ipi",
		"kvm_posted_intr_nested_ipi", "kvm_posted_intr_wakeup_ipi",
		"reboot_interrupt",	      "reschedule_interrupt",
		"spurious_interrupt",	      "thermal_interrupt",
		"threshold_interrupt",	      "uv_bau_message_intr1",
		"x86_platform_ipi",	      "xen_do_hypervisor_callback",
		"xen_hvm_callback_vector",
	};
	/* Its zeroentry, errorentry and idtentry rows, and parts of nmi that have names. */
	static const char *const exceptions[] = {
		"alignment_check",
		"async_page_fault",
		"bounds",
		"coprocessor_error",
		"coprocessor_segment_overrun",
		"debug",
		"device_not_available",
		"divide_error",
		"double_fault",
		"end_repeat_nmi",
		"first_nmi",
		"general_protection",
		"int3",
		"invalid_TSS",
		"invalid_op",
		"machine_check",
		"nmi",
		"overflow",
		"page_fault",
		"repeat_nmi",
		"segment_not_present",
		"simd_coprocessor_error",
		"spurious_interrupt_bug",
		"stack_segment",
	};
	static const char traced[] = "trace_"; /* 3.11 to 4.14: twins for when tracing is on */
	if (!strncmp(name, traced, sizeof(traced) - 1))
		name += sizeof(traced) - 1;
	if (is_one_of(interrupts, sizeof(interrupts) / sizeof(*interrupts), name))
		return HANDLER_INTERRUPT;
	if (is_one_of(exceptions, sizeof(exceptions) / sizeof(*exceptions), name))
		return HANDLER_EXCEPTION;
	return HANDLER_NONE;
}
