// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"

/* include/uapi/linux/landlock.h, which older systems do not have. The numbers of the calls are the
 * same on all architectures. */
enum { CREATE_RULESET = 444, RESTRICT_SELF = 446, ASK_VERSION = 1 };

struct ruleset {
	uint64_t files, ports, scopes;
};

/* How many kinds of access to files each version of the ABI knows: those of bits 0 to that. */
static unsigned file_rights(long version)
{
	enum { FIRST = 13, REFER = 14, TRUNCATE = 15, IOCTL = 16 };
	return version >= 5 ? IOCTL : version >= 3 ? TRUNCATE : version >= 2 ? REFER : FIRST;
}

struct err *landlock_nothing(struct buf *held)
{
	enum { TCP = 3, ABSTRACT_AND_SIGNALS = 3, WITH_PORTS = 4, WITH_SCOPES = 6 };
	long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
	if (version < 1) {
		buf_addstr(held, ", this kernel has no Landlock");
		return NULL;
	}
	struct ruleset rules = { .files = (UINT64_C(1) << file_rights(version)) - 1 };
	size_t size = sizeof(rules.files);
	if (version >= WITH_PORTS) {
		rules.ports = TCP;
		size = 2 * sizeof(rules.files);
	}
	if (version >= WITH_SCOPES) {
		rules.scopes = ABSTRACT_AND_SIGNALS;
		size = sizeof(rules);
	}
	int fd = (int)syscall(CREATE_RULESET, &rules, size, 0);
	if (fd < 0)
		return err_errno(errno, "make a Landlock ruleset");
	long failed = syscall(RESTRICT_SELF, fd, 0);
	int why = errno;
	close(fd);
	if (failed)
		return err_errno(why, "restrict by Landlock");
	buf_addf(held, ", Landlock %ld", version);
	return NULL;
}
