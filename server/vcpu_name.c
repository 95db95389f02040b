// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/vcpu_name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "server/host.h"
#include "server/kvm/kvm.h"

/* Below it a number is that of a thread, and no address of the kernel's. */
#define NUMBERS_END (UINT64_C(1) << 32)

static struct err *by_vm(const struct vm *vms, size_t count, const char *text, const char *colon,
			 const struct vcpu **ret)
{
	uint64_t pid, id;
	char digits[24] = "";
	size_t len = (size_t)(colon - text);
	if (len < sizeof(digits))
		memcpy(digits, text, len);
	if (!number_parse(digits, false, &pid) || !number_parse(colon + 1, false, &id))
		return err_new(ERR_INVALID, "'%s' is no PID:ID of a vCPU", text);
	for (size_t i = 0; i < count; i++)
		for (size_t n = 0; vms[i].pid == pid && n < vms[i].vcpu_count; n++)
			if (vms[i].vcpus[n].id >= 0 && (uint64_t)vms[i].vcpus[n].id == id) {
				*ret = &vms[i].vcpus[n];
				return NULL;
			}
	return err_new(ERR_NOTFOUND,
		       "no VM of process %" PRIu64 " has a vCPU %" PRIu64
		       "; 'targets' lists what --guests serves",
		       pid, id);
}

struct err *vcpu_by_name(struct host *h, const char *text, const struct vcpu **ret)
{
	struct vm *vms;
	size_t count;
	uint64_t number;
	const struct vcpu *found = NULL;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	if (e)
		return e;
	if (!count)
		return err_new(ERR_NOTFOUND, "there are no virtual machines%s%s",
			       kvm_why(h->kvm) ? ": " : "", kvm_why(h->kvm) ? kvm_why(h->kvm) : "");
	const char *name = strncmp(text, "vm-", 3) ? text : text + 3;
	const char *colon = strchr(name, ':');
	if (colon)
		return by_vm(vms, count, name, colon, ret);
	if (number_parse(text, false, &number) && number < NUMBERS_END) {
		const struct task *task = tasks_find(&h->tasks, number);
		found = task ? kvm_vcpu_of_task(h->kvm, task) : NULL;
	} else if (number_parse(text, true, &number)) {
		found = kvm_vcpu_at(h->kvm, number);
	} else {
		return err_new(ERR_INVALID,
			       "'%s' is no vCPU: give its address, PID:ID, or its thread", text);
	}
	if (!found)
		return err_new(ERR_NOTFOUND, "'%s' is the address or thread of no vCPU", text);
	*ret = found;
	return NULL;
}
