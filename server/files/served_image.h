/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own image for a client that has none: which file that is, and what is changed in it
 * on the way. The file on disk is not touched.
 *
 * Nothing is looked for before a client asks: a dump that holds symbols and types needs no vmlinux,
 * and most clients bring theirs.
 */
#ifndef SERVER_FILES_SERVED_IMAGE_H
#define SERVER_FILES_SERVED_IMAGE_H

#include <stdbool.h>

struct buf;
struct err;
struct exports;
struct image_source;
struct kernel;
struct served_image;
struct vmlinux_index;

/* Both are borrowed and must outlive the result. NULL when memory is out. */
struct served_image *served_image_new(struct kernel *k, struct exports *exports);
void served_image_free(struct served_image *s);

/*
 * An image that is made from the dump stands in when there is no vmlinux: @name of the exports,
 * copied. Before the first served_image_path().
 */
__attribute__((warn_unused_result)) struct err *served_image_stand_in(struct served_image *s,
								      const char *name);

/*
 * Unwind entries that are wrong, by what @source tells, are taken out of the vmlinux that is
 * served: better ones come beside it (image/entry_frames.h). Before the first served_image_path().
 * @source is borrowed and must outlive @s.
 */
void served_image_cure_frames(struct served_image *s, const struct image_source *source);

/* The vmlinux that is served gets an index by @index, borrowed, which must outlive @s. Before the
 * first served_image_path(). */
void served_image_index(struct served_image *s, struct vmlinux_index *index);

/* True once there is nothing to wait for, whoever opens the image next: its index is there, or
 * there will be none. Never waits long. */
bool served_image_is_ready(struct served_image *s);

/*
 * The name in the exports of the image to serve, borrowed: the vmlinux that is in use, else one
 * that is found in the usual places by release and build-id, else what stands in. The answer is
 * kept. ERR_NOTFOUND when there is none, with the places that were looked at and the package.
 */
__attribute__((warn_unused_result)) struct err *served_image_path(struct served_image *s,
								  const struct buf **ret);

/* A vmlinux may have come since: where the last answer was the image that stands in, or that there
 * is none, the next is looked for anew. A client that has read the old one may go on. */
void served_image_look_again(struct served_image *s);

#endif
