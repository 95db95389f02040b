// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monitor dmesg: the kernel's log, as dmesg(1) prints it. A record of several lines has its time
 * before the first; the others are indented, as dmesg and crash do it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/slice.h"
#include "server/monitor/commands.h"
#include "server/monitor/job.h"
#include "server/service.h"
#include "vmcore/kernel/log/printk.h"
#include "vmcore/vmcore.h"

/* include/linux/printk.h: printk_caller_id() sets it where there is no task. */
#define CALLER_CPU UINT32_C(0x80000000)

struct dmesg {
	struct target_job job;
	struct printk_log *log; /* owned */
	bool json;
};

/* include/linux/kern_levels.h, in the words of dmesg(1) */
static const char *const levels[] = { "emerg", "alert",	 "crit", "err",
				      "warn",  "notice", "info", "debug" };

/* "[   12.345678] ", as the kernel and dmesg print it. Returns its width. */
static int add_time(struct buf *out, uint64_t ns)
{
	char text[48];
	int width = snprintf(text, sizeof(text), "[%5" PRIu64 ".%06" PRIu64 "] ", ns / 1000000000,
			     ns % 1000000000 / 1000);
	buf_addstr(out, text);
	return width;
}

/* One line for a terminal: tabs as they are, other controls as \xNN. @line has room for a 0. */
static void add_line(struct buf *out, char *line, size_t len)
{
	line[len] = 0;
	while (len) {
		size_t plain = strcspn(line, "\t");
		bool tab = line[plain] == '\t';
		line[plain] = 0;
		add_printable(out, line);
		if (tab)
			buf_addch(out, '\t');
		else if (plain < len)
			buf_addstr(out, "\\x00");
		size_t used = plain < len ? plain + 1 : plain;
		line += used;
		len -= used;
	}
	buf_addch(out, '\n');
}

static void show_text(const struct printk_record *r, struct buf *out)
{
	char text[PRINTK_TEXT_MAX + 1];
	size_t at = 0;
	memcpy(text, r->text, r->len);
	int indent = add_time(out, r->ns);
	for (;;) {
		const char *end = memchr(text + at, '\n', r->len - at);
		size_t len = end ? (size_t)(end - (text + at)) : r->len - at;
		add_line(out, text + at, len);
		at += len + 1;
		if (!end || at >= r->len)
			return;
		buf_addf(out, "%*s", indent, "");
	}
}

static void show_json(const struct printk_record *r, struct buf *out)
{
	char text[PRINTK_TEXT_MAX + 1], number[48];
	struct json j = JSON_INIT(out);
	for (size_t i = 0; i < r->len; i++) /* bytes that are none of UTF-8 become U+FFFD */
		text[i] = r->text[i] ? r->text[i] : (char)0xff;
	text[r->len] = 0;
	json_object(&j, NULL);
	snprintf(number, sizeof(number), "%" PRIu64 ".%06" PRIu64, r->ns / 1000000000,
		 r->ns % 1000000000 / 1000);
	json_str(&j, "time", number);
	json_u64(&j, "ns", r->ns);
	json_u64(&j, "level", r->level);
	json_str(&j, "level_name", levels[r->level & 7]);
	json_u64(&j, "facility", r->facility);
	if (r->caller) {
		snprintf(number, sizeof(number), "%c%" PRIu32, r->caller & CALLER_CPU ? 'C' : 'T',
			 r->caller & ~CALLER_CPU);
		json_str(&j, "caller", number);
	}
	json_str(&j, "text", text);
	json_end(&j);
	buf_addch(out, '\n');
}

/* What is not there is said at the end. */
static void show_unreadable(const struct dmesg *d, struct buf *out)
{
	const char *why;
	uint64_t count = printk_unreadable(d->log, &why);
	if (!count)
		return;
	if (d->json) {
		struct json j = JSON_INIT(out);
		json_object(&j, NULL);
		json_u64(&j, "unreadable", count);
		if (why)
			json_str(&j, "why", why);
		json_end(&j);
		buf_addch(out, '\n');
		return;
	}
	buf_addf(out, "%" PRIu64 " record%s cannot be read%s", count, count == 1 ? "" : "s",
		 why ? ": " : "");
	if (why)
		add_printable(out, why);
	buf_addch(out, '\n');
}

static struct err *show_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct dmesg *d = (struct dmesg *)job;
	struct printk_record record;
	(void)h;
	const struct slice now = slice_begin();
	while (!slice_is_over(&now)) {
		bool found;
		struct err *e = printk_next(d->log, &record, &found);
		if (e)
			return err_wrap(e, "read the log");
		if (!found) {
			show_unreadable(d, out);
			*ret_done = true;
			return NULL;
		}
		if (d->json)
			show_json(&record, out);
		else
			show_text(&record, out);
	}
	return NULL;
}

static void free_dmesg(struct target_job *job)
{
	struct dmesg *d = (struct dmesg *)job;
	printk_close(d->log);
	free(d);
}

struct err *monitor_dmesg(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view, (void)out;
	struct dmesg *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	d->job = (struct target_job){ .slice = show_slice,
				      .free = free_dmesg,
				      .rests_on = JOB_ON_NOTHING };
	d->json = args->printer == PRINT_JSON;
	struct err *e = printk_open(h->kernel, &d->log);
	if (e) {
		free(d);
		return e;
	}
	*args->ret_job = &d->job;
	return NULL;
}
