// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/entry_code.h"

#include "vmcore/kernel/kernel.h"

bool entry_code_bounds(const struct kernel *k, uint64_t *ret_low, uint64_t *ret_high)
{
	uint64_t low, high;
	if (!kernel_symbol(k, "__entry_text_start", &low) ||
	    !kernel_symbol(k, "__entry_text_end", &high) || high <= low)
		return false;
	*ret_low = low;
	*ret_high = high;
	return true;
}

bool entry_code_is(const struct kernel *k, uint64_t pc)
{
	uint64_t low, high;
	return entry_code_bounds(k, &low, &high) && pc >= low && pc < high;
}
