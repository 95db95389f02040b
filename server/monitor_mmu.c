// SPDX-License-Identifier: GPL-2.0-or-later
/* monitor mmu and monitor ept: KVM's MMU of a vCPU, and what its tables map. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/host.h"
#include "server/kvm/guest_memory.h"
#include "server/kvm/kvm.h"
#include "server/kvm/mmu.h"
#include "server/monitor_commands.h"
#include "server/memory/walk_ranges.h"
#include "server/monitor_job.h"
#include "server/vcpu_name.h"

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
static void show_role(struct host *h, uint64_t base, const char *type, const char *path,
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

static void show_page(struct host *h, uint64_t address, const char *indent, struct buf *out,
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
	struct host *h;
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

static void mmu_text(struct host *h, const struct vcpu *vcpu, const struct vcpu_mmu *mmu,
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
	show_role(h, mmu->address, "kvm_mmu", "root_role", out, NULL);
	show_role(h, mmu->address, "kvm_mmu", "cpu_role.base", out, NULL);
	show_role(h, mmu->address, "kvm_mmu", "cpu_role.ext", out, NULL);
	show_role(h, mmu->address, "kvm_mmu", "mmu_role.base", out, NULL);
	show_role(h, mmu->address, "kvm_mmu", "base_role", out, NULL);
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

static void mmu_json(struct host *h, const struct vcpu *vcpu, const struct vcpu_mmu *mmu,
		     struct buf *out)
{
	static const char *const roles[] = { "root_role", "cpu_role.base", "cpu_role.ext",
					     "mmu_role.base", "base_role" };
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
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		show_role(h, mmu->address, "kvm_mmu", roles[i], out, &j);
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

struct err *monitor_mmu(struct host *h, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	const struct vcpu *vcpu;
	struct vcpu_mmu mmu;
	(void)view;
	struct err *e = vcpu_by_name(h, args->list[0], &vcpu);
	if (!e)
		e = vcpu_mmu_read(h->kvm, vcpu, &mmu);
	if (e)
		return e;
	if (args->json)
		mmu_json(h, vcpu, &mmu, out);
	else
		mmu_text(h, vcpu, &mmu, out);
	return NULL;
}

/* ---- ept ---- */

enum {
	TABLES_A_SLICE = 512, /* some milliseconds, where the dump is compressed */
	RANGES_A_SLICE = 16384,
	/* What a client must keep in memory before it sees the first of it. */
	RANGES_MAX = 4 << 20,
};

struct ept_job {
	struct target_job job;
	struct walk_ranges *ranges; /* owned */
	bool json;
	uint64_t count, bytes;
};

static void ept_free(struct target_job *job)
{
	struct ept_job *j = (struct ept_job *)job;
	walk_ranges_free(j->ranges);
	free(j);
}

static void range_json(const struct walk_range *r, struct buf *out)
{
	struct json j = JSON_INIT(out);
	char rights[4] = { r->rights.readable ? 'r' : '-', r->rights.writable ? 'w' : '-',
			   r->rights.executable ? 'x' : '-', 0 };
	json_object(&j, NULL);
	json_hex(&j, "gpa", r->start);
	json_u64(&j, "size", r->size);
	if (r->kind == RANGE_MAPPED) {
		json_hex(&j, "hpa", r->pa);
		json_u64(&j, "page_size", r->page_size);
		json_str(&j, "rights", rights);
		if (r->tracked)
			json_bool(&j, "access_tracked", true);
	} else {
		const char *kind = r->kind == RANGE_DAMAGED
					   ? "corrupt"
					   : err_memory_kind((enum err_code)r->why);
		json_str(&j, "kind", kind ? kind : "unreadable");
		json_hex(&j, r->kind == RANGE_DAMAGED ? "entry_address" : "table", r->where);
	}
	json_end(&j);
	buf_addch(out, '\n');
}

static const char *page_name(uint64_t size)
{
	switch (size) {
	case UINT64_C(1) << 12:
		return "4K";
	case UINT64_C(1) << 21:
		return "2M";
	case UINT64_C(1) << 22:
		return "4M";
	default:
		return "1G";
	}
}

static void range_text(const struct walk_range *r, struct buf *out)
{
	uint64_t last = r->start + (r->size - 1);
	if (r->kind == RANGE_MAPPED)
		buf_addf(out,
			 "%012" PRIx64 "-%012" PRIx64 " -> %012" PRIx64 "  %9" PRIu64
			 " KiB  %s pages  %c%c%c%s\n",
			 r->start, last, r->pa, r->size >> 10, page_name(r->page_size),
			 r->rights.readable ? 'r' : '-', r->rights.writable ? 'w' : '-',
			 r->rights.executable ? 'x' : '-', r->tracked ? "  access tracked" : "");
	else if (r->kind == RANGE_DAMAGED)
		buf_addf(out,
			 "%012" PRIx64 "-%012" PRIx64 "  corrupt: the entry at 0x%" PRIx64
			 " has reserved bits set\n",
			 r->start, last, r->where);
	else
		buf_addf(out, "%012" PRIx64 "-%012" PRIx64 "  %s: the table at 0x%" PRIx64 "\n",
			 r->start, last,
			 err_memory_kind((enum err_code)r->why)
				 ? err_memory_kind((enum err_code)r->why)
				 : "unreadable",
			 r->where);
}

/* The last line. */
static void add_sum(const struct ept_job *job, const char *cut, struct buf *out)
{
	if (job->json && cut) {
		struct json j = JSON_INIT(out);
		json_object(&j, NULL);
		json_str(&j, "cut", cut);
		json_end(&j);
		buf_addch(out, '\n');
	} else if (!job->json) {
		buf_addf(out, "%" PRIu64 " ranges, %" PRIu64 " KiB, %" PRIu64 " tables%s%s\n",
			 job->count, job->bytes >> 10, walk_ranges_tables(job->ranges),
			 cut ? "; " : "", cut ? cut : "");
	}
}

static struct err *ept_slice(struct host *h, struct target_job *job, struct buf *out,
			     bool *ret_done)
{
	struct ept_job *j = (struct ept_job *)job;
	unsigned budget = TABLES_A_SLICE;
	(void)h;
	for (unsigned i = 0; i < RANGES_A_SLICE; i++) {
		struct walk_range r;
		const char *cut = NULL;
		enum walk_ranges_state state = walk_ranges_next(j->ranges, &budget, &r);
		if (state == RANGES_PAUSED)
			return NULL;
		if (state == RANGES_TOO_MANY)
			cut = "there are more tables than any machine has: they are damaged";
		else if (state == RANGES_FOUND && j->count == RANGES_MAX)
			cut = "and more: give a range of addresses, GPA..GPA";
		if (cut || state == RANGES_END) {
			add_sum(j, cut, out);
			*ret_done = true;
			return NULL;
		}
		j->count++;
		if (r.kind == RANGE_MAPPED)
			j->bytes += r.size;
		if (j->json)
			range_json(&r, out);
		else
			range_text(&r, out);
	}
	return NULL;
}

/* "GPA..GPA", the second included; "GPA.." to the end; "GPA" one address. */
static struct err *parse_range(const char *text, uint64_t *ret_first, uint64_t *ret_last)
{
	char first[32] = "";
	const char *dots = strstr(text, "..");
	size_t len = dots ? (size_t)(dots - text) : strlen(text);
	if (len < sizeof(first))
		memcpy(first, text, len);
	if (number_parse(first, true, ret_first)) {
		*ret_last = *ret_first;
		if (!dots)
			return NULL;
		*ret_last = UINT64_MAX;
		if (!dots[2] || (number_parse(dots + 2, true, ret_last) && *ret_last >= *ret_first))
			return NULL;
	}
	return err_new(ERR_INVALID, "'%s' is no range of hexadecimal addresses: GPA..GPA", text);
}

struct err *monitor_ept(struct host *h, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	const struct vcpu *vcpu;
	struct vcpu_mmu mmu;
	uint64_t first = 0, last = UINT64_MAX;
	bool done = false;
	(void)view;
	struct err *e = args->count > 1 ? parse_range(args->list[1], &first, &last) : NULL;
	if (!e)
		e = vcpu_by_name(h, args->list[0], &vcpu);
	if (!e)
		e = vcpu_mmu_read(h->kvm, vcpu, &mmu);
	if (e)
		return e;
	if (!mmu.walkable)
		return err_new(ERR_NOTFOUND, "%s", mmu.why);
	struct ept_job *job = calloc(1, sizeof(*job));
	if (!job)
		return err_nomem();
	struct walk_reader reader = mmu_reader(h->kvm);
	job->job = (struct target_job){ .slice = ept_slice, .free = ept_free };
	job->json = args->json;
	e = walk_ranges_new(&reader, &mmu.space, first, last, &job->ranges);
	if (!e) {
		if (!args->json && (!mmu.tdp || mmu.is_nested))
			buf_addf(out, "%s\n",
				 mmu.tdp ? "addresses are those of the guest's guest"
					 : "shadow tables: addresses are guest virtual");
		e = ept_slice(h, &job->job, out, &done);
	}
	if (e || done)
		ept_free(&job->job);
	else
		*args->ret_job = &job->job;
	return e;
}
