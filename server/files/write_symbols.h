/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --write-symbols: the generated image as a file. */
#ifndef SERVER_FILES_WRITE_SYMBOLS_H
#define SERVER_FILES_WRITE_SYMBOLS_H

struct err;
struct image_source;

/*
 * Makes the image of @source and writes it to @path, which holds it whole or is what it was before:
 * the bytes go to a file beside it that then takes its name. ERR_INVALID when @path is something
 * that was not written by this: a dump and a vmlinux are never overwritten.
 */
__attribute__((warn_unused_result)) struct err *write_symbols(const struct image_source *source,
							      const char *path);

#endif
