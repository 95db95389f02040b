// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/slice.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/seen_vcpu_rows.h"
#include "server/monitor/job.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/monitor/kvm/vcpu_rows.h"
#include "server/monitor/kvm/vm_rows.h"
#include "server/service.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

/* ---- lists ---- */

struct listing {
	struct target_job job;
	enum row_printer printer;
	bool only_vcpus;
	size_t next, end; /* indices of the VMs */
};

static struct err *show_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct listing *l = (struct listing *)job;
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(h->kvm, &vms, &count);
	const struct slice now = slice_begin_list(h->live);
	while (!e && l->next < l->end && !slice_is_over(&now)) {
		struct vm *vm = &vms[l->next++];
		e = l->only_vcpus ? vm_print_vcpus(h, vm, l->printer, out)
				  : vm_print(h, vm, l->printer, out);
	}
	if (e || l->next < l->end)
		return e;
	vm_print_notes(h, l->printer, out);
	*ret_done = true;
	return NULL;
}

static void free_listing(struct target_job *job)
{
	free(job);
}

/* The first slice is done at once: few machines have VMs for more. */
static struct err *start_listing(struct vmcore *h, const struct listing *wanted,
				 const struct monitor_arguments *args, struct buf *out)
{
	bool done = false;
	struct listing *l = malloc(sizeof(*l));
	if (!l)
		return err_nomem();
	*l = *wanted;
	l->job = (struct target_job){ .slice = show_slice, .free = free_listing };
	struct err *e = show_slice(h, &l->job, out, &done);
	if (e || done)
		free(l);
	else
		*args->ret_job = &l->job;
	return e;
}

/* All VMs; when there are none, says why. */
static struct err *need_vms(struct vmcore *h, enum row_printer printer, struct buf *out,
			    struct vm **ret, size_t *ret_count)
{
	struct err *e = kvm_vms(h->kvm, ret, ret_count);
	if (e || *ret_count || printer != PRINT_TEXT)
		return e;
	const char *why = kvm_why(h->kvm);
	if (!vmcore_seen_vcpus(h)->count)
		buf_addf(out, "no virtual machines%s%s\n", why ? ": " : "", why ? why : "");
	else
		buf_addf(out, "virtual machines are not known: %s\n",
			 why ? why : "KVM's types are not");
	return NULL;
}

struct err *monitor_vms(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct listing l = { .printer = args->printer };
	struct vm *vms;
	(void)view;
	struct err *e = need_vms(h, args->printer, out, &vms, &l.end);
	return e ? e : start_listing(h, &l, args, out);
}

struct err *monitor_vcpus(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	struct listing l = { .printer = args->printer, .only_vcpus = true };
	struct vm *vms;
	(void)view;
	struct err *e = need_vms(h, args->printer, out, &vms, &l.end);
	if (!e && args->count) {
		e = vm_by_name(h, args->list[0], &l.next);
		l.end = l.next + 1;
	}
	if (e)
		return e;
	if (args->printer == PRINT_TEXT && l.next < l.end)
		vcpu_titles(out);
	seen_vcpus_print(h, args->printer, out);
	return start_listing(h, &l, args, out);
}

/* ---- one vCPU ---- */

struct err *monitor_vcpu(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	const struct vcpu *vcpu;
	(void)view;
	struct err *e = vcpu_by_name(h, args->list[0], &vcpu);
	if (e)
		return e;
	return vcpu_print_whole(h, vcpu, args->printer, out);
}
