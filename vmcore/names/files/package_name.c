// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/files/package_name.h"

#include <stddef.h>
#include <string.h>

#include "vmcore/names/files/module_search.h"

_Static_assert((int)PACKAGE_MODULE_SIZE == (int)MODULE_SEARCH_NAME_SIZE, "names of one size");

static bool is_plain(const char *text, const char *others)
{
	for (; *text; text++) {
		char c = *text;
		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !strchr(others, c))
			return false;
	}
	return true;
}

bool package_name_is_release(const char *text)
{
	return text[0] >= '0' && text[0] <= '9' && strlen(text) < PACKAGE_RELEASE_SIZE &&
	       is_plain(text, "-._+~@:");
}

bool package_name_is_module(const char *text)
{
	return *text && strlen(text) < PACKAGE_MODULE_SIZE && is_plain(text, "-_.+,");
}

/* Takes @len characters as a release, if they can be one. */
static bool take_release(const char *from, size_t len, char ret[PACKAGE_RELEASE_SIZE])
{
	char release[PACKAGE_RELEASE_SIZE] = "";
	if (len >= sizeof(release))
		return false;
	memcpy(release, from, len);
	if (!package_name_is_release(release))
		return false;
	memcpy(ret, release, sizeof(release));
	return true;
}

/* Of ".../lib/modules/RELEASE/...". */
static void release_of_folder(const char *path, char ret[PACKAGE_RELEASE_SIZE])
{
	static const char folder[] = "lib/modules/";
	const char *at = strstr(path, folder);
	if (!at || (at > path && at[-1] != '/'))
		return;
	at += sizeof(folder) - 1;
	const char *end = strchr(at, '/');
	if (end)
		take_release(at, (size_t)(end - at), ret);
}

/* The length of @name without what says that it is compressed, or the debug information alone:
 * ".debug" is the last of those. */
static size_t plain_length(const char *name)
{
	static const char *const ends[] = { ".debug", ".xz", ".zst", ".gz" };
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t end = strlen(ends[i]);
		if (len > end && !strncmp(name + len - end, ends[i], end))
			len -= end;
	}
	return len;
}

/* vmlinux-gdb.py and vmlinux.h are none. */
static bool is_vmlinux(const char *name, char release[PACKAGE_RELEASE_SIZE])
{
	static const char plain[] = "vmlinux";
	size_t len = sizeof(plain) - 1, whole = plain_length(name);
	if (strncmp(name, plain, len) != 0)
		return false;
	if (whole == len)
		return true;
	return name[len] == '-' && take_release(name + len + 1, whole - len - 1, release);
}

void package_name_read(const char *path, struct package_name *ret)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	*ret = (struct package_name){ .file = PACKAGE_OTHER };
	release_of_folder(path, ret->release);
	if (is_vmlinux(name, ret->release))
		ret->file = PACKAGE_VMLINUX;
	else if (module_search_module_name(name, ret->module) &&
		 package_name_is_module(ret->module))
		ret->file = PACKAGE_MODULE;
	else
		*ret->module = 0;
}
