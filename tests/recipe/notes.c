// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/notes.h"

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"

/* Registers begin at pr_reg, in the order of user_regs_struct (asm/user_64.h). */
#define PR_REG(n) (112 + 8 * (n))

const struct field prstatus_fields[] = {
	{ "si_signo", 0, 4 },
	{ "cursig", 12, 2 },
	{ "pid", 32, 4 },
	{ "ppid", 36, 4 },
	{ "pgrp", 40, 4 },
	{ "sid", 44, 4 },
	{ "r15", PR_REG(0), 8 },
	{ "r14", PR_REG(1), 8 },
	{ "r13", PR_REG(2), 8 },
	{ "r12", PR_REG(3), 8 },
	{ "rbp", PR_REG(4), 8 },
	{ "rbx", PR_REG(5), 8 },
	{ "r11", PR_REG(6), 8 },
	{ "r10", PR_REG(7), 8 },
	{ "r9", PR_REG(8), 8 },
	{ "r8", PR_REG(9), 8 },
	{ "rax", PR_REG(10), 8 },
	{ "rcx", PR_REG(11), 8 },
	{ "rdx", PR_REG(12), 8 },
	{ "rsi", PR_REG(13), 8 },
	{ "rdi", PR_REG(14), 8 },
	{ "orig_rax", PR_REG(15), 8 },
	{ "rip", PR_REG(16), 8 },
	{ "cs", PR_REG(17), 8 },
	{ "eflags", PR_REG(18), 8 },
	{ "rsp", PR_REG(19), 8 },
	{ "ss", PR_REG(20), 8 },
	{ "fs_base", PR_REG(21), 8 },
	{ "gs_base", PR_REG(22), 8 },
	{ "ds", PR_REG(23), 8 },
	{ "es", PR_REG(24), 8 },
	{ "fs", PR_REG(25), 8 },
	{ "gs", PR_REG(26), 8 },
	{ "fpvalid", 328, 4 },
};
const size_t prstatus_field_count = FIELD_COUNT(prstatus_fields);

#define QEMU_GPR(n) (8 + 8 * (n))
/* QEMUCPUSegment: selector, limit, flags, pad (u32 each), base (u64). */
#define QEMU_SEGMENT(name, n)                                                          \
	{ name ".selector", 152 + 24 * (n), 4 }, { name ".limit", 156 + 24 * (n), 4 }, \
		{ name ".flags", 160 + 24 * (n), 4 },                                  \
	{                                                                              \
		name ".base", 168 + 24 * (n), 8                                        \
	}

const struct field qemu_state_fields[] = {
	{ "version", 0, 4 },	    { "size", 4, 4 },
	{ "rax", QEMU_GPR(0), 8 },  { "rbx", QEMU_GPR(1), 8 },
	{ "rcx", QEMU_GPR(2), 8 },  { "rdx", QEMU_GPR(3), 8 },
	{ "rsi", QEMU_GPR(4), 8 },  { "rdi", QEMU_GPR(5), 8 },
	{ "rsp", QEMU_GPR(6), 8 },  { "rbp", QEMU_GPR(7), 8 },
	{ "r8", QEMU_GPR(8), 8 },   { "r9", QEMU_GPR(9), 8 },
	{ "r10", QEMU_GPR(10), 8 }, { "r11", QEMU_GPR(11), 8 },
	{ "r12", QEMU_GPR(12), 8 }, { "r13", QEMU_GPR(13), 8 },
	{ "r14", QEMU_GPR(14), 8 }, { "r15", QEMU_GPR(15), 8 },
	{ "rip", QEMU_GPR(16), 8 }, { "rflags", QEMU_GPR(17), 8 },
	QEMU_SEGMENT("cs", 0),	    QEMU_SEGMENT("ds", 1),
	QEMU_SEGMENT("es", 2),	    QEMU_SEGMENT("fs", 3),
	QEMU_SEGMENT("gs", 4),	    QEMU_SEGMENT("ss", 5),
	QEMU_SEGMENT("ldt", 6),	    QEMU_SEGMENT("tr", 7),
	QEMU_SEGMENT("gdt", 8),	    QEMU_SEGMENT("idt", 9),
	{ "cr0", 392, 8 },	    { "cr1", 400, 8 },
	{ "cr2", 408, 8 },	    { "cr3", 416, 8 },
	{ "cr4", 424, 8 },	    { "kernel_gs_base", 432, 8 },
};
const size_t qemu_state_field_count = FIELD_COUNT(qemu_state_fields);

static void pad(struct buf *out, size_t len)
{
	static const char zeros[3];
	buf_add(out, zeros, -len & 3);
}

void note_add(struct buf *out, const char *name, uint32_t type, const void *desc, size_t len)
{
	size_t name_len = strlen(name) + 1;
	uint8_t header[12];
	put_u32(header, (uint32_t)name_len);
	put_u32(header + 4, (uint32_t)len);
	put_u32(header + 8, type);
	buf_add(out, header, sizeof(header));
	buf_add(out, name, name_len);
	pad(out, name_len);
	buf_add(out, desc, len);
	pad(out, len);
}
