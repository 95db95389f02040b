// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/seen_vcpu_rows.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/json.h"
#include "server/monitor/frames/frames.h"
#include "vmcore/vmcore.h"

void seen_vcpu_title(const struct seen_vcpu *v, struct buf *out)
{
	if (!v)
		return;
	buf_addf(out, ", inside struct kvm_vcpu 0x%" PRIx64 " (by ", v->address);
	seen_vcpu_evidence(v, out);
	buf_addch(out, ')');
}

void seen_vcpu_json(const struct seen_vcpu *v, struct json *j)
{
	struct buf text = BUF_INIT;
	seen_vcpu_evidence(v, &text);
	json_str(j, "vcpu_by", text.data);
	j->out->failed |= text.failed;
	buf_free(&text);
}

static void print_json(const struct seen_vcpu *v, struct buf *out)
{
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_hex(&j, "vcpu", v->address);
	if (v->kvm)
		json_hex(&j, "kvm", v->kvm);
	if (v->task)
		json_u64(&j, "tid", v->task->tid);
	json_str(&j, "state", "unknown");
	seen_vcpu_json(v, &j);
	json_end(&j);
	buf_addch(out, '\n');
}

static void print_text(const struct seen_vcpu *v, struct buf *out)
{
	buf_addf(out, "vcpu at 0x%" PRIx64, v->address);
	if (v->kvm)
		buf_addf(out, ", struct kvm 0x%" PRIx64, v->kvm);
	if (v->task) {
		buf_addstr(out, ", thread ");
		add_task_title(v->task, out);
	}
	buf_addstr(out, "; by ");
	seen_vcpu_evidence(v, out);
	buf_addch(out, '\n');
}

void seen_vcpus_print(struct vmcore *h, enum row_printer printer, struct buf *out)
{
	const struct seen_vcpus *s = vmcore_seen_vcpus(h);
	for (size_t i = 0; i < s->count; i++) {
		if (printer == PRINT_JSON)
			print_json(&s->list[i], out);
		else
			print_text(&s->list[i], out);
	}
}
