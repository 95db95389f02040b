// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/crash_command.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "proto/crash/machine.h"
#include "proto/target.h"

/* "HOST" of "HOST:PORT": crash asks for names and for numbers of IPv4. */
static bool is_for_crash(const char *address)
{
	return strncmp(address, "unix:", strlen("unix:")) != 0 && *address != '[' &&
	       strchr(address, ':');
}

bool crash_command_add(const struct target *target, const char *address, const char *vmlinux,
		       struct buf *out)
{
	static const char everywhere[] = "0.0.0.0:";
	uint64_t phys_base, slide;
	if (!address || !is_for_crash(address) || !target->crash ||
	    !target->crash->placement(target->crash_self, &phys_base, &slide))
		return false;
	buf_addf(out, "crash %s ", vmlinux ? vmlinux : "vmlinux");
	if (!strncmp(address, everywhere, strlen(everywhere)))
		buf_addf(out, "localhost:%s", address + strlen(everywhere));
	else
		buf_addstr(out, address);
	/* What runs is /dev/mem, which crash takes where nothing stands behind the port. */
	if (!target->crash->live)
		buf_addstr(out, ",dump");
	buf_addf(out, " --machdep phys_base=0x%" PRIx64, phys_base);
	if (slide)
		buf_addf(out, " --kaslr=0x%" PRIx64, slide);
	return true;
}
