// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/osdata.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/host.h"
#include "server/kvm/guest_regs.h"
#include "server/kvm/kvm.h"
#include "server/kvm/vcpu_state.h"

static struct err *make_types(const struct host *h, struct buf *out);
static struct err *make_vms(const struct host *h, struct buf *out);
static struct err *make_vcpus(const struct host *h, struct buf *out);
static struct err *make_slots(const struct host *h, struct buf *out);

static const struct table {
	const char *name, *title, *description;
	struct err *(*make)(const struct host *h, struct buf *out); /* its items */
} tables[] = {
	{ "types", NULL, NULL, make_types },
	{ "vms", "Virtual machines", "Listing of all virtual machines of KVM", make_vms },
	{ "vcpus", "vCPUs", "Listing of all vCPUs of all virtual machines", make_vcpus },
	{ "slots", "Memory slots", "Listing of all memory slots of all virtual machines",
	  make_slots },
};

enum { TABLES = sizeof(tables) / sizeof(*tables) };

struct osdata {
	const struct host *h; /* borrowed */
	struct buf documents[TABLES];
	bool made[TABLES];
	uint64_t generation; /* of the host's tasks that they are made of */
};

struct err *osdata_new(struct host *host, struct osdata **ret)
{
	struct osdata *o = calloc(1, sizeof(*o));
	if (!o)
		return err_nomem();
	o->h = host;
	for (int i = 0; i < TABLES; i++)
		buf_init(&o->documents[i]);
	*ret = o;
	return NULL;
}

void osdata_free(struct osdata *o)
{
	if (!o)
		return;
	for (int i = 0; i < TABLES; i++)
		buf_free(&o->documents[i]);
	free(o);
}

/* ---- items ---- */

static void column(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "<column name=\"%s\">", name);
	buf_addxml(out, text);
	buf_addstr(out, "</column>");
}

__attribute__((format(printf, 3, 4))) static void columnf(struct buf *out, const char *name,
							  const char *fmt, ...)
{
	char text[64];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	column(out, name, text);
}

static struct err *make_types(const struct host *h, struct buf *out)
{
	(void)h;
	for (int i = 1; i < TABLES; i++) {
		buf_addstr(out, "<item>");
		column(out, "Type", tables[i].name);
		column(out, "Description", tables[i].description);
		column(out, "Title", tables[i].title);
		buf_addstr(out, "</item>\n");
	}
	return NULL;
}

static struct err *vm_item(const struct host *h, struct vm *vm, struct buf *out)
{
	const struct memslot *slots;
	size_t count;
	uint64_t bytes = 0;
	struct err *e = kvm_slots(h->kvm, vm, &slots, &count);
	if (e)
		return e;
	for (size_t i = 0; i < count; i++)
		if (!slots[i].as)
			bytes += slots[i].size;
	buf_addstr(out, "<item>");
	columnf(out, "pid", "%" PRIu32, vm->pid);
	column(out, "comm", vm->owner ? vm->owner->comm : "");
	columnf(out, "kvm", "0x%" PRIx64, vm->address);
	column(out, "kind", vm_kind_name(vm->kind));
	columnf(out, "vcpus", "%zu", vm->vcpu_count);
	columnf(out, "slots", "%zu", count);
	columnf(out, "memory", "%" PRIu64, bytes);
	buf_addstr(out, "</item>\n");
	return NULL;
}

static void value_column(struct buf *out, const char *name, const struct guest_regs *r,
			 enum guest_reg reg)
{
	const struct guest_value *v = &r->value[reg];
	if (r->is_encrypted)
		column(out, name, "encrypted");
	else if (v->from == GUEST_NOWHERE)
		column(out, name, "unknown");
	else
		columnf(out, name, "0x%" PRIx64 "%s", v->value, v->known ? "" : " (stale)");
}

static struct err *vcpu_item(const struct host *h, const struct vcpu *vcpu, struct buf *out)
{
	struct vcpu_state s;
	struct guest_regs guest;
	struct err *e = vcpu_state_read(h->kvm, vcpu, &s);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	if (e)
		return e;
	buf_addstr(out, "<item>");
	columnf(out, "vm", "%" PRIu32, vcpu->vm->pid);
	columnf(out, "id", "%d", vcpu->id);
	if (vcpu->task)
		columnf(out, "tid", "%" PRIu32, vcpu->task->tid);
	else
		column(out, "tid", "");
	if (vcpu->cpu >= 0)
		columnf(out, "cpu", "%d", vcpu->cpu);
	else
		column(out, "cpu", "");
	column(out, "state", vcpu_doing_name(s.doing));
	if (s.has_exit && !s.exit_name)
		columnf(out, "exit", "0x%" PRIx64, s.exit_code);
	else
		column(out, "exit", s.has_exit ? s.exit_name : "");
	value_column(out, "rip", &guest, GUEST_RIP);
	if (s.has_root)
		columnf(out, "root_hpa", "0x%" PRIx64, s.root_hpa);
	else
		column(out, "root_hpa", "");
	columnf(out, "vcpu", "0x%" PRIx64, vcpu->address);
	buf_addstr(out, "</item>\n");
	return NULL;
}

static struct err *make_vms(const struct host *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = vm_item(h, &vms[i], out);
	return e;
}

static struct err *make_vcpus(const struct host *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		for (size_t n = 0; !e && n < vms[i].vcpu_count; n++)
			e = vcpu_item(h, &vms[i].vcpus[n], out);
	return e;
}

static struct err *make_slots(const struct host *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++) {
		const struct memslot *slots;
		size_t slot_count;
		e = kvm_slots(h->kvm, &vms[i], &slots, &slot_count);
		for (size_t n = 0; !e && n < slot_count; n++) {
			buf_addstr(out, "<item>");
			columnf(out, "vm", "%" PRIu32, vms[i].pid);
			columnf(out, "as", "%u", slots[n].as);
			columnf(out, "id", "%d", slots[n].id);
			columnf(out, "gpa", "0x%" PRIx64, slots[n].gpa);
			columnf(out, "size", "%" PRIu64, slots[n].size);
			columnf(out, "hva", "0x%" PRIx64, slots[n].hva);
			columnf(out, "flags", "0x%" PRIx32, slots[n].flags);
			buf_addstr(out, "</item>\n");
		}
	}
	return e;
}

/* ---- documents ---- */

static struct err *make(const struct host *h, const struct table *t, struct buf *out)
{
	buf_reset(out);
	buf_addstr(out, "<?xml version=\"1.0\"?>\n"
			"<!DOCTYPE target SYSTEM \"osdata.dtd\">\n");
	buf_addf(out, "<osdata type=\"%s\">\n", t->name);
	struct err *e = t->make(h, out);
	buf_addstr(out, "</osdata>\n");
	return e ? e : buf_error(out);
}

/* Of a machine that runs, tables are as old as its list of tasks. */
static void drop_old(struct osdata *o)
{
	if (o->generation == o->h->generation)
		return;
	o->generation = o->h->generation;
	for (int i = 0; i < TABLES; i++) {
		buf_reset(&o->documents[i]);
		o->made[i] = false;
	}
}

struct err *osdata_get(struct osdata *o, const char *annex, const struct buf **ret)
{
	drop_old(o);
	for (int i = 0; i < TABLES; i++) {
		if (strcmp(*annex ? annex : "types", tables[i].name) != 0)
			continue;
		if (!o->made[i]) {
			struct err *e = make(o->h, &tables[i], &o->documents[i]);
			if (e)
				return e;
			o->made[i] = true;
		}
		*ret = &o->documents[i];
		return NULL;
	}
	return err_new(ERR_NOTFOUND, "there is no table '%s'", annex);
}
