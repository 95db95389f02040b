/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where files go that were taken out of packages: into the folder of --symbol-cache, by build-id as
 * debuggers look for them (FOLDER/.build-id/xx/yyyy.debug), or into files without a name, which are
 * gone with the process however that ends.
 */
#ifndef VMCORE_NAMES_FILES_SYMBOL_CACHE_H
#define VMCORE_NAMES_FILES_SYMBOL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct symbol_cache;

/* @folder is copied; NULL: nothing is kept. It is not looked at yet. */
__attribute__((warn_unused_result)) struct err *symbol_cache_new(const char *folder,
								 struct symbol_cache **ret);
void symbol_cache_free(struct symbol_cache *c);

/* Adds the path of the file of @build_id (hex digits; NULL: unknown) to @out, if one is kept. */
bool symbol_cache_find(const struct symbol_cache *c, const char *build_id, struct buf *out);

/* A new, empty file without a name, to read and write; the caller closes it. In the folder of the
 * cache, else in TMPDIR or /var/tmp. ERR_IO names the folder that did not take it. */
__attribute__((warn_unused_result)) struct err *symbol_cache_file(struct symbol_cache *c, int *ret);
/* Writes all @len bytes of @data at @at in such a file; ERR_IO, which names the folder. */
__attribute__((warn_unused_result)) struct err *
symbol_cache_write(const struct symbol_cache *c, int fd, uint64_t at, const void *data, size_t len);
/* Appends the @len bytes at @at in @from to @to, both such files. */
__attribute__((warn_unused_result)) struct err *
symbol_cache_copy(const struct symbol_cache *c, int from, uint64_t at, uint64_t len, int to);
/* Bytes that the folder has room for; a great number if it does not tell. */
uint64_t symbol_cache_room(int fd);

/*
 * Keeps what such a file holds as that of @build_id: whole or not at all, in the place of what was
 * there. *ret_path is the caller's; NULL where nothing is kept, which symbol_cache_why() explains.
 */
__attribute__((warn_unused_result)) struct err *
symbol_cache_keep(struct symbol_cache *c, int fd, const char *build_id, char **ret_path);

/* Keeps a short text by a @name (no '/' in it), and gives it back: appends it to @out, if it is
 * there and not longer than @most bytes. That it cannot be kept is no error. */
void symbol_cache_keep_text(struct symbol_cache *c, const char *name, const struct buf *text);
bool symbol_cache_text(const struct symbol_cache *c, const char *name, size_t most,
		       struct buf *out);

/* Why the folder that was given does not keep files, one sentence, borrowed; NULL if it does, or
 * none was given. */
const char *symbol_cache_why(const struct symbol_cache *c);

#endif
