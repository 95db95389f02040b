// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/served_image.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "server/files/exports.h"
#include "server/files/frame_cure.h"
#include "server/files/image_cure.h"
#include "server/files/overlay.h"
#include "server/files/served_name.h"
#include "server/files/vmlinux_index.h"
#include "vmcore/image/arch.h"
#include "vmcore/image/image.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"

struct served_image {
	struct kernel *k;		   /* borrowed */
	struct exports *exports;	   /* borrowed */
	const struct image_source *frames; /* borrowed; NULL: the vmlinux's frames stay */
	struct vmlinux_index *index;	   /* borrowed; NULL: none is made */
	struct overlay indexed; /* what gives the vmlinux its index; empty before, and once done */
	struct buf path;	/* what is served; "" before the search, and after one in vain */
	struct buf stand_in;	/* "" without one */
	char *failure;		/* owned; why there is nothing to serve; NULL if there is */
};

struct served_image *served_image_new(struct kernel *k, struct exports *exports)
{
	struct served_image *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->k = k;
	s->exports = exports;
	buf_init(&s->path);
	buf_init(&s->stand_in);
	return s;
}

void served_image_free(struct served_image *s)
{
	if (!s)
		return;
	buf_free(&s->path);
	buf_free(&s->stand_in);
	overlay_free(&s->indexed);
	free(s->failure);
	free(s);
}

struct err *served_image_stand_in(struct served_image *s, const char *name)
{
	buf_reset(&s->stand_in);
	buf_addstr(&s->stand_in, name);
	return buf_error(&s->stand_in);
}

void served_image_cure_frames(struct served_image *s, const struct image_source *source)
{
	s->frames = source;
}

void served_image_index(struct served_image *s, struct vmlinux_index *index)
{
	s->index = index;
}

static struct err *cure_frames(const struct served_image *s, int fd, struct overlay *overlay)
{
	uint64_t *starts = NULL;
	size_t count = 0;
	if (!s->frames)
		return NULL;
	struct err *e =
		kernel_arch(s->frames->k)->image->stack_changers(s->frames, &starts, &count);
	if (!e && count)
		e = frame_cure(fd, starts, count, overlay);
	free(starts);
	return e;
}

/* Puts @file among the exports under its name, which becomes s->path. */
static struct err *serve_file(struct served_image *s, const struct debug_file *file)
{
	struct overlay overlay = OVERLAY_INIT;
	char *path = served_name(file->path, file->packed, file->in_package);
	if (!path)
		return err_new(ERR_NOTFOUND, "%s is no longer there", file->path);
	struct err *e = NULL;
	if (!exports_has(s->exports, path)) {
		e = image_cure(file->fd, &overlay);
		if (!e)
			e = cure_frames(s, file->fd, &overlay);
		if (!e)
			e = exports_add_fd(s->exports, path, file->fd, &overlay);
		if (!e && s->index)
			vmlinux_index_begin(s->index, file->fd, file->build_id);
	}
	if (!e) {
		buf_addstr(&s->path, path);
		e = buf_error(&s->path);
	}
	overlay_free(&overlay);
	free(path);
	return err_wrap(e, "serve %s", file->path);
}

/* A client could do nothing with what has types at most, nor read those that are BTF: the image
 * that is made has them, too. */
static struct err *check_use(const struct served_image *s, const struct debug_file *file)
{
	if (!file->has_symtab && !file->has_dwarf)
		return err_new(ERR_NOTFOUND, "%s has no symbols", file->path);
	if (!file->has_dwarf && types_btf(kernel_types(s->k)))
		return err_new(ERR_NOTFOUND, "%s has no types that a debugger reads", file->path);
	return NULL;
}

static struct err *serve_vmlinux(struct served_image *s)
{
	struct debug_file *found = NULL;
	const struct debug_file *file = kernel_debug_file(s->k);
	struct err *e = NULL;
	if (!file) {
		e = kernel_find_debug_file(s->k, NULL, 0, &found);
		file = found;
	}
	if (!e)
		e = check_use(s, file);
	if (!e)
		e = serve_file(s, file);
	debug_file_close(found);
	return e;
}

static struct err *choose(struct served_image *s)
{
	struct err *e = serve_vmlinux(s);
	if (!e || err_code(e) == ERR_NOMEM)
		return e;
	log_debug(LOG_SYMBOLS, "no vmlinux to serve: %s", err_msg(e));
	if (s->stand_in.len) {
		err_free(e);
		buf_reset(&s->path);
		buf_addstr(&s->path, s->stand_in.data);
		return buf_error(&s->path);
	}
	if (err_code(e) != ERR_IO)
		s->failure = strdup(err_msg(e));
	return e;
}

/* Who has the vmlinux open goes on with what it has: then it is for those that come later. */
static void use_index(struct served_image *s)
{
	const struct overlay *cures = exports_patches(s->exports, s->path.data);
	if (cures && !s->indexed.count)
		(void)vmlinux_index_take(s->index, cures, &s->indexed);
	if (!s->indexed.count)
		return;
	struct err *e = exports_patch(s->exports, s->path.data, &s->indexed);
	if (e && err_code(e) != ERR_UNSUPPORTED)
		overlay_free(&s->indexed);
	err_free(e);
}

bool served_image_is_ready(struct served_image *s)
{
	if (!s->index || !s->path.len)
		return true;
	bool done = vmlinux_index_is_done(s->index);
	if (done)
		use_index(s);
	return done;
}

void served_image_look_again(struct served_image *s)
{
	free(s->failure);
	s->failure = NULL;
	if (s->stand_in.len && !strcmp(s->path.data, s->stand_in.data))
		buf_reset(&s->path);
}

struct err *served_image_path(struct served_image *s, const struct buf **ret)
{
	struct err *e = NULL;
	if (s->failure)
		return err_new(ERR_NOTFOUND, "%s", s->failure);
	if (!s->path.len)
		e = choose(s);
	if (!e)
		*ret = &s->path;
	return e;
}
