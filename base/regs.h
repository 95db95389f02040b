/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The register set of a CPU as a kernel dump knows it: a value and, for each register, whether it
 * is known. Unknown is an answer; nothing reads a register that is not known. Which registers there
 * are is the architecture's.
 */
#ifndef BASE_REGS_H
#define BASE_REGS_H

#include <stdbool.h>
#include <stdint.h>

struct regs;

/* As many as an architecture may have. One that has more makes it larger, and the masks with it. */
enum { REGS_MAX = 27 };

/* The privilege that registers say the CPU had. */
enum regs_mode {
	REGS_MODE_UNKNOWN, /* the register that tells is not known */
	REGS_MODE_KERNEL,
	REGS_MODE_USER,
	REGS_MODE_NEITHER, /* one that Linux does not use */
};

/* The registers of an architecture. To add one: number them, those that DWARF numbers first and in
 * its order, and fill this in. */
struct arch_regs {
	const char *const *names; /* gdb's */
	unsigned count;		  /* of names; at most REGS_MAX */
	unsigned dwarf_count;	  /* those below have the numbers of DWARF's */
	unsigned pc, sp, fp;	  /* program counter, stack pointer, frame pointer */
	uint32_t kept;		  /* bit n: a function keeps register n for its caller (the ABI) */
	/* By a register that has it, as flags or a selector. */
	enum regs_mode (*mode)(const struct regs *r);
};

struct regs {
	const struct arch_regs *arch; /* whose they are; NULL only where nothing is known */
	uint64_t value[REGS_MAX];
	uint32_t known; /* bit n: value[n] is known */
};

static inline void regs_set(struct regs *r, unsigned n, uint64_t value)
{
	r->value[n] = value;
	r->known |= UINT32_C(1) << n;
}

static inline void regs_forget(struct regs *r, unsigned n)
{
	r->value[n] = 0;
	r->known &= ~(UINT32_C(1) << n);
}

static inline bool regs_known(const struct regs *r, unsigned n)
{
	return r->known >> n & 1;
}

/* The program counter and the stack pointer; 0 if they are not known. */
static inline bool regs_pc_known(const struct regs *r)
{
	return r->arch && regs_known(r, r->arch->pc);
}

static inline uint64_t regs_pc(const struct regs *r)
{
	return r->arch ? r->value[r->arch->pc] : 0;
}

static inline bool regs_sp_known(const struct regs *r)
{
	return r->arch && regs_known(r, r->arch->sp);
}

static inline uint64_t regs_sp(const struct regs *r)
{
	return r->arch ? r->value[r->arch->sp] : 0;
}

/* Whether they are certain to be user mode's. */
static inline bool regs_user_mode(const struct regs *r)
{
	return r->arch && r->arch->mode(r) == REGS_MODE_USER;
}

/* gdb's name of one that is known ("rax", "eflags", "fs_base", ...). */
static inline const char *regs_name(const struct regs *r, unsigned n)
{
	return r->arch->names[n];
}

#endif
