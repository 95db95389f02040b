// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"

static struct err *become(const char *user)
{
	errno = 0;
	const struct passwd *entry = getpwnam(user);
	if (!entry && errno)
		return err_errno(errno, "look up the user '%s'", user);
	if (!entry)
		return err_new(ERR_NOTFOUND, "there is no user '%s': name another with --user",
			       user);
	if (setgroups(0, NULL) || setresgid(entry->pw_gid, entry->pw_gid, entry->pw_gid) ||
	    setresuid(entry->pw_uid, entry->pw_uid, entry->pw_uid))
		return err_errno(errno, "become the user '%s'", user);
	return NULL;
}

/* All sets of them; what a user id of 0 does not clear when it changes, too. */
static struct err *drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };
	/* Kernels before 4.3 have no ambient set. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return err_errno(errno, "give up ambient capabilities");
	if (syscall(SYS_capset, &header, none))
		return err_errno(errno, "give up capabilities");
	return NULL;
}

struct err *privileges_drop(const char *user)
{
	struct err *e = geteuid() == 0 ? become(user) : NULL;
	return e ? err_wrap(e, "give up privileges") : privileges_keep_user();
}

struct err *privileges_keep_user(void)
{
	struct err *e = drop_capabilities();
	if (!e && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		e = err_errno(errno, "give up the way back to privileges");
	if (!e && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		e = err_errno(errno, "forbid core dumps");
	return err_wrap(e, "give up privileges");
}
