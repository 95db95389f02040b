// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/seen_vcpus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/regs.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/modules.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/objects/slab.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

enum {
	WORD = 8,
	SEEN_MAX = 1 << 16,
	NOTIFIERS_MAX = 64, /* of a task; KVM hangs up one */
	VMS_MAX = 1 << 16,
	VCPU_HEAD = 1024,    /* struct kvm_vcpu begins with kvm, then the notifier soon */
	KVM_HEAD = 64 << 10, /* struct kvm, as far as its list and its table lie in it */
	TABLE_MAX = 4096,    /* KVM_MAX_VCPUS */
};

#define VCPU_CACHE "kvm_vcpu"

void seen_vcpus_free(struct seen_vcpus *s)
{
	free(s->list);
	*s = (struct seen_vcpus){ 0 };
}

static bool append(struct seen_vcpus *s, const struct seen_vcpu *v)
{
	if (s->count == SEEN_MAX)
		return false;
	struct seen_vcpu *grown = reallocarray(s->list, s->count + 1, sizeof(*grown));
	if (!grown)
		return false;
	s->list = grown;
	s->list[s->count++] = *v;
	return true;
}

static bool has(const struct seen_vcpus *s, uint64_t address)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].address == address)
			return true;
	return false;
}

static bool is_pointer(uint64_t value)
{
	return is_kernel_address(value) && !(value & (WORD - 1));
}

/* ---- registers ---- */

static bool is_kvm_code(const struct vmcore *h, const struct frame *f)
{
	const struct module *m = code_map_module(h->code, frame_code_address(f));
	return m && (!strcmp(m->name, "kvm") || !strncmp(m->name, "kvm_", strlen("kvm_")));
}

/* The next register that functions keep for their callers, from *frame and *n on, of a frame in
 * KVM's code that is known and may hold a pointer. Frame 0's are the processor's own. */
static bool next_register(const struct vmcore *h, const struct frames *frames, size_t *frame,
			  size_t *n, uint64_t *ret)
{
	for (; *frame < frames->count; ++*frame, *n = 0) {
		const struct frame *f = &frames->list[*frame];
		if (frame_mode(f) == FRAME_USER || !is_kvm_code(h, f))
			continue;
		for (; *n < REGS_MAX; ++*n) {
			if (!(f->regs.arch->kept >> *n & 1) ||
			    !regs_known(&f->regs, (unsigned)*n) || !is_pointer(f->regs.value[*n]))
				continue;
			*ret = f->regs.value[*n];
			return true;
		}
	}
	return false;
}

/* A register of @v's task that holds its address, as a second witness. */
static void find_register(const struct vmcore *h, struct seen_vcpu *v)
{
	struct frames frames;
	uint64_t value;
	struct err *e = unwinder_frames(h->unwinder, v->task, &frames);
	if (e) {
		err_free(e);
		return;
	}
	for (size_t frame = 0, n = 0;
	     !v->has_register && next_register(h, &frames, &frame, &n, &value); n++) {
		if (value != v->address)
			continue;
		v->has_register = true;
		v->frame = frame;
		v->reg = regs_name(&frames.list[frame].regs, (unsigned)n);
	}
	frames_free(&frames);
}

/* ---- by notifiers: the kernel's own types are known, KVM's are not ---- */

static bool is_in_use(struct vmcore *h, uint64_t address, uint64_t *ret_start)
{
	struct slab_object object;
	if (!vmcore_slab_object(h, address, &object) || !object.start ||
	    object.state != SLAB_ALLOCATED ||
	    slab_cache_name_len(object.cache) != strlen(VCPU_CACHE) ||
	    strncmp(object.cache->name, VCPU_CACHE, strlen(VCPU_CACHE)) != 0)
		return false;
	*ret_start = object.start;
	return true;
}

struct notifiers {
	uint64_t first; /* offset in task_struct */
	uint64_t link, ops;
	uint64_t kvm_ops; /* the address of kvm_preempt_ops */
};

static bool find_by_notifier(struct vmcore *h, const struct notifiers *n, const struct task *task,
			     uint64_t *ret)
{
	uint64_t link, ops;
	if (!task->address || !kernel_get_u64(h->kernel, task->address + n->first, &link))
		return false;
	for (int i = 0; is_pointer(link) && i < NOTIFIERS_MAX; i++) {
		uint64_t notifier = link - n->link;
		if (!kernel_get_u64(h->kernel, notifier + n->ops, &ops))
			return false;
		if (ops == n->kvm_ops)
			return is_in_use(h, notifier, ret);
		if (!kernel_get_u64(h->kernel, link, &link))
			return false;
	}
	return false;
}

static void look_by_notifiers(struct vmcore *h, struct seen_vcpus *s)
{
	struct types *t = kernel_types(h->kernel);
	struct notifiers n;
	if (!types_offset(t, "task_struct", "preempt_notifiers.first", &n.first) ||
	    !types_offset(t, "preempt_notifier", "link", &n.link) ||
	    !types_offset(t, "preempt_notifier", "ops", &n.ops) ||
	    !code_map_address(h->code, "kvm", "kvm_preempt_ops", &n.kvm_ops))
		return;
	for (size_t i = 0; i < h->tasks.count; i++) {
		struct seen_vcpu v = { .task = &h->tasks.list[i], .by = SEEN_NOTIFIER };
		if (!find_by_notifier(h, &n, v.task, &v.address) || has(s, v.address))
			continue;
		find_register(h, &v);
		if (!append(s, &v))
			return;
	}
}

/* ---- by registers: no types at all ---- */

/* What KVM's structures prove of their own layout, by one vCPU. */
struct proof {
	uint64_t kvm_ops, vm_list; /* addresses */
	bool made;
	uint64_t ops;	/* of preempt_notifier.ops in struct kvm_vcpu */
	uint64_t list;	/* of vm_list in struct kvm */
	uint64_t table; /* in struct kvm: of vcpus[], or since 5.17 of vcpu_array.xa_head */
	bool is_xarray;
};

/* struct xa_node, as it is from 4.20 on: what points back to its XArray, and the slots. */
enum { XA_NODE_ARRAY = 16, XA_NODE_SLOTS = 40, XA_SLOTS = 64, XA_HEAD = 8 };

static bool is_node(uint64_t entry)
{
	return (entry & 3) == 2 && is_kernel_address(entry) && entry > KERNEL_HALF + 4096;
}

/* Whether @vcpu is one of the VM at @kvm: by its first word and its notifier. */
static bool is_vcpu_of(const struct vmcore *h, const struct proof *p, uint64_t vcpu, uint64_t kvm)
{
	uint64_t owner, ops;
	return is_pointer(vcpu) && kernel_get_u64(h->kernel, vcpu, &owner) && owner == kvm &&
	       kernel_get_u64(h->kernel, vcpu + p->ops, &ops) && ops == p->kvm_ops;
}

/* The words at the beginning of what lies at @start; how many could be read. */
static size_t read_words(const struct vmcore *h, uint64_t start, uint64_t *words, size_t max)
{
	size_t got = 0;
	struct err *e =
		memory_read(h->memory, kernel_space(h->kernel), start, words, max * WORD, &got);
	bool ok = !e;
	err_free(e);
	return ok ? got / WORD : 0;
}

/* The offset of the only one of @count words that is @value. */
static bool find_word(const uint64_t *words, size_t count, uint64_t value, uint64_t *ret)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		if (words[i] != value)
			continue;
		*ret = WORD * i;
		found++;
	}
	return found == 1;
}

/* Where in the struct kvm at @kvm the list of VMs goes through: the entry of the list that lies
 * behind its start and next to it, since another VM's may follow soon. */
static bool find_in_list(const struct vmcore *h, const struct proof *p, uint64_t kvm, uint64_t *ret)
{
	uint64_t at = p->vm_list, back, nearest = KVM_HEAD;
	for (int n = 0; n < VMS_MAX; n++) {
		uint64_t before = at;
		if (!kernel_get_u64(h->kernel, at, &at) || !is_pointer(at) ||
		    !kernel_get_u64(h->kernel, at + WORD, &back) || back != before)
			return false;
		if (at == p->vm_list)
			break;
		if (at >= kvm && at - kvm < nearest)
			nearest = at - kvm;
	}
	*ret = nearest;
	return nearest < KVM_HEAD;
}

/* Whether the XArray node @entry, of the head at @head, has @vcpu: directly, or one level below. */
static bool node_has(const struct vmcore *h, uint64_t entry, uint64_t head, uint64_t vcpu,
		     bool below)
{
	uint64_t words[XA_NODE_SLOTS / WORD + XA_SLOTS];
	const size_t count = sizeof(words) / sizeof(*words);
	if (!is_node(entry) || read_words(h, entry - 2, words, count) != count ||
	    words[XA_NODE_ARRAY / WORD] != head - XA_HEAD)
		return false;
	for (size_t i = XA_NODE_SLOTS / WORD; i < count; i++)
		if (words[i] == vcpu || (below && node_has(h, words[i], head, vcpu, false)))
			return true;
	return false;
}

/* Where in struct kvm the table is that has @vcpu: an array, or the head of an XArray. */
static bool find_table(const struct vmcore *h, const uint64_t *words, size_t count, uint64_t kvm,
		       uint64_t vcpu, struct proof *p)
{
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t at = kvm + WORD * i;
		bool tree = node_has(h, words[i], at, vcpu, true);
		if (words[i] != vcpu && !tree)
			continue;
		p->table = WORD * i;
		p->is_xarray = tree;
		found++;
	}
	return found == 1;
}

/*
 * Whether @value is the address of a struct kvm_vcpu: its first word points to a struct kvm, which
 * is on the list of VMs and has @value once, in its table; and its notifier's ops are KVM's. All of
 * that holds of nothing else. What one vCPU has proven holds for all.
 */
static bool prove(const struct vmcore *h, uint64_t value, struct proof *p, uint64_t *ret_kvm)
{
	uint64_t *words, head[VCPU_HEAD / WORD], kvm;
	struct proof found = *p;
	size_t count = read_words(h, value, head, VCPU_HEAD / WORD);
	if (!count || !is_pointer(head[0]) || !find_word(head, count, p->kvm_ops, &found.ops))
		return false;
	kvm = head[0];
	words = calloc(KVM_HEAD, 1);
	bool proven = words && find_in_list(h, p, kvm, &found.list) &&
		      find_table(h, words, read_words(h, kvm, words, KVM_HEAD / WORD), kvm, value,
				 &found);
	free(words);
	if (!proven || (p->made && (p->ops != found.ops || p->list != found.list ||
				    p->is_xarray != found.is_xarray)))
		return false;
	/* An array begins with the first of those before it. */
	uint64_t before;
	while (!found.is_xarray && found.table >= WORD &&
	       kernel_get_u64(h->kernel, kvm + found.table - WORD, &before) &&
	       is_vcpu_of(h, &found, before, kvm))
		found.table -= WORD;
	found.made = true;
	*p = found;
	*ret_kvm = kvm;
	return true;
}

static bool add_vcpu(const struct vmcore *h, const struct proof *p, uint64_t kvm, uint64_t vcpu,
		     struct seen_vcpus *s)
{
	struct seen_vcpu v = { .address = vcpu, .kvm = kvm, .by = SEEN_TABLE };
	return is_vcpu_of(h, p, vcpu, kvm) && (has(s, vcpu) || append(s, &v));
}

static void add_node(const struct vmcore *h, const struct proof *p, uint64_t kvm, uint64_t entry,
		     bool below, struct seen_vcpus *s)
{
	uint64_t words[XA_NODE_SLOTS / WORD + XA_SLOTS];
	const size_t count = sizeof(words) / sizeof(*words);
	if (!is_node(entry) || read_words(h, entry - 2, words, count) != count)
		return;
	for (size_t i = XA_NODE_SLOTS / WORD; i < count; i++) {
		if (below && is_node(words[i]))
			add_node(h, p, kvm, words[i], false, s);
		else
			add_vcpu(h, p, kvm, words[i], s);
	}
}

/* The vCPUs of the VM at @kvm that are not there yet. */
static void add_table(const struct vmcore *h, const struct proof *p, uint64_t kvm,
		      struct seen_vcpus *s)
{
	uint64_t at = kvm + p->table, vcpu;
	if (!kernel_get_u64(h->kernel, at, &vcpu))
		return;
	if (p->is_xarray && is_node(vcpu)) {
		add_node(h, p, kvm, vcpu, true, s);
		return;
	}
	/* An array; an only one lies in the XArray's head. */
	for (int n = 0;
	     n < TABLE_MAX && kernel_get_u64(h->kernel, at, &vcpu) && add_vcpu(h, p, kvm, vcpu, s);
	     n++)
		at += WORD;
}

static void add_tables(const struct vmcore *h, const struct proof *p, struct seen_vcpus *s)
{
	uint64_t at = p->vm_list, back;
	for (int n = 0; n < VMS_MAX; n++) {
		uint64_t before = at;
		if (!kernel_get_u64(h->kernel, at, &at) || at == p->vm_list || !is_pointer(at) ||
		    !kernel_get_u64(h->kernel, at + WORD, &back) || back != before)
			return;
		add_table(h, p, at - p->list, s);
	}
}

/* The vCPU that @task is inside: all registers that hold one must agree. */
static bool find_by_register(const struct vmcore *h, const struct task *task, struct proof *p,
			     struct seen_vcpu *ret)
{
	struct frames frames;
	uint64_t value, kvm;
	size_t found = 0;
	struct err *e = unwinder_frames(h->unwinder, task, &frames);
	if (e) {
		err_free(e);
		return false;
	}
	for (size_t frame = 0, n = 0; next_register(h, &frames, &frame, &n, &value); n++) {
		if ((found && value == ret->address) || !prove(h, value, p, &kvm))
			continue;
		found++;
		*ret = (struct seen_vcpu){
			.address = value,
			.kvm = kvm,
			.task = task,
			.by = SEEN_REGISTER,
			.has_register = true,
			.frame = frame,
			.reg = regs_name(&frames.list[frame].regs, (unsigned)n),
		};
	}
	frames_free(&frames);
	return found == 1;
}

/* ---- by the list of VMs alone ---- */

/* Whether @word leads to a vCPU of the VM whose entry of the list is at @entry: itself, or as one
 * of the first slots of an XArray's node. */
static bool prove_by(const struct vmcore *h, uint64_t word, uint64_t entry, struct proof *p)
{
	uint64_t words[XA_NODE_SLOTS / WORD + XA_SLOTS], kvm;
	const size_t count = sizeof(words) / sizeof(*words);
	if (is_pointer(word))
		return kernel_get_u64(h->kernel, word, &kvm) && kvm <= entry &&
		       entry - kvm < KVM_HEAD && prove(h, word, p, &kvm);
	if (!is_node(word) || read_words(h, word - 2, words, count) != count)
		return false;
	for (size_t i = XA_NODE_SLOTS / WORD; i < count; i++)
		if (is_pointer(words[i]) && kernel_get_u64(h->kernel, words[i], &kvm) &&
		    kvm <= entry && entry - kvm < KVM_HEAD && prove(h, words[i], p, &kvm))
			return true;
	return false;
}

/* Where no register has shown a vCPU: what the first VM of the list points to. */
static bool prove_by_list(const struct vmcore *h, struct proof *p)
{
	uint64_t entry, low;
	bool proven = false;
	if (!kernel_get_u64(h->kernel, p->vm_list, &entry) || !is_pointer(entry) ||
	    entry == p->vm_list)
		return false;
	uint64_t *words = malloc(PAGE_SIZE);
	/* The VM begins in a page that is there. */
	for (low = entry - KVM_HEAD; words && !proven && low < entry + KVM_HEAD; low += PAGE_SIZE) {
		size_t count =
			read_words(h, low & ~(uint64_t)(PAGE_SIZE - 1), words, PAGE_SIZE / WORD);
		for (size_t i = 0; !proven && i < count; i++)
			proven = prove_by(h, words[i], entry, p);
	}
	free(words);
	return proven;
}

static void look_by_registers(struct vmcore *h, struct seen_vcpus *s)
{
	struct proof p = { 0 };
	if (!code_map_address(h->code, "kvm", "kvm_preempt_ops", &p.kvm_ops) ||
	    !code_map_address(h->code, "kvm", "vm_list", &p.vm_list))
		return;
	for (size_t i = 0; i < h->tasks.count; i++) {
		struct seen_vcpu v;
		if (find_by_register(h, &h->tasks.list[i], &p, &v) && !has(s, v.address) &&
		    !append(s, &v))
			return;
	}
	if (p.made || prove_by_list(h, &p))
		add_tables(h, &p, s);
}

/* ---- answers ---- */

static void look(struct vmcore *h, struct seen_vcpus *s)
{
	seen_vcpus_free(s);
	s->looked = true;
	s->epoch = h->epoch;
	if (!kvm_is_untyped(h->kvm))
		return;
	if (types_why_none(kernel_types(h->kernel)))
		look_by_registers(h, s);
	else
		look_by_notifiers(h, s);
	log_debug(LOG_TASKS, "vCPUs that are seen without KVM's types: %zu", s->count);
}

const struct seen_vcpus *vmcore_seen_vcpus(struct vmcore *h)
{
	if (!h->seen.looked || h->seen.epoch != h->epoch)
		look(h, &h->seen);
	return &h->seen;
}

const struct seen_vcpu *vmcore_seen_vcpu_of(struct vmcore *h, const struct task *task)
{
	const struct seen_vcpus *s = vmcore_seen_vcpus(h);
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].task == task)
			return &s->list[i];
	return NULL;
}

void seen_vcpu_evidence(const struct seen_vcpu *v, struct buf *out)
{
	switch (v->by) {
	case SEEN_NOTIFIER:
		buf_addstr(out, "the task's preempt notifier");
		break;
	case SEEN_REGISTER:
		break;
	case SEEN_TABLE:
		buf_addstr(out, "the table of its VM");
		break;
	}
	if (v->has_register)
		buf_addf(out, "%s%s of frame #%zu", v->by == SEEN_NOTIFIER ? ", " : "", v->reg,
			 v->frame);
}
