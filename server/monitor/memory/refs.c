// SPDX-License-Identifier: GPL-2.0-or-later
/* `monitor refs`: what points to an object. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "base/regs.h"
#include "base/slice.h"
#include "server/monitor/commands.h"
#include "server/monitor/frames/frames.h"
#include "server/monitor/frames/pointed.h"
#include "server/monitor/frames/raw.h"
#include "server/monitor/job.h"
#include "server/monitor/memory/named_address.h"
#include "server/service.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/objects/slab.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

enum {
	WORD = 8,
	CACHES_MAX = 16,
	PAGES_A_TIME = 512,
	STACK_MAX = 64 << 10,
};

struct refs {
	struct target_job job;
	bool json;
	uint64_t start, end;	     /* what is pointed to: [start, end) */
	uint64_t next_tid;	     /* of the threads that are left */
	uint64_t caches[CACHES_MAX]; /* struct kmem_cache of those that are searched */
	size_t cache_count;
	uint64_t pfn; /* of the pages that are left */
};

static bool is_in(const struct refs *r, uint64_t value)
{
	return value >= r->start && value < r->end;
}

/* ---- one reference ---- */

/* Where it is: a register of a thread, a word of its stack, or one of an object. */
struct ref {
	const struct task *task; /* NULL: of an object */
	const char *reg;	 /* NULL: it is a word at @address */
	uint64_t address, value;
	const struct raw_stack *stack; /* of the task; NULL for a register */
	const struct slab_cache *cache;
	uint64_t object; /* its start */
};

/* The frame that the word is part of; false if it is none's. */
static bool find_frame(const struct vmcore *h, const struct ref *ref, size_t *ret_number,
		       struct code_place *ret_place)
{
	if (!ref->stack || !raw_stack_frame_of(ref->stack, ref->address, ret_number))
		return false;
	*ret_place = code_place_of_frame(h->code, &ref->stack->frames->list[*ret_number]);
	return true;
}

static void ref_json(const struct vmcore *h, const struct refs *r, const struct ref *ref,
		     struct buf *out)
{
	struct json j = JSON_INIT(out);
	struct code_place place;
	size_t number;
	json_object(&j, NULL);
	json_str(&j, "kind", ref->reg ? "register" : ref->task ? "stack" : "object");
	if (ref->task)
		json_u64(&j, "tid", ref->task->tid);
	if (ref->reg)
		json_str(&j, "register", ref->reg);
	else
		json_hex(&j, "address", ref->address);
	if (find_frame(h, ref, &number, &place)) {
		json_u64(&j, "frame", number);
		if (place.kind == PLACE_NAMED)
			json_str(&j, "function", place.symbol.name);
	}
	if (ref->cache) {
		json_str(&j, "cache", ref->cache->name);
		json_hex(&j, "object", ref->object);
	}
	json_hex(&j, "value", ref->value);
	json_hex(&j, "offset", ref->value - r->start);
	json_end(&j);
	buf_addch(out, '\n');
}

static void ref_text(const struct vmcore *h, const struct refs *r, const struct ref *ref,
		     struct buf *out)
{
	struct code_place place;
	size_t number;
	if (ref->reg)
		buf_addf(out, "register  %-18s", ref->reg);
	else
		buf_addf(out, "%s  0x%016" PRIx64, ref->task ? "stack   " : "object  ",
			 ref->address);
	buf_addf(out, "  +0x%-5" PRIx64 "  ", ref->value - r->start);
	if (ref->task)
		add_task_title(ref->task, out);
	if (find_frame(h, ref, &number, &place)) {
		buf_addf(out, ", #%zu ", number);
		add_code_place(&place, out);
		raw_stack_saved(ref->stack, ref->address, out);
	}
	if (ref->cache) {
		add_printable(out, ref->cache->name);
		buf_addf(out, "+0x%" PRIx64 " of 0x%" PRIx64, ref->address - ref->object,
			 ref->object);
	}
	buf_addch(out, '\n');
}

static void add_ref(const struct vmcore *h, const struct refs *r, const struct ref *ref,
		    struct buf *out)
{
	if (r->json)
		ref_json(h, r, ref, out);
	else
		ref_text(h, r, ref, out);
}

/* ---- threads ---- */

static struct err *look_at_registers(struct vmcore *h, const struct refs *r,
				     const struct task *task, struct buf *out)
{
	const struct first_regs *first;
	struct err *e = registers_get(h->registers, task, &first);
	if (e)
		return e;
	for (unsigned n = 0; n < REGS_MAX; n++) {
		if (!regs_known(&first->regs, n) || !is_in(r, first->regs.value[n]))
			continue;
		const struct ref ref = { .task = task,
					 .reg = regs_name(&first->regs, n),
					 .value = first->regs.value[n] };
		add_ref(h, r, &ref, out);
	}
	return NULL;
}

/* What of @task's stack is in use: from its rsp on, or all of it where that is not known. */
static bool find_stack(const struct vmcore *h, const struct task *task, uint64_t *ret_low,
		       uint64_t *ret_end)
{
	const struct first_regs *first;
	uint64_t size = h->tasks.stack_size;
	if (!task->stack || !size || size > STACK_MAX)
		return false;
	*ret_low = task->stack;
	*ret_end = task->stack + size;
	struct err *e = registers_get(h->registers, task, &first);
	if (!e && regs_sp_known(&first->regs)) {
		uint64_t sp = regs_sp(&first->regs) & ~(uint64_t)(WORD - 1);
		if (sp >= *ret_low && sp < *ret_end)
			*ret_low = sp;
	}
	err_free(e);
	return true;
}

/* What the words of a stack are, which is worked out when the first is asked about. */
struct marks {
	struct raw_stack stack;
	bool made, failed;
};

static const struct raw_stack *marks_of(struct vmcore *h, const struct task *task, struct marks *m)
{
	const struct frames *frames;
	if (!m->made && !m->failed) {
		struct err *e = frame_cache_get(h->frames, task, &frames);
		if (!e)
			e = raw_stack_new(h, task, frames, &m->stack);
		m->made = !e;
		m->failed = e;
		err_free(e);
	}
	return m->made ? &m->stack : NULL;
}

static struct err *look_at_stack(struct vmcore *h, const struct refs *r, const struct task *task,
				 struct buf *out)
{
	unsigned char bytes[PAGE_SIZE];
	struct marks marks = { .made = false };
	struct err *failed = NULL;
	uint64_t at, end;
	if (!find_stack(h, task, &at, &end))
		return NULL;
	while (at < end) {
		size_t len = PAGE_SIZE - at % PAGE_SIZE, got = 0;
		len = len < end - at ? len : (size_t)(end - at);
		struct err *e =
			memory_read(h->memory, kernel_space(h->kernel), at, bytes, len, &got);
		if (e && err_code(e) == ERR_NOMEM) {
			failed = e;
			break;
		}
		for (size_t i = 0; !e && i + WORD <= got; i += WORD) {
			struct ref ref = { .task = task,
					   .address = at + i,
					   .value = get_u64(bytes + i) };
			if (!is_in(r, ref.value))
				continue;
			ref.stack = marks_of(h, task, &marks);
			add_ref(h, r, &ref, out);
		}
		err_free(e);
		at += len;
	}
	if (marks.made)
		raw_stack_free(&marks.stack);
	return failed;
}

static struct err *look_at_threads(struct vmcore *h, struct refs *r, const struct slice *now,
				   struct buf *out, bool *ret_done)
{
	struct err *e = NULL;
	size_t n = tasks_from(&h->tasks, r->next_tid);
	while (!e && n < h->tasks.count && !slice_is_over(now)) {
		const struct task *task = &h->tasks.list[n++];
		r->next_tid = (uint64_t)task->tid + 1;
		e = look_at_registers(h, r, task, out);
		if (!e)
			e = look_at_stack(h, r, task, out);
	}
	*ret_done = n == h->tasks.count;
	return e;
}

/* ---- objects ---- */

static bool is_chosen(const struct refs *r, const struct slab_cache *cache)
{
	for (size_t i = 0; i < r->cache_count; i++)
		if (r->caches[i] == cache->address)
			return true;
	return false;
}

static struct err *look_at_object(struct vmcore *h, const struct refs *r, struct slabs *slabs,
				  uint64_t start, struct buf *out)
{
	unsigned char bytes[PAGE_SIZE];
	struct slab_object object;
	bool found;
	struct err *e = slabs_find(slabs, start, &found, &object);
	if (e || !found || object.state == SLAB_FREE)
		return e;
	uint64_t size = object.cache->object_size;
	/* Page by page: one of them may not be there. */
	for (uint64_t done = 0, len; done < size; done += len) {
		size_t got = 0;
		len = PAGE_SIZE - (start + done) % PAGE_SIZE;
		len = len < size - done ? len : size - done;
		e = memory_read(h->memory, kernel_space(h->kernel), start + done, bytes,
				(size_t)len, &got);
		if (e && err_code(e) == ERR_NOMEM)
			return e;
		err_free(e);
		for (size_t i = 0; !e && i + WORD <= got; i += WORD) {
			struct ref ref = { .address = start + done + i,
					   .value = get_u64(bytes + i),
					   .cache = object.cache,
					   .object = start };
			if (is_in(r, ref.value))
				add_ref(h, r, &ref, out);
		}
	}
	return NULL;
}

static struct err *look_at_objects(struct vmcore *h, struct refs *r, const struct slice *now,
				   struct buf *out, bool *ret_done)
{
	const char *why;
	struct err *e = NULL;
	struct slabs *slabs = vmcore_slabs(h, &why);
	bool more = true, found;
	if (!slabs)
		return err_new(ERR_NOTFOUND, "slab objects are not known: %s", why);
	while (!e && more && !slice_is_over(now)) {
		struct slab_span span;
		more = slabs_next(slabs, &r->pfn, PAGES_A_TIME, &found, &span);
		if (!found || !is_chosen(r, span.cache))
			continue;
		for (size_t i = 0; !e && i < span.count; i++)
			e = look_at_object(h, r, slabs, span.start + i * span.cache->size, out);
	}
	*ret_done = !more;
	return e;
}

/* ---- the command ---- */

static struct err *look_slice(struct vmcore *h, struct target_job *job, struct buf *out,
			      bool *ret_done)
{
	struct refs *r = (struct refs *)job;
	const struct slice now = slice_begin();
	bool threads_done;
	*ret_done = false;
	struct err *e = look_at_threads(h, r, &now, out, &threads_done);
	if (e || !threads_done)
		return e;
	if (r->cache_count)
		return look_at_objects(h, r, &now, out, ret_done);
	*ret_done = true;
	return NULL;
}

static void free_refs(struct target_job *job)
{
	free(job);
}

/* All caches of that name: a control group's copies of one, too. */
static struct err *add_caches(struct vmcore *h, const char *name, struct refs *r)
{
	const char *why;
	size_t before = r->cache_count;
	struct slabs *slabs = vmcore_slabs(h, &why);
	if (!slabs)
		return err_new(ERR_NOTFOUND, "slab objects are not known: %s", why);
	for (size_t i = 0; i < slabs_count(slabs); i++) {
		const struct slab_cache *cache = slabs_nth(slabs, i);
		if (slab_cache_name_len(cache) != strlen(name) ||
		    strncmp(cache->name, name, strlen(name)) != 0)
			continue;
		if (r->cache_count == CACHES_MAX)
			return err_new(ERR_INVALID, "those are more than %d caches", CACHES_MAX);
		r->caches[r->cache_count++] = cache->address;
	}
	return r->cache_count == before
		       ? err_new(ERR_NOTFOUND, "there is no slab cache called '%s'", name)
		       : NULL;
}

/* The object that @address lies in, or the word there. */
static void find_target(struct vmcore *h, uint64_t address, struct refs *r)
{
	struct slab_object object;
	r->start = address;
	r->end = address + WORD > address ? address + WORD : UINT64_MAX;
	if (!vmcore_slab_object(h, address, &object) || !object.start ||
	    object.offset >= object.cache->object_size)
		return;
	r->start = object.start;
	r->end = object.start + object.cache->object_size;
}

static void add_title(const struct refs *r, struct vmcore *h, struct buf *out)
{
	struct pointed pointed;
	buf_addf(out, "references to 0x%016" PRIx64 "..0x%016" PRIx64, r->start, r->end);
	if (pointed_find(h, r->start, &pointed)) {
		buf_addch(out, ' ');
		pointed_text(&pointed, out);
	}
	buf_addch(out, '\n');
}

struct err *monitor_refs(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out)
{
	const struct monitor_guest *g = args->guest;
	struct vmcore *h = service->vmcore;
	uint64_t address;
	struct err *e = NULL;
	(void)view;
	if (g && g->live)
		return err_new(ERR_UNSUPPORTED, "of a machine that runs, the stacks of guests are "
						"not searched: they change meanwhile");
	if (g)
		e = g->machine(g->closure, &h);
	if (!e)
		e = named_address(h, args->list[0], &address);
	if (e)
		return e;
	struct refs *r = calloc(1, sizeof(*r));
	if (!r)
		return err_nomem();
	r->job = (struct target_job){
		.slice = look_slice, .free = free_refs, .rests_on = JOB_ON_NOTHING, .in_guest = g
	};
	r->json = args->printer == PRINT_JSON;
	find_target(h, address, r);
	for (size_t i = 1; !e && i < args->count; i++)
		e = add_caches(h, args->list[i], r);
	if (e) {
		free(r);
		return e;
	}
	if (!r->json)
		add_title(r, h, out);
	*args->ret_job = &r->job;
	return NULL;
}
