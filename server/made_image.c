// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/made_image.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/exports.h"
#include "server/image/entry_frames.h"
#include "server/image/image.h"
#include "server/kernel/kernel.h"

struct made_image {
	struct image_source source;
	struct image *image; /* owned; while it is being made */
	struct buf name;
};

static struct err *make(void *closure, struct buf *out, bool *ret_done)
{
	struct made_image *m = closure;
	bool done = false;
	struct err *e = m->image ? NULL : image_new(&m->source, &m->image);
	if (!e)
		e = image_step(m->image, out, &done);
	if (e || done) {
		image_free(m->image);
		m->image = NULL;
	}
	if (!e)
		*ret_done = done;
	return e;
}

const char made_entry_frames_name[] = "/from-dump/entry-code-frames";

static struct err *make_entry_frames(void *closure, struct buf *out, bool *ret_done)
{
	const struct made_image *m = closure;
	struct err *e = entry_frames_make(&m->source, out);
	if (!e)
		*ret_done = true;
	return e;
}

/* "/from-dump/vmlinux-6.1.0-56-cloud-amd64": debuggers show it. */
static struct err *choose_name(struct made_image *m)
{
	buf_addstr(&m->name, "/from-dump/vmlinux");
	const char *release = kernel_release(m->source.k);
	if (*release)
		buf_addch(&m->name, '-');
	for (; *release; release++)
		buf_addch(&m->name,
			  *release > ' ' && *release < 0x7f && *release != '/' ? *release : '_');
	return buf_error(&m->name);
}

struct err *made_image_new(const struct image_source *source, struct exports *exports,
			   struct made_image **ret)
{
	struct made_image *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	m->source = *source;
	buf_init(&m->name);
	struct err *e = choose_name(m);
	if (!e)
		e = exports_add_made(exports, m->name.data, make, m);
	if (!e)
		e = exports_add_made(exports, made_entry_frames_name, make_entry_frames, m);
	if (e) {
		made_image_free(m);
		return e;
	}
	*ret = m;
	return NULL;
}

void made_image_free(struct made_image *m)
{
	if (!m)
		return;
	image_free(m->image);
	buf_free(&m->name);
	free(m);
}

const char *made_image_name(const struct made_image *m)
{
	return m->name.data;
}

const struct image_source *made_image_source(const struct made_image *m)
{
	return &m->source;
}
