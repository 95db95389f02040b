// SPDX-License-Identifier: GPL-2.0-or-later
/* What a kernel whose types nobody knows says by its code, and by page tables. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/x86_64/find/paging.h"
#include "arch/x86_64/tasks/x86_64.h"
#include "arch/x86_64/unwind/switch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/memory/memory.h"

enum {
	WORD = 8,
	FUNCTION_MAX = 64 << 10, /* __schedule is some 3 KiB */
	SWITCH_CODE = 128,	 /* of __switch_to_asm, up to where it changes rsp */
	BEHIND_CALL = 64,	 /* of __schedule, what looks whether the task has never run */
	OLD_WORDS = 16,		 /* rbp and flags, until 4.8 */
	PT_REGS_BYTES = 168,
	LAST_ENTRY = PAGE_SIZE - WORD,
};

/* ---- the code that switches ---- */

/* Code of @name as it is in memory, up to @most bytes of it. Owned by the caller; NULL if there is
 * none. */
static unsigned char *read_function(const struct kernel *k, const char *name, size_t most,
				    uint64_t *ret_start, size_t *ret_len)
{
	struct symbol symbol;
	uint64_t start;
	if (!kernel_symbol(k, name, &start) || !kernel_symbol_at(k, start, &symbol) ||
	    !symbol.size || symbol.size > FUNCTION_MAX)
		return NULL;
	size_t len = symbol.size < most ? (size_t)symbol.size : most;
	unsigned char *code = malloc(len);
	struct err *e = code ? kernel_read(k, start, code, len) : err_nomem();
	if (e) {
		log_debug(LOG_UNWIND, "%s: %s", name, err_msg(e));
		err_free(e);
		free(code);
		return NULL;
	}
	*ret_start = start;
	*ret_len = len;
	return code;
}

/* __schedule, and where in it the call of __switch_to returns to. */
static unsigned char *read_switch(const struct kernel *k, uint64_t *ret_start, size_t *ret_len,
				  uint64_t *ret_after)
{
	uint64_t callee;
	if (!kernel_symbol(k, "__switch_to", &callee))
		return NULL;
	unsigned char *code = read_function(k, "__schedule", FUNCTION_MAX, ret_start, ret_len);
	if (code && switch_find_call(code, *ret_len, *ret_start, callee, ret_after))
		return code;
	free(code);
	return NULL;
}

uint64_t x86_64_switch_resume(const struct kernel *k)
{
	uint64_t start, after;
	size_t len;
	unsigned char *code = read_switch(k, &start, &len, &after);
	bool found = code;
	free(code);
	return found ? after : 0;
}

static bool old_words(const struct kernel *k, struct switch_words *ret)
{
	struct switch_words words = { 0 };
	uint64_t start, after;
	size_t len;
	unsigned char *code = read_switch(k, &start, &len, &after);
	if (!code)
		return false;
	size_t behind = (size_t)(after - start);
	size_t most = len - behind < BEHIND_CALL ? len - behind : BEHIND_CALL;
	words.has_flags = switch_find_flags(code + behind, most, &words.flags);
	free(code);
	*ret = words;
	return true;
}

bool x86_64_switch_words(const struct kernel *k, struct switch_words *ret)
{
	struct switch_layout l;
	uint64_t start, sp;
	size_t len;
	unsigned char *code = read_function(k, "__switch_to_asm", SWITCH_CODE, &start, &len);
	if (!code)
		return old_words(k, ret);
	bool found = switch_find_frame(code, len, start, &l, &sp);
	free(code);
	if (!found)
		return false;
	*ret = (struct switch_words){
		.size = l.frame_size,
		.pc = l.ret_addr,
		.has_sp = true,
		.sp = sp,
		.list = { { "r15", l.r15 },
			  { "r14", l.r14 },
			  { "r13", l.r13 },
			  { "r12", l.r12 },
			  { "bx", l.bx },
			  { "bp", l.bp },
			  { "ret_addr", l.ret_addr } },
		.count = 7,
	};
	return true;
}

/* Whether a task that was switched out goes on at @pc. */
static bool is_resume(const struct kernel *k, uint64_t pc)
{
	static const char *const names[] = { "__schedule", "schedule", "ret_from_fork" };
	struct symbol symbol;
	if (!kernel_symbol_at(k, pc, &symbol))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(symbol.name, names[i], strlen(names[i])))
			return true;
	return false;
}

bool x86_64_is_switched_out(const struct kernel *k, const struct switch_words *words, uint64_t sp,
			    uint64_t stack, uint64_t stack_size, bool *ret_known)
{
	const uint64_t size = words->size ? words->size : OLD_WORDS;
	uint64_t word;
	*ret_known = true;
	if (sp & (WORD - 1) || sp <= stack || size > stack_size || sp - stack > stack_size - size)
		return false;
	*ret_known = kernel_get_u64(k, sp + words->pc, &word);
	if (!*ret_known)
		return false;
	if (words->size)
		return is_resume(k, word);
	/* rbp, which is on the stack, too; but of one that has never run, which has pt_regs alone.
	 */
	return (word > sp && word - stack < stack_size) || sp == stack + stack_size - PT_REGS_BYTES;
}

/* ---- page tables ---- */

/* The last entry of the top-level table at @pa, which the kernel's image is behind; 0 if it cannot
 * be read. */
static uint64_t last_entry(const struct kernel *k, uint64_t pa)
{
	uint64_t entry;
	size_t got = 0;
	struct err *e = memory_read_phys(kernel_memory(k), pa + LAST_ENTRY, &entry, WORD, &got);
	bool there = !e && got == WORD;
	err_free(e);
	return there ? le64toh(entry) & CR3_ADDRESS : 0;
}

bool x86_64_is_page_table(const struct kernel *k, uint64_t table)
{
	const uint64_t own = last_entry(k, kernel_space(k)->root);
	struct vtop vtop;
	if (!own || !is_kernel_address(table) || table & (PAGE_SIZE - 1))
		return false;
	struct err *e = memory_vtop(kernel_memory(k), kernel_space(k), table, &vtop);
	bool same = !e && last_entry(k, vtop.pa) == own;
	err_free(e);
	return same;
}
