// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target_kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/exports.h"
#include "server/frame_cache.h"
#include "server/host.h"
#include "server/kernel/kernel.h"
#include "server/kernel/task_state.h"
#include "server/kernel/unwind_source.h"
#include "server/monitor.h"
#include "server/libraries.h"
#include "server/served_image.h"
#include "server/x86_target.h"

/* Documents of all kinds; one more row ends the table. */
enum { OBJECTS_MAX = 8 };

struct target_kernel {
	struct target target;
	struct target_object objects[OBJECTS_MAX + 1];
	struct host *host; /* borrowed */
	uint64_t *tids;	   /* owned; in the order of host->tasks */
	uint64_t numbered; /* the host's generation that these are of */
	struct buf vmcoreinfo;
	struct buf libraries;	/* "" until it is asked for */
	struct buf name, label; /* of the thread described last */
};

static struct host *host_of(void *self)
{
	return ((struct target_kernel *)self)->host;
}

/* ---- memory ---- */

static struct err *read_memory(void *self, const struct target_view *view, uint64_t addr, void *out,
			       size_t len, size_t *ret_done)
{
	struct host *h = host_of(self);
	struct vspace space;
	struct err *e = host_space(h, view->tid, addr, &space);
	return e ? e : memory_read(h->memory, &space, addr, out, len, ret_done);
}

static bool next_memory(void *self, const struct target_view *view, uint64_t addr,
			uint64_t *ret_next)
{
	struct host *h = host_of(self);
	struct vspace space;
	struct err *e = host_space(h, view->tid, addr, &space);
	if (!e && memory_next(h->memory, &space, addr, ret_next)) {
		/* Beyond the user's half the kernel's own tables hold. */
		if (addr >= HOST_KERNEL_HALF || *ret_next < HOST_KERNEL_HALF)
			return true;
	}
	err_free(e);
	if (addr >= HOST_KERNEL_HALF)
		return false;
	*ret_next = HOST_KERNEL_HALF;
	return true;
}

static const struct target_memory_ops memory_ops = { .read = read_memory, .next = next_memory };

/* ---- registers ---- */

/* Frame 0 needs no unwinding; the others were unwound when they were chosen, and are kept. */
static struct err *find_registers(struct host *h, const struct task *task, unsigned number,
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

static struct err *read_registers(void *self, const struct target_view *view, uint8_t *values,
				  bool *known)
{
	struct host *h = host_of(self);
	const struct task *task = tasks_find(&h->tasks, view->tid);
	struct regs regs;
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, view->tid);
	struct err *e = find_registers(h, task, view->frame, &regs);
	if (!e)
		x86_registers_fill(&regs, values, known);
	return e;
}

static const struct target_register_ops register_ops = {
	.table = x86_registers,
	.count = X86_REGISTER_COUNT,
	.expedited = x86_expedited,
	.expedited_count = X86_EXPEDITED_COUNT,
	.read = read_registers,
};

/* ---- threads ---- */

static struct err *number_threads(struct target_kernel *t)
{
	const struct tasks *tasks = &t->host->tasks;
	uint64_t *tids = reallocarray(t->tids, tasks->count, sizeof(*tids));
	if (!tids)
		return err_nomem();
	for (size_t i = 0; i < tasks->count; i++)
		tids[i] = tasks->list[i].tid;
	t->tids = tids;
	t->numbered = t->host->generation;
	return NULL;
}

static struct err *list_threads(void *self, const uint64_t **ret_tids, size_t *ret_count)
{
	struct target_kernel *t = self;
	/* `monitor refresh` renews the tasks as well. */
	struct err *e = t->numbered == t->host->generation ? NULL : number_threads(t);
	if (e)
		return e;
	*ret_tids = t->tids;
	*ret_count = t->host->tasks.count;
	return NULL;
}

static struct err *renew_threads(void *self)
{
	struct err *e = host_renew(host_of(self));
	return e ? e : number_threads(self);
}

static uint64_t thread_generation(void *self)
{
	return host_of(self)->generation;
}

static bool thread_alive(void *self, uint64_t tid)
{
	return tasks_find(&host_of(self)->tasks, tid) != NULL;
}

static uint64_t current_thread(void *self)
{
	const struct host *h = host_of(self);
	return h->tasks.list[h->current].tid;
}

static struct err *describe_thread(void *self, uint64_t tid, struct target_thread *ret)
{
	struct target_kernel *t = self;
	const struct task *task = tasks_find(&t->host->tasks, tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	buf_reset(&t->name);
	buf_addf(&t->name, "%s [", task->comm);
	if (task->on_cpu)
		buf_addf(&t->name, "running on %d]", task->cpu);
	else
		buf_addf(&t->name, "%s]", task_state_word(task->state));
	buf_reset(&t->label);
	if (task->idle)
		buf_addf(&t->label, "idle CPU %d", task->cpu);
	else
		buf_addf(&t->label, "task %" PRIu32, task->tid);
	struct err *e = buf_error(&t->name);
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
	host_begin(host_of(self));
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
	.triple = "x86_64-unknown-linux-gnu",
	.os_version = os_version,
	.command_line = command_line,
};

/* ---- files ---- */

/* The kernel's image is among the files even if a client did not ask for its name. */
static struct err *open_file(void *self, const char *name, struct target_file **ret)
{
	const struct host *h = host_of(self);
	const struct buf *image;
	err_free(served_image_path(h->image, &image));
	return exports_open(h->exports, name, ret);
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
 * nothing stands for the one that there is. */
static struct err *get_exec_file(void *self, const char *annex, const struct buf **ret_document)
{
	if (*annex && strcmp(annex, "1") != 0)
		return err_new(ERR_NOTFOUND, "there is no process %s", annex);
	return served_image_path(host_of(self)->image, ret_document);
}

static struct err *get_libraries(void *self, const char *annex, const struct buf **ret_document)
{
	struct target_kernel *t = self;
	if (*annex)
		return err_new(ERR_NOTFOUND, "libraries have no part '%s'", annex);
	if (!t->libraries.len)
		libraries_describe(t->host, &t->libraries);
	struct err *e = buf_error(&t->libraries);
	if (!e)
		*ret_document = &t->libraries;
	return e;
}

static struct err *run_monitor(void *self, struct target_view *view, const char *line,
			       struct buf *out, struct target_job **ret_job)
{
	return monitor_run(host_of(self), view, line, out, ret_job);
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

static void add_object(struct target_kernel *t, const char *name, unsigned clients,
		       struct err *(*get)(void *, const char *, const struct buf **))
{
	size_t n = 0;
	while (n < OBJECTS_MAX && t->objects[n].name)
		n++;
	if (n < OBJECTS_MAX)
		t->objects[n] = (struct target_object){ name, clients, get };
}

struct err *target_kernel_new(struct host *host, struct target **ret)
{
	struct target_kernel *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem();
	t->target.self = t;
	t->host = host;
	buf_init(&t->vmcoreinfo);
	buf_init(&t->libraries);
	buf_init(&t->name);
	buf_init(&t->label);
	struct err *e = number_threads(t);
	size_t len;
	const char *vmcoreinfo = kernel_vmcoreinfo_text(host->kernel, &len);
	if (vmcoreinfo) {
		buf_add(&t->vmcoreinfo, vmcoreinfo, len);
		add_object(t, "vmcoreinfo", TARGET_GDB | TARGET_LLDB, get_vmcoreinfo);
	}
	if (host->serve_files)
		add_object(t, "exec-file", TARGET_GDB, get_exec_file);
	if (host->serve_files)
		add_object(t, "libraries", TARGET_GDB, get_libraries);
	if (!e)
		e = buf_error(&t->vmcoreinfo);
	if (e) {
		target_kernel_free(&t->target);
		return e;
	}
	t->target = (struct target){
		.self = t,
		.what = host->live ? "a live machine, which is looked at only" : "a crash dump",
		.begin = host->live ? begin : NULL,
		.pid = 1,
		.memory = &memory_ops,
		.registers = &register_ops,
		.threads = host->live ? &live_thread_ops : &thread_ops,
		.image = &image_ops,
		.monitor = &monitor_ops,
		.files = host->serve_files ? &file_ops : NULL,
		.objects = t->objects,
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
	buf_free(&t->libraries);
	buf_free(&t->name);
	buf_free(&t->label);
	free(t->tids);
	free(t);
}
