// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of virtual machines, their vCPUs and memory slots. */
#include <stddef.h>

#include "base/err.h"
#include "server/monitor/kvm/vm_rows.h"
#include "server/target/osdata_tables.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

struct err *osdata_vms(const struct vmcore *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = vm_print(h, &vms[i], PRINT_OSDATA, out);
	return e;
}

struct err *osdata_vcpus(const struct vmcore *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = vm_print_vcpus(h, &vms[i], PRINT_OSDATA, out);
	return e;
}

struct err *osdata_slots(const struct vmcore *h, struct buf *out)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		e = vm_print_slots(h, &vms[i], PRINT_OSDATA, out);
	return e;
}
