// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/arch.h"

#include <inttypes.h>

#include "base/err.h"

extern const struct target_arch x86_64_target;

static const struct target_arch *const all[] = { &x86_64_target };

const struct target_arch *target_arch_of(const struct arch *arch)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i]->arch == arch)
			return all[i];
	return all[0];
}

struct err *target_read_none(void *self, const struct target_view *view, size_t first, size_t count,
			     uint8_t *values, bool *known)
{
	(void)self, (void)first, (void)count, (void)values, (void)known;
	return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
}
