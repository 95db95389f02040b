// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/host.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "server/debuginfod.h"
#include "server/exports.h"
#include "server/frame_cache.h"
#include "server/image/image.h"
#include "server/kernel/code_map.h"
#include "server/kernel/code_scopes.h"
#include "server/kernel/debugfiles.h"
#include "server/kernel/kernel.h"
#include "server/kernel/module_files.h"
#include "server/kernel/module_types.h"
#include "server/kernel/printk.h"
#include "server/kernel/registers.h"
#include "server/kernel/unwind_source.h"
#include "server/kvm/host_entry.h"
#include "server/kvm/kvm.h"
#include "server/made_image.h"
#include "server/memory/dump.h"
#include "server/memory/live.h"
#include "server/memory/memory.h"
#include "server/printable.h"
#include "server/served_image.h"

/* Notes that `info` and the start-up message show; there is one at most for most dumps. */
enum { NOTES_SHOWN = 8 };
/* To read the lists of a machine that runs without their changing meanwhile. */
enum { LIVE_ATTEMPTS = 4 };

/* ---- opening ---- */

static void collect_warning(void *closure, const char *sentence)
{
	buf_addf(closure, "%s\n", sentence);
}

static struct err *open_dump(const struct host_options *options, struct host *h)
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
	struct host *h = closure;
	return kvm_host_entry(h->kvm, task, cpu, ret);
}

/* Nothing is made before a client asks for it. */
static struct err *offer_made_image(const struct host_options *options, struct host *h)
{
	struct image_source source = {
		.k = h->kernel,
		.code = h->code,
		.orc = unwinder_orc(h->unwinder),
		.types = h->module_types,
	};
	struct err *e = made_image_new(&source, h->exports, &h->made);
	if (!e && options->symbol_cache)
		e = made_image_keep(h->made, options->symbol_cache, options->dump_paths,
				    options->dump_path_count);
	if (!e && h->extra_cfi)
		e = made_image_offer_entry_frames(h->made, h->exports);
	if (e)
		return e;
	if (h->extra_cfi)
		served_image_cure_frames(h->image, made_image_source(h->made));
	return served_image_stand_in(h->image, made_image_name(h->made));
}

/* Reads nothing yet. */
static struct err *new_kvm(struct host *h, struct kvm **ret)
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

static struct err *open_kvm(struct host *h)
{
	struct err *e = new_kvm(h, &h->kvm);
	if (!e)
		registers_set_entry(h->registers, find_entry, h);
	return e;
}

/* Lists that change while they are read look damaged: of a machine that runs they are read again.
 */
static struct err *read_tasks(struct host *h, const struct cpus *cpus, struct tasks *ret)
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

/* ---- debuginfod ---- */

static void show_download(void *closure, const char *build_id, uint64_t done, uint64_t total)
{
	const struct host *h = closure;
	(void)build_id;
	if (h->progress)
		h->progress(h->progress_closure, "downloading debug files", done, total);
}

void host_wait_for_downloads(struct host *h)
{
	debuginfod_wait(h->debuginfod, show_download, h);
}

/* Before there is anything to serve: waits. */
static struct err *fetch_needed(void *closure, const char *build_id)
{
	struct host *h = closure;
	struct err *e = debuginfod_fetch(h->debuginfod, &build_id, 1);
	if (e)
		return e;
	host_wait_for_downloads(h);
	struct download file = debuginfod_state(h->debuginfod, build_id);
	return file.state == DOWNLOAD_DONE ? NULL : err_new(ERR_NOTFOUND, "%s", file.text);
}

void host_look_again(struct host *h)
{
	unsigned arrived = debuginfod_poll(h->debuginfod);
	if (arrived == h->files_arrived)
		return;
	h->files_arrived = arrived;
	served_image_look_again(h->image);
	module_files_look_again(h->module_files);
	/* They may be told of more registers now. */
	frame_cache_forget(h->frames);
}

struct err *host_fetch_vmlinux(struct host *h, bool *ret)
{
	const char *build_id = kernel_build_id(h->kernel);
	struct debug_file *found = NULL;
	*ret = false;
	if (debuginfod_why_not(h->debuginfod) || kernel_debug_file(h->kernel) || !build_id ||
	    !h->serve_files)
		return NULL;
	struct err *e = kernel_find_debug_file(h->kernel, NULL, 0, &found);
	debug_file_close(found);
	if (!e || err_code(e) != ERR_NOTFOUND)
		return e;
	err_free(e);
	e = debuginfod_fetch(h->debuginfod, &build_id, 1);
	*ret = !e;
	return e;
}

static struct err *open_kernel(const struct host_options *options, struct host *h)
{
	struct kernel_options kernel_options = {
		.symbol_paths = options->symbol_paths,
		.symbol_path_count = options->symbol_path_count,
		.debug_cache = debuginfod_cache(h->debuginfod),
		.fetch = fetch_needed,
		.fetch_closure = h,
		.progress = options->progress,
		.closure = options->closure,
	};
	struct err *e = memory_new(dump_pages(h->dump), options->cache_size, &h->memory);
	if (!e)
		e = kernel_open(h->dump, h->memory, &kernel_options, &h->kernel);
	if (!e)
		e = cpus_read(h->kernel, &h->cpus);
	if (!e)
		e = read_tasks(h, &h->cpus, &h->tasks);
	if (!e)
		e = registers_new(h->kernel, &h->cpus, &h->tasks, &h->registers);
	if (!e)
		e = host_code_open(h);
	if (!e)
		e = open_kvm(h);
	if (!e) {
		h->image = served_image_new(h->kernel, h->exports);
		if (!h->image)
			e = err_nomem();
	}
	if (!e)
		e = offer_made_image(options, h);
	return e;
}

static struct err *has_place(struct host *h, size_t task, bool *ret)
{
	struct frame first;
	const char *why;
	struct err *e = unwinder_first(h->unwinder, &h->tasks.list[task], &first, &why);
	if (!e)
		*ret = regs_known(&first.regs, REG_RIP);
	return e;
}

/*
 * The panicking task, or the one on the lowest CPU. But gdb does not attach when it cannot tell
 * where the selected thread is: then the next best, one that runs, works for others, or was ever
 * switched out.
 */
static struct err *choose_current(struct host *h)
{
	enum { WANTED, BUSY, RUNNING, ANY, CHOICES };
	const struct tasks *t = &h->tasks;
	bool known;
	h->current = t->current;
	for (int choice = WANTED; choice < CHOICES; choice++) {
		for (size_t i = 0; i < t->count; i++) {
			const struct task *task = &t->list[i];
			if ((choice == WANTED && i != t->current) ||
			    (choice == BUSY && (!task->on_cpu || task->idle)) ||
			    (choice == RUNNING && !task->on_cpu))
				continue;
			struct err *e = has_place(h, i, &known);
			if (e)
				return e;
			if (!known)
				continue;
			h->current = i;
			/* Of a machine that runs, no running task's registers are known. */
			if (choice != WANTED && !dump_info(h->dump)->running)
				kernel_note(h->kernel,
					    "the registers of '%s' are unknown, so %" PRIu32
					    " is the current thread",
					    t->list[t->current].comm, task->tid);
			return NULL;
		}
	}
	return NULL;
}

/* A machine that did not panic has old oopses in its log at most, which are not why it stands
 * still. */
static struct err *find_panic(struct host *h)
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

struct err *host_open(const struct host_options *options, struct host **ret)
{
	struct host *h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem();
	h->serve_files = options->serve_files;
	h->context_threads = options->context_threads;
	h->extra_cfi = options->extra_cfi;
	h->live = options->live;
	h->symbol_paths = options->symbol_paths;
	h->symbol_path_count = options->symbol_path_count;
	h->fetch_waits = options->fetch_waits;
	h->progress = options->progress;
	h->progress_closure = options->closure;
	h->exports = exports_new();
	struct err *e = h->exports ? debuginfod_new(&h->debuginfod) : err_nomem();
	if (!e)
		e = open_dump(options, h);
	if (!e)
		e = err_wrap(open_kernel(options, h), "%s",
			     h->live || options->dump ? dump_info(h->dump)->format
						      : options->dump_paths[0]);
	if (!e)
		e = choose_current(h);
	if (!e)
		e = find_panic(h);
	if (e) {
		host_close(h);
		return e;
	}
	*ret = h;
	return NULL;
}

void host_close(struct host *h)
{
	if (!h)
		return;
	served_image_free(h->image);
	made_image_free(h->made);
	exports_free(h->exports);
	kvm_free(h->kvm);
	host_code_free(h);
	registers_free(h->registers);
	tasks_free(&h->tasks);
	cpus_free(&h->cpus);
	kernel_close(h->kernel);
	memory_free(h->memory);
	dump_close(h->dump);
	debuginfod_free(h->debuginfod);
	free(h->panic);
	free(h->warnings);
	free(h);
}

static void forget(struct host *h)
{
	memory_forget(h->memory);
	registers_forget(h->registers);
	frame_cache_forget(h->frames);
}

static struct err *take_anew(struct host *h)
{
	struct cpus cpus, old_cpus = h->cpus;
	struct tasks tasks, old_tasks = h->tasks;
	struct host_code old_code;
	struct kvm *kvm;
	struct err *e = host_code_renew(h, &old_code);
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
	host_code_settle(h, &old_code);
	h->generation++;
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
	host_code_take_back(h, &old_code);
	return e;
}

/* What is odd was said at the start, or changes with every list. */
static struct err *renew(struct host *h)
{
	const struct kernel_notes_mark mark = kernel_notes_mark(h->kernel);
	dump_renew(h->dump);
	struct err *e = take_anew(h);
	kernel_notes_rewind(h->kernel, &mark);
	return e;
}

void host_begin(struct host *h)
{
	enum dump_change change = dump_look(h->dump);
	if (change == DUMP_SAME)
		return;
	forget(h);
	if (change != DUMP_SWITCHED)
		return;
	struct err *e = renew(h);
	/* The tasks and CPUs are those of before: nobody's registers are to be told by them. */
	if (e) {
		log_debug(LOG_TASKS, "%s", err_msg(e));
		dump_assume_running(h->dump);
	}
	err_free(e);
}

struct err *host_renew(struct host *h)
{
	if (!h->live)
		return NULL;
	host_begin(h);
	/* In one that stands still nobody comes or goes. */
	return dump_info(h->dump)->running ? renew(h) : NULL;
}

struct err *host_space(const struct host *h, uint64_t tid, uint64_t addr, struct vspace *ret)
{
	if (addr >= HOST_KERNEL_HALF) {
		*ret = *kernel_space(h->kernel);
		return NULL;
	}
	const struct task *task = tasks_find(&h->tasks, tid);
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	return task_space(h->kernel, task, ret);
}

/* ---- describing ---- */

static size_t online_cpus(const struct host *h)
{
	size_t online = 0;
	for (size_t i = 0; i < h->cpus.count; i++)
		online += h->cpus.list[i].online;
	return online;
}

static void add_size(struct buf *out, uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	unsigned unit = 0;
	while (unit < 4 && bytes >= UINT64_C(10240)) {
		bytes >>= 10;
		unit++;
	}
	buf_addf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

/* Seconds since 1970 as ISO 8601; nothing when they are unknown or no date. */
static bool format_date(int64_t date, char *out, size_t size)
{
	time_t seconds = (time_t)date;
	struct tm tm;
	return date > 0 && gmtime_r(&seconds, &tm) &&
	       strftime(out, size, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

/* Cuts the first line off *@lines; to free. NULL when there is none left. */
static char *next_line(const char **lines)
{
	if (!*lines || !**lines)
		return NULL;
	size_t len = strcspn(*lines, "\n");
	char *line = strndup(*lines, len);
	*lines += len + ((*lines)[len] == '\n');
	return line;
}

/* What is odd about the dump. A damaged one can have a note for every process. */
static void add_notes(struct buf *out, const char *lines)
{
	size_t count = 0;
	for (char *line; (line = next_line(&lines)); free(line)) {
		if (++count > NOTES_SHOWN)
			continue;
		buf_addstr(out, "note      ");
		add_printable(out, line);
		buf_addch(out, '\n');
	}
	if (count > NOTES_SHOWN)
		buf_addf(out, "note      and %zu more such; 'info --json' lists all\n",
			 count - NOTES_SHOWN);
}

static void describe_dump(const struct host *h, struct buf *out)
{
	const struct dump_info *info = dump_info(h->dump);
	buf_addf(out, "dump      %s", info->format);
	if (info->compression && strcmp(info->compression, "none") != 0)
		buf_addf(out, ", %s", info->compression);
	if (info->pieces > 1)
		buf_addf(out, ", %zu pieces", info->pieces);
	if (info->dump_level > 0)
		buf_addf(out, ", filtered (makedumpfile -d %d)", info->dump_level);
	else if (info->filtered)
		buf_addstr(out, ", filtered");
	if (info->truncated)
		buf_addstr(out, ", truncated");
	buf_addstr(out, ", pages for ");
	add_size(out, info->memory_bytes);
	buf_addstr(out, " of memory\n");
}

void host_describe(const struct host *h, struct buf *out)
{
	const struct kernel *k = h->kernel;
	const struct debug_file *file = kernel_debug_file(k);
	const struct task *current = &h->tasks.list[h->current];
	char date[64];
	uint64_t text, slide;

	buf_addstr(out, "kernel    Linux ");
	add_printable(out, *kernel_release(k) ? kernel_release(k) : "of unknown release");
	buf_addstr(out, ", x86_64");
	if (kernel_text(k, &text, &slide) && slide)
		buf_addf(out, ", moved by 0x%" PRIx64 " (KASLR)", slide);
	if (kernel_build_id(k))
		buf_addf(out, ", build-id %s", kernel_build_id(k));
	buf_addch(out, '\n');
	describe_dump(h, out);
	if (format_date(kernel_date(k), date, sizeof(date)))
		buf_addf(out, "date      %s\n", date);
	if (h->panic) {
		buf_addstr(out, "panic     ");
		add_printable(out, h->panic);
		buf_addch(out, '\n');
	}
	if (kernel_command_line(k)) {
		buf_addstr(out, "booted    ");
		add_printable(out, kernel_command_line(k));
		buf_addch(out, '\n');
	}
	buf_addf(out, "cpus      %zu, %zu online\n", h->cpus.count, online_cpus(h));
	buf_addf(out, "tasks     %zu; current: %" PRIu32 " ", h->tasks.count, current->tid);
	add_printable(out, current->comm);
	if (current->cpu >= 0)
		buf_addf(out, " on CPU %d", current->cpu);
	buf_addch(out, '\n');
	buf_addf(out, "symbols   %s (%zu), types from %s", symbols_kind(kernel_symbols(k)),
		 symbols_count(kernel_symbols(k)), types_kind(kernel_types(k)));
	if (file)
		buf_addf(out, ", vmlinux %s", file->path);
	buf_addch(out, '\n');
	add_notes(out, h->warnings);
	add_notes(out, kernel_notes(k));
	add_notes(out, dump_info(h->dump)->memory_note);
}

static void json_lines(struct json *j, const char *lines)
{
	for (char *line; (line = next_line(&lines)); free(line))
		json_str(j, NULL, line);
}

void host_describe_json(const struct host *h, struct buf *out)
{
	const struct kernel *k = h->kernel;
	const struct dump_info *info = dump_info(h->dump);
	const struct debug_file *file = kernel_debug_file(k);
	struct json j = JSON_INIT(out);
	char date[64];
	uint64_t text, slide;

	json_object(&j, NULL);
	if (*kernel_release(k))
		json_str(&j, "release", kernel_release(k));
	if (*kernel_banner(k))
		json_str(&j, "banner", kernel_banner(k));
	json_str(&j, "architecture", "x86_64");
	if (kernel_build_id(k))
		json_str(&j, "build_id", kernel_build_id(k));
	if (kernel_text(k, &text, &slide)) {
		json_hex(&j, "text", text);
		json_hex(&j, "kaslr_offset", slide);
	}
	json_str(&j, "format", info->format);
	if (info->compression)
		json_str(&j, "compression", info->compression);
	json_u64(&j, "pieces", info->pieces);
	json_bool(&j, "filtered", info->filtered);
	if (info->dump_level >= 0)
		json_u64(&j, "dump_level", (uint64_t)info->dump_level);
	json_bool(&j, "truncated", info->truncated);
	json_u64(&j, "memory_bytes", info->memory_bytes);
	if (format_date(kernel_date(k), date, sizeof(date)))
		json_str(&j, "date", date);
	if (h->panic)
		json_str(&j, "panic", h->panic);
	if (kernel_command_line(k))
		json_str(&j, "command_line", kernel_command_line(k));
	json_u64(&j, "cpus", h->cpus.count);
	json_u64(&j, "cpus_online", online_cpus(h));
	json_u64(&j, "tasks", h->tasks.count);
	json_u64(&j, "current_tid", h->tasks.list[h->current].tid);
	json_str(&j, "symbols", symbols_kind(kernel_symbols(k)));
	json_str(&j, "types", types_kind(kernel_types(k)));
	if (file)
		json_str(&j, "vmlinux", file->path);
	json_array(&j, "notes");
	json_lines(&j, h->warnings);
	json_lines(&j, kernel_notes(k));
	json_lines(&j, info->memory_note);
	json_end(&j);
	json_end(&j);
	buf_addch(out, '\n');
}
