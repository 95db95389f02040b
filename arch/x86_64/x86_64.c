// SPDX-License-Identifier: GPL-2.0-or-later
/* x86-64, put together. */
#include <elf.h>

#include "arch/arch.h"
#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/code/x86_64.h"
#include "arch/x86_64/unwind/x86_64.h"

extern const struct arch arch_x86_64;

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.title = "x86-64",
	.elf_machine = EM_X86_64,
	.regs = &x86_64_regs,
	.unwind = &x86_64_unwind,
	.code = &x86_64_code,
};
