/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump is made of: a source of pages, and what is known of it. Each format and each kind of
 * live memory is such a source, and nothing but its own files knows which.
 */
#ifndef VMCORE_DUMP_SOURCE_H
#define VMCORE_DUMP_SOURCE_H

#include "base/buf.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/notes.h"

/* NULL where a source has no such thing; all but pages and close are for memory that changes. */
struct source_ops {
	/* What pages are read from; lasts until close. */
	struct page_source (*pages)(void *self);
	/* Replaces the notes by those of now, of a machine that was stopped. ERR_IO, also if it
	 * runs. */
	struct err *(*notes)(void *self, struct notes *notes);
	/* As dump_look(): DUMP_SWITCHED of a machine that is stopped has the notes read anew. Tells
	 * @info what it sees, info->running too. */
	enum dump_change (*look)(void *self, struct dump_info *info);
	/* As dump_renew(). */
	void (*renew)(void *self, struct dump_info *info);
	/* As dump_is_still(); NULL: of what is live nothing is, of what is not everything. */
	bool (*still)(void *self);
	void (*close)(void *self);
};

/* The parts of a dump while it is put together; all of them are owned. */
struct dump_parts {
	const struct source_ops *ops; /* NULL as long as there is no @self to close */
	void *self;
	struct notes notes;
	/* What of it is borrowed from the dump may stay NULL but for memory_note, which the source
	 * has: the dump fills it in from the rest. */
	struct dump_info info;
	char *format;	     /* info.format */
	struct buf kallsyms; /* info.kallsyms */
	char *kallsyms_why;  /* info.kallsyms_why */
};

void dump_parts_free(struct dump_parts *parts);

/* Makes a dump of @parts, which it takes and which are empty then, also if it fails: ERR_NOMEM. */
__attribute__((warn_unused_result)) struct err *dump_of_parts(struct dump_parts *parts,
							      struct dump **ret);

#endif
