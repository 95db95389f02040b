// SPDX-License-Identifier: GPL-2.0-or-later
/* `monitor what`: what an address is. */
#include <inttypes.h>
#include <stdarg.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
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
	struct err *e = vmcore_space(f->h, f->tid, f->address, &space);
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
	for (size_t i = 0; f->h && i < sizeof(kinds) / sizeof(*kinds); i++)
		kinds[i](f);
	if (f->guest)
		facts_of_place(f);
	if (!f->count && !f->guest)
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
	if (!f->notes)
		return;
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

/* ---- the command ---- */

/* @why: of a guest, why its kernel is not known; NULL if it is. */
static void print_facts(struct facts *f, bool json, const struct err *why)
{
	struct json j = JSON_INIT(f->out);
	if (json) {
		f->json = &j;
		json_object(&j, NULL);
		json_hex(&j, "address", f->address);
		if (why)
			json_str(&j, "kernel_unknown", err_msg(why));
		json_array(&j, "facts");
	}
	all_facts(f);
	facts_of_notes(f);
	if (json) {
		json_end(&j);
		json_end(&j);
		buf_addch(f->out, '\n');
	}
}

/* Without the guest's kernel an address is one in digits. */
static struct err *guest_address(const struct facts *f, const struct err *why, const char *text,
				 uint64_t *ret)
{
	if (f->h)
		return named_address(f->h, text, ret);
	if (number_parse(text, true, ret))
		return NULL;
	return err_new(ERR_INVALID, "'%s' is no hexadecimal address, and names are not known: %s",
		       text, err_msg(why));
}

static struct err *what_of_guest(const struct monitor_guest *g, const struct target_view *view,
				 const struct monitor_arguments *args, struct buf *out)
{
	const bool json = args->printer == PRINT_JSON;
	struct vmcore *h = NULL;
	struct err *why = g->machine(g->closure, &h), *e = NULL;
	if (why && err_code(why) == ERR_NOMEM)
		return why;
	for (size_t i = 0; !e && i < args->count; i++) {
		struct facts f = { .h = h, .guest = g, .vcpu = view->tid, .out = out };
		e = guest_address(&f, why, args->list[i], &f.address);
		if (e)
			break;
		if (why && !json && !i)
			buf_addf(out, "the guest's kernel is not known: %s\n", err_msg(why));
		if (h && !is_kernel_address(f.address))
			f.tid = g->thread(g->closure, h, view->tid, f.address);
		print_facts(&f, json, why);
	}
	err_free(why);
	return e;
}

struct err *monitor_what(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	const bool json = args->printer == PRINT_JSON;
	if (args->guest)
		return what_of_guest(args->guest, view, args, out);
	noted_look(service, json, out);
	for (size_t i = 0; i < args->count; i++) {
		struct facts f = {
			.h = service->vmcore, .tid = view->tid, .notes = service->notes, .out = out
		};
		struct err *e = named_address(f.h, args->list[i], &f.address);
		if (e)
			return e;
		print_facts(&f, json, NULL);
	}
	return NULL;
}
