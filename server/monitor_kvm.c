// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "proto/target.h"
#include "server/host.h"
#include "server/kvm/kvm.h"
#include "server/monitor_commands.h"
#include "server/monitor_job.h"
#include "server/monitor_kvm.h"

/* VMs a slice: each some vCPUs, of some 100 us. */
enum { SLICE = 16 };

/* ---- lists ---- */

struct listing {
	struct target_job job;
	bool json, only_vcpus;
	size_t next, end; /* indices of the VMs */
};

static struct err *show_vcpus(const struct host *h, const struct vm *vm, bool json, struct buf *out)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < vm->vcpu_count; i++)
		e = json ? add_vcpu_json(h, &vm->vcpus[i], out)
			 : add_vcpu_line(h, &vm->vcpus[i], out);
	return e;
}

static struct err *show_slice(struct host *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct listing *l = (struct listing *)job;
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	for (unsigned n = 0; !e && n < SLICE && l->next < l->end; n++) {
		struct vm *vm = &vms[l->next++];
		if (l->only_vcpus)
			e = show_vcpus(h, vm, l->json, out);
		else
			e = l->json ? add_vm_json(h, vm, out) : add_vm_text(h, vm, out);
	}
	if (e || l->next < l->end)
		return e;
	if (l->json)
		add_kvm_notes_json(h, out);
	else
		add_kvm_notes(h, out);
	*ret_done = true;
	return NULL;
}

static void free_listing(struct target_job *job)
{
	free(job);
}

static struct err *start_listing(const struct listing *wanted, const struct monitor_arguments *args)
{
	struct listing *l = malloc(sizeof(*l));
	if (!l)
		return err_nomem();
	*l = *wanted;
	l->job = (struct target_job){ .slice = show_slice, .free = free_listing };
	*args->ret_job = &l->job;
	return NULL;
}

/* All VMs; when there are none, says why. */
static struct err *need_vms(struct host *h, bool json, struct buf *out, struct vm **ret,
			    size_t *ret_count)
{
	struct err *e = kvm_vms(h->kvm, ret, ret_count);
	if (e || *ret_count || json)
		return e;
	const char *why = kvm_why(h->kvm);
	buf_addf(out, "no virtual machines%s%s\n", why ? ": " : "", why ? why : "");
	return NULL;
}

struct err *monitor_vms(struct host *h, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	struct listing l = { .json = args->json };
	struct vm *vms;
	(void)view;
	struct err *e = need_vms(h, args->json, out, &vms, &l.end);
	return e ? e : start_listing(&l, args);
}

/* A VM by its process or by its struct kvm. */
static struct err *find_vm(const struct vm *vms, size_t count, const char *text, size_t *ret)
{
	uint64_t pid, address;
	bool is_pid = number_parse(text, false, &pid);
	bool is_address = number_parse(text, true, &address);
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		bool by_pid = is_pid && vms[i].pid == pid && pid;
		if (!by_pid && !(is_address && vms[i].address == address))
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
			       text, found);
	return err_new(ERR_NOTFOUND,
		       "there is no virtual machine '%s': name one by its process or by its struct "
		       "kvm, as 'monitor vms' shows them",
		       text);
}

struct err *monitor_vcpus(struct host *h, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	struct listing l = { .json = args->json, .only_vcpus = true };
	struct vm *vms;
	(void)view;
	struct err *e = need_vms(h, args->json, out, &vms, &l.end);
	if (!e && args->count) {
		e = find_vm(vms, l.end, args->list[0], &l.next);
		l.end = l.next + 1;
	}
	if (e)
		return e;
	if (!args->json && l.next < l.end)
		add_vcpu_titles(out);
	return start_listing(&l, args);
}

/* ---- one vCPU ---- */

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

static struct err *find_vcpu(struct host *h, const char *text, const struct vcpu **ret)
{
	struct vm *vms;
	size_t count;
	uint64_t number;
	const char *colon = strchr(text, ':');
	*ret = NULL;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	if (!e && colon)
		e = find_in_vm(vms, count, text, colon, ret);
	else if (!e && number_parse(text, true, &number) && number >> 63)
		*ret = kvm_vcpu_at(h->kvm, number);
	else if (!e && number_parse(text, false, &number))
		e = find_by_number(vms, count, number, ret);
	if (e || *ret)
		return e;
	return err_new(ERR_NOTFOUND,
		       "there is no vCPU '%s': name one by its struct kvm_vcpu, its thread or as "
		       "VM:ID, as 'monitor vcpus' shows them",
		       text);
}

struct err *monitor_vcpu(struct host *h, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	const struct vcpu *vcpu;
	(void)view;
	struct err *e = find_vcpu(h, args->list[0], &vcpu);
	if (e)
		return e;
	return args->json ? add_vcpu_whole_json(h, vcpu, out) : add_vcpu_text(h, vcpu, out);
}
