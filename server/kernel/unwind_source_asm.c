// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/unwind_source_asm.h"

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
