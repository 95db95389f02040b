// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/source_package.h"

#include <stdio.h>
#include <string.h>

#include "vmcore/names/files/package_name.h"

enum { WORD_SIZE = 64 };

/* Copies the word that begins at @from and ends at a space or a parenthesis, if it can be (part
 * of) a release: it becomes part of messages and paths. */
static bool take_word(const char *from, char ret[WORD_SIZE])
{
	size_t len = strcspn(from, " ()\n");
	if (len >= WORD_SIZE)
		return false;
	memcpy(ret, from, len);
	ret[len] = 0;
	return package_name_is_release(ret);
}

/* "6.1" of "6.1.192-3": the first two numbers. */
static bool take_series(const char *version, char ret[WORD_SIZE])
{
	static const char digits[] = "0123456789";
	size_t len = strspn(version, digits);
	if (!len || version[len] != '.')
		return false;
	size_t minor = strspn(version + len + 1, digits);
	len += 1 + minor;
	if (!minor || len >= WORD_SIZE)
		return false;
	memcpy(ret, version, len);
	ret[len] = 0;
	return true;
}

static bool find_debian(const char *banner, struct source_package *ret)
{
	static const char mark[] = " Debian ";
	char version[WORD_SIZE], series[WORD_SIZE];
	/* The compiler's has a parenthesis before it. */
	const char *at = strstr(banner, mark);
	if (!at || !take_word(at + strlen(mark), version) || !take_series(version, series))
		return false;
	snprintf(ret->how, sizeof(ret->how),
		 "package linux-source-%s (Debian; version %s), unpacked in /usr/src", series,
		 version);
	snprintf(ret->folder, sizeof(ret->folder), "/usr/src/linux-source-%s", series);
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);
	return len >= end_len && !strcmp(text + len - end_len, end);
}

/* "5.4.0" of "5.4.0-26.30-generic". Kernels of other flavours, and those that came to an older
 * release later ("~20.04.1"), have sources of their own. */
static bool is_plain_ubuntu(const char *version, char ret[WORD_SIZE])
{
	size_t len = strcspn(version, "-");
	if (strchr(version, '~') ||
	    !(ends_with(version, "-generic") || ends_with(version, "-lowlatency")))
		return false;
	memcpy(ret, version, len);
	ret[len] = 0;
	return true;
}

static bool find_ubuntu(const char *release, const char *banner, struct source_package *ret)
{
	static const char mark[] = "(Ubuntu ";
	char version[WORD_SIZE], plain[WORD_SIZE];
	const char *at = banner;
	/* The compiler's comes first: "(Ubuntu 7.3.0-16ubuntu3)". The kernel's is in the release.
	 */
	while ((at = strstr(at, mark))) {
		at += strlen(mark);
		size_t number = strcspn(release, "-");
		if (take_word(at, version) && number && !strncmp(version, release, number) &&
		    version[number] == '-')
			break;
	}
	if (!at)
		return false;
	if (is_plain_ubuntu(version, plain)) {
		snprintf(ret->how, sizeof(ret->how),
			 "package linux-source-%s (Ubuntu; version %s), unpacked in /usr/src",
			 plain, version);
		snprintf(ret->folder, sizeof(ret->folder), "/usr/src/linux-source-%s", plain);
	} else {
		snprintf(ret->how, sizeof(ret->how),
			 "'apt-get source linux-image-unsigned-%s' (Ubuntu; version %s)", release,
			 version);
		*ret->folder = 0;
	}
	return true;
}

/* The package of a Red Hat-style kernel, by what its release has. */
static const char *rpm_name(const char *release)
{
	if (strstr(release, "uek"))
		return "kernel-uek";
	return strstr(release, ".rt") || strstr(release, "+rt") ? "kernel-rt" : "kernel";
}

static bool find_rpm(const char *release, struct source_package *ret)
{
	static const char *const marks[] = { ".el", ".fc", ".amzn" };
	static const char *const ends[] = { "+debug", ".debug", "+rt", "+rt-debug", ".x86_64" };
	char name[WORD_SIZE];
	size_t i = 0, len = strlen(release);
	while (i < sizeof(marks) / sizeof(*marks) && !strstr(release, marks[i]))
		i++;
	if (i == sizeof(marks) / sizeof(*marks) || len >= sizeof(name))
		return false;
	memcpy(name, release, len + 1);
	/* What stands behind the package's own version, the last first. */
	for (i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends_with(name, ends[i]))
			name[strlen(name) - strlen(ends[i])] = 0;
	snprintf(ret->how, sizeof(ret->how),
		 "package %s-debuginfo-common-x86_64 of this kernel, or %s-%s.src.rpm",
		 rpm_name(release), rpm_name(release), name);
	*ret->folder = 0;
	return true;
}

bool source_package_find(const char *release, const char *banner, struct source_package *ret)
{
	if (*release && !package_name_is_release(release))
		return false;
	return find_debian(banner, ret) || find_ubuntu(release, banner, ret) ||
	       find_rpm(release, ret);
}
