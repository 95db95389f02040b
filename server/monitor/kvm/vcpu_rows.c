// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said of a vCPU: in a list of them, and of one alone with all its guest's registers. */
#include "server/monitor/kvm/vcpu_rows.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/vmcore.h"

enum { REGS_A_LINE = 3 };

enum {
	V_KVM,
	V_PID,
	V_KIND,
	V_VM, /* the same as V_PID, but 0 where that is not known */
	V_ADDRESS,
	V_ID,
	V_INDEX,
	V_TID,
	V_COMM,
	V_CPU,
	V_STATE,
	V_MODE,
	V_REQUESTS,
	V_EXIT, /* the name, or the number of what has no name */
	V_EXIT_CODE,
	V_EXIT_NAME,
	V_EXIT_WORD, /* the same, or "unknown" */
	V_ROOT_HPA,
	V_NESTED,
	V_RIP,
	V_RSP,
	V_CR3,
	V_ENCRYPTED,
	V_IN_GUEST,
	V_STALE,
	V_REGS, /* how they are to be taken, and all of them */
	V_L1,	/* while it runs a guest of its guest */
	V_VALUES
};

static const struct column list_columns[] = {
	{ V_VM, "vm", .width = 7 },
	{ V_ID, "id", " ", .width = 4 },
	{ V_TID, "tid", " ", .width = 8, .missing = "-" },
	{ V_CPU, "cpu", " ", .width = 4, .missing = "-" },
	{ V_STATE, "state", "  ", .width = -16 },
	{ V_EXIT, "exit", "  ", .width = -18, .missing = "-" },
	{ V_RIP, "rip", "  ", .width = -26 },
	{ V_ADDRESS, "vcpu", "  ", .digits = 16 },
};

static const struct column whole_columns[] = {
	{ V_ID, .before = "vcpu      " },
	{ V_VM, .before = " of vm " },
	{ V_ADDRESS, .before = ", struct kvm_vcpu ", .digits = 16 },
	{ V_TID, .before = "\nthread    " },
	{ V_COMM, .before = " " },
	{ V_STATE, .before = "\nstate     " },
	{ V_MODE, .before = ", mode: " },
	{ V_CPU, .before = ", CPU " },
	{ V_EXIT_WORD, .before = "\nexit      " },
	{ V_EXIT_CODE, .before = " (", .after = ")" },
	{ V_REQUESTS, .before = "\nrequests  " },
	{ V_ROOT_HPA, .before = "\nroot_hpa  " },
	{ V_REGS, .before = "\nregisters" },
	{ V_L1, .before = "\nregisters that L1 goes on with" },
};

static const struct key json_keys[] = {
	{ V_KVM, "kvm" },
	{ V_PID, "pid" },
	{ V_KIND, "kind" },
	{ V_ADDRESS, "vcpu" },
	{ V_ID, "id" },
	{ V_INDEX, "index" },
	{ V_TID, "tid" },
	{ V_CPU, "cpu" },
	{ V_STATE, "state" },
	{ V_MODE, "mode" },
	{ V_REQUESTS, "requests" },
	{ V_EXIT_CODE, "exit_code" },
	{ V_EXIT_NAME, "exit_reason" },
	{ V_ROOT_HPA, "root_hpa" },
	{ V_NESTED, "nested" },
	{ V_RIP, "rip" },
	{ V_RSP, "rsp" },
	{ V_CR3, "cr3" },
	{ V_ENCRYPTED, "encrypted" },
	{ V_IN_GUEST, "in_guest" },
	{ V_STALE, "stale" },
	{ V_REGS, "regs" },
	{ V_L1, "l1" },
};

static const struct key osdata_keys[] = {
	{ V_VM, "vm" },	       { V_ID, "id" },	   { V_TID, "tid" }, { V_CPU, "cpu" },
	{ V_STATE, "state" },  { V_EXIT, "exit" }, { V_RIP, "rip" }, { V_ROOT_HPA, "root_hpa" },
	{ V_ADDRESS, "vcpu" },
};

static const struct row_kind in_list = { COLUMNS(list_columns), COLUMNS(json_keys),
					 COLUMNS(osdata_keys) };
static const struct row_kind alone = { .text = COLUMNS(whole_columns), .json = COLUMNS(json_keys) };

/* ---- registers ---- */

/* One of them; what values of a row point to. */
struct one_register {
	const struct guest_regs *regs;
	enum guest_reg which;
};

static void register_text(const void *of, struct buf *out)
{
	const struct one_register *r = of;
	buf_addstr(out, guest_value_text(r->regs, r->which).text);
}

static void register_json(const void *of, const char *key, struct json *j)
{
	const struct one_register *r = of;
	const struct guest_value *v = &r->regs->value[r->which];
	if (!r->regs->is_encrypted && v->from == GUEST_NOWHERE)
		return;
	json_object(j, key);
	if (r->regs->is_encrypted) {
		json_str(j, "from", "encrypted");
	} else {
		json_hex(j, "value", v->value);
		json_str(j, "from", guest_from_name(v->from));
	}
	json_end(j);
}

static const struct value_printers register_printers = { register_text, register_json };

static void add_regs(const struct guest_regs *r, struct buf *out)
{
	unsigned column = 0;
	for (unsigned i = 0; i < GUEST_REGS; i++) {
		const struct guest_value *v = &r->value[i];
		if (v->from == GUEST_NOWHERE)
			continue;
		const char *from = guest_from_name(v->from);
		if (column++ % REGS_A_LINE == 0)
			buf_addch(out, '\n');
		buf_addf(out, "  %-14s 0x%016" PRIx64 " ", guest_reg_name(i), v->value);
		if (column % REGS_A_LINE == 0)
			buf_addstr(out, from);
		else
			buf_addf(out, "%-6s", from);
	}
}

/* What they are when they are not simply the guest's. */
static void regs_text(const void *of, struct buf *out)
{
	const struct guest_regs *guest = of;
	const char *whose = guest->is_nested ? " of its guest (L2)" : "";
	if (guest->is_encrypted) {
		buf_addstr(out, " encrypted");
		return;
	}
	if (guest->all_stale)
		buf_addf(out, " of an earlier exit: %s", guest->why_stale);
	else
		buf_addf(out, "%s%s", whose,
			 guest->in_guest ? " inside the guest, from the CPU's note" : "");
	add_regs(guest, out);
}

static void regs_json(const void *of, const char *key, struct json *j)
{
	const struct guest_regs *r = of;
	json_object(j, key);
	for (unsigned i = 0; i < GUEST_REGS && !r->is_encrypted; i++)
		register_json(&(struct one_register){ r, i }, guest_reg_name(i), j);
	json_end(j);
}

static const struct value_printers regs_printers = { regs_text, regs_json };

static void l1_text(const void *of, struct buf *out)
{
	add_regs(of, out);
}

static const struct value_printers l1_printers = { l1_text, regs_json };

/* ---- rows ---- */

struct vcpu_row {
	struct value values[V_VALUES];
	/* What values point to. */
	struct guest_regs guest, l1;
	struct one_register rip, rsp, cr3;
};

static struct value register_value(struct one_register *r, const struct guest_regs *regs,
				   enum guest_reg which)
{
	*r = (struct one_register){ regs, which };
	return value_parts(&register_printers, r);
}

static void set_state(struct value *v, const struct vcpu_state *s)
{
	v[V_STATE] = value_text(vcpu_doing_name(s->doing));
	v[V_MODE] = value_text(s->mode);
	if (s->has_requests)
		v[V_REQUESTS] = value_hex(s->requests);
	if (s->has_exit) {
		v[V_EXIT_CODE] = value_hex(s->exit_code);
		v[V_EXIT_NAME] = value_text(s->exit_name);
		v[V_EXIT_WORD] = value_text(s->exit_name ? s->exit_name : "unknown");
		v[V_EXIT] = s->exit_name ? value_text(s->exit_name) : value_hex(s->exit_code);
	}
	if (s->has_root)
		v[V_ROOT_HPA] = value_hex(s->root_hpa);
}

/* What every list has. */
static struct err *fill(const struct vmcore *h, const struct vcpu *vcpu, struct vcpu_row *r)
{
	struct vcpu_state state;
	struct value *v = r->values;
	memset(v, 0, sizeof(r->values));
	struct err *e = vcpu_state_read(h->kvm, vcpu, &state);
	if (!e)
		e = guest_regs_read(h->kvm, vcpu, &r->guest);
	if (e)
		return e;
	v[V_VM] = value_number(vcpu->vm->pid);
	v[V_ADDRESS] = value_hex(vcpu->address);
	v[V_ID] = value_integer(vcpu->id);
	v[V_INDEX] = value_number(vcpu->index);
	if (vcpu->task)
		v[V_TID] = value_number(vcpu->task->tid);
	if (vcpu->cpu >= 0)
		v[V_CPU] = value_number((uint64_t)vcpu->cpu);
	set_state(v, &state);
	v[V_NESTED] = value_bool(r->guest.is_nested);
	v[V_RIP] = register_value(&r->rip, &r->guest, GUEST_RIP);
	v[V_RSP] = register_value(&r->rsp, &r->guest, GUEST_RSP);
	v[V_CR3] = register_value(&r->cr3, &r->guest, GUEST_CR3);
	return NULL;
}

/* Whose vCPU it is, where that is not said around it. */
static void set_vm(struct value *v, const struct vm *vm)
{
	v[V_KVM] = value_hex(vm->address);
	if (vm->pid)
		v[V_PID] = value_number(vm->pid);
}

void vcpu_titles(struct buf *out)
{
	row_titles(&in_list.text, out);
}

struct err *vcpu_print(const struct vmcore *h, const struct vcpu *vcpu, enum row_printer printer,
		       struct buf *out)
{
	struct vcpu_row r;
	struct err *e = fill(h, vcpu, &r);
	if (e)
		return e;
	set_vm(r.values, vcpu->vm);
	row_print(&in_list, printer, r.values, out);
	return NULL;
}

struct err *vcpu_object(const struct vmcore *h, const struct vcpu *vcpu, struct json *j)
{
	struct vcpu_row r;
	struct err *e = fill(h, vcpu, &r);
	if (!e)
		row_object(&in_list.json, r.values, NULL, j);
	return e;
}

struct err *vcpu_print_whole(const struct vmcore *h, const struct vcpu *vcpu,
			     enum row_printer printer, struct buf *out)
{
	struct vcpu_row r;
	struct value *v = r.values;
	struct err *e = fill(h, vcpu, &r);
	if (!e)
		e = guest_regs_read_l1(h->kvm, vcpu, &r.l1);
	if (e)
		return e;
	set_vm(v, vcpu->vm);
	v[V_KIND] = value_text(vm_kind_name(vcpu->vm->kind));
	v[V_COMM] = value_text(vcpu->task ? vcpu->task->comm : NULL);
	v[V_ENCRYPTED] = value_bool(r.guest.is_encrypted);
	v[V_IN_GUEST] = value_bool(r.guest.in_guest);
	v[V_STALE] = value_bool(r.guest.all_stale);
	v[V_REGS] = value_parts(&regs_printers, &r.guest);
	if (r.guest.is_nested && !(printer == PRINT_TEXT && r.guest.is_encrypted))
		v[V_L1] = value_parts(&l1_printers, &r.l1);
	row_print(&alone, printer, v, out);
	return NULL;
}
