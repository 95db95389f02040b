/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * .debug_frame from ORC and from the code: what the kernel's own tables and its instructions say of
 * a function, in the words that every debugger understands (DWARF 5, 6.4). ORC tells rsp, rip and
 * rbp, and in interrupt frames all registers, the code those that a callee keeps; whatever neither
 * tells is said to be undefined, so that no debugger takes an inner frame's value for an outer
 * one's.
 */
#ifndef ARCH_X86_64_IMAGE_CFI_WRITER_H
#define ARCH_X86_64_IMAGE_CFI_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arch/x86_64/unwind/orc.h"
#include "base/buf.h"

struct code_rules;
struct err;

/* From @start to the next row's start. */
struct cfi_row {
	uint64_t start;
	bool valid; /* false: the entry could not be decoded */
	struct orc_entry entry;
	/* What the code itself says (arch/x86_64/unwind/code_table.h), borrowed; NULL: nothing. It
	 * is believed of registers that ORC does not speak of, where it finds the same CFA; or,
	 * with
	 * @code_first, of all. */
	const struct code_rules *code;
	bool code_first;
};

struct orc_function {
	uint64_t low, high; /* [low, high), as it is in memory */
	/* Ascending; the first at or below @low, the last below @high. Before the first one nothing
	 * is known. */
	const struct cfi_row *rows;
	size_t count;
	/* Assembly known to leave rbx and r12 to r15 as its caller had them; see
	 * arch/x86_64/code/asm_names.h. */
	bool keeps_callee_saved;
};

/* The section's bytes so far; offsets in it are those of the file's section. */
struct cfi_writer {
	struct buf bytes; /* owned */
	uint64_t slide;	  /* taken off every address: how far memory is from where it was linked */
	uint32_t plain, signal; /* offsets of the two CIEs */
	size_t functions;	/* FDEs so far */
};

/* Begins with the CIEs. Frees nothing: *w is new, and freed with cfi_writer_free(). */
void cfi_writer_init(struct cfi_writer *w, uint64_t slide);
void cfi_writer_free(struct cfi_writer *w);

/*
 * Adds the FDEs of a function: one, or several where frames that were interrupted (a pt_regs lies
 * there, and the caller's pc is exact) and frames left by a call (its pc lies behind the call) take
 * turns. What begins where nothing called it is entered from user mode alone (system calls, a new
 * task's first code) and counts as called: it keeps its name in gdb's backtrace. An empty or
 * reversed range adds nothing. An error only when memory is out or past 4 GiB.
 */
__attribute__((warn_unused_result)) struct err *
cfi_writer_function(struct cfi_writer *w, const struct orc_function *function);

/* One word of a stack: where it is, and the return address that it stands for. */
struct cfi_return {
	uint64_t slot, address;
};

enum { CFI_RETURNS_MAX = 1024 };

/*
 * Adds the FDE of a frame that is none: the return address is that of @trampoline, which a tracer
 * has put in the place of others. Those are what @returns says of the word below the frame's rsp;
 * stacks end where it says nothing. Of no more than CFI_RETURNS_MAX. Debuggers look up the byte
 * before a return address: it covers that one alone. Errors as above.
 */
__attribute__((warn_unused_result)) struct err *cfi_writer_traced(struct cfi_writer *w,
								  uint64_t trampoline,
								  const struct cfi_return *returns,
								  size_t count);

/*
 * Says that frames end in the code from @low to @high, at run time: who called is unknown. Errors
 * as above.
 */
__attribute__((warn_unused_result)) struct err *cfi_writer_ends(struct cfi_writer *w, uint64_t low,
								uint64_t high);

/*
 * Says that stacks end in user mode: whatever a debugger knows of programs there, the kernel's
 * stack has no more frames, and what it would make up from the program's registers are none. Errors
 * as above.
 */
__attribute__((warn_unused_result)) struct err *cfi_writer_user_mode(struct cfi_writer *w);

#endif
