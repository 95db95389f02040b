/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strategies of x86-64, and what they share. Private to arch/x86_64/unwind/. */
#ifndef ARCH_X86_64_UNWIND_STEPS_H
#define ARCH_X86_64_UNWIND_STEPS_H

#include "arch/x86_64/unwind/asks.h"
#include "arch/x86_64/unwind/decode.h"
#include "arch/x86_64/unwind/pt_regs.h"
#include "unwind/walk.h"

/* Who answers the questions of x86-64; all NULL if nobody does. */
const struct x86_asks *walk_asks(const struct walk *w);

/* Strategies, each in a file of its own. *ret starts empty and is filled for STEP_CALLER only. */
enum step orc_step(struct walk *w, const struct orc_entry *entry, struct frame *ret);
enum step fp_step(struct walk *w, struct frame *ret);
enum step found_step(struct walk *w, struct frame *ret);
/* By the function's own instructions; the return address must be behind a call of it. */
enum step code_step(struct walk *w, struct frame *ret);
/* Adds what the function's instructions say of the registers that a callee keeps to a @caller that
 * another strategy has found, at walk->cfa, if they agree with it. */
void code_add(struct walk *w, struct frame *caller);
/* Whether the CPU stands in calls that fill its return stack buffer: then *ret is the same frame as
 * it is behind them, at another rip and with another rsp. */
bool fill_undo(struct walk *w, struct frame *ret);
/* In assembly that enters a guest, or that was called to do so: not GUEST_INLINE. */
enum step entry_step(struct walk *w, const struct guest_entry *entry, struct frame *ret);
/* Whether this is where a guest's exit ends in assembly within compiled code: then *ret is the same
 * frame as the compiled code around it knows it, with the rsp and rbp that its tables speak of. */
bool entry_undo_inline(struct walk *w, struct frame *ret);
/* In entry assembly that has called a @handler. */
enum step interrupt_step(struct walk *w, enum unwind_handler handler, struct frame *ret);
/* In a system call's entry that keeps the user's rsp at @kept_at (0: unknown), not in pt_regs. */
enum step syscall_step(struct walk *w, uint64_t kept_at, struct frame *ret);
/* At the stack's top: what an entry from user mode saved there, and nothing that was called. */
enum step stack_top_step(struct walk *w, struct frame *ret);

/* In entry code: whatever the tables say, user mode's registers if the instructions tell them. */
enum step edge_step(struct walk *w, struct frame *ret);
/* Where an exception's code has saved registers and is about to move to the stack that they are on,
 * which tables have wrong. */
enum step edge_moving_step(struct walk *w, struct frame *ret);
/* Whether that is the entry of a system call: somebody came from there. */
bool edge_is_entry(const struct walk *w);
/* A frame of user mode that came by SYSENTER does not know what that does not keep: forgets it in
 * @user, the caller of the frame that is left. */
void edge_forget_lost(const struct walk *w, struct frame *user);
/* Whether the CPU stands in entry code, where rsp need not be on a stack. */
bool edge_is_at(const struct walk *w, struct entry_edge *ret);

/* Where sp_reg and sp_offset of an ORC entry lead; false, with a note, if that is not known. */
bool orc_find_sp(struct walk *w, const struct orc_entry *entry, uint64_t *ret);

/* The caller's rbp as bp_reg and bp_offset of an ORC entry say; @sp is what orc_find_sp() found. */
bool orc_restore_rbp(struct walk *w, const struct orc_entry *entry, uint64_t sp,
		     struct frame *caller);

/* The instruction at @pc, which is in @code, with zeros behind what could be read; false if there
 * is none. */
bool walk_decode(struct walk *w, uint64_t pc, unsigned char code[DECODE_MAX], struct decoded *ret);

/* Whether the instruction before @address is a direct call of @function. In found.c. */
bool walk_returns_from(const struct walk *w, uint64_t address, uint64_t function);

/* Words of a pt_regs at @address, from the @first on (PT_REGS_IRET: its iret frame alone). */
enum { PT_REGS_BYTES = 168 };
bool walk_restore_pt_regs(struct walk *w, struct frame *caller, uint64_t address, unsigned first);

#endif
