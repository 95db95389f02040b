/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What those share who take files out of packages; others want packages.h. */
#ifndef VMCORE_NAMES_FILES_PACKAGE_PRIVATE_H
#define VMCORE_NAMES_FILES_PACKAGE_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/names/files/package_contents.h"
#include "vmcore/names/files/package_name.h"
#include "vmcore/names/files/package_stream.h"
#include "vmcore/names/files/packages.h"

struct symbol_cache;

/* Modules' files one behind the other. */
struct package_pile {
	int fd; /* owned; -1: none was made */
	uint64_t size;
};

struct package {
	struct package *next;
	char *path;	      /* owned */
	struct buf list_name; /* of the text with its contents in the cache */
	struct package_contents contents;
	/* Owned; the package as far as it was read: open behind the vmlinux. NULL: not open. */
	struct package_stream *stream;
	int vmlinux;		    /* owned; taken out, and not kept in the cache; or -1 */
	struct package_pile aside;  /* what lies before the vmlinux */
	struct package_pile taken;  /* what is wanted, and not kept in the cache */
	bool aside_full;	    /* there was no room for more */
	char *failure;		    /* owned; why it cannot be read; NULL if it can */
	enum err_code failure_code; /* of that */
};

struct packages {
	struct packages_options options;
	struct symbol_cache *cache; /* owned; always there */
	struct package *list;	    /* owned */
	uint64_t shown;		    /* of the package being read: where progress was shown last */
};

/* The package at @path, with what the cache knows of it. Borrowed. */
__attribute__((warn_unused_result)) struct err *package_get(struct packages *p, const char *path,
							    struct package **ret);
/* Begins to read @k anew; or ends that, if it was begun. */
__attribute__((warn_unused_result)) struct err *package_begin(struct packages *p,
							      struct package *k);
void package_end(struct package *k);
/* Keeps @e (borrowed, or NULL) as what is wrong with @k. */
void package_fail(struct package *k, const struct err *e);
/* Keeps what is known of its contents for the next start. */
void package_keep_contents(struct packages *p, const struct package *k);

/* Goes on to the next file of a kernel, and keeps what its path says of the package. *ret_end is
 * set at the package's end, where there is no file. */
__attribute__((warn_unused_result)) struct err *package_next(struct package *k,
							     struct package_entry *ret_entry,
							     struct package_name *ret_name,
							     bool *ret_end);

/* The entry of a module called @name that is met in this reading of the package; good until the
 * next is met. */
__attribute__((warn_unused_result)) struct err *
package_meet_module(struct package *k, const char *name, struct package_module **ret);
/* Puts the module that is at hand aside, if there is room. */
__attribute__((warn_unused_result)) struct err *package_put_aside(struct packages *p,
								  struct package *k,
								  const struct package_entry *entry,
								  struct package_module *m);

/* Whether @k is known to be of another kernel than @release (NULL: unknown). */
bool package_is_of_other(const struct package *k, const char *release);

/* A file being written, as package_stream_read() hands it out. */
struct package_writer {
	struct packages *p;
	struct package *k;
	int fd;
	uint64_t start; /* where it begins in fd */
	uint64_t most;	/* bytes it may have */
	uint64_t size;	/* it has so far */
	/* Looks at what is there so far; an error ends the writing. May be NULL. */
	struct err *(*look)(struct package_writer *w);
};
/* Writes the file at hand to its end. */
__attribute__((warn_unused_result)) struct err *package_write(struct package_writer *w);
/* If what was written alone to *@fd is compressed, puts what it unpacks to in its place. */
__attribute__((warn_unused_result)) struct err *package_unpack(struct packages *p, int *fd,
							       uint64_t most);

#endif
