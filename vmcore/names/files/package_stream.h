/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files in a package of a distribution (.deb and .ddeb: deb(5); .rpm), or in a tar archive,
 * compressed (then it is called NAME.tar.xz and so on) or not, one after the other as they lie in
 * it: there is no way but from its beginning to its end. By libarchive, and by nothing
 * else: a program built without it says so. All that is in a package is an enemy's.
 */
#ifndef VMCORE_NAMES_FILES_PACKAGE_STREAM_H
#define VMCORE_NAMES_FILES_PACKAGE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct package_stream;

/* Whether the regular file at @path begins as a package does; false if it cannot be read. */
bool package_stream_is_package(const char *path);

/*
 * Opens the package at @path. ERR_IO when that cannot be read, ERR_FORMAT when it is none or is
 * damaged, ERR_UNSUPPORTED when this program cannot read it. Messages do not name the file.
 */
__attribute__((warn_unused_result)) struct err *package_stream_open(const char *path,
								    struct package_stream **ret);
void package_stream_close(struct package_stream *s);

/* A file in the package. */
struct package_entry {
	const char *path; /* as the package has it, without a '/' or "./" in front; borrowed until
			   * the next call */
	uint64_t size;	  /* in bytes, as the package claims */
};

/*
 * The next regular file; *ret_end is set when there is none. What was not read of the one before is
 * passed over. ERR_FORMAT when the package is damaged, cut off or grows out of all proportion.
 */
__attribute__((warn_unused_result)) struct err *
package_stream_next(struct package_stream *s, struct package_entry *ret, bool *ret_end);

/* Is handed @len bytes of a file, which belong at @at in it; gaps between them are zeros. An error
 * ends the reading. */
typedef struct err *package_stream_take(void *closure, uint64_t at, const void *data, size_t len);

/* Reads the file that package_stream_next() has named to its end. Errors are those and @take's. */
__attribute__((warn_unused_result)) struct err *
package_stream_read(struct package_stream *s, package_stream_take *take, void *closure);

/* How many bytes of the package have been read, and how many it has. */
uint64_t package_stream_done(const struct package_stream *s);
uint64_t package_stream_total(const struct package_stream *s);

#endif
