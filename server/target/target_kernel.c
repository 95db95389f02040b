// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/arch.h"
#include "server/target/target_kernel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/buf.h"
#include "base/err.h"
#include "server/files/exports.h"
#include "server/files/libraries.h"
#include "server/files/library_lists.h"
#include "server/files/made_image.h"
#include "server/files/served_image.h"
#include "server/monitor/monitor.h"
#include "server/service.h"
#include "server/target/crash_machine.h"
#include "server/target/kvm_registers.h"
#include "server/target/osdata.h"
#include "server/target/system_registers.h"
#include "server/team/team.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/context_threads.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/task_state.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/vcpu_state.h"
#include "vmcore/system_regs.h"

/* Documents of all kinds; one more row ends the table. */
enum { OBJECTS_MAX = 8 };

/* The rows of all registers: the processor's, those of our own about KVM, and the system's. */
enum { REGISTERS_MAX = TARGET_ROWS_MAX + KVM_REGISTER_COUNT + SYSTEM_REGISTER_COUNT };

struct target_kernel {
	struct target target;
	struct target_object objects[OBJECTS_MAX + 1];
	const struct target_arch *arch;
	struct target_image_ops image;
	struct target_register table[REGISTERS_MAX];
	struct target_register_ops registers;	  /* its table is the one above */
	struct kvm_register_cache *kvm_registers; /* owned */
	struct osdata *osdata;			  /* owned */
	struct service *service;		  /* borrowed */
	uint64_t *tids; /* owned; those of host->tasks, each with its contexts behind it */
	size_t tid_count;
	struct context_threads *contexts; /* owned; NULL before the first thread list */
	uint64_t generation;		  /* the host's that these are of */
	unsigned told_changes;		  /* vmcore.changes that were said on standard error */
	struct buf vmcoreinfo;
	/* Owned. [1] is for clients that have the image that is made of the dump. */
	struct library_lists *libraries[2];
	struct buf name, label; /* of the thread described last */
};

static struct service *service_of(void *self)
{
	return ((struct target_kernel *)self)->service;
}

static struct vmcore *host_of(void *self)
{
	return service_of(self)->vmcore;
}

/* ---- interrupted contexts ---- */

/* Drops what is of tasks that the host has taken anew since. */
static void forget_old(struct target_kernel *t)
{
	if (t->generation == host_of(t)->generation)
		return;
	context_threads_free(t->contexts);
	t->contexts = NULL;
	free(t->tids);
	t->tids = NULL;
	t->tid_count = 0;
	t->generation = host_of(t)->generation;
}

/* The threads are found when a client first asks for them. */
static struct err *find_threads(struct target_kernel *t)
{
	const struct tasks *tasks = &host_of(t)->tasks;
	size_t contexts = 0, next = 0;
	forget_old(t);
	if (t->tids)
		return NULL;
	struct err *e = NULL;
	if (t->service->context_threads)
		e = context_threads_new(host_of(t), &t->contexts);
	if (e)
		return e;
	const struct context_thread *list = NULL;
	if (t->contexts)
		list = context_threads_list(t->contexts, &contexts);
	t->tids = calloc(tasks->count + contexts, sizeof(*t->tids));
	if (!t->tids) {
		context_threads_free(t->contexts);
		t->contexts = NULL;
		return err_nomem();
	}
	for (size_t i = 0; i < tasks->count; i++) {
		t->tids[t->tid_count++] = tasks->list[i].tid;
		for (; next < contexts && list[next].task == &tasks->list[i]; next++)
			t->tids[t->tid_count++] = list[next].tid;
	}
	return NULL;
}

/* NULL if the thread is a task, or none. */
static const struct context_thread *find_context(struct target_kernel *t, uint64_t tid)
{
	if (tid < CONTEXT_TID_FIRST)
		return NULL;
	/* Memory that is out now may be there at the next try. */
	err_free(find_threads(t));
	return t->contexts ? context_threads_find(t->contexts, tid) : NULL;
}

/* The task that thread @tid is, or is a part of; NULL if there is no such thread. */
static const struct task *find_task(struct target_kernel *t, uint64_t tid)
{
	const struct context_thread *context = find_context(t, tid);
	return context ? context->task : tasks_find(&host_of(t)->tasks, tid);
}

/* The id of that task, for what knows tasks alone; another is left as it is. */
static uint64_t task_tid(struct target_kernel *t, uint64_t tid)
{
	const struct task *task = find_task(t, tid);
	return task ? task->tid : tid;
}

/* ---- memory ---- */

static struct err *read_memory(void *self, const struct target_view *view, uint64_t addr, void *out,
			       size_t len, size_t *ret_done)
{
	struct vmcore *h = host_of(self);
	struct vspace space;
	if (view->physical)
		return memory_read_phys(h->memory, addr, out, len, ret_done);
	/* The kernel's half is the same for all: nothing else is asked for there, as others may be
	 * in the middle of making it. */
	uint64_t tid = is_kernel_address(addr) ? view->tid : task_tid(self, view->tid);
	struct err *e = vmcore_space(h, tid, addr, &space);
	return e ? e : memory_read(h->memory, &space, addr, out, len, ret_done);
}

static bool next_physical(const struct vmcore *h, uint64_t addr, uint64_t *ret_next)
{
	uint64_t pfn;
	if (!memory_next_page(h->memory, (addr >> PAGE_SHIFT) + 1, &pfn) ||
	    pfn > UINT64_MAX >> PAGE_SHIFT)
		return false;
	*ret_next = pfn << PAGE_SHIFT;
	return true;
}

static bool next_memory(void *self, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next)
{
	struct vmcore *h = host_of(self);
	struct vspace space;
	if (view->physical)
		return next_physical(h, addr, ret_next);
	struct err *e = vmcore_space(h, task_tid(self, view->tid), addr, &space);
	if (!e && memory_next(h->memory, &space, addr, ret_next)) {
		/* Beyond the user's half the kernel's own tables hold. */
		if (is_kernel_address(addr) || *ret_next < KERNEL_HALF)
			return true;
	}
	err_free(e);
	if (is_kernel_address(addr))
		return false;
	*ret_next = KERNEL_HALF;
	return true;
}

/* Kernel memory is read by the kernel's own tables, whatever thread is looked at. */
static bool memory_is_shared(void *self, uint64_t addr)
{
	(void)self;
	return is_kernel_address(addr);
}

static const struct target_memory_ops memory_ops = {
	.read = read_memory,
	.next = next_memory,
	.physical = true,
	.is_shared = memory_is_shared,
	.beside = true,
};

/* ---- registers ---- */

/* Frame 0 needs no unwinding; the others were unwound when they were chosen, and are kept. */
static struct err *find_registers(struct vmcore *h, const struct task *task, unsigned number,
				  struct regs *ret)
{
	struct frame first;
	const struct frames *frames;
	const char *why;
	struct err *e;
	if (!number) {
		e = unwinder_first(h->unwinder, task, &first, &why);
		if (!e)
			*ret = first.regs;
		return e;
	}
	e = frame_cache_get(h->frames, task, &frames);
	if (e)
		return e;
	if (number >= frames->count)
		return err_new(ERR_NOTFOUND, "thread %" PRIu32 " has no frame %u", task->tid,
			       number);
	*ret = frames->list[number].regs;
	return NULL;
}

static struct err *read_processor(struct target_kernel *t, const struct target_view *view,
				  struct regs *ret)
{
	const struct context_thread *context = find_context(t, view->tid);
	const struct task *task = find_task(t, view->tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	if (!context || view->frame)
		return find_registers(host_of(t), task, view->frame, ret);
	*ret = context->regs;
	return NULL;
}

static struct err *read_kvm(struct target_kernel *t, const struct target_view *view, size_t first,
			    size_t count, uint8_t *values, bool *known)
{
	const struct task *task = find_task(t, view->tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	return kvm_registers_read(t->kvm_registers, host_of(t), task, first, count, values, known);
}

/* Those of a CPU are the thread's while it is on it: frame 0 has them, and an interrupted context
 * and frames further out may have had others. */
static struct err *read_system(struct target_kernel *t, const struct target_view *view,
			       size_t first, size_t count, uint8_t *values, bool *known)
{
	struct system_regs regs = { 0 };
	const struct task *task = find_task(t, view->tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	if (task->on_cpu && !view->frame && !find_context(t, view->tid)) {
		struct err *e = system_regs_of_task(host_of(t), task, &regs);
		if (e)
			return e;
	}
	system_registers_fill(&regs, first, count, values, known);
	return NULL;
}

/* What no row that is asked for needs is not looked for. */
static struct err *read_registers(void *self, const struct target_view *view, size_t first,
				  size_t count, uint8_t *values, bool *known)
{
	struct target_kernel *t = self;
	struct regs regs;
	struct err *e = NULL;
	const size_t first_kvm = t->arch->count, first_system = first_kvm + KVM_REGISTER_COUNT;
	size_t end = first + count, n;
	if (first < first_kvm) {
		e = read_processor(t, view, &regs);
		if (e)
			return e;
		n = end < first_kvm ? count : first_kvm - first;
		values += t->arch->fill(&regs, first, n, values, known);
		known += n;
		first += n;
	}
	if (first < end && first < first_system) {
		n = (end < first_system ? end : first_system) - first;
		e = read_kvm(t, view, first - first_kvm, n, values, known);
		for (; n; n--, first++, known++)
			values += t->table[first].bits / 8;
	}
	if (!e && first < end)
		e = read_system(t, view, first - first_system, end - first, values, known);
	return e;
}

static void make_register_table(struct target_kernel *t)
{
	const size_t first_kvm = t->arch->count, first_system = first_kvm + KVM_REGISTER_COUNT;
	memcpy(t->table, t->arch->registers, first_kvm * sizeof(*t->table));
	memcpy(t->table + first_kvm, kvm_registers, sizeof(kvm_registers));
	memcpy(t->table + first_system, system_registers, sizeof(system_registers));
	t->registers = (struct target_register_ops){
		.table = t->table,
		.count = first_system + SYSTEM_REGISTER_COUNT,
		.expedited = t->arch->expedited,
		.expedited_count = t->arch->expedited_count,
		.read = read_registers,
	};
}

/* ---- threads ---- */

static struct err *list_threads(void *self, const uint64_t **ret_tids, size_t *ret_count)
{
	struct target_kernel *t = self;
	struct err *e = find_threads(t);
	if (e)
		return e;
	*ret_tids = t->tids;
	*ret_count = t->tid_count;
	return NULL;
}

static struct err *renew_threads(void *self)
{
	return vmcore_renew(host_of(self));
}

static uint64_t thread_generation(void *self)
{
	return host_of(self)->generation;
}

/* Of a dump: what is shown of its threads may have been made while it could not be read. */
static uint64_t thread_recovery(void *self)
{
	return host_of(self)->recovered;
}

static bool thread_alive(void *self, uint64_t tid)
{
	return find_task(self, tid) != NULL;
}

static uint64_t current_thread(void *self)
{
	const struct vmcore *h = host_of(self);
	return h->tasks.list[h->current].tid;
}

static struct err *name_vcpu(struct target_kernel *t, const struct vcpu *vcpu)
{
	enum vcpu_doing doing;
	struct err *e = vcpu_doing_read(host_of(t)->kvm, vcpu, &doing);
	if (!e)
		buf_addf(&t->name, " vm %" PRIu32 " vcpu %d, %s", vcpu->vm->pid, vcpu->id,
			 vcpu_doing_name(doing));
	return e;
}

/* Without KVM's types: which vCPU it is inside, and no more. */
static void name_seen_vcpu(struct target_kernel *t, const struct task *task)
{
	const struct seen_vcpu *seen = vmcore_seen_vcpu_of(host_of(t), task);
	if (seen)
		buf_addf(&t->name, " in vcpu at 0x%" PRIx64, seen->address);
}

static struct err *name_task(struct target_kernel *t, const struct task *task)
{
	struct err *e = NULL;
	const struct cpu *cpu =
		task->idle ? cpus_find(&host_of(t)->cpus, (unsigned)task->cpu) : NULL;
	if (task->bare) {
		buf_addstr(&t->name, task->comm);
		buf_addstr(&t->label, "task unknown");
		name_seen_vcpu(t, task);
		return NULL;
	}
	buf_addf(&t->name, "%s [", task->comm);
	if (task->on_cpu)
		buf_addf(&t->name, "running on %d]", task->cpu);
	else if (cpu && cpu->unstarted)
		buf_addf(&t->name, "CPU %d never started]", task->cpu);
	else
		buf_addf(&t->name, "%s]", task_state_word(task->state));
	const struct vcpu *vcpu = kvm_vcpu_of_task(host_of(t)->kvm, task);
	if (vcpu)
		e = name_vcpu(t, vcpu);
	else
		name_seen_vcpu(t, task);
	if (task->idle)
		buf_addf(&t->label, "idle CPU %d", task->cpu);
	else
		buf_addf(&t->label, "task %" PRIu32, task->tid);
	return e;
}

static void name_context(struct target_kernel *t, const struct context_thread *context)
{
	context_thread_name(context, &t->name);
	buf_addf(&t->label, "below task %" PRIu32, context->task->tid);
}

static struct err *describe_thread(void *self, uint64_t tid, struct target_thread *ret)
{
	struct target_kernel *t = self;
	const struct context_thread *context = find_context(t, tid);
	const struct task *task = find_task(t, tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	buf_reset(&t->name);
	buf_reset(&t->label);
	struct err *e = NULL;
	if (context)
		name_context(t, context);
	else
		e = name_task(t, task);
	if (!e)
		e = buf_error(&t->name);
	if (!e)
		e = buf_error(&t->label);
	if (!e)
		*ret = (struct target_thread){ t->name.data, t->label.data, task->cpu };
	return e;
}

static const char *stop_reason(void *self)
{
	return host_of(self)->panic;
}

static const struct target_thread_ops thread_ops = {
	.list = list_threads,
	.generation = thread_recovery,
	.alive = thread_alive,
	.current = current_thread,
	.describe = describe_thread,
	.stop_reason = stop_reason,
};

static const struct target_thread_ops live_thread_ops = {
	.list = list_threads,
	.renew = renew_threads,
	.generation = thread_generation,
	.alive = thread_alive,
	.current = current_thread,
	.describe = describe_thread,
	.stop_reason = stop_reason,
};

static void begin(void *self)
{
	struct target_kernel *t = self;
	const struct vmcore *h = host_of(self);
	vmcore_begin(host_of(self));
	if (h->changes != t->told_changes)
		fprintf(stderr, "vmcore-gdbserver: %s\n", h->changed);
	t->told_changes = h->changes;
}

/* ---- the kernel's image ---- */

static bool image_offsets(void *self, struct target_offsets *ret)
{
	const struct kernel *k = host_of(self)->kernel;
	if (!kernel_text(k, &ret->text, &ret->slide))
		return false;
	ret->build_id = kernel_build_id(k);
	return true;
}

static const char *os_version(void *self)
{
	return kernel_release(host_of(self)->kernel);
}

static const char *command_line(void *self)
{
	return kernel_command_line(host_of(self)->kernel);
}

static const struct target_image_ops image_ops = {
	.offsets = image_offsets,
	.os_version = os_version,
	.command_line = command_line,
};

/* ---- files ---- */

/* The kernel's image is among the files even if a client did not ask for its name. */
static struct err *open_file(void *self, const char *name, struct target_file **ret)
{
	const struct service *s = service_of(self);
	const struct buf *image;
	err_free(served_image_path(s->image, &image));
	return exports_open(s->exports, name, ret);
}

static struct err *read_file(void *self, struct target_file *file, uint64_t offset, void *out,
			     size_t len, size_t *ret_done)
{
	(void)self;
	return exports_read(file, offset, out, len, ret_done);
}

static struct err *file_status(void *self, struct target_file *file, struct target_file_status *ret)
{
	(void)self;
	return exports_status(file, ret);
}

static void close_file(void *self, struct target_file *file)
{
	(void)self;
	exports_close(file);
}

static const struct target_file_ops file_ops = {
	.open = open_file,
	.read = read_file,
	.status = file_status,
	.close = close_file,
};

/* ---- documents, monitor ---- */

static struct err *get_vmcoreinfo(void *self, const char *annex, const struct buf **ret_document)
{
	if (*annex)
		return err_new(ERR_NOTFOUND, "vmcoreinfo has no part '%s'", annex);
	*ret_document = &((struct target_kernel *)self)->vmcoreinfo;
	return NULL;
}

/* The annex is the process whose file is asked for, in hex (gdb manual, "General Query Packets"):
 * nothing stands for the one that there is, which has the number that the client attached to. */
static struct err *get_exec_file(void *self, const char *annex, const struct buf **ret_document)
{
	if (annex[strspn(annex, "0123456789abcdefABCDEF")])
		return err_new(ERR_NOTFOUND, "there is no process %s", annex);
	service_look_again(service_of(self));
	return served_image_path(service_of(self)->image, ret_document);
}

static struct err *get_libraries(void *self, const char *annex, const struct buf **ret_document)
{
	(void)self;
	(void)ret_document;
	return err_new(ERR_NOTFOUND, "libraries have no part '%s'", annex);
}

/* gdb keeps the file open that it has of the kernel, and closes one that it only compares with its
 * own. */
static bool has_image(const struct service *s, struct target_file *const *open, size_t count)
{
	for (size_t i = 0; s->made && i < count; i++)
		if (open[i] && exports_is(open[i], made_image_name(s->made)))
			return true;
	return false;
}

static struct err *get_libraries_beside(void *self, struct target_file *const *open, size_t count,
					const struct buf **ret_document)
{
	struct service *s = service_of(self);
	bool image = has_image(s, open, count);
	service_look_again(s);
	return library_lists_get(((struct target_kernel *)self)->libraries[image], s->files_arrived,
				 ret_document);
}

static struct err *run_monitor(void *self, struct target_view *view, const char *line,
			       struct buf *out, struct target_job **ret_job)
{
	struct target_kernel *t = self;
	const struct context_thread *context = find_context(t, view->tid);
	if (!context)
		return monitor_run(t->service, view, line, out, ret_job);
	/* The commands know tasks. Their frames have one number whichever thread shows them. */
	struct target_view of_task = { .tid = context->task->tid,
				       .frame = view->frame ? view->frame : context->frame,
				       .member = view->member };
	struct err *e = monitor_run(t->service, &of_task, line, out, ret_job);
	view->frame = of_task.frame == context->frame ? 0 : of_task.frame;
	return e;
}

static struct err *continue_monitor(void *self, struct target_view *view, struct target_job *job,
				    struct buf *out, bool *ret_done)
{
	(void)view;
	return monitor_more(host_of(self), job, out, ret_done);
}

static void cancel_monitor(void *self, struct target_job *job)
{
	(void)self;
	monitor_cancel(job);
}

static const struct target_monitor_ops monitor_ops = {
	.run = run_monitor,
	.more = continue_monitor,
	.cancel = cancel_monitor,
};

static struct err *get_osdata(void *self, const char *annex, const struct buf **ret_document)
{
	return osdata_get(((struct target_kernel *)self)->osdata, annex, ret_document);
}

/*
 * gdb opens the kernel's image also where it has one of its own, and asks for libraries. Which list
 * of those it gets depends on what it keeps open: one without a file of its own, for which all this
 * takes longest, has the image that is served.
 */
static bool prepare(void *self, unsigned client)
{
	struct target_kernel *t = self;
	struct service *s = t->service;
	const struct buf *image, *libraries = NULL;
	if (client != TARGET_GDB || !s->serve_files)
		return true;
	service_look_again(s);
	struct err *e = served_image_path(s->image, &image);
	bool made = !e && s->made && !strcmp(image->data, made_image_name(s->made));
	if (!e && (!served_image_is_ready(s->image) || !exports_prepare(s->exports, image->data)))
		return false;
	err_free(e);
	e = library_lists_get(t->libraries[made], s->files_arrived, &libraries);
	bool done = e || (libraries && exports_prepare(s->exports, made_entry_frames_name));
	err_free(e);
	return done;
}

static const struct target_object vmcoreinfo_object = { .name = "vmcoreinfo",
							.clients = TARGET_GDB | TARGET_LLDB,
							.get = get_vmcoreinfo };
static const struct target_object exec_file_object = { .name = "exec-file",
						       .clients = TARGET_GDB,
						       .get = get_exec_file };
static const struct target_object osdata_object = {
	.name = "osdata", .of_all = true, .clients = TARGET_GDB, .get = get_osdata, .changes = true
};
static const struct target_object libraries_object = { .name = "libraries",
						       .clients = TARGET_GDB,
						       .get = get_libraries,
						       .get_beside = get_libraries_beside };

static void add_object(struct target_kernel *t, const struct target_object *object)
{
	size_t n = 0;
	while (n < OBJECTS_MAX && t->objects[n].name)
		n++;
	if (n < OBJECTS_MAX)
		t->objects[n] = *object;
}

struct err *target_kernel_new(struct service *service, struct target **ret)
{
	struct vmcore *host = service->vmcore;
	struct target_kernel *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->target.self = t;
	t->service = service;
	buf_init(&t->vmcoreinfo);
	buf_init(&t->name);
	buf_init(&t->label);
	size_t len;
	const char *vmcoreinfo = kernel_vmcoreinfo_text(host->kernel, &len);
	if (vmcoreinfo) {
		buf_add(&t->vmcoreinfo, vmcoreinfo, len);
		add_object(t, &vmcoreinfo_object);
	}
	if (service->serve_files)
		add_object(t, &exec_file_object);
	add_object(t, &osdata_object);
	if (service->serve_files)
		add_object(t, &libraries_object);
	const struct library_source libraries = { host, service->exports, service->made,
						  service->extra_cfi };
	struct err *e = buf_error(&t->vmcoreinfo);
	for (int image = 0; !e && image < 2; image++)
		e = library_lists_new(&libraries, image, &t->libraries[image]);
	if (!e)
		e = osdata_new(service, &t->osdata);
	t->kvm_registers = kvm_register_cache_new();
	if (!e && !t->kvm_registers)
		e = err_nomem();
	if (e) {
		target_kernel_free(&t->target);
		return e;
	}
	t->arch = target_arch_of(kernel_arch(service->vmcore->kernel));
	t->image = image_ops;
	t->image.triple = t->arch->triple;
	make_register_table(t);
	t->target = (struct target){
		.self = t,
		.name = "host",
		.what = host->live ? "a live machine, which is looked at only" : "a crash dump",
		.begin = begin,
		.prepare = prepare,
		.pid = 1,
		.memory = &memory_ops,
		.registers = &t->registers,
		.threads = host->live ? &live_thread_ops : &thread_ops,
		.image = &t->image,
		.monitor = &monitor_ops,
		.team = &team_ops,
		.team_self = service->team,
		.files = service->serve_files ? &file_ops : NULL,
		.objects = t->objects,
		.crash = crash_ops_of_kernel(host),
		.crash_self = host,
	};
	*ret = &t->target;
	return NULL;
}

void target_kernel_free(struct target *target)
{
	struct target_kernel *t = target ? target->self : NULL;
	if (!t)
		return;
	buf_free(&t->vmcoreinfo);
	library_lists_free(t->libraries[0]);
	library_lists_free(t->libraries[1]);
	buf_free(&t->name);
	buf_free(&t->label);
	osdata_free(t->osdata);
	kvm_register_cache_free(t->kvm_registers);
	context_threads_free(t->contexts);
	free(t->tids);
	free(t);
}
