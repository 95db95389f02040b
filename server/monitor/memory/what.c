// SPDX-License-Identifier: GPL-2.0-or-later
/* `monitor what`: what an address is. */
#include <inttypes.h>
#include <stdarg.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/dates.h"
#include "server/monitor/memory/named_address.h"
#include "server/monitor/memory/what_facts.h"
#include "server/monitor/noted.h"
#include "server/service.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

/* ---- one fact ---- */

void fact_begin(struct facts *f, const char *kind)
{
	if (f->json) {
		json_object(f->json, NULL);
		json_str(f->json, "kind", kind);
	} else if (f->count) {
		buf_fill(f->out, ' ', sizeof("0x0123456789abcdef") - 1);
		buf_addstr(f->out, "  ");
	} else {
		buf_addf(f->out, "0x%016" PRIx64 "  ", f->address);
	}
	f->count++;
}

void fact_end(struct facts *f)
{
	if (f->json)
		json_end(f->json);
	else
		buf_addch(f->out, '\n');
}

void fact_say(struct facts *f, const char *fmt, ...)
{
	va_list ap;
	if (f->json)
		return;
	va_start(ap, fmt);
	buf_vaddf(f->out, fmt, ap);
	va_end(ap);
}

void fact_say_text(struct facts *f, const char *text)
{
	if (!f->json)
		add_printable(f->out, text);
}

void fact_str(struct facts *f, const char *key, const char *text)
{
	if (f->json)
		json_str(f->json, key, text);
}

void fact_hex(struct facts *f, const char *key, uint64_t value)
{
	if (f->json)
		json_hex(f->json, key, value);
}

void fact_number(struct facts *f, const char *key, uint64_t value)
{
	if (f->json)
		json_u64(f->json, key, value);
}

/* ---- all of one address ---- */

/* Where nothing else is known: whether there is memory at all. */
static void fact_of_memory(struct facts *f)
{
	struct vspace space;
	struct vtop v = { 0 };
	struct err *e = vmcore_space(f->h, f->view->tid, f->address, &space);
	if (!e)
		e = memory_vtop(f->h->memory, &space, f->address, &v);
	fact_begin(f, e ? "unmapped" : "unknown");
	if (e) {
		fact_say(f, "nothing: %s", err_msg(e));
		fact_str(f, "why", err_msg(e));
	} else {
		fact_say(f, "memory at physical 0x%" PRIx64 "; whose is not known", v.pa);
		fact_hex(f, "physical", v.pa);
	}
	fact_end(f);
	err_free(e);
}

static void all_facts(struct facts *f)
{
	static void (*const kinds[])(struct facts * f) = {
		facts_of_kvm,	      facts_of_task,   facts_of_slab,
		facts_of_symbol,      facts_of_percpu, facts_of_stack,
		facts_of_kernel_area, facts_of_page,   facts_of_user,
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		kinds[i](f);
	if (!f->count)
		fact_of_memory(f);
}

/* ---- notes ---- */

/* What was noted at the address itself, and of the VM or the thread whose structure begins there.
 */
static bool is_at(const struct facts *f, const struct note_subject *s)
{
	const struct task *task = s->about == NOTE_THREAD ? tasks_find(&f->h->tasks, s->tid) : NULL;
	if (s->about == NOTE_THREAD)
		return task && task->address && task->address == f->address;
	return (s->about == NOTE_ADDRESS || s->about == NOTE_VM) && s->address == f->address;
}

static void facts_of_notes(struct facts *f)
{
	const struct note *list;
	size_t count;
	notebook_known(f->notes, &list, &count);
	for (size_t i = 0; i < count; i++) {
		char date[DATE_SIZE];
		if (!is_at(f, &list[i].subject))
			continue;
		fact_begin(f, "note");
		fact_number(f, "note", list[i].number);
		fact_number(f, "when", (uint64_t)list[i].when);
		fact_str(f, "who", list[i].who);
		fact_str(f, "text", list[i].text);
		fact_say(f, "note %zu, ", list[i].number);
		fact_say_text(f, list[i].who);
		if (date_format(list[i].when, date))
			fact_say(f, ", %s", date);
		fact_say(f, ": ");
		fact_say_text(f, list[i].text);
		fact_end(f);
	}
}

struct err *monitor_what(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	bool json = args->printer == PRINT_JSON;
	noted_look(service, json, out);
	for (size_t i = 0; i < args->count; i++) {
		struct json j = JSON_INIT(out);
		struct facts f = {
			.h = service->vmcore, .view = view, .notes = service->notes, .out = out
		};
		struct err *e = named_address(f.h, args->list[i], &f.address);
		if (e)
			return e;
		if (json) {
			f.json = &j;
			json_object(&j, NULL);
			json_hex(&j, "address", f.address);
			json_array(&j, "facts");
		}
		all_facts(&f);
		facts_of_notes(&f);
		if (json) {
			json_end(&j);
			json_end(&j);
			buf_addch(out, '\n');
		}
	}
	return NULL;
}
