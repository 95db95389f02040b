// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/noted.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/regs.h"
#include "server/monitor/dates.h"
#include "server/service.h"
#include "unwind/unwind.h"

void noted_look(struct service *service, bool json, struct buf *out)
{
	const struct note *list;
	size_t count;
	struct err *e = notebook_list(service->notes, &list, &count);
	if (e && !json)
		buf_addf(out, "no notes are shown: %s\n", err_msg(e));
	err_free(e);
}

/* ---- at one thing ---- */

static bool is_about(const struct note_subject *a, const struct note_subject *b)
{
	return a->about == b->about && a->tid == b->tid && a->frame == b->frame &&
	       a->address == b->address;
}

static void note_text(const struct note *note, const char *indent, const char *where,
		      struct buf *out)
{
	char date[DATE_SIZE];
	buf_addf(out, "%snote %zu, ", indent, note->number);
	add_printable(out, note->who);
	if (date_format(note->when, date))
		buf_addf(out, ", %s", date);
	buf_addf(out, "%s: ", where);
	add_printable(out, note->text);
	buf_addch(out, '\n');
}

static void note_json(const struct note *note, bool *open, struct json *j)
{
	if (!*open)
		json_array(j, "notes");
	*open = true;
	json_object(j, NULL);
	json_u64(j, "note", note->number);
	json_u64(j, "when", (uint64_t)note->when);
	json_str(j, "who", note->who);
	json_str(j, "text", note->text);
	json_end(j);
}

void noted_text(const struct notebook *notes, const struct note_subject *subject,
		const char *indent, struct buf *out)
{
	const struct note *list = NULL;
	size_t count = 0;
	if (notes)
		notebook_known(notes, &list, &count);
	for (size_t i = 0; i < count; i++)
		if (is_about(&list[i].subject, subject))
			note_text(&list[i], indent, "", out);
}

void noted_json(const struct notebook *notes, const struct note_subject *subject, struct json *j)
{
	const struct note *list = NULL;
	size_t count = 0;
	bool open = false;
	if (notes)
		notebook_known(notes, &list, &count);
	for (size_t i = 0; i < count; i++)
		if (is_about(&list[i].subject, subject))
			note_json(&list[i], &open, j);
	if (open)
		json_end(j);
}

/* ---- at a thread ---- */

/* Whether the frame is not the one that the note was written at. */
static bool has_moved(const struct note_subject *s, const struct frames *frames)
{
	const struct frame *f = s->frame < frames->count ? &frames->list[s->frame] : NULL;
	return !f || !regs_pc_known(&f->regs) || regs_pc(&f->regs) != s->address;
}

static bool is_of_thread(const struct note_subject *s, uint64_t tid, const struct frames *frames)
{
	return s->tid == tid &&
	       (s->about == NOTE_THREAD || (s->about == NOTE_FRAME && has_moved(s, frames)));
}

void noted_thread_text(const struct notebook *notes, uint64_t tid, const struct frames *frames,
		       const char *indent, struct buf *out)
{
	const struct note *list = NULL;
	size_t count = 0;
	if (notes)
		notebook_known(notes, &list, &count);
	for (size_t i = 0; i < count; i++) {
		const struct note_subject *s = &list[i].subject;
		char where[80] = "";
		if (!is_of_thread(s, tid, frames))
			continue;
		if (s->about == NOTE_FRAME)
			snprintf(where, sizeof(where),
				 ", at what was frame %u then, with rip 0x%" PRIx64, s->frame,
				 s->address);
		note_text(&list[i], indent, where, out);
	}
}

void noted_thread_json(const struct notebook *notes, uint64_t tid, const struct frames *frames,
		       struct json *j)
{
	const struct note *list = NULL;
	size_t count = 0;
	bool open = false;
	if (notes)
		notebook_known(notes, &list, &count);
	for (size_t i = 0; i < count; i++)
		if (is_of_thread(&list[i].subject, tid, frames))
			note_json(&list[i], &open, j);
	if (open)
		json_end(j);
}

void add_subject(const struct note_subject *s, struct buf *out)
{
	switch (s->about) {
	case NOTE_DUMP:
		break;
	case NOTE_THREAD:
		buf_addf(out, "thread %" PRIu64, s->tid);
		break;
	case NOTE_FRAME:
		buf_addf(out, "frame %u of thread %" PRIu64, s->frame, s->tid);
		break;
	case NOTE_ADDRESS:
		buf_addf(out, "0x%" PRIx64, s->address);
		break;
	case NOTE_VM:
		if (s->tid)
			buf_addf(out, "vm-%" PRIu64, s->tid);
		else
			buf_addf(out, "vm-0x%" PRIx64, s->address);
		break;
	}
}
