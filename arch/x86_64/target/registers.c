// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/target/registers.h"

#include "arch/x86_64/base/regs.h"
#include "base/bytes.h"
#include "proto/crash/machine.h"

/* GDB manual, appendix G.5.7 "i386 Features": names, order and sizes. */
#define CORE	 "org.gnu.gdb.i386.core"
#define SEGMENTS "org.gnu.gdb.i386.segments"
#define LINUX	 "org.gnu.gdb.i386.linux"

#define INT64(n)                                  \
	{                                         \
		n, CORE, "int64", NULL, 64, false \
	}
#define INT32(n)                                  \
	{                                         \
		n, CORE, "int32", NULL, 32, false \
	}
#define X87(n)                                       \
	{                                            \
		n, CORE, "i387_ext", NULL, 80, false \
	}
#define X87_CTL(n)                                 \
	{                                          \
		n, CORE, "int", "float", 32, false \
	}

/* gdb insists on the x87 registers in the first. */
enum { X86_REGISTER_COUNT = 43 };

static const struct target_register x86_registers[X86_REGISTER_COUNT] = {
	INT64("rax"),
	INT64("rbx"),
	INT64("rcx"),
	INT64("rdx"),
	INT64("rsi"),
	INT64("rdi"),
	{ "rbp", CORE, "data_ptr", NULL, 64, false },
	{ "rsp", CORE, "data_ptr", NULL, 64, false },
	INT64("r8"),
	INT64("r9"),
	INT64("r10"),
	INT64("r11"),
	INT64("r12"),
	INT64("r13"),
	INT64("r14"),
	INT64("r15"),
	{ "rip", CORE, "code_ptr", NULL, 64, false },
	{ "eflags", CORE, "i386_eflags", NULL, 32, false },
	INT32("cs"),
	INT32("ss"),
	INT32("ds"),
	INT32("es"),
	INT32("fs"),
	INT32("gs"),
	X87("st0"),
	X87("st1"),
	X87("st2"),
	X87("st3"),
	X87("st4"),
	X87("st5"),
	X87("st6"),
	X87("st7"),
	X87_CTL("fctrl"),
	X87_CTL("fstat"),
	X87_CTL("ftag"),
	X87_CTL("fiseg"),
	X87_CTL("fioff"),
	X87_CTL("foseg"),
	X87_CTL("fooff"),
	X87_CTL("fop"),
	{ "fs_base", SEGMENTS, "int", NULL, 64, false },
	{ "gs_base", SEGMENTS, "int", NULL, 64, false },
	{ "orig_rax", LINUX, "int", NULL, 64, false },
};

/* By row, which register it is. Those of the x87 a kernel dump does not know. */
#define NONE REG_COUNT
static const uint8_t reg_of_row[X86_REGISTER_COUNT] = {
	REG_RAX,     REG_RBX,	  REG_RCX,	REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
	REG_R8,	     REG_R9,	  REG_R10,	REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_RIP,     REG_EFLAGS,  REG_CS,	REG_SS,	 REG_DS,  REG_ES,  REG_FS,  REG_GS,
	NONE,	     NONE,	  NONE,		NONE,	 NONE,	  NONE,	   NONE,    NONE,
	NONE,	     NONE,	  NONE,		NONE,	 NONE,	  NONE,	   NONE,    NONE,
	REG_FS_BASE, REG_GS_BASE, REG_ORIG_RAX,
};

static const uint16_t x86_expedited[] = { 16, 7, 6, 1, 12, 13, 14, 15 };

static size_t fill(const struct regs *regs, size_t first, size_t count, uint8_t *values,
		   bool *known)
{
	uint8_t *at = values;
	for (size_t row = first; row < first + count; row++) {
		size_t bytes = x86_registers[row].bits / 8;
		enum reg reg = reg_of_row[row];
		known[row - first] = reg != NONE && regs_known(regs, reg);
		if (known[row - first] && bytes == 8)
			put_u64(at, regs->value[reg]);
		else if (known[row - first])
			put_u32(at, (uint32_t)regs->value[reg]);
		at += bytes;
	}
	return (size_t)(at - values);
}

static void crash_fill(const struct regs *r, struct crash_cpu *ret)
{
	*ret = (struct crash_cpu){ .rip = r->value[REG_RIP],
				   .rsp = r->value[REG_RSP],
				   .rbp = r->value[REG_RBP],
				   .cs = (uint16_t)r->value[REG_CS],
				   .ss = (uint16_t)r->value[REG_SS],
				   .knows_place =
					   regs_known(r, REG_RIP) && regs_known(r, REG_RSP) };
}

static const struct target_register_ops none = {
	.table = x86_registers,
	.count = X86_REGISTER_COUNT,
	.expedited = x86_expedited,
	.expedited_count = sizeof(x86_expedited) / sizeof(*x86_expedited),
	.read = target_read_none,
};

extern const struct arch arch_x86_64;

const struct target_arch x86_64_target = {
	.arch = &arch_x86_64,
	.triple = "x86_64-unknown-linux-gnu",
	.registers = x86_registers,
	.count = X86_REGISTER_COUNT,
	.expedited = x86_expedited,
	.expedited_count = sizeof(x86_expedited) / sizeof(*x86_expedited),
	.fill = fill,
	.none = &none,
	.crash_fill = crash_fill,
};
