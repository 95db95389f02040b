// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/x86_target.h"

#include <string.h>

#include "base/bytes.h"
#include "base/regs.h"

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

const struct target_register x86_registers[X86_REGISTER_COUNT] = {
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

/* The rows that a kernel dump can know, in table order. */
static const struct {
	uint16_t row;
	enum reg reg;
} rows[] = {
	{ 0, REG_RAX },	     { 1, REG_RBX },	  { 2, REG_RCX },	{ 3, REG_RDX },
	{ 4, REG_RSI },	     { 5, REG_RDI },	  { 6, REG_RBP },	{ 7, REG_RSP },
	{ 8, REG_R8 },	     { 9, REG_R9 },	  { 10, REG_R10 },	{ 11, REG_R11 },
	{ 12, REG_R12 },     { 13, REG_R13 },	  { 14, REG_R14 },	{ 15, REG_R15 },
	{ 16, REG_RIP },     { 17, REG_EFLAGS },  { 18, REG_CS },	{ 19, REG_SS },
	{ 20, REG_DS },	     { 21, REG_ES },	  { 22, REG_FS },	{ 23, REG_GS },
	{ 40, REG_FS_BASE }, { 41, REG_GS_BASE }, { 42, REG_ORIG_RAX },
};

const uint16_t x86_expedited[X86_EXPEDITED_COUNT] = { 16, 7, 6, 1, 12, 13, 14, 15 };

void x86_registers_fill(const struct regs *regs, uint8_t *values, bool *known)
{
	size_t offset = 0, next = 0;
	for (size_t row = 0; row < X86_REGISTER_COUNT; row++) {
		size_t bytes = x86_registers[row].bits / 8;
		uint8_t value[8] = { 0 };
		memset(values + offset, 0, bytes);
		known[row] = false;
		if (next < sizeof(rows) / sizeof(*rows) && rows[next].row == row) {
			known[row] = regs_known(regs, rows[next].reg);
			put_u64(value, regs->value[rows[next].reg]);
			if (known[row])
				memcpy(values + offset, value, bytes);
			next++;
		}
		offset += bytes;
	}
}
