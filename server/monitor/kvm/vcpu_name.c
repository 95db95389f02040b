// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/kvm/vcpu_name.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "base/hex.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

/* What --guests calls a VM: "vm-" and its process. */
static const char *skip_prefix(const char *text)
{
	static const char prefix[] = "vm-";
	size_t len = sizeof(prefix) - 1;
	return strncmp(text, prefix, len) ? text : text + len;
}

static struct err *find_vm(const struct vm *vms, size_t count, const char *text, size_t *ret)
{
	uint64_t pid, address;
	const char *name = skip_prefix(text);
	bool is_pid = number_parse(name, false, &pid) && pid;
	bool is_address = number_parse(name, true, &address);
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (!(is_pid && vms[i].pid == pid) && !(is_address && vms[i].address == address))
			continue;
		*ret = i;
		found++;
	}
	if (found == 1)
		return NULL;
	if (found)
		return err_new(ERR_INVALID,
			       "process %s has %zu virtual machines: name one by its struct kvm, "
			       "as 'monitor vms' shows it",
			       name, found);
	return err_new(ERR_NOTFOUND,
		       "there is no virtual machine '%s': name one by its process or by its struct "
		       "kvm, as 'monitor vms' shows them",
		       text);
}

struct err *vm_by_name(const struct vmcore *h, const char *text, size_t *ret)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	return e ? e : find_vm(vms, count, text, ret);
}

/* "VM:ID" */
static struct err *find_in_vm(const struct vm *vms, size_t count, const char *text,
			      const char *colon, const struct vcpu **ret)
{
	uint64_t id;
	size_t vm = 0;
	char *name = strndup(text, (size_t)(colon - text));
	if (!name)
		return err_nomem();
	struct err *e = find_vm(vms, count, name, &vm);
	free(name);
	if (e)
		return e;
	if (number_parse(colon + 1, false, &id))
		for (size_t i = 0; i < vms[vm].vcpu_count; i++)
			if ((uint64_t)vms[vm].vcpus[i].id == id)
				*ret = &vms[vm].vcpus[i];
	return NULL;
}

/* The number of a thread, or a vCPU's own where that says enough. */
static struct err *find_by_number(const struct vm *vms, size_t count, uint64_t number,
				  const struct vcpu **ret)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		for (size_t n = 0; n < vms[i].vcpu_count; n++) {
			const struct vcpu *vcpu = &vms[i].vcpus[n];
			if ((vcpu->task && vcpu->task->tid == number) ||
			    (uint64_t)vcpu->id == number) {
				*ret = vcpu;
				found++;
			}
		}
	}
	if (found < 2)
		return NULL;
	return err_new(ERR_INVALID,
		       "%" PRIu64 " could be %zu vCPUs: name one as VM:ID, or by its struct "
		       "kvm_vcpu",
		       number, found);
}

struct err *vcpu_by_name(const struct vmcore *h, const char *text, const struct vcpu **ret)
{
	struct vm *vms;
	size_t count;
	uint64_t number;
	const char *colon = strchr(text, ':');
	const struct vcpu *found = NULL;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	if (e)
		return e;
	if (!count)
		return err_new(ERR_NOTFOUND, "there are no virtual machines%s%s",
			       kvm_why(h->kvm) ? ": " : "", kvm_why(h->kvm) ? kvm_why(h->kvm) : "");
	if (colon)
		e = find_in_vm(vms, count, text, colon, &found);
	else if (number_parse(text, true, &number) && is_kernel_address(number))
		found = kvm_vcpu_at(h->kvm, number);
	else if (number_parse(text, false, &number))
		e = find_by_number(vms, count, number, &found);
	if (!e && !found)
		e = err_new(ERR_NOTFOUND,
			    "there is no vCPU '%s': name one by its struct kvm_vcpu, its thread or "
			    "as VM:ID, as 'monitor vcpus' shows them",
			    text);
	if (!e)
		*ret = found;
	return e;
}
