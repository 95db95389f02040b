// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/regs.h"
#include "server/monitor/commands.h"
#include "server/service.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/registers.h"
#include "vmcore/kernel/task_state.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

enum { COMM_WIDTH = 16 };

/* On a machine that runs the list is older than the registers: who has what a switch left runs no
 * more. */
static bool is_on_cpu(const struct task *t, const struct first_regs *first)
{
	return t->on_cpu && first->from != REGS_SWITCH;
}

static void thread_json(const struct vmcore *h, const struct task *t,
			const struct first_regs *first, struct buf *out)
{
	struct json j = JSON_INIT(out);
	char state[2] = { t->state, 0 };
	json_object(&j, NULL);
	json_u64(&j, "tid", t->tid);
	json_u64(&j, "pid", t->pid);
	json_str(&j, "comm", t->comm);
	json_str(&j, "kind", t->idle ? "idle" : "task");
	json_hex(&j, "task", t->address);
	const struct vcpu *vcpu = kvm_vcpu_of_task(h->kvm, t);
	if (vcpu)
		json_hex(&j, "vcpu", vcpu->address);
	if (t->state != '?')
		json_str(&j, "state", state);
	if (t->cpu >= 0)
		json_u64(&j, "cpu", (uint64_t)t->cpu);
	json_bool(&j, "on_cpu", is_on_cpu(t, first));
	json_str(&j, "regs_from", regs_from_name(first->from));
	if (first->why)
		json_str(&j, "why", first->why);
	json_object(&j, "regs");
	for (enum reg n = 0; n < REG_COUNT; n++)
		if (regs_known(&first->regs, n))
			json_hex(&j, reg_name(n), first->regs.value[n]);
	json_end(&j);
	json_end(&j);
	buf_addch(out, '\n');
}

static void thread_line(const struct vmcore *h, const struct task *t,
			const struct first_regs *first, struct buf *out)
{
	buf_addf(out, "%9" PRIu32 "  %c%c %3d  ", t->tid, t->state, is_on_cpu(t, first) ? '*' : ' ',
		 t->cpu);
	size_t column = out->len;
	add_printable(out, t->comm);
	size_t width = out->len - column;
	buf_addf(out, "%*s 0x%016" PRIx64 "  ", width < COMM_WIDTH ? (int)(COMM_WIDTH - width) : 0,
		 "", t->address);
	if (!regs_known(&first->regs, REG_RIP)) {
		buf_addf(out, "unknown: %s\n", first->why ? first->why : "no registers");
		return;
	}
	const struct frame frame = unwinder_first_frame(first);
	struct code_place place = code_place_of_frame(h->code, &frame);
	buf_addf(out, "%-6s  0x%016" PRIx64 " ", regs_from_name(first->from),
		 frame.regs.value[REG_RIP]);
	add_code_place(&place, out);
	buf_addch(out, '\n');
}

struct err *monitor_threads(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view;
	if (args->printer == PRINT_TEXT)
		buf_addstr(out,
			   "      tid  st cpu  comm             task                regs    rip\n");
	for (size_t i = 0; i < h->tasks.count; i++) {
		const struct first_regs *first;
		struct err *e = registers_get(h->registers, &h->tasks.list[i], &first);
		if (e)
			return e;
		if (args->printer == PRINT_JSON)
			thread_json(h, &h->tasks.list[i], first, out);
		else
			thread_line(h, &h->tasks.list[i], first, out);
	}
	return NULL;
}
