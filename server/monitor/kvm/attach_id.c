// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/kvm/attach_id.h"

#include <stdbool.h>

#include "vmcore/kvm/kvm.h"

uint64_t attach_id_of_vm(const struct vm *vms, size_t count, const struct vm *vm)
{
	size_t i = 0;
	bool is_first = vm->pid;
	for (; i < count && vms[i].address != vm->address; i++)
		is_first &= vms[i].pid != vm->pid;
	if (is_first)
		return ATTACH_ID_VM + (uint64_t)vm->pid;
	return i < ATTACH_ID_END - ATTACH_ID_OTHER_VM ? ATTACH_ID_OTHER_VM + i : 0;
}
