/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people write down about a dump: its threads, frames, addresses and virtual machines. Notes
 * lie in a file of their own, a line each, to which several servers may add at the same time. They
 * are read again when the file has changed. The file is as hostile as a dump: what is no note is
 * passed over, and said to be.
 *
 * A line is nine fields (base/fields.h): "note1", seconds since 1970, who, which dump, what
 * it is about (enum note_about by its name), thread (or the VM's process), frame, address, text.
 */
#ifndef SERVER_TEAM_NOTEBOOK_H
#define SERVER_TEAM_NOTEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct buf;
struct notebook;

enum note_about {
	NOTE_DUMP,   /* all of it */
	NOTE_THREAD, /* tid */
	NOTE_FRAME,  /* tid, frame, and address: the frame's rip */
	NOTE_ADDRESS,
	NOTE_VM, /* tid: its process; address: its struct kvm */
};

/* What a note is about; members that the kind has no use for are 0. */
struct note_subject {
	enum note_about about;
	uint64_t tid;
	unsigned frame;
	uint64_t address;
};

struct note {
	size_t number; /* from 1 on, in the order of the file */
	int64_t when;  /* seconds since 1970 */
	struct note_subject subject;
	/* Owned, any bytes but 0. */
	char *who, *text;
};

/* Of a note's text, in bytes; of notes of a dump that are shown. */
enum { NOTE_TEXT_MAX = 4096, NOTES_MAX = 10000 };

/*
 * @path (copied) is the file, NULL: there is none, and notes last as long as this process. @mode:
 * its rights when it is made. @dump (copied) is what tells this dump from another one that takes
 * its name.
 */
ERR_MUST_CHECK struct err *notebook_new(const char *path, mode_t mode, const char *dump,
					struct notebook **ret);
void notebook_free(struct notebook *n);

/* The file, or NULL. */
const char *notebook_path(const struct notebook *n);

/*
 * All that are known now, the oldest first; borrowed until the next call. A file that cannot be
 * read is an error; that there is none is not.
 */
ERR_MUST_CHECK struct err *notebook_list(struct notebook *n, const struct note **ret,
					 size_t *ret_count);
/* The same without looking at the file, for what shows many things one after the other. */
void notebook_known(const struct notebook *n, const struct note **ret, size_t *ret_count);
/* Of the file's lines as notebook_list() saw it: those that are no notes, those of another dump,
 * and those for which there was no more room. */
struct notes_left_out {
	size_t damaged, of_another, too_many;
};
struct notes_left_out notebook_left_out(const struct notebook *n);

/* Adds one. ERR_INVALID for a text that is too long or has nothing in it, ERR_IO with what to do if
 * it cannot be kept. */
ERR_MUST_CHECK struct err *notebook_add(struct notebook *n, const struct note_subject *subject,
					const char *who, const char *text);

const char *note_about_name(enum note_about about);

#endif
