// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/held.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/printable.h"
#include "server/monitor/frames/frames.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

#define HELD_TYPE "kvm_vcpu"

bool is_code_of_kvm(const struct vmcore *h, const struct frame *f)
{
	const struct module *m = code_map_module(h->code, frame_code_address(f));
	return m && (!strcmp(m->name, "kvm") || !strncmp(m->name, "kvm_", strlen("kvm_")));
}

/* KVM is a module and those that go with it, or part of the kernel: then all of that is searched,
 * but only for threads that have to do with KVM. */
static bool may_hold(const struct vmcore *h, const struct frame *f, const struct vcpu *vcpu)
{
	uint64_t address;
	if (code_map_module(h->code, frame_code_address(f)))
		return is_code_of_kvm(h, f);
	return vcpu && kernel_symbol(h->kernel, "kvm_vcpu_ioctl", &address);
}

struct held_list held_find(const struct vmcore *h, const struct frame *f, const struct vcpu *vcpu)
{
	struct held_list held = { .count = 0 };
	if (frame_mode(f) != FRAME_USER && may_hold(h, f, vcpu))
		held.count = code_variables_find(h->scopes, h->kernel, f, frame_code_address(f),
						 HELD_TYPE, held.list, HELD_MAX);
	return held;
}

/* "rbx", "[0xffff88003e5ebd20]", or "computed" */
static void add_where(const struct variable *v, struct buf *out)
{
	switch (v->where) {
	case VARIABLE_COMPUTED:
		buf_addstr(out, "computed");
		break;
	case VARIABLE_MEMORY:
		buf_addf(out, "[0x%016" PRIx64 "]", v->address);
		break;
	case VARIABLE_REGISTER:
		buf_addstr(out, v->reg);
		break;
	}
}

/* What a frame holds is another vCPU than the one that points to this thread: one of them is
 * damaged, or the thread works on another's. Nothing is added if all is well. */
static void add_disagreement(const struct vcpu *vcpu, const struct held_pointer *held,
			     struct buf *out)
{
	uint64_t value = held->variable.value;
	if (!value || (vcpu && vcpu->address == value))
		return;
	buf_addf(out, "'%s' is 0x%016" PRIx64 ", but ", held->name, value);
	if (vcpu)
		buf_addf(out, "KVM says that this thread runs the vCPU at 0x%016" PRIx64,
			 vcpu->address);
	else
		buf_addstr(out, "KVM does not say that this thread runs a vCPU");
}

void held_json(struct json *j, const struct vcpu *vcpu, const struct held_list *held)
{
	struct buf text = BUF_INIT;
	if (!held->count)
		return;
	json_array(j, "holds");
	for (size_t i = 0; i < held->count; i++) {
		json_object(j, NULL);
		json_str(j, "name", held->list[i].name);
		json_str(j, "type", "struct " HELD_TYPE " *");
		json_hex(j, "value", held->list[i].variable.value);
		buf_reset(&text);
		add_where(&held->list[i].variable, &text);
		json_str(j, "where", text.data);
		buf_reset(&text);
		add_disagreement(vcpu, &held->list[i], &text);
		if (text.len)
			json_str(j, "why", text.data);
		json_end(j);
	}
	json_end(j);
	j->out->failed |= text.failed;
	buf_free(&text);
}

/* Beside the frame: "  vcpu=0xffff88043ea73280 (rbx)". */
void held_text(const struct held_list *held, struct buf *out)
{
	for (size_t i = 0; i < held->count; i++) {
		buf_addstr(out, "  ");
		add_printable(out, held->list[i].name);
		buf_addf(out, "=0x%016" PRIx64 " (", held->list[i].variable.value);
		add_where(&held->list[i].variable, out);
		buf_addch(out, ')');
	}
}

void held_disagreements(const struct vcpu *vcpu, const struct held_list *held, struct buf *out)
{
	struct buf text = BUF_INIT;
	for (size_t i = 0; i < held->count; i++) {
		buf_reset(&text);
		add_disagreement(vcpu, &held->list[i], &text);
		if (!text.len)
			continue;
		buf_addstr(out, "        ");
		add_printable(out, text.data);
		buf_addch(out, '\n');
	}
	out->failed |= text.failed;
	buf_free(&text);
}
