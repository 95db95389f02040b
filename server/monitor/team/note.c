// SPDX-License-Identifier: GPL-2.0-or-later
/* `note` and `notes`: what people write down about a dump. */
#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/dates.h"
#include "server/monitor/noted.h"
#include "server/monitor/team/subject.h"
#include "server/monitor/team/team_tables.h"
#include "server/service.h"
#include "server/team/team.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

/* In a guest's monitor all is about its VM. */
static struct err *subject_of_guest(const struct vmcore *h, const struct monitor_guest *guest,
				    struct note_subject *ret)
{
	struct vm *vms;
	size_t count;
	*ret = (struct note_subject){ .about = NOTE_VM };
	struct err *e = guest->vm(guest->closure, &ret->address);
	if (!e)
		e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		if (vms[i].address == ret->address)
			ret->tid = vms[i].pid;
	return e;
}

struct err *monitor_note(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct note_subject subject = { .about = NOTE_DUMP };
	const char *text = args->text;
	bool named;
	struct buf who = BUF_INIT;
	struct err *e = args->guest ? subject_of_guest(h, args->guest, &subject)
				    : subject_read(h, view, &text, &subject, &named);
	team_add_who(service->team, view->member, &who);
	if (!e)
		e = buf_error(&who);
	if (!e)
		e = notebook_add(service->notes, &subject, who.data, text);
	buf_free(&who);
	if (e)
		return e;
	buf_addstr(out, "noted about ");
	if (subject.about == NOTE_DUMP)
		buf_addstr(out, h->live ? "the machine" : "the dump");
	else
		add_subject(&subject, out);
	if (notebook_path(service->notes)) {
		buf_addstr(out, ", in ");
		add_printable(out, notebook_path(service->notes));
	} else {
		buf_addstr(out, ", for as long as the server runs");
	}
	buf_addch(out, '\n');
	return NULL;
}

enum {
	N_NUMBER,
	N_WHEN,
	N_DATE,
	N_WHO,
	N_ABOUT,
	N_SUBJECT,
	N_TID,
	N_FRAME,
	N_ADDRESS,
	N_TEXT,
	N_VALUES
};

static const struct column text_columns[] = {
	{ N_NUMBER, "note", .width = 4 },
	{ N_DATE, "when", "  ", .width = -23, .missing = "" },
	{ N_WHO, "who", "  ", .width = -20 },
	{ N_SUBJECT, "about", "  ", .width = -24, .missing = "" },
	{ N_TEXT, "text", .before = "  " },
};
static const struct key json_keys[] = {
	{ N_NUMBER, "note" }, { N_WHEN, "when" },   { N_WHO, "who" },	      { N_ABOUT, "about" },
	{ N_TID, "tid" },     { N_FRAME, "frame" }, { N_ADDRESS, "address" }, { N_TEXT, "text" },
};
static const struct key osdata_keys[] = {
	{ N_NUMBER, "note" },	{ N_DATE, "when" }, { N_WHO, "who" },
	{ N_SUBJECT, "about" }, { N_TEXT, "text" },
};
static const struct row_kind note_kind = { COLUMNS(text_columns), COLUMNS(json_keys),
					   COLUMNS(osdata_keys) };

/* @date and @about are what the row points to. */
static void fill(const struct note *note, char date[DATE_SIZE], const char *about, struct value *v)
{
	const struct note_subject *s = &note->subject;
	v[N_NUMBER] = value_number(note->number);
	v[N_WHEN] = value_number((uint64_t)note->when);
	if (date_format(note->when, date))
		v[N_DATE] = value_text(date);
	v[N_WHO] = value_text(note->who);
	v[N_ABOUT] = value_text(note_about_name(s->about));
	v[N_SUBJECT] = value_text(about);
	if (s->tid)
		v[N_TID] = value_number(s->tid);
	if (s->about == NOTE_FRAME)
		v[N_FRAME] = value_number(s->frame);
	if (s->address)
		v[N_ADDRESS] = value_hex(s->address);
	v[N_TEXT] = value_text(note->text);
}

static void print(const struct note *list, size_t count, enum row_printer printer, struct buf *out)
{
	struct buf about = BUF_INIT;
	for (size_t i = 0; i < count; i++) {
		struct value row[N_VALUES] = { 0 };
		char date[DATE_SIZE];
		buf_reset(&about);
		add_subject(&list[i].subject, &about);
		fill(&list[i], date, about.data, row);
		row_print(&note_kind, printer, row, out);
	}
	out->failed |= about.failed;
	buf_free(&about);
}

/* What of the file is not shown, and why. */
static void add_left_out(const struct notebook *notes, struct buf *out)
{
	struct notes_left_out left = notebook_left_out(notes);
	if (left.of_another)
		buf_addf(out, "not shown: %zu of another dump that had this name\n",
			 left.of_another);
	if (left.damaged)
		buf_addf(out, "not shown: %zu line%s that %s no note\n", left.damaged,
			 left.damaged == 1 ? "" : "s", left.damaged == 1 ? "is" : "are");
	if (left.too_many)
		buf_addf(out, "not shown: %zu more than %d\n", left.too_many, NOTES_MAX);
}

struct err *monitor_notes(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	const struct note *list;
	size_t count;
	(void)view;
	struct err *e = notebook_list(service->notes, &list, &count);
	if (e)
		return e;
	if (args->printer == PRINT_TEXT && count)
		row_titles(&note_kind.text, out);
	print(list, count, args->printer, out);
	if (args->printer != PRINT_TEXT)
		return NULL;
	if (!count)
		buf_addstr(out, "no notes\n");
	add_left_out(service->notes, out);
	return NULL;
}

struct err *notes_osdata(const struct service *service, struct buf *out)
{
	const struct note *list;
	size_t count;
	struct err *e = notebook_list(service->notes, &list, &count);
	if (!e)
		print(list, count, PRINT_OSDATA, out);
	return e;
}
