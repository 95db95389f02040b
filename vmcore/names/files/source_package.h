/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a distribution has the source of one of its kernels. */
#ifndef VMCORE_NAMES_FILES_SOURCE_PACKAGE_H
#define VMCORE_NAMES_FILES_SOURCE_PACKAGE_H

#include <stdbool.h>

enum { SOURCE_PACKAGE_TEXT = 256 };

struct source_package {
	/* A clause: "package linux-source-6.1 (Debian; version 6.1.192-3), unpacked in /usr/src".
	 */
	char how[SOURCE_PACKAGE_TEXT];
	/* Where the source is then, an absolute path; "" where that is not known. */
	char folder[SOURCE_PACKAGE_TEXT];
};

/*
 * What the kernel of @release (uname -r) and @banner ("Linux version ..."), both hostile, was built
 * from. Distributions are told by what they put there: Debian's "Debian 6.1.192-3", Ubuntu's
 * "(Ubuntu 5.4.0-26.30-generic 5.4.30)", the ".el8", ".fc39" and ".amzn2023" of RPM's releases.
 * False, and *ret as it was, for all others.
 */
bool source_package_find(const char *release, const char *banner, struct source_package *ret);

#endif
