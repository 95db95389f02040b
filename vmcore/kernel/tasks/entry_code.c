// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/entry_code.h"

#include "vmcore/kernel/kernel.h"

bool entry_code_is(const struct kernel *k, uint64_t pc)
{
	uint64_t low, high;
	return kernel_symbol(k, "__entry_text_start", &low) &&
	       kernel_symbol(k, "__entry_text_end", &high) && pc >= low && pc < high;
}
