/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's registers in the forms that debuggers, and dumps, have for those of a CPU. */
#ifndef VMCORE_GUEST_X86_GUEST_NOTE_H
#define VMCORE_GUEST_X86_GUEST_NOTE_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct cpu_note;
struct guest_regs;
struct regs;

/* Those that are known, and that debuggers have a name for; none of a guest that is encrypted. */
void guest_regs_general(const struct guest_regs *r, struct regs *ret);

/* What the register holds that leads to its page tables, and whether that is known. */
void guest_regs_tables(const struct guest_regs *r, uint64_t *ret, bool *ret_known);

/* A note cannot say that something is unknown: false unless all that it has to say is known. */
bool guest_note_fill(const struct guest_regs *r, struct cpu_note *note);

/* Appends the two notes that QEMU writes of a CPU. */
void guest_note_add(const struct cpu_note *note, struct buf *prstatus, struct buf *qemu);

#endif
