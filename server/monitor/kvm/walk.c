// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * monitor walk: where an address of a guest leads, every step. Guest virtual by the guest's own
 * tables; guest physical by memory slot and the owner's tables, and beside it by the tables that
 * KVM gave to the processor. Two ways to one place: where they differ, that is said.
 */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/json.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/service.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/guest/x86/guest_regs.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/x86/mmu.h"
#include "vmcore/vmcore.h"

/* Text or JSON, whichever is asked for. */
struct output {
	struct buf *out;
	struct json j;
	bool json;
};

static const char *tables_name(const struct walk_space *space, bool of_guest)
{
	if (of_guest)
		return "guest";
	return space->format == WALK_EPT ? "EPT" : "NPT";
}

static void add_rights(const struct walk *w, const struct walk_space *space, struct buf *out)
{
	buf_addf(out, "%c%c%c", w->rights.readable ? 'r' : '-', w->rights.writable ? 'w' : '-',
		 w->rights.executable ? 'x' : '-');
	if (space->format != WALK_EPT && space->format != WALK_NONE)
		buf_addstr(out, w->rights.user ? " user" : " supervisor");
	if (space->format != WALK_NONE)
		buf_addf(out, "%s%s", w->accessed ? " accessed" : "", w->dirty ? " dirty" : "");
	if (w->tracked)
		buf_addstr(out, " (rights taken away by KVM, to see whether it is used)");
}

static void steps_text(const struct walk *w, const struct walk_space *space, const char *what,
		       struct buf *out)
{
	for (unsigned i = 0; i < w->step_count; i++) {
		const struct walk_step *s = &w->steps[i];
		buf_addf(out,
			 "%-6s level %u  %-4s  table 0x%012" PRIx64
			 "  index %3u  entry 0x%016" PRIx64 "\n",
			 what, s->level, walk_level_name(s->level), s->table, s->index, s->entry);
	}
	(void)space;
}

static void steps_json(const struct walk *w, const struct walk_space *space, struct json *j)
{
	json_array(j, "steps");
	for (unsigned i = 0; i < w->step_count; i++) {
		const struct walk_step *s = &w->steps[i];
		json_object(j, NULL);
		json_u64(j, "level", s->level);
		json_hex(j, "table", s->table);
		json_u64(j, "index", s->index);
		json_hex(j, "entry_address",
			 s->table + (uint64_t)s->index * walk_entry_bytes(space));
		json_hex(j, "entry", s->entry);
		json_end(j);
	}
	json_end(j);
}

static void error_json(struct json *j, const struct err *e)
{
	const char *kind = err_memory_kind(err_code(e));
	if (kind)
		json_str(j, "kind", kind);
	json_str(j, "why", err_msg(e));
}

/* One walk through tables: the result or the reason why there is none. */
static void show_walk(struct output *o, const char *key, const char *what, const char *target,
		      const struct walk_space *space, const struct walk *w, const struct err *e)
{
	if (o->json) {
		json_object(&o->j, key);
		json_str(&o->j, "tables", guest_paging_name(space));
		steps_json(w, space, &o->j);
		if (!e) {
			json_hex(&o->j, target, w->pa);
			json_u64(&o->j, "page_size", w->page_size);
			json_bool(&o->j, "readable", w->rights.readable);
			json_bool(&o->j, "writable", w->rights.writable);
			json_bool(&o->j, "executable", w->rights.executable);
			if (space->format != WALK_EPT)
				json_bool(&o->j, "user", w->rights.user);
			json_bool(&o->j, "accessed", w->accessed);
			json_bool(&o->j, "dirty", w->dirty);
		} else {
			error_json(&o->j, e);
		}
		json_end(&o->j);
		return;
	}
	steps_text(w, space, what, o->out);
	if (e) {
		buf_addf(o->out, "%-6s %s\n", what, err_msg(e));
		return;
	}
	buf_addf(o->out, "%-6s -> %s 0x%" PRIx64 ", page of %" PRIu64 " KiB, ", what, target, w->pa,
		 w->page_size >> 10);
	add_rights(w, space, o->out);
	buf_addch(o->out, '\n');
}

/* By memory slot; *ret_hpa is valid if it says true. */
static bool show_slot(struct output *o, struct guest_memory *g, uint64_t gpa, uint64_t *ret_hpa)
{
	struct gpa_way way;
	struct err *e = guest_memory_translate(g, gpa, &way);
	bool found = !e;
	if (o->json) {
		json_object(&o->j, "slot");
		if (way.slot) {
			json_u64(&o->j, "id", (uint64_t)way.slot->id);
			json_hex(&o->j, "gpa", way.slot->gpa);
			json_u64(&o->j, "size", way.slot->size);
			if (way.is_private)
				json_hex(&o->j, "guest_memfd_page", way.index);
			else if (way.hva)
				json_hex(&o->j, "hva", way.hva);
		}
		json_array(&o->j, "steps");
		for (unsigned i = 0; i < way.vtop.step_count; i++) {
			json_object(&o->j, NULL);
			json_u64(&o->j, "level", way.vtop.steps[i].level);
			json_hex(&o->j, "entry_address", way.vtop.steps[i].entry_address);
			json_hex(&o->j, "entry", way.vtop.steps[i].entry);
			json_end(&o->j);
		}
		json_end(&o->j);
		if (found) {
			json_hex(&o->j, "hpa", way.vtop.pa);
			json_u64(&o->j, "page_size", way.vtop.page_size);
		} else {
			error_json(&o->j, e);
		}
		json_end(&o->j);
	} else {
		if (way.slot && way.is_private)
			buf_addf(o->out,
				 "slot   %d at gpa 0x%" PRIx64 ", %" PRIu64
				 " KiB -> private (guest_memfd), page 0x%" PRIx64 " of the file\n",
				 way.slot->id, way.slot->gpa, way.slot->size >> 10, way.index);
		else if (way.slot && way.hva)
			buf_addf(o->out,
				 "slot   %d at gpa 0x%" PRIx64 ", %" PRIu64 " KiB -> hva 0x%" PRIx64
				 "\n",
				 way.slot->id, way.slot->gpa, way.slot->size >> 10, way.hva);
		for (unsigned i = 0; i < way.vtop.step_count; i++)
			buf_addf(o->out,
				 "host   level %u  %-4s  entry at 0x%012" PRIx64 ": 0x%016" PRIx64
				 "\n",
				 way.vtop.steps[i].level,
				 vspace_entry_name(&way.space, way.vtop.steps[i].level),
				 way.vtop.steps[i].entry_address, way.vtop.steps[i].entry);
		if (found)
			buf_addf(o->out, "host   -> hpa 0x%" PRIx64 ", page of %" PRIu64 " KiB\n",
				 way.vtop.pa, way.vtop.page_size >> 10);
		else
			buf_addf(o->out, "%s %s\n", way.slot ? "host  " : "slot  ", err_msg(e));
	}
	if (found)
		*ret_hpa = way.vtop.pa;
	err_free(e);
	return found;
}

/* Why the processor's tables are not walked. */
static void show_no_tables(struct output *o, const char *why)
{
	if (o->json) {
		json_object(&o->j, "nested");
		json_str(&o->j, "why", why);
		json_end(&o->j);
	} else {
		buf_addf(o->out, "nested %s\n", why);
	}
}

/* By the tables at root_hpa. @of_l2: @gpa is an address of the guest's guest. */
static bool show_nested(struct output *o, struct vmcore *h, const struct vcpu *vcpu, uint64_t gpa,
			bool of_l2, uint64_t *ret_hpa)
{
	struct vcpu_mmu mmu;
	struct walk w;
	struct err *e = vcpu_mmu_read(h->kvm, vcpu, &mmu);
	if (e) {
		show_no_tables(o, err_msg(e));
		err_free(e);
		return false;
	}
	if (!mmu.walkable || !mmu.tdp || mmu.is_nested != of_l2) {
		show_no_tables(o, !mmu.walkable ? mmu.why
				  : !mmu.tdp
					  ? "shadow tables translate guest virtual addresses; "
					    "there are none for guest physical ones"
					  : "the tables in use are those of the guest's own guest");
		return false;
	}
	struct walk_reader reader = mmu_reader(h->kvm);
	e = guest_walk(&reader, &mmu.space, gpa, &w);
	show_walk(o, "nested", tables_name(&mmu.space, false), "hpa", &mmu.space, &w, e);
	bool found = !e;
	if (found)
		*ret_hpa = w.pa;
	err_free(e);
	return found;
}

/* What both ways end in. */
static void compare(struct output *o, bool by_slot, uint64_t slot_hpa, bool by_nested,
		    uint64_t nested_hpa)
{
	bool differ = by_slot && by_nested && slot_hpa != nested_hpa;
	if (o->json && by_slot && by_nested)
		json_bool(&o->j, "agree", !differ);
	else if (differ)
		buf_addf(o->out,
			 "the two DIFFER: 0x%" PRIx64 " by the memory slot, 0x%" PRIx64
			 " by the tables of the processor\n",
			 slot_hpa, nested_hpa);
	else if (by_slot && by_nested)
		buf_addstr(o->out, "both lead to the same place\n");
}

static struct err *check_readable(struct output *o, struct guest_memory *g, uint64_t gpa)
{
	unsigned char byte;
	size_t got;
	struct err *e = guest_memory_read_phys(g, gpa, &byte, 1, &got);
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	if (e && o->json)
		error_json(&o->j, e);
	else if (e)
		buf_addf(o->out, "%s\n", err_msg(e));
	err_free(e);
	return NULL;
}

static struct err *show_gpa(struct output *o, struct vmcore *h, const struct vcpu *vcpu,
			    struct guest_memory *g, uint64_t gpa)
{
	uint64_t slot_hpa = 0, nested_hpa = 0;
	bool by_slot = show_slot(o, g, gpa, &slot_hpa);
	bool by_nested = show_nested(o, h, vcpu, gpa, false, &nested_hpa);
	compare(o, by_slot, slot_hpa, by_nested, nested_hpa);
	return by_slot ? check_readable(o, g, gpa) : NULL;
}

/* The guest's own tables; *ret_found says whether they lead to a guest physical address. */
static struct err *show_gva(struct output *o, struct vmcore *h, const struct vcpu *vcpu,
			    struct guest_memory *g, uint64_t gva, bool *ret_found, bool *ret_l2,
			    uint64_t *ret_gpa)
{
	struct guest_regs regs;
	struct walk_space space = { 0 };
	struct walk w;
	bool stale;
	struct err *e = guest_regs_read(h->kvm, vcpu, &regs);
	if (!e)
		e = guest_paging(&regs, &space, &stale);
	if (!e)
		e = guest_paging_below(h->kvm, vcpu, &regs, &space);
	if (e)
		return e;
	*ret_l2 = space.below.format != WALK_NONE;
	if (regs.is_nested && o->json)
		json_bool(&o->j, "of_guests_guest", true);
	else if (regs.is_nested)
		buf_addstr(o->out, "guest  runs a guest: the tables are that one's\n");
	if (stale && o->json)
		json_bool(&o->j, "stale_cr3", true);
	else if (stale)
		buf_addstr(o->out, "guest  by an old CR3: the guest may have changed it since\n");
	struct walk_reader reader = guest_memory_reader_of(g, &space);
	e = guest_walk(&reader, &space, gva, &w);
	show_walk(o, "guest", tables_name(&space, true), "gpa", &space, &w, e);
	*ret_found = !e;
	*ret_gpa = w.pa;
	err_free(e);
	return NULL;
}

static struct err *walk(struct output *o, struct vmcore *h, const struct vcpu *vcpu, bool is_gva,
			uint64_t address)
{
	struct guest_memory *g;
	bool found = true, of_l2 = false;
	uint64_t gpa = address, hpa;
	struct err *e = guest_memory_new(h->kvm, kvm_vm_at(h->kvm, vcpu->vm->address), &g);
	if (e)
		return e;
	if (is_gva)
		e = show_gva(o, h, vcpu, g, address, &found, &of_l2, &gpa);
	if (!e && found && of_l2)
		show_nested(o, h, vcpu, gpa, true, &hpa);
	else if (!e && found)
		e = show_gpa(o, h, vcpu, g, gpa);
	guest_memory_free(g);
	return e;
}

struct err *monitor_walk(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	const struct vcpu *vcpu;
	uint64_t address;
	struct output o = { .out = out, .j = JSON_INIT(out), .json = args->printer == PRINT_JSON };
	(void)view;
	bool is_gva = !strcmp(args->list[1], "gva");
	if (!is_gva && strcmp(args->list[1], "gpa") != 0)
		return err_new(ERR_INVALID,
			       "'%s' is no kind of address: gva (guest virtual) or gpa (guest "
			       "physical)",
			       args->list[1]);
	if (!number_parse(args->list[2], true, &address))
		return err_new(ERR_INVALID, "'%s' is no hexadecimal address", args->list[2]);
	struct err *e = vcpu_by_name(h, args->list[0], &vcpu);
	if (e)
		return e;
	size_t start = out->len;
	if (o.json) {
		json_object(&o.j, NULL);
		json_hex(&o.j, "vcpu", vcpu->address);
		json_hex(&o.j, is_gva ? "gva" : "gpa", address);
	}
	e = walk(&o, h, vcpu, is_gva, address);
	if (e) {
		buf_cut(out, start);
		return e;
	}
	if (o.json) {
		json_end(&o.j);
		buf_addch(out, '\n');
	}
	return NULL;
}
