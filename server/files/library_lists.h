/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The documents of qXfer:libraries for clients of one kind, over time: each is made a part at a
 * time when it is asked for, and made anew when files have arrived or modules come and gone. A
 * client may still be reading an older one.
 */
#ifndef SERVER_FILES_LIBRARY_LISTS_H
#define SERVER_FILES_LIBRARY_LISTS_H

#include <stdbool.h>

struct buf;
struct err;
struct library_lists;
struct library_source; /* libraries.h */

/* @source is copied; what it points at must outlive the result. @has_image: as in libraries.h. An
 * error only when memory is out. */
__attribute__((warn_unused_result)) struct err *
library_lists_new(const struct library_source *source, bool has_image, struct library_lists **ret);
void library_lists_free(struct library_lists *l);

/* Makes the next part of the document of what is here now; @files_arrived counts the files that
 * have arrived so far. *ret is that document, borrowed until @l is freed; NULL if it is not all
 * there yet: ask again. An error only when memory is out. */
__attribute__((warn_unused_result)) struct err *
library_lists_get(struct library_lists *l, unsigned files_arrived, const struct buf **ret);

#endif
