// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/arch.h"
#include "server/target/target_guest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/regs.h"
#include "proto/target.h"
#include "server/files/guest_image.h"
#include "server/monitor/kvm/vm_rows.h"
#include "server/monitor/job.h"
#include "server/monitor/monitor.h"
#include "server/service.h"
#include "server/target/crash_machine.h"
#include "server/target/guest_machine.h"
#include "server/target/guest_view.h"
#include "server/target/system_registers.h"
#include "server/team/team.h"
#include "vmcore/guest/x86/guest_note.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/guest/guest_linux.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/system_regs.h"

/* The processor's rows, then the system's. */
enum { REGISTERS_MAX = TARGET_ROWS_MAX + SYSTEM_REGISTER_COUNT };

struct target_guest {
	struct target target;
	const struct target_arch *arch;
	struct target_image_ops image;
	struct target_register table[REGISTERS_MAX];
	struct target_register_ops registers; /* its table is the one above */
	struct service *service;	      /* borrowed */
	struct guest_view guest;
	struct guest_machine machine;
	struct buf exec_file;	/* the name of its empty image */
	struct buf vmcoreinfo;	/* of the guest's kernel; empty before somebody asks */
	struct buf name, label; /* of the thread described last */
};

static struct guest_view *guest_of(void *self)
{
	return &((struct target_guest *)self)->guest;
}

/* ---- on a machine that runs ---- */

/* Before each packet: what was read is old. */
static void begin(void *self)
{
	guest_view_begin(guest_of(self));
}

static struct err *renew(void *self)
{
	return guest_view_renew(guest_of(self));
}

static uint64_t generation(void *self)
{
	return guest_of(self)->host->generation;
}

/* ---- memory ---- */

static struct err *get_space(struct guest_view *g, const struct target_view *view,
			     struct walk_space *ret)
{
	struct guest_cpu *c;
	struct err *e = guest_view_follow(g);
	if (e)
		return e;
	if (!g->vm)
		return guest_view_ended(g);
	if (view->physical) {
		*ret = (struct walk_space){ .format = WALK_NONE };
		return NULL;
	}
	e = guest_view_cpu(g, view->tid, &c);
	if (e)
		return e;
	if (!c->has_space)
		return err_new(ERR_NOTFOUND, "%s", c->why);
	*ret = c->space;
	return NULL;
}

static struct err *read_memory(void *self, const struct target_view *view, uint64_t addr, void *out,
			       size_t len, size_t *ret_done)
{
	struct guest_view *g = guest_of(self);
	struct walk_space space;
	struct err *e = get_space(g, view, &space);
	return e ? e : guest_memory_read(g->memory, &space, addr, out, len, ret_done);
}

static bool next_memory(void *self, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next)
{
	struct guest_view *g = guest_of(self);
	struct walk_space space;
	struct err *e = get_space(g, view, &space);
	bool found = !e && guest_memory_next(g->memory, &space, addr, ret_next);
	err_free(e);
	return found;
}

static bool same_space(const struct walk_space *a, const struct walk_space *b)
{
	return a->format == b->format && walk_root_table(a) == walk_root_table(b) &&
	       walk_levels(a) == walk_levels(b) && a->pse == b->pse &&
	       a->below.format == b->below.format && a->below.root == b->below.root;
}

/* Whether all vCPUs that have page tables have the same. What an upper half holds is a kernel's, of
 * which there is one in a guest. */
static bool memory_is_shared(void *self, uint64_t addr)
{
	struct guest_view *g = guest_of(self);
	const struct walk_space *first = NULL;
	if (is_kernel_address(addr))
		return true;
	err_free(guest_view_follow(g));
	for (size_t i = 0; i < g->vcpu_count; i++) {
		struct guest_cpu *c;
		struct err *e = guest_view_cpu(g, g->tids[i], &c);
		if (e) {
			err_free(e);
			return false;
		}
		if (!c->has_space || !g->vm->vcpus[i].has_run)
			continue;
		if (first && !same_space(first, &c->space))
			return false;
		first = &c->space;
	}
	return first != NULL;
}

static const struct target_memory_ops memory_ops = {
	.read = read_memory,
	.next = next_memory,
	.physical = true,
	.is_shared = memory_is_shared,
};

/* ---- registers ---- */

static struct err *read_registers(void *self, const struct target_view *view, size_t first,
				  size_t count, uint8_t *values, bool *known)
{
	struct guest_cpu *c;
	const struct target_guest *t = self;
	const size_t rows = t->arch->count;
	struct regs regs;
	struct err *e = guest_view_cpu(guest_of(self), view->tid, &c);
	if (e)
		return e;
	guest_regs_general(&c->regs, &regs);
	size_t n = 0;
	if (first < rows) {
		n = rows - first < count ? rows - first : count;
		values += t->arch->fill(&regs, first, n, values, known);
	}
	if (n < count) {
		struct system_regs system;
		system_regs_of_guest(&c->regs, &system);
		system_registers_fill(&system, first + n - rows, count - n, values, known + n);
	}
	return NULL;
}

static void make_register_table(struct target_guest *t)
{
	const size_t rows = t->arch->count;
	memcpy(t->table, t->arch->registers, rows * sizeof(*t->table));
	memcpy(t->table + rows, system_registers, sizeof(system_registers));
	t->registers = (struct target_register_ops){
		.table = t->table,
		.count = rows + SYSTEM_REGISTER_COUNT,
		.expedited = t->arch->expedited,
		.expedited_count = t->arch->expedited_count,
		.read = read_registers,
	};
}

/* ---- threads ---- */

static struct err *list_threads(void *self, const uint64_t **ret_tids, size_t *ret_count)
{
	struct target_guest *t = self;
	struct err *e = guest_view_follow(&t->guest);
	if (e)
		return e;
	*ret_tids = t->guest.tids;
	*ret_count = t->guest.vcpu_count;
	return NULL;
}

static bool thread_alive(void *self, uint64_t tid)
{
	return guest_view_vcpu(guest_of(self), tid) != NULL;
}

/* gdb does not attach when it cannot tell where the thread is: the first vCPU of which that is
 * known. */
static uint64_t current_thread(void *self)
{
	struct target_guest *t = self;
	err_free(guest_view_follow(&t->guest));
	for (size_t i = 0; i < t->guest.vcpu_count; i++) {
		struct guest_cpu *c;
		struct regs regs;
		struct err *e = guest_view_cpu(&t->guest, t->guest.tids[i], &c);
		if (!e)
			guest_regs_general(&c->regs, &regs);
		if (!e && regs_pc_known(&regs))
			return t->guest.tids[i];
		err_free(e);
	}
	return 1;
}

/* What is to be known of the registers that are shown, if there is something. */
static const char *remark_on(const struct guest_regs *r)
{
	return r->is_encrypted ? ", registers encrypted"
	       : r->all_stale  ? ", registers stale"
	       : r->is_nested  ? ", registers of its guest (L2)"
			       : "";
}

/* "[in guest, registers stale]" */
static struct err *add_state(const struct vmcore *h, const struct vcpu *vcpu,
			     const struct guest_cpu *c, struct buf *out)
{
	enum vcpu_doing doing;
	struct err *e = vcpu_doing_read(h->kvm, vcpu, &doing);
	if (e)
		return e;
	buf_addf(out, "[%s%s]", vcpu_doing_name(doing),
		 doing == VCPU_NEVER_RUN ? "" : remark_on(&c->regs));
	return NULL;
}

static struct err *describe_thread(void *self, uint64_t tid, struct target_thread *ret)
{
	struct target_guest *t = self;
	struct guest_cpu *c;
	struct err *e = guest_view_cpu(&t->guest, tid, &c);
	if (e)
		return e;
	const struct vcpu *vcpu = guest_view_vcpu(&t->guest, tid);
	buf_reset(&t->name);
	buf_addf(&t->name, "CPU %d ", vcpu->id);
	e = add_state(t->guest.host, vcpu, c, &t->name);
	buf_reset(&t->label);
	buf_addf(&t->label, "vCPU %d", vcpu->id);
	if (!e)
		e = buf_error(&t->name);
	if (!e)
		e = buf_error(&t->label);
	if (!e)
		*ret = (struct target_thread){ t->name.data, t->label.data, vcpu->id };
	return e;
}

static const char *stop_reason(void *self)
{
	(void)self;
	return NULL;
}

static const struct target_thread_ops live_thread_ops = {
	.list = list_threads,
	.renew = renew,
	.generation = generation,
	.alive = thread_alive,
	.current = current_thread,
	.describe = describe_thread,
	.stop_reason = stop_reason,
};

static const struct target_thread_ops thread_ops = {
	.list = list_threads,
	.alive = thread_alive,
	.current = current_thread,
	.describe = describe_thread,
	.stop_reason = stop_reason,
};

/* ---- the kernel's image ---- */

/* Looked for when somebody first asks; NULL where it was not found. */
static const struct guest_linux *linux_of(struct target_guest *t)
{
	const struct guest_linux *g;
	struct err *e = guest_view_follow(&t->guest);
	if (!e && !t->guest.vm)
		e = guest_view_ended(&t->guest);
	if (!e)
		e = guest_linux_find(t->guest.host->kvm, t->guest.vm, &g);
	bool found = !e && g->found;
	err_free(e);
	return found ? g : NULL;
}

static bool image_offsets(void *self, struct target_offsets *ret)
{
	const struct guest_linux *g = linux_of(self);
	if (!g || !g->placed)
		return false;
	*ret = (struct target_offsets){
		.text = g->text,
		.slide = g->slide,
		.build_id = *g->build_id ? g->build_id : NULL,
	};
	return true;
}

static const char *os_version(void *self)
{
	const struct guest_linux *g = linux_of(self);
	return g ? g->release : NULL;
}

static const char *command_line(void *self)
{
	(void)self;
	return NULL;
}

static const struct target_image_ops image_ops = {
	.offsets = image_offsets,
	.os_version = os_version,
	.command_line = command_line,
};

/* ---- documents ---- */

static struct err *get_vmcoreinfo(void *self, const char *annex, const struct buf **ret_document)
{
	struct target_guest *t = self;
	if (*annex)
		return err_new(ERR_NOTFOUND, "vmcoreinfo has no part '%s'", annex);
	const struct guest_linux *g = t->vmcoreinfo.len ? NULL : linux_of(t);
	if (g && g->vmcoreinfo)
		buf_add(&t->vmcoreinfo, g->vmcoreinfo, g->vmcoreinfo_len);
	struct err *e = buf_error(&t->vmcoreinfo);
	if (!e && !t->vmcoreinfo.len)
		e = err_new(ERR_NOTFOUND, "no VMCOREINFO was found in the guest's memory");
	if (!e)
		*ret_document = &t->vmcoreinfo;
	return e;
}

/*
 * gdb keeps the file of what it was attached to before, and shows its names for the guest's
 * addresses, unless it is told of one of another build-id.
 */
static struct err *get_exec_file(void *self, const char *annex, const struct buf **ret_document)
{
	struct target_guest *t = self;
	const struct guest_linux *g = *annex ? NULL : linux_of(t);
	if (*annex)
		return err_new(ERR_NOTFOUND, "exec-file has no part '%s'", annex);
	struct err *e = guest_image_offer(t->service->exports, t->arch->arch->elf_machine,
					  g && *g->build_id ? g->build_id : NULL, &t->exec_file);
	if (!e)
		*ret_document = &t->exec_file;
	return e;
}

static const struct target_object objects[] = {
	{ .name = "exec-file", .clients = TARGET_GDB, .of_attached = true, .get = get_exec_file },
	{ .name = "vmcoreinfo", .clients = TARGET_GDB | TARGET_LLDB, .get = get_vmcoreinfo },
	{ .name = NULL },
};

/* ---- monitor ---- */

/* NULL if it is there. */
static struct err *need_vm(struct guest_view *g)
{
	struct err *e = guest_view_follow(g);
	return e || g->vm ? e : guest_view_ended(g);
}

static struct err *vm_address(void *self, uint64_t *ret)
{
	struct guest_view *g = guest_of(self);
	struct err *e = need_vm(g);
	if (!e)
		*ret = g->vm->address;
	return e;
}

static struct err *vcpu_address(void *self, uint64_t tid, uint64_t *ret)
{
	struct guest_view *g = guest_of(self);
	struct err *e = need_vm(g);
	const struct vcpu *vcpu = e ? NULL : guest_view_vcpu(g, tid);
	if (!e && !vcpu)
		e = err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	if (!e)
		*ret = vcpu->address;
	return e;
}

/* "CPU 0  [halted]  long mode, 4 levels, tables at 0x1000" */
static void add_cpu(struct guest_view *g, size_t i, struct buf *out)
{
	const struct vcpu *vcpu = &g->vm->vcpus[i];
	struct guest_cpu *c;
	struct err *e = guest_view_cpu(g, g->tids[i], &c);
	if (e) {
		err_free(e);
		return;
	}
	buf_addf(out, "CPU %d  ", vcpu->id);
	err_free(add_state(g->host, vcpu, c, out));
	buf_addstr(out, "  ");
	if (c->has_space)
		buf_addf(out, "%s, tables at 0x%" PRIx64 "%s\n", guest_paging_name(&c->space),
			 walk_root_table(&c->space),
			 c->stale ? " (by registers that may have changed since)" : "");
	else
		buf_addf(out, "%s\n", c->why);
}

static struct err *info(void *self, enum row_printer printer, struct buf *out)
{
	struct guest_view *g = guest_of(self);
	struct err *e = guest_view_follow(g);
	if (!e && !g->vm && printer == PRINT_TEXT) {
		buf_addf(out, "the virtual machine of process %" PRIu32 " has ended\n", g->pid);
		return NULL;
	}
	if (!e)
		e = need_vm(g);
	if (e)
		return e;
	if (printer == PRINT_JSON)
		return vm_print(g->host, g->vm, printer, out);
	e = vm_print_guest(g->host, g->vm, out);
	for (size_t i = 0; !e && i < g->vcpu_count; i++)
		add_cpu(g, i, out);
	return e;
}

static struct err *machine_of(void *self, struct vmcore **ret)
{
	struct target_guest *t = self;
	return guest_machine_get(&t->machine, &t->guest, ret);
}

static uint64_t thread_of(void *self, struct vmcore *machine, uint64_t tid, uint64_t address)
{
	return guest_machine_thread(machine, guest_of(self), tid, address);
}

/* What a guest of the guest has is another's. */
static struct err *physical_of(void *self, uint64_t tid, uint64_t address, uint64_t *ret)
{
	struct guest_view *g = guest_of(self);
	struct guest_cpu *c;
	struct walk walk;
	struct err *e = guest_view_cpu(g, tid, &c);
	if (e)
		return e;
	if (c->regs.is_nested)
		return err_new(ERR_NOTFOUND, "the vCPU runs a guest of its own");
	if (!c->has_space)
		return err_new(ERR_NOTFOUND, "%s", c->why);
	const struct walk_reader reader = guest_memory_reader(g->memory);
	e = guest_walk(&reader, &c->space, address, &walk);
	if (!e)
		*ret = walk.pa;
	return e;
}

static struct err *way_of(void *self, uint64_t gpa, struct gpa_way *ret)
{
	struct guest_view *g = guest_of(self);
	struct err *e = need_vm(g);
	return e ? e : guest_memory_translate(g->memory, gpa, ret);
}

static struct err *run_monitor(void *self, struct target_view *view, const char *line,
			       struct buf *out, struct target_job **ret_job)
{
	struct target_guest *t = self;
	const struct monitor_guest guest = {
		.closure = self,
		.vm = vm_address,
		.vcpu = vcpu_address,
		.info = info,
		.machine = machine_of,
		.thread = thread_of,
		.physical = physical_of,
		.way = way_of,
		.live = t->guest.host->live,
	};
	return monitor_run_in_guest(t->service, &guest, view, line, out, ret_job);
}

static struct err *go_on(void *self, struct target_view *view, struct target_job *job,
			 struct buf *out, bool *ret_done)
{
	struct vmcore *h = guest_of(self)->host;
	(void)view;
	struct err *e = job->in_guest ? machine_of(self, &h) : NULL;
	if (e) {
		monitor_cancel(job);
		return e;
	}
	return monitor_more(h, job, out, ret_done);
}

static void cancel(void *self, struct target_job *job)
{
	(void)self;
	monitor_cancel(job);
}

static const struct target_monitor_ops monitor_ops = {
	.run = run_monitor,
	.more = go_on,
	.cancel = cancel,
};

/* ---- making one ---- */

struct err *target_guest_new(struct service *service, struct vm *vm, struct target **ret)
{
	struct vmcore *host = service->vmcore;
	struct target_guest *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->service = service;
	buf_init(&t->exec_file);
	buf_init(&t->vmcoreinfo);
	buf_init(&t->name);
	buf_init(&t->label);
	t->target = (struct target){
		.self = t,
		.what = host->live ? "a guest on a live machine, which is looked at only"
				   : "a guest in a crash dump",
		.begin = host->live ? begin : NULL,
		.pid = 1,
		.memory = &memory_ops,
		.registers = &t->registers,
		.threads = host->live ? &live_thread_ops : &thread_ops,
		.image = &t->image,
		.monitor = &monitor_ops,
		.team = &team_ops,
		.team_self = service->team,
		.objects = objects,
		.crash = crash_ops_of_guest(host),
		.crash_self = &t->guest,
	};
	t->arch = target_arch_of(kernel_arch(host->kernel));
	t->image = image_ops;
	t->image.triple = t->arch->triple;
	make_register_table(t);
	struct err *e = guest_view_open(host, vm, &t->guest);
	if (e) {
		target_guest_free(&t->target);
		return e;
	}
	*ret = &t->target;
	return NULL;
}

void target_guest_free(struct target *target)
{
	struct target_guest *t = target ? target->self : NULL;
	if (!t)
		return;
	guest_machine_close(&t->machine);
	guest_view_close(&t->guest);
	buf_free(&t->exec_file);
	buf_free(&t->vmcoreinfo);
	buf_free(&t->name);
	buf_free(&t->label);
	free(t);
}

bool target_guest_is(const struct target *target, const struct vm *vm)
{
	return guest_view_is(guest_of(target->self), vm);
}

bool target_guest_has_ended(const struct target *target)
{
	struct guest_view *g = guest_of(target->self);
	err_free(guest_view_follow(g));
	return g->generation == g->host->generation && !g->vm;
}
