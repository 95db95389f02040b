// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/guest_image.h"

#include "base/buf.h"
#include "base/err.h"
#include "server/files/exports.h"
#include "vmcore/image/elf_writer.h"

static struct err *make(uint16_t machine, const char *build_id, struct buf *out)
{
	struct elf_writer *w;
	struct err *e = elf_writer_new(&w);
	if (e)
		return e;
	e = elf_writer_build_id(w, build_id);
	if (!e)
		e = elf_writer_finish(w, machine, out);
	elf_writer_free(w);
	return e;
}

struct err *guest_image_offer(struct exports *x, uint16_t machine, const char *build_id,
			      struct buf *ret)
{
	struct buf bytes = BUF_INIT;
	buf_reset(ret);
	buf_addf(ret, "/from-dump/guest-%s", build_id ? build_id : "unknown");
	struct err *e = buf_error(ret);
	if (e || exports_has(x, ret->data))
		return e;
	/* 20 bytes, as linkers have them. */
	e = make(machine, build_id ? build_id : "0000000000000000000000000000000000000000", &bytes);
	if (!e)
		e = exports_add_bytes(x, ret->data, &bytes);
	buf_free(&bytes);
	return e;
}
