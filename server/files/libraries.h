/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The document of qXfer:libraries:read: the files beside the kernel's image that gdb is to load. */
#ifndef SERVER_FILES_LIBRARIES_H
#define SERVER_FILES_LIBRARIES_H

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct err;
struct exports;
struct made_image;
struct vmcore;

/* What the files are of, and where they are put; all borrowed. */
struct library_source {
	struct vmcore *vmcore;
	struct exports *exports;
	struct made_image *made;
	bool entry_frames; /* those of entry code are a library, too */
};

/*
 * Appends the next part of the document (gdb manual, "Library List Format") to @out: *next (0 at
 * first) counts the modules that are done, and *ret_done says that all is there. A module whose
 * file was found is a library, and its file one that clients may read. It has the addresses of all
 * its sections that take memory, in their order in the file; gdb takes no other number. One more
 * library has the names of the other modules (image/module_names.h), unless the vmlinux in use has
 * them; not for a client with the image that is made of the dump (@has_image), which has those,
 * too. An error only when memory is out.
 */
__attribute__((warn_unused_result)) struct err *
libraries_continue(const struct library_source *source, bool has_image, size_t *next,
		   struct buf *out, bool *ret_done);

#endif
