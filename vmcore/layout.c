// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/layout.h"

#include <stdlib.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/members.h"
#include "vmcore/names/types/wants.h"
#include "vmcore/vmcore.h"

struct list {
	struct layout_row *rows;
	size_t count;
};

static struct err *add_row(struct list *l, const struct layout_row *row)
{
	struct layout_row *rows = reallocarray(l->rows, l->count + 1, sizeof(*rows));
	if (!rows)
		return err_nomem();
	l->rows = rows;
	rows[l->count++] = *row;
	return NULL;
}

static struct err *add(struct list *l, const struct want_set *set, size_t i, const char *path,
		       const struct member *m)
{
	const struct layout_row row = {
		.subject = set->subject,
		.type = set->wants[i].type,
		.want = &set->wants[i],
		.path = path,
		.member = *m,
	};
	return add_row(l, &row);
}

/* What is proven where types are not known. */
static struct err *add_proven(const struct types *t, struct list *l)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < types_told_count(t); i++) {
		struct types_told_row told;
		types_told_at(t, i, &told);
		const struct layout_row row = {
			.subject = "proven in the dump",
			.type = told.type,
			.path = told.path,
			.member = told.member,
			.how = told.how,
		};
		e = add_row(l, &row);
	}
	return e;
}

static struct err *add_kernel(const struct kernel *k, struct list *l)
{
	struct err *e = NULL;
	for (size_t s = 0; !e && s < KERNEL_MEMBER_SETS; s++) {
		enum kernel_member first;
		const struct want_set *set = kernel_member_set(s, &first);
		for (size_t i = 0; !e && i < set->count; i++) {
			const struct member *m;
			const char *path;
			e = kernel_name_member(k, first + i, &path, &m);
			/* It is among what is proven. */
			if (!e && path && types_why_none(kernel_types(k)))
				continue;
			if (!e)
				e = add(l, set, i, path, m);
		}
	}
	return e;
}

static bool is_wanted(enum kvm_vendor vendor, enum kvm_member first)
{
	return first == 0 || (first == M_SVM_FIRST && vendor == KVM_SVM) ||
	       (first == M_VMX_FIRST && vendor == KVM_VMX);
}

static struct err *add_kvm(struct kvm *kvm, struct list *l)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(kvm, &vms, &count);
	if (e || kvm_why(kvm))
		return e;
	enum kvm_vendor vendor = kvm_vendor(kvm);
	for (size_t s = 0; !e && s < KVM_MEMBER_SETS; s++) {
		enum kvm_member first;
		const struct want_set *set = kvm_member_set(s, &first);
		for (size_t i = 0; !e && i < set->count && is_wanted(vendor, first); i++) {
			const struct member *m;
			const char *path;
			e = kvm_name_member(kvm, first + i, &path, &m);
			if (!e)
				e = add(l, set, i, path, m);
		}
	}
	return e;
}

struct err *layout_list(const struct vmcore *h, struct layout_row **ret, size_t *ret_count)
{
	struct list l = { 0 };
	const struct types *t = kernel_types(h->kernel);
	struct err *e = types_told_count(t) ? add_proven(t, &l) : types_need(t);
	if (!e)
		e = add_kernel(h->kernel, &l);
	if (!e)
		e = add_kvm(h->kvm, &l);
	if (e) {
		free(l.rows);
		return e;
	}
	*ret = l.rows;
	*ret_count = l.count;
	return NULL;
}
