// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of virtual machines, their vCPUs and memory slots. */
#include <inttypes.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/monitor/vcpu_rows.h"
#include "server/target/osdata_tables.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

static struct err *vm_item(const struct vmcore *h, struct vm *vm, struct buf *out)
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
	osdata_columnf(out, "pid", "%" PRIu32, vm->pid);
	osdata_column(out, "comm", vm->owner ? vm->owner->comm : "");
	osdata_columnf(out, "kvm", "0x%" PRIx64, vm->address);
	osdata_column(out, "kind", vm_kind_name(vm->kind));
	osdata_columnf(out, "vcpus", "%zu", vm->vcpu_count);
	osdata_columnf(out, "slots", "%zu", count);
	osdata_columnf(out, "memory", "%" PRIu64, bytes);
	buf_addstr(out, "</item>\n");
	return NULL;
}

struct err *osdata_vms(const struct vmcore *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = vm_item(h, &vms[i], out);
	return e;
}

struct err *osdata_vcpus(const struct vmcore *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		for (size_t n = 0; !e && n < vms[i].vcpu_count; n++)
			e = vcpu_print(h, &vms[i].vcpus[n], PRINT_OSDATA, out);
	return e;
}

struct err *osdata_slots(const struct vmcore *h, struct buf *out)
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
			osdata_columnf(out, "vm", "%" PRIu32, vms[i].pid);
			osdata_columnf(out, "as", "%u", slots[n].as);
			osdata_columnf(out, "id", "%d", slots[n].id);
			osdata_columnf(out, "gpa", "0x%" PRIx64, slots[n].gpa);
			osdata_columnf(out, "size", "%" PRIu64, slots[n].size);
			osdata_columnf(out, "hva", "0x%" PRIx64, slots[n].hva);
			osdata_columnf(out, "flags", "0x%" PRIx32, slots[n].flags);
			buf_addstr(out, "</item>\n");
		}
	}
	return e;
}
