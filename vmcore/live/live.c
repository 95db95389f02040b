// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

const struct live_paths live_paths_of_system = {
	.kcore = "/proc/kcore",
	.mem = "/dev/mem",
	.crash = "/dev/crash",
	.iomem = "/proc/iomem",
	.vmcoreinfo = "/sys/kernel/vmcoreinfo",
	.kallsyms = "/proc/kallsyms",
	.kptr_restrict = "/proc/sys/kernel/kptr_restrict",
	.lockdown = "/sys/kernel/security/lockdown",
};

/* The word in brackets of "none [integrity] confidentiality" (security/lockdown/lockdown.c); false
 * if the kernel is not locked down, or does not tell. */
static bool lockdown_level(const char *path, char *out, size_t size)
{
	char line[128];
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool got = fgets(line, sizeof(line), file);
	fclose(file);
	char *begin = got ? strchr(line, '[') : NULL;
	char *end = begin ? strchr(begin, ']') : NULL;
	if (!end)
		return false;
	*end = 0;
	snprintf(out, size, "%s", begin + 1);
	return strcmp(out, "none") != 0;
}

static struct err *not_there(const struct live_paths *paths, const char *path)
{
	if (!strcmp(path, paths->kcore) || !strcmp(path, paths->mem))
		return err_new(ERR_IO, "%s does not exist: this kernel was built without it", path);
	if (!strcmp(path, paths->crash))
		return err_new(ERR_IO, "%s does not exist: load the kernel module crash for it",
			       path);
	return err_new(ERR_IO, "%s does not exist: live memory is %s, %s or %s", path, paths->kcore,
		       paths->mem, paths->crash);
}

struct err *live_refused(const struct live_paths *paths, const char *path, int errnum)
{
	char level[32];
	switch (errnum) {
	case ENOENT:
		return not_there(paths, path);
	case ENXIO:
	case ENODEV:
		return err_new(ERR_IO, "%s has no driver behind it: load the kernel module for it",
			       path);
	case EACCES:
		return err_new(ERR_IO, "%s is not yours to read: run this as root", path);
	case EBUSY:
		return err_new(ERR_IO, "%s is open elsewhere: end the program that has it", path);
	case EPERM:
		if (lockdown_level(paths->lockdown, level, sizeof(level)))
			return err_new(
				ERR_IO,
				"%s is refused to everybody: the kernel is locked down "
				"(%s), as Secure Boot does; boot with lockdown=none, or take "
				"a crash dump",
				path, level);
		return err_new(ERR_IO,
			       "%s is refused: the capability CAP_SYS_RAWIO is needed, which root "
			       "in a container may lack",
			       path);
	default:
		return err_errno(errnum, "%s", path);
	}
}
