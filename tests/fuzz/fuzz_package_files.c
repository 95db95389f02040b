// SPDX-License-Identifier: GPL-2.0-or-later
/* The text in the symbol cache that says what is in a package, and the paths that a package has:
 * what is read of either is plain, and what is written is read again as the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/fuzz/require.h"
#include "vmcore/names/files/package_contents.h"
#include "vmcore/names/files/package_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_name(const char *path)
{
	struct package_name name;
	package_name_read(path, &name);
	REQUIRE(!*name.release || package_name_is_release(name.release));
	REQUIRE((name.file == PACKAGE_MODULE) == (*name.module != 0));
	REQUIRE(name.file != PACKAGE_MODULE || package_name_is_module(name.module));
}

static void read_text(const char *text, size_t size)
{
	struct package_contents c, again;
	struct buf first = BUF_INIT, second = BUF_INIT;
	if (!package_contents_read(text, size, &c))
		return;
	REQUIRE(!*c.release || package_name_is_release(c.release));
	for (size_t i = 0; i < c.count; i++)
		REQUIRE(package_name_is_module(c.modules[i].name));
	package_contents_write(&c, &first);
	REQUIRE(package_contents_read(first.data, first.len, &again));
	package_contents_write(&again, &second);
	REQUIRE(first.len == second.len && !memcmp(first.data, second.data, first.len));
	package_contents_free(&c);
	package_contents_free(&again);
	buf_free(&first);
	buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = strndup((const char *)data, size);
	if (path)
		read_name(path);
	free(path);
	read_text((const char *)data, size);
	return 0;
}
