// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/files/library_lists.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/files/libraries.h"
#include "vmcore/vmcore.h"

/* One document. */
struct library_list {
	struct buf document; /* complete once done is set */
	bool done;
	size_t next;		  /* module whose turn it is */
	unsigned files_arrived;	  /* so many when it was begun */
	uint64_t code_generation; /* the machine's then */
	struct library_list *before;
};

struct library_lists {
	struct library_source source;
	bool has_image;
	struct library_list *last; /* owned; NULL before any is asked for */
};

struct err *library_lists_new(const struct library_source *source, bool has_image,
			      struct library_lists **ret)
{
	struct library_lists *l = calloc(1, sizeof(*l));
	if (!l)
		return err_nomem();
	l->source = *source;
	l->has_image = has_image;
	*ret = l;
	return NULL;
}

static void free_last(struct library_lists *l)
{
	struct library_list *before = l->last->before;
	buf_free(&l->last->document);
	free(l->last);
	l->last = before;
}

void library_lists_free(struct library_lists *l)
{
	while (l && l->last)
		free_last(l);
	free(l);
}

/* The list that was just made is kept only if it says something new: older ones may be in use. */
static void drop_if_same(struct library_lists *lists)
{
	struct library_list *l = lists->last, *before = l->before;
	if (!before || before->document.len != l->document.len ||
	    memcmp(before->document.data, l->document.data, l->document.len) != 0)
		return;
	before->files_arrived = l->files_arrived;
	before->code_generation = l->code_generation;
	free_last(lists);
}

/* The list to make, or that was made, of the files that are here now; NULL: no memory. */
static struct library_list *current_list(struct library_lists *lists, unsigned files_arrived)
{
	uint64_t code_generation = lists->source.vmcore->code_generation;
	struct library_list *l = lists->last;
	if (l && l->files_arrived == files_arrived && l->code_generation == code_generation)
		return l;
	if (!l || l->done) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return NULL;
		buf_init(&l->document);
		l->before = lists->last;
		lists->last = l;
	}
	buf_reset(&l->document);
	l->next = 0;
	l->files_arrived = files_arrived;
	l->code_generation = code_generation;
	return l;
}

struct err *library_lists_get(struct library_lists *lists, unsigned files_arrived,
			      const struct buf **ret)
{
	struct library_list *l = current_list(lists, files_arrived);
	if (!l)
		return err_nomem();
	if (!l->done) {
		struct err *e = libraries_continue(&lists->source, lists->has_image, &l->next,
						   &l->document, &l->done);
		if (e)
			return e;
		if (l->done)
			drop_if_same(lists);
	}
	*ret = lists->last->done ? &lists->last->document : NULL;
	return NULL;
}
