// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/arch.h"

#include <string.h>

extern const struct arch arch_x86_64;

static const struct arch *const all[] = { &arch_x86_64 };

const struct arch *arch_of_elf(uint16_t elf_machine)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i]->elf_machine == elf_machine)
			return all[i];
	return NULL;
}

const struct arch *arch_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}

const struct arch *arch_unnamed(void)
{
	return all[0];
}
