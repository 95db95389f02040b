/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that clients may read over the connection: a list of names, each with where its bytes
 * come from. A name is what a client asks for, character by character; that it looks like a path
 * means nothing here, and no name from a client is given to the system.
 *
 * A file is added once and stays for as long as the list does. Adding opens nothing and makes
 * nothing; that happens when the first client opens it.
 */
#ifndef SERVER_FILES_EXPORTS_H
#define SERVER_FILES_EXPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/target.h"

struct buf;
struct err;
struct exports;
struct overlay;

struct exports *exports_new(void); /* NULL when memory is out */
/* After the last session: all files are closed. NULL is allowed. */
void exports_free(struct exports *x);

/*
 * Each adds a file called @name, an absolute path (copied). ERR_INVALID for a name that is none,
 * or is there already: ask exports_has() before.
 */

/*
 * The file that is open as @fd, with the bytes of @overlay in the place of its own. @fd is
 * duplicated; the overlay is taken, and empty afterwards, on success. NULL: none.
 */
__attribute__((warn_unused_result)) struct err *exports_add_fd(struct exports *x, const char *name,
							       int fd, struct overlay *overlay);

/* What the file called @name, one of those, is changed in when it is served; NULL if there is
 * none. */
const struct overlay *exports_patches(const struct exports *x, const char *name);

/*
 * Changes more in it. @more is taken on success, and empty afterwards. ERR_UNSUPPORTED while a
 * client has the file open: nothing changes under its eyes.
 */
__attribute__((warn_unused_result)) struct err *exports_patch(struct exports *x, const char *name,
							      struct overlay *more);

/* The regular file at @path (copied), opened as long as a client has it open. */
__attribute__((warn_unused_result)) struct err *
exports_add_path(struct exports *x, const char *name, const char *path);

/*
 * Makes a file's bytes. Called when a client first opens it, and again until *ret_done (false
 * before each call), in slices that other clients can wait for: some 50 ms. What it appends to
 * @out stays from call to call. An error ends it, and is what everybody gets who opens the file,
 * but for ERR_IO and ERR_NOMEM, which may pass: then the bytes are made from the beginning.
 */
typedef struct err *export_maker(void *closure, struct buf *out, bool *ret_done);

/* A file in memory. @closure is borrowed and must outlive @x. */
__attribute__((warn_unused_result)) struct err *
exports_add_made(struct exports *x, const char *name, export_maker *make, void *closure);

/* A file in memory, of the bytes of @bytes, which are moved out of it. */
__attribute__((warn_unused_result)) struct err *
exports_add_bytes(struct exports *x, const char *name, struct buf *bytes);

/* Whether @file, which a client has open, is the one called @name. */
bool exports_is(const struct target_file *file, const char *name);

bool exports_has(const struct exports *x, const char *name);

/* A slice of making the file called @name, if it is one that is made. True once that is done, has
 * failed, or is not to be done: nothing of it is held. */
bool exports_prepare(struct exports *x, const char *name);

/* What struct target_file_ops says, with these for `self`. */
__attribute__((warn_unused_result)) struct err *exports_open(struct exports *x, const char *name,
							     struct target_file **ret);
__attribute__((warn_unused_result)) struct err *
exports_read(struct target_file *file, uint64_t offset, void *out, size_t len, size_t *ret_done);
__attribute__((warn_unused_result)) struct err *exports_status(struct target_file *file,
							       struct target_file_status *ret);
void exports_close(struct target_file *file);

#endif
