/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notes (server/team/notebook.h) beside what they are about. */
#ifndef SERVER_MONITOR_NOTED_H
#define SERVER_MONITOR_NOTED_H

#include <stdbool.h>
#include <stdint.h>

#include "server/team/notebook.h"

struct buf;
struct frames;
struct json;
struct service;

/* Looks whether the notes have changed. A file of notes that cannot be read hides no frame: @out
 * gets a line about it, unless it is JSON that is wanted. */
void noted_look(struct service *service, bool json, struct buf *out);

/* Lines, each behind @indent, and an array "notes" unless it would be empty, of what is noted at
 * just this subject. NULL for @notes: nothing. */
void noted_text(const struct notebook *notes, const struct note_subject *subject,
		const char *indent, struct buf *out);
void noted_json(const struct notebook *notes, const struct note_subject *subject, struct json *j);

/* Notes of a thread as a whole: its own, and those of frames that are not where they were. */
void noted_thread_text(const struct notebook *notes, uint64_t tid, const struct frames *frames,
		       const char *indent, struct buf *out);
void noted_thread_json(const struct notebook *notes, uint64_t tid, const struct frames *frames,
		       struct json *j);

/* "thread 78", "frame 3 of thread 78", "0xffff888003be8000", "vm-103"; nothing for all of the dump.
 */
void add_subject(const struct note_subject *s, struct buf *out);

#endif
