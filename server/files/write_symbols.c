// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/write_symbols.h"

#include "base/buf.h"
#include "base/err.h"
#include "server/files/symbol_file.h"
#include "vmcore/image/image.h"

struct err *write_symbols(const struct image_source *source, const char *path)
{
	struct image *image = NULL;
	struct buf bytes = BUF_INIT;
	bool done = false;
	struct err *e = symbol_file_check(path);
	if (!e)
		e = image_new(source, &image);
	while (!e && !done)
		e = image_step(image, &bytes, &done);
	image_free(image);
	if (!e)
		e = symbol_file_write(path, &bytes);
	buf_free(&bytes);
	return err_wrap(e, "--write-symbols");
}
