// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/confine.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/net/landlock.h"
#include "server/net/privileges.h"
#include "server/net/syscalls.h"

/* A sanitizer reserves terabytes, and at its end traces its own process by another. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static struct err *limit(int what, const char *name, rlim_t most)
{
	struct rlimit old;
	if (getrlimit((__rlimit_resource_t)what, &old))
		return err_errno(errno, "look up the limit of %s", name);
	if (most > old.rlim_max)
		most = old.rlim_max;
	struct rlimit new = { most, most };
	if (setrlimit((__rlimit_resource_t)what, &new))
		return err_errno(errno, "limit %s", name);
	return NULL;
}

/* Mapped files do not count, but what only this process has in memory: from Linux 4.7 on also what
 * mmap() gave. */
static struct err *limit_memory(uint64_t bytes, struct buf *held)
{
	if (!bytes || SANITIZED)
		return NULL;
	struct err *e = limit(RLIMIT_DATA, "memory", bytes);
	if (!e)
		buf_addf(held, ", %" PRIu64 " MiB of memory", bytes >> 20);
	return e;
}

/* A client is a descriptor. */
static void raise_descriptors(void)
{
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= files.rlim_max)
		return;
	files.rlim_cur = files.rlim_max;
	(void)!setrlimit(RLIMIT_NOFILE, &files);
}

/* A change of the user forgets it, so it is asked for afterwards. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(1);
}

struct err *confine(const struct confine_options *options, struct buf *held)
{
	bool root = geteuid() == 0;
	/* Its file is read when the first time of day is written out. */
	tzset();
	raise_descriptors();
	struct err *e = limit(RLIMIT_CORE, "core dumps", 0);
	if (!e)
		e = privileges_drop(options->user);
	if (e)
		return err_wrap(e, "confine the server");
	if (options->parent)
		end_with(options->parent);
	if (root)
		buf_addf(held, "user %s, ", options->user);
	buf_addstr(held, "no capabilities, no core dumps");
	/* Set by a change of the user, too. */
	if (SANITIZED)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	e = limit_memory(options->memory, held);
	if (SANITIZED || e)
		return err_wrap(e, "confine the server");
	if (options->starts_programs) {
		buf_addstr(held, ", no more, for it starts programs");
		return NULL;
	}
	e = options->files_outside ? landlock_nothing(held) : landlock_read(options, held);
	if (!e)
		e = syscalls_restrict(options, held);
	return err_wrap(e, "confine the server");
}
