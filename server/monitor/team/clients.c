// SPDX-License-Identifier: GPL-2.0-or-later
/* `clients` and `iam`: who looks at the same dump. */
#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/dates.h"
#include "server/monitor/team/team_tables.h"
#include "server/service.h"
#include "server/team/team.h"

enum {
	C_NUMBER,
	C_ME,
	C_NAME,
	C_UID,
	C_PROGRAM,
	C_TARGET,
	C_THREAD,
	C_THREAD_NAME,
	C_FRAME,
	C_SINCE,
	C_DATE,
	C_FOLLOWS,
	C_WAITS,
	C_VALUES
};

static const struct column text_columns[] = {
	{ C_NUMBER, "client", .width = 6 },
	{ C_ME, .before = "*", .instead = " " },
	{ C_NAME, "name", " ", .width = -16, .missing = "" },
	{ C_UID, "uid", " ", .width = 6, .missing = "?" },
	{ C_PROGRAM, "program", "  ", .width = -8, .missing = "unknown" },
	{ C_TARGET, "target", " ", .width = -8 },
	{ C_THREAD, "thread", " ", .width = 9, .missing = "" },
	{ C_FRAME, "frame", " ", .width = 5, .missing = "" },
	{ C_DATE, "since", .before = "  " },
	{ C_FOLLOWS, .before = "  follows" },
	{ C_WAITS, .before = ", waits" },
};
static const struct key json_keys[] = {
	{ C_NUMBER, "client" },	  { C_ME, "self" },
	{ C_NAME, "name" },	  { C_UID, "uid" },
	{ C_PROGRAM, "program" }, { C_TARGET, "target" },
	{ C_THREAD, "tid" },	  { C_THREAD_NAME, "thread" },
	{ C_FRAME, "frame" },	  { C_SINCE, "since" },
	{ C_FOLLOWS, "follows" }, { C_WAITS, "waits" },
};
static const struct key osdata_keys[] = {
	{ C_NUMBER, "client" },		  { C_NAME, "name" },	  { C_UID, "uid" },
	{ C_PROGRAM, "program" },	  { C_TARGET, "target" }, { C_THREAD, "thread" },
	{ C_THREAD_NAME, "thread name" }, { C_FRAME, "frame" },	  { C_DATE, "since" },
	{ C_FOLLOWS, "follows" },
};
static const struct row_kind client_kind = { COLUMNS(text_columns), COLUMNS(json_keys),
					     COLUMNS(osdata_keys) };

/* @date is what the row points to, as is what the target says of the thread. */
static void fill(const struct target_member *m, char date[DATE_SIZE], struct value *v)
{
	const struct target_view *view = m->visitor.view;
	struct target_thread thread;
	v[C_NUMBER] = value_number(m->number);
	v[C_NAME] = value_text(m->name);
	if (m->visitor.has_uid)
		v[C_UID] = value_number(m->visitor.uid);
	v[C_PROGRAM] = value_text(m->program);
	v[C_TARGET] = value_text(target_name(m->target));
	v[C_SINCE] = value_number((uint64_t)m->since);
	if (date_format(m->since, date))
		v[C_DATE] = value_text(date);
	v[C_FOLLOWS] = value_bool(m->follows);
	v[C_WAITS] = value_bool(m->waits);
	if (!view)
		return;
	v[C_THREAD] = value_number(view->tid);
	v[C_FRAME] = value_number(view->frame);
	struct err *e = target_describe_thread(m->target, view->tid, &thread);
	if (!e)
		v[C_THREAD_NAME] = value_text(thread.name);
	err_free(e);
}

static void print(const struct team *team, const struct target_member *me, enum row_printer printer,
		  struct buf *out)
{
	for (const struct target_member *m = team_members(team); m; m = m->next) {
		struct value row[C_VALUES] = { 0 };
		char date[DATE_SIZE];
		fill(m, date, row);
		row[C_ME] = value_bool(m == me);
		row_print(&client_kind, printer, row, out);
	}
}

struct err *monitor_clients(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	if (args->printer == PRINT_TEXT && team_members(service->team))
		row_titles(&client_kind.text, out);
	print(service->team, view->member, args->printer, out);
	if (args->printer == PRINT_TEXT && !team_members(service->team))
		buf_addstr(out, "no clients\n");
	return NULL;
}

struct err *clients_osdata(const struct service *service, struct buf *out)
{
	print(service->team, NULL, PRINT_OSDATA, out);
	return NULL;
}

struct err *monitor_iam(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	if (!view->member)
		return err_new(ERR_INVALID, "only a client of a server has a name");
	struct err *e = args->count ? team_rename(view->member, args->list[0]) : NULL;
	if (e)
		return e;
	buf_addf(out, "client %u: ", view->member->number);
	team_add_who(service->team, view->member, out);
	buf_addch(out, '\n');
	return NULL;
}
