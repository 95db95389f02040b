// SPDX-License-Identifier: GPL-2.0-or-later
/* The members of KVM's structures, under all the names they have had. */
#include "base/err.h"
#include "vmcore/kvm/kvm_private.h"

enum { PATHS = 3 };

struct wanted {
	size_t at;			 /* offset in struct kvm_layout */
	const char *type, *paths[PATHS]; /* the first that exists */
	bool is_vital;
};

#define MEMBER(name) offsetof(struct kvm_layout, name)

static const struct wanted wanted[] = {
	{ MEMBER(vm_list), "kvm", { "vm_list.next" }, true },
	{ MEMBER(mm), "kvm", { "mm" }, true },
	{ MEMBER(online), "kvm", { "online_vcpus.counter" }, true },
	{ MEMBER(vcpus), "kvm", { "vcpus" }, false },			/* until 5.16 */
	{ MEMBER(vcpu_array), "kvm", { "vcpu_array.xa_head" }, false }, /* later */
	{ MEMBER(memslots), "kvm", { "memslots" }, false },
	{ MEMBER(userspace_pid), "kvm", { "userspace_pid" }, false }, /* el7, 4.13 and later */
	{ MEMBER(vm_type), "kvm", { "arch.vm_type" }, false },	      /* 6.7 */
	{ MEMBER(kvm), "kvm_vcpu", { "kvm" }, true },
	{ MEMBER(id), "kvm_vcpu", { "vcpu_id" }, true },
	{ MEMBER(cpu), "kvm_vcpu", { "cpu" }, false },
	{ MEMBER(pid), "kvm_vcpu", { "pid" }, false },
	{ MEMBER(notifier), "kvm_vcpu", { "preempt_notifier" }, false },
	{ MEMBER(protected), "kvm_vcpu", { "arch.guest_state_protected" }, false }, /* 5.11 */
	{ MEMBER(notifier_link), "preempt_notifier", { "link.next" }, false },
	{ MEMBER(notifier_ops), "preempt_notifier", { "ops" }, false },
	{ MEMBER(task_notifiers), "task_struct", { "preempt_notifiers.first" }, false },
	/* pid_links is what counts where both are there: el8 keeps a stale pids. */
	{ MEMBER(task_link), "task_struct", { "pid_links[0].next", "pids[0].node.next" }, false },
	{ MEMBER(pid_tasks), "pid", { "tasks[0].first" }, false },
};

static struct err *find_one(const struct type_scope *types, const struct wanted *w,
			    struct member *ret, bool *ret_found)
{
	*ret_found = false;
	*ret = (struct member){ 0 };
	for (int i = 0; i < PATHS && w->paths[i]; i++) {
		struct err *e = type_scope_member(types, w->type, w->paths[i], ret);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		*ret_found = !e;
		err_free(e);
		if (*ret_found)
			return NULL;
	}
	return NULL;
}

struct err *kvm_layout_find(const struct type_scope *types, struct kvm_layout *ret,
			    const char **ret_missing)
{
	*ret_missing = NULL;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		bool found;
		struct member *m = (struct member *)((char *)ret + wanted[i].at);
		struct err *e = find_one(types, &wanted[i], m, &found);
		if (e)
			return e;
		if (!found && wanted[i].is_vital && !*ret_missing)
			*ret_missing = wanted[i].paths[0];
	}
	return NULL;
}
