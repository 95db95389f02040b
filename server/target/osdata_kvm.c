// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of virtual machines, their vCPUs and memory slots. */
#include <stddef.h>

#include "base/err.h"
#include "base/slice.h"
#include "server/monitor/kvm/vm_rows.h"
#include "server/target/osdata_tables.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

typedef struct err *print_vm(const struct vmcore *h, struct vm *vm, enum row_printer printer,
			     struct buf *out);

static struct err *of_vms(const struct vmcore *h, print_vm *print, size_t *next, struct buf *out,
			  bool *ret_done)
{
	struct vm *vms;
	size_t count;
	const struct slice now = slice_begin();
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	while (!e && *next < count && !slice_is_over(&now))
		e = print(h, &vms[(*next)++], PRINT_OSDATA, out);
	*ret_done = !e && *next >= count;
	return e;
}

static struct err *print_vcpus(const struct vmcore *h, struct vm *vm, enum row_printer printer,
			       struct buf *out)
{
	return vm_print_vcpus(h, vm, printer, out);
}

struct err *osdata_vms(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	return of_vms(h, vm_print, next, out, ret_done);
}

struct err *osdata_vcpus(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	return of_vms(h, print_vcpus, next, out, ret_done);
}

struct err *osdata_slots(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	return of_vms(h, vm_print_slots, next, out, ret_done);
}
