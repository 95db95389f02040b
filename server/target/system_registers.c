// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/system_registers.h"

#include <assert.h>

#include "base/bytes.h"
#include "vmcore/system_regs.h"

#define FEATURE "org.vmcore-gdbserver.system"

#define ROW(n, type)                                 \
	{                                            \
		n, FEATURE, type, "system", 64, true \
	}

const struct target_register system_registers[SYSTEM_REGISTER_COUNT] = {
	ROW("cr0", "x64_cr0"),	     ROW("cr2", "uint64"),    ROW("cr3", "uint64"),
	ROW("cr4", "x64_cr4"),	     ROW("efer", "x64_efer"), ROW("gdtr", "data_ptr"),
	ROW("gdtr_limit", "uint64"), ROW("idtr", "data_ptr"), ROW("idtr_limit", "uint64"),
};
static_assert((int)SYSTEM_REGISTER_COUNT == (int)SYSTEM_REGS, "a row for each register");

void system_registers_fill(const struct system_regs *regs, size_t first, size_t count,
			   uint8_t *values, bool *known)
{
	for (size_t i = 0; i < count; i++) {
		known[i] = regs->known[first + i];
		if (known[i])
			put_u64(values + 8 * i, regs->value[first + i]);
	}
}
