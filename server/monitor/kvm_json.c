// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/monitor/kvm.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/vmcore.h"

static void value_json(struct json *j, const char *key, const struct guest_regs *r,
		       enum guest_reg reg)
{
	const struct guest_value *v = &r->value[reg];
	if (!r->is_encrypted && v->from == GUEST_NOWHERE)
		return;
	json_object(j, key);
	if (r->is_encrypted) {
		json_str(j, "from", "encrypted");
	} else {
		json_hex(j, "value", v->value);
		json_str(j, "from", guest_from_name(v->from));
	}
	json_end(j);
}

static void state_json(struct json *j, const struct vcpu_state *s)
{
	json_str(j, "state", vcpu_doing_name(s->doing));
	if (s->mode)
		json_str(j, "mode", s->mode);
	if (s->has_requests)
		json_hex(j, "requests", s->requests);
	if (s->has_exit) {
		json_hex(j, "exit_code", s->exit_code);
		if (s->exit_name)
			json_str(j, "exit_reason", s->exit_name);
	}
	if (s->has_root)
		json_hex(j, "root_hpa", s->root_hpa);
}

/* The members of a vCPU's object that every listing has. */
static struct err *vcpu_members(struct json *j, const struct vmcore *h, const struct vcpu *vcpu,
				const struct guest_regs *guest)
{
	struct vcpu_state state;
	struct err *e = vcpu_state_read(h->kvm, vcpu, &state);
	if (e)
		return e;
	json_hex(j, "vcpu", vcpu->address);
	if (vcpu->id >= 0)
		json_u64(j, "id", (uint64_t)vcpu->id);
	json_u64(j, "index", vcpu->index);
	if (vcpu->task)
		json_u64(j, "tid", vcpu->task->tid);
	if (vcpu->cpu >= 0)
		json_u64(j, "cpu", (uint64_t)vcpu->cpu);
	state_json(j, &state);
	json_bool(j, "nested", guest->is_nested);
	value_json(j, "rip", guest, GUEST_RIP);
	value_json(j, "rsp", guest, GUEST_RSP);
	value_json(j, "cr3", guest, GUEST_CR3);
	return NULL;
}

static struct err *vcpu_object(struct json *j, const struct vmcore *h, const struct vcpu *vcpu)
{
	struct guest_regs guest;
	struct err *e = guest_regs_read(h->kvm, vcpu, &guest);
	if (e)
		return e;
	json_object(j, NULL);
	e = vcpu_members(j, h, vcpu, &guest);
	json_end(j);
	return e;
}

static struct err *slots_json(struct json *j, const struct vmcore *h, struct vm *vm)
{
	const struct memslot *slots;
	size_t count;
	struct err *e = kvm_slots(h->kvm, vm, &slots, &count);
	if (e)
		return e;
	json_array(j, "slots");
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		json_u64(j, "as", slots[i].as);
		json_u64(j, "id", (uint64_t)(uint32_t)slots[i].id);
		json_hex(j, "gpa", slots[i].gpa);
		json_u64(j, "size", slots[i].size);
		json_hex(j, "hva", slots[i].hva);
		json_u64(j, "flags", slots[i].flags);
		json_end(j);
	}
	json_end(j);
	return NULL;
}

static void vm_members(struct json *j, const struct vm *vm)
{
	json_hex(j, "kvm", vm->address);
	if (vm->pid)
		json_u64(j, "pid", vm->pid);
}

static struct err *linux_json(struct json *j, const struct vmcore *h, struct vm *vm)
{
	const struct guest_linux *g;
	struct err *e = guest_linux_find(h->kvm, vm, &g);
	if (!e && g->unreadable)
		json_str(j, "system_unknown", g->why);
	if (e || !g->found)
		return e;
	json_object(j, "linux");
	json_str(j, "release", g->release);
	if (*g->banner)
		json_str(j, "banner", g->banner);
	if (*g->build_id)
		json_str(j, "build_id", g->build_id);
	if (g->placed) {
		json_hex(j, "text", g->text);
		json_hex(j, "kaslr_offset", g->slide);
	}
	json_end(j);
	return NULL;
}

struct err *add_vm_json(const struct vmcore *h, struct vm *vm, struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct err *e = NULL;
	json_object(&j, NULL);
	vm_members(&j, vm);
	if (vm->owner)
		json_str(&j, "comm", vm->owner->comm);
	json_str(&j, "kind", vm_kind_name(vm->kind));
	e = linux_json(&j, h, vm);
	json_array(&j, "vcpus");
	for (size_t i = 0; !e && i < vm->vcpu_count; i++)
		e = vcpu_object(&j, h, &vm->vcpus[i]);
	json_end(&j);
	if (!e)
		e = slots_json(&j, h, vm);
	json_end(&j);
	buf_addch(out, '\n');
	return e;
}

struct err *add_vcpu_json(const struct vmcore *h, const struct vcpu *vcpu, struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct guest_regs guest;
	struct err *e = guest_regs_read(h->kvm, vcpu, &guest);
	if (e)
		return e;
	json_object(&j, NULL);
	vm_members(&j, vcpu->vm);
	e = vcpu_members(&j, h, vcpu, &guest);
	json_end(&j);
	buf_addch(out, '\n');
	return e;
}

static void regs_json(struct json *j, const char *key, const struct guest_regs *r)
{
	json_object(j, key);
	for (unsigned i = 0; i < GUEST_REGS && !r->is_encrypted; i++)
		value_json(j, guest_reg_name(i), r, i);
	json_end(j);
}

struct err *add_vcpu_whole_json(const struct vmcore *h, const struct vcpu *vcpu, struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct guest_regs guest, l1;
	struct err *e = guest_regs_read(h->kvm, vcpu, &guest);
	if (!e)
		e = guest_regs_read_l1(h->kvm, vcpu, &l1);
	if (e)
		return e;
	json_object(&j, NULL);
	vm_members(&j, vcpu->vm);
	json_str(&j, "kind", vm_kind_name(vcpu->vm->kind));
	e = vcpu_members(&j, h, vcpu, &guest);
	json_bool(&j, "encrypted", guest.is_encrypted);
	json_bool(&j, "in_guest", guest.in_guest);
	json_bool(&j, "stale", guest.all_stale);
	regs_json(&j, "regs", &guest);
	if (guest.is_nested)
		regs_json(&j, "l1", &l1);
	json_end(&j);
	buf_addch(out, '\n');
	return e;
}

void add_kvm_notes_json(const struct vmcore *h, struct buf *out)
{
	struct json j = JSON_INIT(out);
	const char *at = kvm_notes(h->kvm);
	if (!*at)
		return;
	json_object(&j, NULL);
	json_array(&j, "notes");
	while (*at) {
		size_t len = strcspn(at, "\n");
		char *line = strndup(at, len);
		if (line)
			json_str(&j, NULL, line);
		free(line);
		at += len + (at[len] == '\n');
	}
	json_end(&j);
	json_end(&j);
	buf_addch(out, '\n');
}
