// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/overlay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void overlay_free(struct overlay *o)
{
	for (size_t i = 0; i < o->count; i++)
		free(o->list[i].bytes);
	free(o->list);
	*o = (struct overlay)OVERLAY_INIT;
}

static uint64_t patch_end(const struct overlay_patch *p)
{
	return p->offset + p->len;
}

/* The first patch that ends behind @offset. */
static size_t first_behind(const struct overlay *o, uint64_t offset)
{
	size_t low = 0, high = o->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (patch_end(&o->list[middle]) > offset)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static struct err *patched_twice(uint64_t offset)
{
	return err_new(ERR_INVALID, "the bytes at 0x%" PRIx64 " are patched twice", offset);
}

struct err *overlay_add(struct overlay *o, uint64_t offset, const void *bytes, size_t len)
{
	size_t at = first_behind(o, offset);
	if (!len || offset > INT64_MAX || len > INT64_MAX - offset)
		return err_new(ERR_INVALID, "no file has bytes at 0x%" PRIx64, offset);
	if (at < o->count && o->list[at].offset < offset + len)
		return patched_twice(offset);
	struct overlay_patch *list = reallocarray(o->list, o->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	o->list = list;
	unsigned char *copy = malloc(len);
	if (!copy)
		return err_nomem();
	memcpy(copy, bytes, len);
	memmove(list + at + 1, list + at, (o->count - at) * sizeof(*list));
	list[at] = (struct overlay_patch){ offset, copy, len };
	o->count++;
	return NULL;
}

struct err *overlay_move(struct overlay *o, struct overlay *more)
{
	for (size_t i = 0; i < more->count; i++) {
		const struct overlay_patch *p = &more->list[i];
		size_t at = first_behind(o, p->offset);
		if (at < o->count && o->list[at].offset < patch_end(p))
			return patched_twice(p->offset);
	}
	struct overlay_patch *list =
		reallocarray(o->list, o->count + more->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	o->list = list;
	for (size_t i = 0; i < more->count; i++) {
		size_t at = first_behind(o, more->list[i].offset);
		memmove(list + at + 1, list + at, (o->count - at) * sizeof(*list));
		list[at] = more->list[i];
		o->count++;
	}
	free(more->list);
	*more = (struct overlay)OVERLAY_INIT;
	return NULL;
}

uint64_t overlay_end(const struct overlay *o)
{
	return o->count ? patch_end(&o->list[o->count - 1]) : 0;
}

void overlay_apply(const struct overlay *o, uint64_t offset, void *data, size_t len)
{
	uint64_t end = offset + len;
	for (size_t i = first_behind(o, offset); i < o->count && o->list[i].offset < end; i++) {
		const struct overlay_patch *p = &o->list[i];
		uint64_t from = p->offset > offset ? p->offset : offset;
		uint64_t to = patch_end(p) < end ? patch_end(p) : end;
		memcpy((char *)data + (from - offset), p->bytes + (from - p->offset),
		       (size_t)(to - from));
	}
}
