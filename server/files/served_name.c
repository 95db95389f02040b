// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/served_name.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/files.h"

static char *name_in_package(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *package = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	char *real = package ? files_real(package) : NULL;
	char *name = NULL;
	if (real) {
		struct buf whole = BUF_INIT;
		buf_addf(&whole, "%s%s", real, slash);
		name = whole.failed ? NULL : strdup(whole.data);
		buf_free(&whole);
	}
	int why = errno;
	free(package);
	free(real);
	errno = why;
	return name;
}

char *served_name(const char *path, bool packed, bool in_package)
{
	if (in_package)
		return name_in_package(path);
	char *name = files_real(path);
	char *end = name && packed ? strrchr(name, '.') : NULL;
	if (end && !strchr(end, '/'))
		*end = 0;
	return name;
}
