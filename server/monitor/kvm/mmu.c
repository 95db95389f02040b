// SPDX-License-Identifier: GPL-2.0-or-later
/* monitor mmu: KVM's MMU of a vCPU. */
#include <inttypes.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/service.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/x86/mmu.h"
#include "vmcore/vmcore.h"

/* Where a list of names and numbers goes. */
struct numbers {
	struct buf *out;
	struct json *j; /* NULL for text */
};

static void add_number(void *closure, const char *name, uint64_t value)
{
	const struct numbers *n = closure;
	if (n->j)
		json_u64(n->j, name, value);
	else
		buf_addf(n->out, " %s=%" PRIu64, name, value);
}

/* A role, by the first of @paths that this kernel has. */
static void show_role(struct vmcore *h, uint64_t base, const char *type, const char *path,
		      struct buf *out, struct json *j)
{
	struct buf text = BUF_INIT;
	struct numbers as_text = { &text, NULL }, as_json = { out, j };
	if (!mmu_role(h->kvm, base, type, path, add_number, &as_text)) {
		/* this kernel has none */
	} else if (j) {
		json_object(j, path);
		mmu_role(h->kvm, base, type, path, add_number, &as_json);
		json_end(j);
	} else {
		buf_addf(out, "%s%s\n", path, text.data);
	}
	buf_free(&text);
}

/* All that this kernel's MMUs have. */
static void show_roles(struct vmcore *h, const struct vcpu_mmu *mmu, struct buf *out,
		       struct json *j)
{
	static const char *const roles[] = { "root_role", "cpu_role.base", "cpu_role.ext",
					     "mmu_role.base", "base_role" };
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		show_role(h, mmu->address, "kvm_mmu", roles[i], out, j);
		if (mmu->pagewalk)
			show_role(h, mmu->pagewalk, "kvm_pagewalk", roles[i], out, j);
	}
}

static void show_page(struct vmcore *h, uint64_t address, const char *indent, struct buf *out,
		      struct json *j)
{
	struct mmu_page page;
	uint64_t table;
	struct err *e = mmu_page_at(h->kvm, address, &page, &table);
	if (j)
		json_hex(j, "kvm_mmu_page", address);
	else
		buf_addf(out, "%skvm_mmu_page 0x%" PRIx64, indent, address);
	if (e) {
		if (j)
			json_str(j, "why", err_msg(e));
		else
			buf_addf(out, ": %s\n", err_msg(e));
		err_free(e);
		return;
	}
	const struct {
		const char *name;
		const struct mmu_number *number;
	} rows[] = {
		{ "gfn", &page.gfn },
		{ "root_count", &page.root_count },
		{ "tdp_mmu_page", &page.tdp_mmu },
		{ "nx_huge_page_disallowed", &page.nx_huge_page_disallowed },
	};
	if (j)
		json_hex(j, "table", table);
	else
		buf_addf(out, ", table 0x%" PRIx64, table);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (rows[i].number->known && j)
			json_u64(j, rows[i].name, rows[i].number->value);
		else if (rows[i].number->known)
			buf_addf(out, ", %s %" PRIu64, rows[i].name, rows[i].number->value);
	}
	if (!j)
		buf_addf(out, "\n%s", indent);
	show_role(h, address, "kvm_mmu_page", "role", out, j);
}

struct roots {
	struct vmcore *h;
	struct buf *out;
	struct json *j;
};

static void add_root(void *closure, uint64_t page)
{
	const struct roots *r = closure;
	if (r->j)
		json_object(r->j, NULL);
	show_page(r->h, page, "  ", r->out, r->j);
	if (r->j)
		json_end(r->j);
}

static const char *kind_of(const struct vcpu_mmu *mmu)
{
	if (!mmu->tdp_known)
		return "unknown";
	if (!mmu->tdp)
		return "shadow";
	return mmu->is_nested ? "TDP, nested: for the guest's guest" : "TDP";
}

static void mmu_text(struct vmcore *h, const struct vcpu *vcpu, const struct vcpu_mmu *mmu,
		     struct buf *out)
{
	struct numbers n = { out, NULL };
	struct roots roots = { h, out, NULL };
	struct mmu_page page;
	buf_addf(out, "kvm_mmu 0x%" PRIx64 " of vCPU %d, %s\n", mmu->address, vcpu->id,
		 kind_of(mmu));
	if (mmu->has_root)
		buf_addf(out, "root_hpa 0x%" PRIx64, mmu->root_hpa);
	else
		buf_addstr(out, "root_hpa invalid");
	if (mmu->level.known)
		buf_addf(out, ", %" PRIu64 " levels", mmu->level.value);
	if (mmu->pgd.known)
		buf_addf(out, ", for the guest's root 0x%" PRIx64, mmu->pgd.value);
	if (mmu->guest_level.known)
		buf_addf(out, ", guest %" PRIu64 " levels", mmu->guest_level.value);
	buf_addstr(out,
		   mmu->direct.known ? mmu->direct.value ? ", direct\n" : ", not direct\n" : "\n");
	if (!mmu->walkable)
		buf_addf(out, "not walked: %s\n", mmu->why);
	show_roles(h, mmu, out, NULL);
	if (mmu->has_root) {
		struct err *e = mmu_page_of(h->kvm, mmu->root_hpa, &page);
		if (e)
			buf_addf(out, "root's descriptor: %s\n", err_msg(e));
		else
			show_page(h, page.address, "", out, NULL);
		err_free(e);
	}
	buf_addstr(out, "counts");
	mmu_counts(h->kvm, vcpu->vm, add_number, &n);
	buf_addstr(out, "\nTDP MMU roots\n");
	if (!mmu_tdp_roots(h->kvm, vcpu->vm, add_root, &roots))
		buf_addstr(out, "  the list is damaged: there may be more\n");
}

static void json_number(struct json *j, const char *key, const struct mmu_number *n)
{
	if (n->known)
		json_u64(j, key, n->value);
}

static void mmu_json(struct vmcore *h, const struct vcpu *vcpu, const struct vcpu_mmu *mmu,
		     struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct numbers n = { out, &j };
	struct roots roots = { h, out, &j };
	struct mmu_page page;
	json_object(&j, NULL);
	json_hex(&j, "vcpu", vcpu->address);
	json_hex(&j, "mmu", mmu->address);
	json_str(&j, "kind", kind_of(mmu));
	if (mmu->tdp_known)
		json_bool(&j, "tdp", mmu->tdp);
	json_bool(&j, "nested", mmu->is_nested);
	if (mmu->has_root)
		json_hex(&j, "root_hpa", mmu->root_hpa);
	if (mmu->pgd.known)
		json_hex(&j, "pgd", mmu->pgd.value);
	json_number(&j, "level", &mmu->level);
	json_number(&j, "guest_level", &mmu->guest_level);
	if (mmu->direct.known)
		json_bool(&j, "direct", mmu->direct.value != 0);
	if (!mmu->walkable)
		json_str(&j, "why", mmu->why);
	show_roles(h, mmu, out, &j);
	if (mmu->has_root) {
		struct err *e = mmu_page_of(h->kvm, mmu->root_hpa, &page);
		json_object(&j, "root_page");
		if (e)
			json_str(&j, "why", err_msg(e));
		else
			show_page(h, page.address, "", out, &j);
		json_end(&j);
		err_free(e);
	}
	json_object(&j, "counts");
	mmu_counts(h->kvm, vcpu->vm, add_number, &n);
	json_end(&j);
	json_array(&j, "tdp_mmu_roots");
	bool whole = mmu_tdp_roots(h->kvm, vcpu->vm, add_root, &roots);
	json_end(&j);
	json_bool(&j, "tdp_mmu_roots_whole", whole);
	json_end(&j);
	buf_addch(out, '\n');
}

struct err *monitor_mmu(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	const struct vcpu *vcpu;
	struct vcpu_mmu mmu;
	(void)view;
	struct err *e = vcpu_by_name(h, args->list[0], &vcpu);
	if (!e)
		e = vcpu_mmu_read(h->kvm, vcpu, &mmu);
	if (e)
		return e;
	if (args->printer == PRINT_JSON)
		mmu_json(h, vcpu, &mmu, out);
	else
		mmu_text(h, vcpu, &mmu, out);
	return NULL;
}
