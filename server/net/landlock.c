// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/net/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/net/confine.h"

/* include/uapi/linux/landlock.h, which older systems do not have. The numbers of the calls are the
 * same on all architectures. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1 };

struct ruleset {
	uint64_t files, ports, scopes;
};

/* How many kinds of access to files each version of the ABI knows: those of bits 0 to that. */
static unsigned file_rights(long version)
{
	enum { FIRST = 13, REFER = 14, TRUNCATE = 15, IOCTL = 16 };
	return version >= 5 ? IOCTL : version >= 3 ? TRUNCATE : version >= 2 ? REFER : FIRST;
}

/* enum landlock_rule_type and the rights of files, bits of `files`. */
enum {
	PATH_BENEATH = 1,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	MAKE_SOCK = 1 << 9,
	TRUNCATE_FILE = 1 << 14,
};

struct beneath {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

/* A folder that is not there needs no rule. */
static bool allow(int ruleset, uint64_t handled, const char *path, uint64_t rights)
{
	struct beneath rule = { rights & handled, open(path, O_PATH | O_CLOEXEC) };
	if (rule.fd < 0)
		return true;
	long failed = syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0);
	int why = errno;
	close(rule.fd);
	errno = why;
	return !failed;
}

static bool allow_all(int ruleset, uint64_t handled, const struct confine_options *o)
{
	const uint64_t reads = READ_FILE | READ_DIR;
	const uint64_t writes = reads | WRITE_FILE | TRUNCATE_FILE | MAKE_REG | MAKE_DIR |
				MAKE_SOCK | REMOVE_FILE | REMOVE_DIR;
	bool good = allow(ruleset, handled, "/", reads);
	for (size_t i = 0; good && i < o->write_count; i++)
		good = allow(ruleset, handled, o->writes[i], writes);
	return good;
}

/* @o: what may be done all the same; NULL: nothing. */
static struct err *restrict_by(const struct confine_options *o, struct buf *held)
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
		rules.ports = o && o->makes_sockets ? 0 : TCP;
		size = 2 * sizeof(rules.files);
	}
	if (version >= WITH_SCOPES) {
		/* It ends --run's command by a signal. */
		rules.scopes = o && o->may_end ? 1 : ABSTRACT_AND_SIGNALS;
		size = sizeof(rules);
	}
	int fd = (int)syscall(CREATE_RULESET, &rules, size, 0);
	if (fd < 0)
		return err_errno(errno, "make a Landlock ruleset");
	bool failed = (o && !allow_all(fd, rules.files, o)) || syscall(RESTRICT_SELF, fd, 0);
	int why = errno;
	close(fd);
	if (failed)
		return err_errno(why, "restrict by Landlock");
	buf_addf(held, ", Landlock %ld%s", version, o ? " (reads files)" : "");
	return NULL;
}

struct err *landlock_nothing(struct buf *held)
{
	return restrict_by(NULL, held);
}

struct err *landlock_read(const struct confine_options *options, struct buf *held)
{
	return restrict_by(options, held);
}
