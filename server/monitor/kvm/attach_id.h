/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDs that gdb's `attach` takes, as they are shown: the server's own, above all PIDs (4194304
 * at most) and below the made-up thread ids (10000000 on). server/target/attach.c has what each
 * kind of them means.
 */
#ifndef SERVER_MONITOR_KVM_ATTACH_ID_H
#define SERVER_MONITOR_KVM_ATTACH_ID_H

#include <stddef.h>
#include <stdint.h>

struct vm;

enum {
	ATTACH_ID_HOST = 5000000,
	/* Of virtual machines: this and the process's PID. One that has no PID of its own has one
	 * of those above instead. */
	ATTACH_ID_VM = 5000000,
	ATTACH_ID_OTHER_VM = 9200000,
	ATTACH_ID_END = 10000000,
};

/* Of @vm, one of the host's: of the @count at @vms, as kvm_vms() has them. It stays the same as
 * long as its process has one VM. 0 where there are too many to have one each. */
uint64_t attach_id_of_vm(const struct vm *vms, size_t count, const struct vm *vm);

#endif
