// SPDX-License-Identifier: GPL-2.0-or-later
/* `info --layout`: the members of kernel structures that are asked for, and which there are not. */
#include "vmcore/layout.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/monitor/commands.h"
#include "server/service.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/types/wants.h"
#include "vmcore/vmcore.h"

enum {
	OF_TYPE,
	OF_MEMBER, /* its name, in this kernel or the first of its names */
	OF_SUBJECT,
	OF_THERE,
	OF_OFFSET,
	OF_SIZE,
	OF_NAMES,	/* all of them */
	OF_OTHER_NAMES, /* those behind the first, where it has none of them */
	OF_HOW,		/* it was proven, where types are not known */
	OF_VALUES
};

static const struct column text_columns[] = {
	{ OF_TYPE, .before = "  ", .after = "." },
	{ OF_MEMBER, .before = "" },
	{ OF_OTHER_NAMES, .before = "" },
	{ OF_OFFSET, .before = "  at " },
	{ OF_SIZE, .before = ", ", .unit = " byte" },
	{ OF_HOW, .before = ": " },
};

static const struct key json_keys[] = {
	{ OF_SUBJECT, "subject" }, { OF_TYPE, "type" },	    { OF_MEMBER, "member" },
	{ OF_THERE, "there" },	   { OF_OFFSET, "offset" }, { OF_SIZE, "size" },
	{ OF_NAMES, "names" },	   { OF_HOW, "how" },
};

static const struct row_kind layout_kind = { .text = COLUMNS(text_columns),
					     .json = COLUMNS(json_keys) };

static void names_json(const void *of, const char *key, struct json *j)
{
	const struct want *w = of;
	json_array(j, key);
	for (size_t i = 0; i < WANT_PATHS && w->paths[i]; i++)
		json_str(j, NULL, w->paths[i]);
	json_end(j);
}

static void other_names_text(const void *of, struct buf *out)
{
	const struct want *w = of;
	for (size_t i = 1; i < WANT_PATHS && w->paths[i]; i++)
		buf_addf(out, ", %s", w->paths[i]);
}

static void print(const struct layout_row *row, enum row_printer printer, struct buf *out)
{
	static const struct value_printers names = { .json = names_json },
					   others = { .text = other_names_text };
	struct value v[OF_VALUES] = {
		[OF_TYPE] = value_text(row->type),
		[OF_MEMBER] = value_text(row->path ? row->path : row->want->paths[0]),
		[OF_SUBJECT] = value_text(row->subject),
		[OF_THERE] = value_bool(row->path),
	};
	if (row->want)
		v[OF_NAMES] = value_parts(&names, row->want);
	if (row->how)
		v[OF_HOW] = value_text(row->how);
	if (row->path) {
		v[OF_OFFSET] = value_number(row->member.offset);
		v[OF_SIZE] = value_number(row->member.size);
	} else {
		v[OF_OTHER_NAMES] = value_parts(&others, row->want);
	}
	row_print(&layout_kind, printer, v, out);
}

/* Without @all what is the exception: what a kernel does not have; or where types are not known,
 * what is known all the same. */
static void print_all(const struct layout_row *rows, size_t count, bool untyped, bool all,
		      enum row_printer printer, struct buf *out)
{
	const char *subject = NULL;
	for (size_t i = 0; i < count; i++) {
		if (untyped == !rows[i].path && !all)
			continue;
		if (printer == PRINT_TEXT && rows[i].subject != subject)
			buf_addf(out, "%s\n", rows[i].subject);
		subject = rows[i].subject;
		print(&rows[i], printer, out);
	}
}

/* Whether the arguments are --layout and, if *ret_all, --all. */
static bool understand(const struct monitor_arguments *args, bool *ret_all)
{
	bool layout = false, all = false;
	for (size_t i = 0; i < args->count; i++) {
		layout |= !strcmp(args->list[i], "--layout");
		all |= !strcmp(args->list[i], "--all");
	}
	*ret_all = all;
	return layout && args->count == 1U + all;
}

struct err *monitor_layout(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out)
{
	struct layout_row *rows = NULL;
	size_t count = 0, missing = 0;
	bool all;
	(void)view;
	if (!understand(args, &all))
		return err_new(ERR_INVALID, "'info' takes --layout, and --all behind that");
	struct err *e = layout_list(service->vmcore, &rows, &count);
	if (e)
		return err_wrap(e, "list members of kernel structures");
	for (size_t i = 0; i < count; i++)
		missing += !rows[i].path;
	bool untyped = types_why_none(kernel_types(service->vmcore->kernel));
	if (args->printer == PRINT_TEXT && untyped)
		buf_addf(out,
			 "types are not known; %zu members and sizes are proven in the dump, by "
			 "%zu tasks that agree; %zu more that are asked for are unknown%s\n",
			 count - missing, kernel_proven_by(service->vmcore->kernel), missing,
			 all ? ":" : "");
	else if (args->printer == PRINT_TEXT)
		buf_addf(out,
			 "%zu members are asked for; %zu of them this kernel does not have%s\n",
			 count, missing, !missing || all ? "" : ":");
	print_all(rows, count, untyped, all, args->printer, out);
	free(rows);
	return NULL;
}
