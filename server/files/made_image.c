// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/made_image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/files.h"
#include "base/log.h"
#include "base/map.h"
#include "config.h"
#include "server/files/exports.h"
#include "server/files/symbol_file.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/arch.h"
#include "vmcore/image/image.h"
#include "vmcore/image/made_names.h"
#include "vmcore/image/module_names.h"
#include "vmcore/kernel/kernel.h"

/* The names of modules that had no file when a client asked. */
struct made_names {
	struct made_names *next;
	const struct made_image *made; /* borrowed */
	bool *wanted;		       /* owned; by index of the modules */
	struct buf name;
};

struct made_image {
	struct image_source source;
	struct image *image;	     /* owned; while it is being made */
	struct entry_frames *frames; /* owned; while they are being made */
	struct buf name;
	struct buf kept;	  /* the file in --symbol-cache, or "" */
	struct made_names *names; /* owned; the latest first */
	unsigned names_count;
};

/* Clients get the image all the same if that fails. */
static void keep(const struct made_image *m, const struct buf *image)
{
	if (!m->kept.len)
		return;
	struct err *e = symbol_file_check(m->kept.data);
	if (!e)
		e = symbol_file_write(m->kept.data, image);
	if (e)
		log_debug(LOG_SYMBOLS, "--symbol-cache: %s", err_msg(e));
	err_free(e);
}

static struct err *make(void *closure, struct buf *out, bool *ret_done)
{
	struct made_image *m = closure;
	bool done = false;
	if (!m->image && m->kept.len && symbol_file_read(m->kept.data, out)) {
		*ret_done = true;
		return NULL;
	}
	struct err *e = m->image ? NULL : image_new(&m->source, &m->image);
	if (!e)
		e = image_step(m->image, out, &done);
	if (e || done) {
		image_free(m->image);
		m->image = NULL;
	}
	if (!e && done)
		keep(m, out);
	if (!e)
		*ret_done = done;
	return e;
}

const char made_entry_frames_name[] = "/from-dump/entry-code-frames";

static struct err *make_entry_frames(void *closure, struct buf *out, bool *ret_done)
{
	struct made_image *m = closure;
	const struct image_arch *arch = kernel_arch(m->source.k)->image;
	bool done = false;
	struct err *e = m->frames ? NULL : arch->entries_new(&m->source, &m->frames);
	if (!e)
		e = arch->entries_step(m->frames, out, &done);
	if (e || done) {
		arch->entries_free(m->frames);
		m->frames = NULL;
	}
	if (!e)
		*ret_done = done;
	return e;
}

const char made_names_name[] = "/from-dump/code-made-at-run-time";

static struct err *make_made_names(void *closure, struct buf *out, bool *ret_done)
{
	const struct made_image *m = closure;
	struct err *e = made_names_make(&m->source, out);
	if (!e)
		*ret_done = true;
	return e;
}

static struct err *make_names(void *closure, struct buf *out, bool *ret_done)
{
	const struct made_names *n = closure;
	struct err *e = module_names_make(&n->made->source, n->wanted, out);
	if (!e)
		*ret_done = true;
	return e;
}

static void free_names(struct made_names *n)
{
	buf_free(&n->name);
	free(n->wanted);
	free(n);
}

struct err *made_image_module_names(struct made_image *m, const bool *wanted,
				    struct exports *exports, const char **ret_name)
{
	size_t size = code_map_modules(m->source.code)->count * sizeof(*wanted);
	/* Of the others the modules' files have come since. */
	struct made_names *n = m->names;
	while (n && memcmp(n->wanted, wanted, size) != 0)
		n = n->next;
	if (n) {
		*ret_name = n->name.data;
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (!n)
		return err_nomem();
	n->made = m;
	buf_init(&n->name);
	buf_addstr(&n->name, "/from-dump/modules-without-file");
	if (m->names_count)
		buf_addf(&n->name, "-%u", m->names_count + 1);
	n->wanted = malloc(size + 1);
	struct err *e = n->wanted ? buf_error(&n->name) : err_nomem();
	if (!e) {
		memcpy(n->wanted, wanted, size);
		e = exports_add_made(exports, n->name.data, make_names, n);
	}
	if (e) {
		free_names(n);
		return e;
	}
	n->next = m->names;
	m->names = n;
	m->names_count++;
	*ret_name = n->name.data;
	return NULL;
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
	buf_init(&m->kept);
	struct err *e = choose_name(m);
	if (!e)
		e = exports_add_made(exports, m->name.data, make, m);
	if (e) {
		made_image_free(m);
		return e;
	}
	*ret = m;
	return NULL;
}

struct err *made_image_offer_entry_frames(struct made_image *m, struct exports *exports)
{
	return exports_add_made(exports, made_entry_frames_name, make_entry_frames, m);
}

struct err *made_image_offer_made_names(struct made_image *m, struct exports *exports)
{
	return exports_add_made(exports, made_names_name, make_made_names, m);
}

void made_image_free(struct made_image *m)
{
	if (!m)
		return;
	while (m->names) {
		struct made_names *next = m->names->next;
		free_names(m->names);
		m->names = next;
	}
	image_free(m->image);
	if (m->frames)
		kernel_arch(m->source.k)->image->entries_free(m->frames);
	buf_free(&m->name);
	buf_free(&m->kept);
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

/* A number for the files as they are now, and for the program that makes the image. */
static struct err *identify(const char *const *paths, size_t count, uint64_t *ret)
{
	uint64_t id = 0;
	for (const char *c = PACKAGE_STRING; *c; c++)
		id = map_hash(id + (unsigned char)*c);
	for (size_t i = 0; i < count; i++) {
		struct stat st;
		if (files_stat(paths[i], &st) != 0)
			return err_errno(errno, "%s", paths[i]);
		const uint64_t words[] = { st.st_dev, st.st_ino, (uint64_t)st.st_size,
					   (uint64_t)st.st_mtim.tv_sec,
					   (uint64_t)st.st_mtim.tv_nsec };
		for (size_t n = 0; n < sizeof(words) / sizeof(*words); n++)
			id = map_hash(id + words[n]);
	}
	*ret = id;
	return NULL;
}

struct err *made_image_keep(struct made_image *m, const char *folder, const char *const *paths,
			    size_t count)
{
	uint64_t id = 0;
	const char *base = strrchr(m->name.data, '/');
	struct err *e = identify(paths, count, &id);
	if (e)
		return err_wrap(e, "--symbol-cache");
	buf_reset(&m->kept);
	buf_addf(&m->kept, "%s%s-%016" PRIx64 ".symbols", folder, base, id);
	return buf_error(&m->kept);
}
