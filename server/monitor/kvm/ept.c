// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monitor ept: what the tables map that KVM gave to the processor for a vCPU, range by range as
 * they are found, or summed up. A guest whose pages are all over the place has a range for each of
 * them: the list goes to the client as it is made, so that its length takes no memory.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/job.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/service.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/x86/mmu.h"
#include "vmcore/memory/walk_ranges.h"
#include "vmcore/vmcore.h"

enum {
	TABLES_A_SLICE = 512, /* some milliseconds, where the dump is compressed */
	RANGES_A_SLICE = 4096,
	/* Page sizes by levels 1 to 3; 8 rights, and the same access tracked. */
	SIZES = 3,
	RIGHTS = 16,
};

/* What was found of one page size and rights. */
struct sum {
	uint64_t ranges, bytes;
};

struct ept_job {
	struct target_job job;
	struct walk_ranges *ranges; /* owned */
	const char *key;	    /* of JSON: "gpa", or "gva" of shadow tables */
	bool json, summary;
	uint64_t count, bytes, bad; /* ranges in all; bytes mapped; ranges that cannot be told */
	struct sum sums[SIZES][RIGHTS];
};

static void ept_free(struct target_job *job)
{
	struct ept_job *j = (struct ept_job *)job;
	walk_ranges_free(j->ranges);
	free(j);
}

static unsigned rights_index(const struct walk_range *r)
{
	return r->rights.readable | r->rights.writable << 1 | r->rights.executable << 2 |
	       (unsigned)r->tracked << 3;
}

static unsigned size_index(uint64_t page_size)
{
	return page_size > UINT64_C(4) << 20 ? 2 : page_size > UINT64_C(4) << 10 ? 1 : 0;
}

/* "rwx" into @out, with the end mark. */
static void put_rights(char *out, unsigned index)
{
	out[0] = index & 1 ? 'r' : '-';
	out[1] = index & 2 ? 'w' : '-';
	out[2] = index & 4 ? 'x' : '-';
	out[3] = 0;
}

static void count_range(struct ept_job *j, const struct walk_range *r)
{
	j->count++;
	if (r->kind != RANGE_MAPPED) {
		j->bad++;
		return;
	}
	struct sum *sum = &j->sums[size_index(r->page_size)][rights_index(r)];
	j->bytes += r->size;
	sum->ranges++;
	sum->bytes += r->size;
}

/* ---- one range ---- */

/* Why it cannot be told what a range maps. */
static const char *kind_of(const struct walk_range *r)
{
	if (r->kind == RANGE_DAMAGED || r->kind == RANGE_REPEATED)
		return err_memory_kind(ERR_CORRUPT);
	const char *kind = err_memory_kind((enum err_code)r->why);
	return kind ? kind : "unreadable";
}

static void range_json(const struct walk_range *r, const char *key, struct buf *out)
{
	struct json j = JSON_INIT(out);
	char rights[4];
	json_object(&j, NULL);
	json_hex(&j, key, r->start);
	json_u64(&j, "size", r->size);
	if (r->kind == RANGE_MAPPED) {
		put_rights(rights, rights_index(r));
		json_hex(&j, "hpa", r->pa);
		json_u64(&j, "page_size", r->page_size);
		json_str(&j, "rights", rights);
		if (r->tracked)
			json_bool(&j, "access_tracked", true);
	} else {
		json_str(&j, "kind", kind_of(r));
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

/* "%0*x", for 16 million lines. */
static char *put_hex(char *at, uint64_t value, unsigned digits)
{
	static const char names[] = "0123456789abcdef";
	while (digits < 16 && value >> (4 * digits))
		digits++;
	for (unsigned i = digits; i--; value >>= 4)
		at[i] = names[value & 15];
	return at + digits;
}

/* "%*u" */
static char *put_decimal(char *at, uint64_t value, unsigned width)
{
	char digits[20];
	unsigned count = 0;
	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	for (; width > count; width--)
		*at++ = ' ';
	while (count)
		*at++ = digits[--count];
	return at;
}

static char *put_text(char *at, const char *text)
{
	size_t len = strlen(text);
	memcpy(at, text, len);
	return at + len;
}

static void mapped_text(const struct walk_range *r, struct buf *out)
{
	char line[160], rights[4], *at = line;
	put_rights(rights, rights_index(r));
	at = put_hex(at, r->start, 12);
	*at++ = '-';
	at = put_hex(at, r->start + (r->size - 1), 12);
	at = put_text(at, " -> ");
	at = put_hex(at, r->pa, 12);
	at = put_text(at, "  ");
	at = put_decimal(at, r->size >> 10, 9);
	at = put_text(at, " KiB  ");
	at = put_text(at, page_name(r->page_size));
	at = put_text(at, " pages  ");
	at = put_text(at, rights);
	at = put_text(at, r->tracked ? "  access tracked\n" : "\n");
	buf_add(out, line, (size_t)(at - line));
}

static void range_text(const struct walk_range *r, struct buf *out)
{
	if (r->kind == RANGE_MAPPED) {
		mapped_text(r, out);
		return;
	}
	buf_addf(out, "%012" PRIx64 "-%012" PRIx64 "  %s: ", r->start, r->start + (r->size - 1),
		 kind_of(r));
	if (r->kind == RANGE_DAMAGED)
		buf_addf(out, "the entry at 0x%" PRIx64 " has reserved bits set\n", r->where);
	else if (r->kind == RANGE_REPEATED)
		buf_addf(out, "the table at 0x%" PRIx64 " has another place already\n", r->where);
	else
		buf_addf(out, "the table at 0x%" PRIx64 "\n", r->where);
}

/* ---- the end ---- */

static void sums_text(const struct ept_job *j, struct buf *out)
{
	for (unsigned size = 0; size < SIZES; size++) {
		uint64_t page = UINT64_C(4096) << (9 * size);
		for (unsigned i = 0; i < RIGHTS; i++) {
			const struct sum *sum = &j->sums[size][i];
			char rights[4];
			put_rights(rights, i);
			if (sum->ranges)
				buf_addf(out,
					 "%s pages  %s%s  %" PRIu64 " KiB in %" PRIu64 " ranges\n",
					 page_name(page), rights, i & 8 ? "  access tracked" : "",
					 sum->bytes >> 10, sum->ranges);
		}
	}
	if (j->bad)
		buf_addf(out, "%" PRIu64 " ranges cannot be told: see the list\n", j->bad);
}

static void sums_json(const struct ept_job *job, const char *cut, struct buf *out)
{
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_u64(&j, "ranges", job->count);
	json_u64(&j, "bytes", job->bytes);
	json_u64(&j, "tables", walk_ranges_tables(job->ranges));
	json_u64(&j, "bad_ranges", job->bad);
	json_array(&j, "mapped");
	for (unsigned size = 0; size < SIZES; size++)
		for (unsigned i = 0; i < RIGHTS; i++) {
			const struct sum *sum = &job->sums[size][i];
			char rights[4];
			if (!sum->ranges)
				continue;
			put_rights(rights, i);
			json_object(&j, NULL);
			json_u64(&j, "page_size", UINT64_C(4096) << (9 * size));
			json_str(&j, "rights", rights);
			json_bool(&j, "access_tracked", i & 8);
			json_u64(&j, "bytes", sum->bytes);
			json_u64(&j, "ranges", sum->ranges);
			json_end(&j);
		}
	json_end(&j);
	if (cut)
		json_str(&j, "cut", cut);
	json_end(&j);
	buf_addch(out, '\n');
}

/* The last line; @cut says why there is not all, NULL if there is. */
static void add_end(const struct ept_job *job, const char *cut, struct buf *out)
{
	if (job->json && job->summary) {
		sums_json(job, cut, out);
	} else if (job->json && cut) {
		struct json j = JSON_INIT(out);
		json_object(&j, NULL);
		json_str(&j, "cut", cut);
		json_end(&j);
		buf_addch(out, '\n');
	} else if (!job->json) {
		if (job->summary)
			sums_text(job, out);
		buf_addf(out, "%" PRIu64 " ranges, %" PRIu64 " KiB, %" PRIu64 " tables%s%s\n",
			 job->count, job->bytes >> 10, walk_ranges_tables(job->ranges),
			 cut ? "; " : "", cut ? cut : "");
	}
}

static struct err *ept_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			     bool *ret_done)
{
	struct ept_job *j = (struct ept_job *)job;
	unsigned budget = TABLES_A_SLICE;
	(void)h;
	for (unsigned i = 0; i < RANGES_A_SLICE; i++) {
		struct walk_range r;
		switch (walk_ranges_next(j->ranges, &budget, &r)) {
		case RANGES_PAUSED:
			return NULL;
		case RANGES_NOMEM:
			return err_nomem();
		case RANGES_TOO_MANY:
			add_end(j, "there are more tables than any machine has: they are damaged",
				out);
			*ret_done = true;
			return NULL;
		case RANGES_END:
			add_end(j, NULL, out);
			*ret_done = true;
			return NULL;
		case RANGES_FOUND:
			break;
		}
		count_range(j, &r);
		if (j->summary)
			continue;
		if (j->json)
			range_json(&r, j->key, out);
		else
			range_text(&r, out);
	}
	return NULL;
}

/* ---- the command ---- */

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

struct wanted {
	const char *vcpu, *range; /* NULL: not said */
	bool summary;
};

static struct err *parse(const struct monitor_arguments *args, struct wanted *ret)
{
	struct wanted w = { 0 };
	for (size_t i = 0; i < args->count; i++) {
		const char *word = args->list[i];
		if (!strcmp(word, "--summary"))
			w.summary = true;
		else if (!w.vcpu)
			w.vcpu = word;
		else if (!w.range)
			w.range = word;
		else
			return err_new(ERR_INVALID, "'%s' is one word too many", word);
	}
	if (!w.vcpu)
		return err_new(ERR_INVALID, "of which vCPU?");
	*ret = w;
	return NULL;
}

struct err *monitor_ept(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	const struct vcpu *vcpu;
	struct vcpu_mmu mmu;
	struct wanted w = { 0 };
	uint64_t first = 0, last = UINT64_MAX;
	bool done = false;
	(void)view;
	struct err *e = parse(args, &w);
	if (!e && w.range)
		e = parse_range(w.range, &first, &last);
	if (!e)
		e = vcpu_by_name(h, w.vcpu, &vcpu);
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
	job->json = args->printer == PRINT_JSON;
	job->summary = w.summary;
	job->key = mmu.tdp ? "gpa" : "gva";
	e = walk_ranges_new(&reader, &mmu.space, first, last, &job->ranges);
	if (!e) {
		if (args->printer == PRINT_TEXT && (!mmu.tdp || mmu.is_nested))
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
