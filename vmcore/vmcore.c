// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/vmcore.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file_map.h"
#include "base/log.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_scopes.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/dump/dump.h"
#include "vmcore/image/image.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/log/printk.h"
#include "vmcore/kernel/proof/layout_proof.h"
#include "vmcore/kernel/tasks/current_task.h"
#include "vmcore/kernel/tasks/registers.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/kvm/x86/host_entry.h"
#include "vmcore/live/live.h"
#include "vmcore/memory/memory.h"
#include "vmcore/names/files/debugfiles.h"

/* To read the lists of a machine that runs without their changing meanwhile. */
enum { LIVE_ATTEMPTS = 4 };

/* ---- opening ---- */

static void collect_warning(void *closure, const char *sentence)
{
	buf_addf(closure, "%s\n", sentence);
}

static struct err *open_dump(const struct vmcore_options *options, struct vmcore *h)
{
	struct buf warnings = BUF_INIT;
	struct dump_options dump_options = {
		.progress = options->progress,
		.closure = options->closure,
		.warn = collect_warning,
		.warn_closure = &warnings,
	};
	struct err *e = NULL;
	if (options->dump)
		h->dump = options->dump;
	else if (options->live)
		e = dump_open_live(&live_paths_of_system, options->live_source, &dump_options,
				   &h->dump);
	else
		e = dump_open(options->dump_paths, options->dump_path_count, &dump_options,
			      &h->dump);
	if (!e && options->opened)
		e = options->opened(options->opened_closure);
	if (!e) {
		h->warnings = strdup(warnings.len ? warnings.data : "");
		if (!h->warnings)
			e = err_nomem();
	}
	buf_free(&warnings);
	return e;
}

static bool find_entry(void *closure, const struct task *task, const struct cpu *cpu,
		       struct regs *ret)
{
	struct vmcore *h = closure;
	return kvm_host_entry(h->kvm, task, cpu, ret);
}

static bool has_guests(void *closure)
{
	const struct vmcore *h = closure;
	return kvm_may_have_vms(h->kvm);
}

/* Reads nothing yet. */
static struct err *new_kvm(struct vmcore *h, struct kvm **ret)
{
	const struct kvm_parts parts = {
		.k = h->kernel,
		.cpus = &h->cpus,
		.tasks = &h->tasks,
		.registers = h->registers,
		.code = h->code,
		.types = h->module_types,
	};
	return kvm_new(&parts, ret);
}

static struct err *open_kvm(struct vmcore *h)
{
	struct err *e = new_kvm(h, &h->kvm);
	if (!e) {
		registers_set_entry(h->registers, find_entry, h);
		registers_set_has_guests(h->registers, has_guests, h);
	}
	return e;
}

/* Lists that change while they are read look damaged: of a machine that runs they are read again.
 */
static struct err *read_tasks(struct vmcore *h, const struct cpus *cpus, struct tasks *ret)
{
	const struct kernel_notes_mark mark = kernel_notes_mark(h->kernel);
	for (unsigned left = h->live ? LIVE_ATTEMPTS : 1;;) {
		struct err *e = tasks_read(h->kernel, cpus, ret);
		if (!--left || (!e && kernel_notes_mark(h->kernel).count == mark.count))
			return e;
		if (e)
			err_free(e);
		else
			tasks_free(ret);
		kernel_notes_rewind(h->kernel, &mark);
		memory_forget(h->memory);
	}
}

static struct err *open_kernel(const struct vmcore_options *options, struct vmcore *h)
{
	struct kernel_options kernel_options = {
		.symbol_paths = options->symbol_paths,
		.symbol_path_count = options->symbol_path_count,
		.debug_cache = options->debug_cache,
		.packages = options->packages,
		.fetch = options->fetch,
		.fetch_closure = options->fetch_closure,
		.progress = options->progress,
		.closure = options->closure,
	};
	struct err *e = memory_new(dump_pages(h->dump), options->cache_size, &h->memory);
	if (!e)
		e = kernel_open(h->dump, h->memory, &kernel_options, &h->kernel);
	if (!e)
		e = layout_prove(h->kernel);
	if (!e)
		e = cpus_read(h->kernel, &h->cpus);
	if (!e)
		e = read_tasks(h, &h->cpus, &h->tasks);
	if (!e)
		e = registers_new(h->kernel, &h->cpus, &h->tasks, &h->registers);
	if (!e)
		e = vmcore_code_open(h);
	return e ? e : open_kvm(h);
}

static struct err *has_place(void *closure, const struct task *task, bool *ret)
{
	const struct vmcore *h = closure;
	struct frame first;
	const char *why;
	struct err *e = unwinder_first(h->unwinder, task, &first, &why);
	if (!e)
		*ret = regs_pc_known(&first.regs);
	return e;
}

/*
 * Of a machine that runs only those are known that do not, and an idle task that does not is about
 * to: a client that has it selected is soon told that it runs. That is no news worth a note.
 */
static struct err *choose_current(struct vmcore *h)
{
	const struct task_place place = { .known = has_place, .closure = h };
	const struct task *list = h->tasks.list;
	size_t wanted;
	struct err *e = current_task_choose(&h->tasks, &h->cpus, &place, &wanted, &h->current);
	if (!e && h->current != wanted && !dump_info(h->dump)->running)
		kernel_note(h->kernel,
			    "the registers of '%s' are unknown, so %" PRIu32
			    " is the current thread",
			    list[wanted].comm, list[h->current].tid);
	return e;
}

/* A machine that did not panic has old oopses in its log at most, which are not why it stands
 * still. */
static struct err *find_panic(struct vmcore *h)
{
	struct err *e = printk_panic(h->kernel, &h->panic);
	if (e && err_code(e) != ERR_NOMEM) {
		log_debug(LOG_TASKS, "the log: %s", err_msg(e));
		err_free(e);
		return NULL;
	}
	if (!h->tasks.panicked) {
		free(h->panic);
		h->panic = NULL;
	}
	return e;
}

struct err *vmcore_open(const struct vmcore_options *options, struct vmcore **ret)
{
	struct vmcore *h = calloc(1, sizeof(*h));
	if (!h) {
		dump_close(options->dump);
		return err_nomem();
	}
	h->live = options->live;
	h->symbol_paths = options->symbol_paths;
	h->symbol_path_count = options->symbol_path_count;
	h->packages = options->packages;
	struct err *e = open_dump(options, h);
	if (!e)
		e = err_wrap(open_kernel(options, h), "%s",
			     h->live || options->dump ? dump_info(h->dump)->format
						      : options->dump_paths[0]);
	if (!e)
		e = choose_current(h);
	if (!e)
		e = find_panic(h);
	if (e) {
		vmcore_close(h);
		return e;
	}
	*ret = h;
	return NULL;
}

void vmcore_close(struct vmcore *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->doubted_count; i++)
		kvm_free(h->doubted[i]);
	vmcore_objects_free(&h->objects);
	seen_vcpus_free(&h->seen);
	kvm_free(h->kvm);
	vmcore_code_free(h);
	registers_free(h->registers);
	tasks_free(&h->tasks);
	cpus_free(&h->cpus);
	kernel_close(h->kernel);
	memory_free(h->memory);
	dump_close(h->dump);
	free(h->panic);
	free(h->warnings);
	free(h->changed);
	free(h);
}

static void forget(struct vmcore *h)
{
	memory_forget(h->memory);
	registers_forget(h->registers);
	frame_cache_forget(h->frames);
	h->epoch++;
}

static struct err *take_anew(struct vmcore *h)
{
	struct cpus cpus, old_cpus = h->cpus;
	struct tasks tasks, old_tasks = h->tasks;
	struct vmcore_code old_code;
	struct kvm *kvm;
	struct err *e = vmcore_code_renew(h, &old_code);
	if (e)
		return e;
	e = new_kvm(h, &kvm);
	if (e)
		goto no_kvm;
	e = cpus_read(h->kernel, &cpus);
	if (e)
		goto no_cpus;
	e = read_tasks(h, &cpus, &tasks);
	if (e)
		goto no_tasks;
	h->cpus = cpus;
	h->tasks = tasks;
	e = registers_renew(h->registers);
	if (e)
		goto no_registers;
	cpus_free(&old_cpus);
	tasks_free(&old_tasks);
	kvm_free(h->kvm);
	h->kvm = kvm;
	vmcore_code_settle(h, &old_code);
	h->generation++;
	h->epoch++;
	return choose_current(h);

no_registers:
	h->cpus = old_cpus;
	h->tasks = old_tasks;
	tasks_free(&tasks);
no_tasks:
	cpus_free(&cpus);
no_cpus:
	kvm_free(kvm);
no_kvm:
	vmcore_code_take_back(h, &old_code);
	return e;
}

/* What is odd was said at the start, or changes with every list. */
static struct err *renew(struct vmcore *h)
{
	const struct kernel_notes_mark mark = kernel_notes_mark(h->kernel);
	dump_renew(h->dump);
	struct err *e = take_anew(h);
	kernel_notes_rewind(h->kernel, &mark);
	return e;
}

/* Code of nobody may stay so: programs of BPF are such. Then the list is looked at now and then. */
static bool modules_are_old(struct vmcore *h)
{
	enum { AGAIN_MS = 100 };
	if (!unwinder_code_is_old(h->unwinder))
		return false;
	int64_t now = clock_ns() / 1000000;
	if (h->code_at && now - h->code_at < AGAIN_MS)
		return false;
	h->code_at = now;
	return true;
}

/* VMs may be missing for want of what could not be read. Without memory for more, or after too many
 * tries, those that are known have to do. */
static void doubt_kvm(struct vmcore *h)
{
	struct kvm *kvm, *old = h->kvm;
	if (!kvm_is_doubtful(old) || h->doubted_count == VMCORE_DOUBTED_MAX)
		return;
	struct err *e = new_kvm(h, &kvm);
	if (e) {
		err_free(e);
		return;
	}
	h->kvm = kvm;
	if (kvm_is_empty(old))
		kvm_free(old);
	else
		h->doubted[h->doubted_count++] = old;
}

/* What a disk did not say for a moment is no fact of the dump. Whatever was made meanwhile may rest
 * on it, and is made anew when it is asked for. */
static void forget_faults(struct vmcore *h)
{
	uint64_t faults = memory_faults(h->memory);
	if (h->live || faults == h->faults)
		return;
	h->faults = faults;
	h->recovered++;
	doubt_kvm(h);
	vmcore_look_again(h);
}

/* Without memory nothing is said. */
static void say_changed(struct vmcore *h, const char *path, const char *what_now)
{
	struct buf sentence = BUF_INIT, warnings = BUF_INIT;
	buf_addf(&sentence, "%s was written while it was open: %s", path, what_now);
	buf_addf(&warnings, "%s\n%s", sentence.data ? sentence.data : "", h->warnings);
	if (sentence.failed || warnings.failed) {
		buf_free(&sentence);
		buf_free(&warnings);
		return;
	}
	free(h->warnings);
	h->warnings = warnings.data;
	free(h->changed);
	h->changed = sentence.data;
	h->changes++;
}

/* What rests on a file of symbols that is not what it was is made anew without it. */
static void drop_changed_files(struct vmcore *h)
{
	const char *path;
	if (h->map_faults == file_map_faults())
		return;
	h->map_faults = file_map_faults();
	while ((path = file_map_tell_bad()))
		say_changed(h, path,
			    "it is not used any more; start the server again when it is whole");
	h->recovered++;
	vmcore_look_again(h);
}

/* Whether files are still those that were opened: once a second. */
static void look_at_files(struct vmcore *h)
{
	enum { AGAIN_MS = 1000 };
	uint64_t now = clock_ms();
	if (now - h->looked >= AGAIN_MS) {
		h->looked = now;
		file_map_look();
		const char *path = h->live || h->dump_changed ? NULL : dump_changed(h->dump);
		if (path) {
			h->dump_changed = true;
			say_changed(h, path,
				    "what is shown is partly of before, and may be wrong; open it "
				    "again");
		}
	}
	drop_changed_files(h);
}

void vmcore_begin(struct vmcore *h)
{
	look_at_files(h);
	enum dump_change change = dump_look(h->dump);
	if (change == DUMP_SAME) {
		forget_faults(h);
		return;
	}
	forget(h);
	if (change != DUMP_SWITCHED && !modules_are_old(h))
		return;
	struct err *e = renew(h);
	/* The tasks and CPUs are those of before: nobody's registers are to be told by them. */
	if (e) {
		log_debug(LOG_TASKS, "%s", err_msg(e));
		dump_assume_running(h->dump);
	}
	err_free(e);
}

struct err *vmcore_renew(struct vmcore *h)
{
	if (!h->live)
		return NULL;
	vmcore_begin(h);
	/* In one that stands still nobody comes or goes. */
	return dump_info(h->dump)->running ? renew(h) : NULL;
}

void vmcore_look_again(struct vmcore *h)
{
	module_files_look_again(h->module_files);
	kvm_look_again(h->kvm);
	/* They may be told of more registers now: also of those that a CPU had at a guest's entry.
	 */
	registers_forget(h->registers);
	frame_cache_forget(h->frames);
	h->epoch++;
}

struct err *vmcore_space(struct vmcore *h, uint64_t tid, uint64_t addr, struct vspace *ret)
{
	if (is_kernel_address(addr)) {
		*ret = *kernel_space(h->kernel);
		return NULL;
	}
	const struct task *task = tasks_find(&h->tasks, tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	return task_spaces_get(&h->spaces, h->kernel, task, h->epoch, ret);
}
