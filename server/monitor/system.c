// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What tools ask VMware's gdb stub for, by the same words: registers that no thread has of its own,
 * and whether addresses are physical ones. Tools that walk page tables by themselves read the
 * answers: a register's is NAME=VALUE, a table's NAME base=VALUE limit=VALUE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/monitor/monitor.h"
#include "server/service.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/system_regs.h"
#include "vmcore/vmcore.h"

static const struct {
	enum system_reg value, limit; /* SYSTEM_REGS: it has none */
} shown[] = {
	{ SYSTEM_CR0, SYSTEM_REGS },	    { SYSTEM_CR2, SYSTEM_REGS },
	{ SYSTEM_CR3, SYSTEM_REGS },	    { SYSTEM_CR4, SYSTEM_REGS },
	{ SYSTEM_EFER, SYSTEM_REGS },	    { SYSTEM_GDTR, SYSTEM_GDTR_LIMIT },
	{ SYSTEM_IDTR, SYSTEM_IDTR_LIMIT },
};
enum { SHOWN = sizeof(shown) / sizeof(*shown) };

/* Registers that a CPU has, too, and no dump. */
static const char *const nowhere[] = { "ldtr", "tr",  "cr8", "xcr0", "dr0",
				       "dr1",  "dr2", "dr3", "dr6",  "dr7" };

static void add_unknown(const char *name, const char *why, enum row_printer printer,
			struct buf *out)
{
	struct json j = JSON_INIT(out);
	if (printer == PRINT_TEXT) {
		buf_addf(out, "%s is not known: %s\n", name, why);
		return;
	}
	json_object(&j, NULL);
	json_str(&j, "register", name);
	json_str(&j, "why", why);
	json_end(&j);
	buf_addch(out, '\n');
}

static void add_register(const struct system_regs *r, size_t n, enum row_printer printer,
			 struct buf *out)
{
	enum system_reg reg = shown[n].value, limit = shown[n].limit;
	const char *name = system_reg_name(reg);
	struct json j = JSON_INIT(out);
	if (!r->known[reg] || (limit != SYSTEM_REGS && !r->known[limit])) {
		add_unknown(name, r->why, printer, out);
		return;
	}
	if (printer == PRINT_TEXT) {
		if (limit == SYSTEM_REGS)
			buf_addf(out, "%s=0x%" PRIx64 "\n", name, r->value[reg]);
		else
			buf_addf(out, "%s base=0x%" PRIx64 " limit=0x%" PRIx64 "\n", name,
				 r->value[reg], r->value[limit]);
		return;
	}
	json_object(&j, NULL);
	json_str(&j, "register", name);
	json_hex(&j, limit == SYSTEM_REGS ? "value" : "base", r->value[reg]);
	if (limit != SYSTEM_REGS)
		json_hex(&j, "limit", r->value[limit]);
	json_end(&j);
	buf_addch(out, '\n');
}

static struct err *no_register(const char *name)
{
	struct buf names = BUF_INIT;
	for (size_t i = 0; i < SHOWN; i++)
		buf_addf(&names, "%s%s", i ? " " : "", system_reg_name(shown[i].value));
	struct err *e = buf_error(&names);
	if (!e)
		e = err_new(ERR_INVALID,
			    "'%s' is none of these: %s; others are the debugger's own ('info "
			    "registers')",
			    name, names.data);
	buf_free(&names);
	return e;
}

/* @name: NULL for all. */
static struct err *show(const struct system_regs *r, const char *name, enum row_printer printer,
			struct buf *out)
{
	bool found = false;
	for (size_t i = 0; i < SHOWN; i++) {
		if (name && strcmp(name, system_reg_name(shown[i].value)) != 0)
			continue;
		add_register(r, i, printer, out);
		found = true;
	}
	for (size_t i = 0; !found && i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		found = !strcmp(name, nowhere[i]);
		if (found)
			add_unknown(name, "it is looked for in no dump", printer, out);
	}
	return found ? NULL : no_register(name);
}

static struct err *read_vcpu(const struct vmcore *h, const struct monitor_guest *of, uint64_t tid,
			     struct system_regs *ret)
{
	char name[sizeof("0x0123456789abcdef")];
	const struct vcpu *vcpu;
	struct guest_regs guest;
	uint64_t address;
	struct err *e = of->vcpu(of->closure, tid, &address);
	if (e)
		return e;
	snprintf(name, sizeof(name), "0x%" PRIx64, address);
	e = vcpu_by_name(h, name, &vcpu);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &guest);
	if (!e)
		system_regs_of_guest(&guest, ret);
	return e;
}

static struct err *read_thread(const struct vmcore *h, uint64_t tid, struct system_regs *ret)
{
	const struct task *task = tasks_find(&h->tasks, tid);
	if (!task)
		return err_new(ERR_NOTFOUND,
			       "thread %" PRIu64 " is no task, and nothing is known of its CPU",
			       tid);
	return system_regs_of_task(h, task, ret);
}

struct err *monitor_register(struct service *service, struct target_view *view,
			     const struct monitor_arguments *args, struct buf *out)
{
	struct system_regs regs;
	struct err *e = args->guest ? read_vcpu(service->vmcore, args->guest, view->tid, &regs)
				    : read_thread(service->vmcore, view->tid, &regs);
	return e ? e : show(&regs, args->count ? args->list[0] : NULL, args->printer, out);
}

struct err *monitor_physical(struct service *service, struct target_view *view,
			     const struct monitor_arguments *args, struct buf *out)
{
	(void)service;
	(void)args;
	view->physical = true;
	buf_addstr(out, "addresses are physical ones until 'virt'\n");
	return NULL;
}

struct err *monitor_virtual(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	(void)service;
	(void)args;
	view->physical = false;
	buf_addstr(out, "addresses are virtual ones\n");
	return NULL;
}
