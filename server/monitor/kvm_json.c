// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "server/monitor/kvm.h"
#include "server/monitor/vcpu_rows.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

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
		e = vcpu_object(h, &vm->vcpus[i], &j);
	json_end(&j);
	if (!e)
		e = slots_json(&j, h, vm);
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
