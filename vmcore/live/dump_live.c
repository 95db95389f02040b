// SPDX-License-Identifier: GPL-2.0-or-later
/* Which memory of this machine is opened, and why not a better one. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump_private.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/live/live.h"
#include "vmcore/live/qmp_machine.h"

/* How long the ranges of memory are believed. */
enum { RANGES_LAST_MS = 1000 };

/* Opens @path as /proc/kcore is; what is no regular file is a device. */
static struct err *open_kcore_file(const struct live_paths *paths, const char *path,
				   struct dump_file *f)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return live_refused(paths, path, errno);
	char *copy = strdup(path);
	/* Its size is that of the address space; a kernel that gives none has no limit either. */
	if (copy && fstat(fd, &st) == 0) {
		*f = (struct dump_file){
			.fd = fd,
			.path = copy,
			.size = st.st_size > 0 ? (uint64_t)st.st_size : INT64_MAX,
		};
		return NULL;
	}
	close(fd);
	free(copy);
	return copy ? err_errno(errno, "%s", path) : err_nomem();
}

static struct err *open_kcore(const struct live_paths *paths, const char *path,
			      const struct dump_options *options, struct dump *d)
{
	struct err *e = open_kcore_file(paths, path, &d->files[0]);
	if (!e)
		e = err_wrap(elf_dump_open_kcore(&d->iomem, &d->files[0], options, &d->notes,
						 &d->info, &d->elf),
			     "open %s", path);
	if (!e)
		d->pages = elf_dump_pages(d->elf);
	return e;
}

static struct err *open_device(const struct live_paths *paths, const char *path, struct dump *d)
{
	struct err *e = mem_device_open(paths, path, &d->iomem, &d->info, &d->device);
	if (!e)
		d->pages = mem_device_pages(d->device);
	return e;
}

/* A machine of QEMU's; NULL if @source is none. */
static const char *qmp_socket(const char *source)
{
	static const char prefix[] = "qmp:";
	return strncmp(source, prefix, strlen(prefix)) ? NULL : source + strlen(prefix);
}

static struct err *open_machine(const char *path, struct dump *d)
{
	struct err *e = qmp_machine_open(path, &d->notes, &d->info, &d->machine);
	if (!e)
		d->pages = qmp_machine_pages(d->machine);
	return e;
}

static bool is_device(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

static struct err *ask_kernel(const struct live_paths *paths, const struct dump_options *options,
			      struct dump *d)
{
	struct err *e = live_kernel_ask(paths, &d->pages, options, &d->notes, &d->kernel);
	d->info.kallsyms = d->kernel.kallsyms.len ? d->kernel.kallsyms.data : NULL;
	d->info.kallsyms_why = d->kernel.kallsyms_why;
	d->info.kernel_code = d->kernel.code;
	return e;
}

static void publish_notes(struct dump *d)
{
	d->info.notes = d->notes.list;
	d->info.note_count = d->notes.count;
}

/* /proc/kcore may be mounted elsewhere, in a container; another file is a copy of something. */
static bool is_of_this_machine(const struct live_paths *paths, const char *path, int fd)
{
	struct statfs fs;
	return !strcmp(path, paths->kcore) || (!fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC);
}

/* The memory of this machine, of which iomem is wanted: a device needs it, kcore may do without. */
static struct err *open_memory(const struct live_paths *paths, const char *path,
			       const struct dump_options *options, struct dump *d)
{
	bool device = is_device(path);
	struct err *why = iomem_open(paths->iomem, &d->iomem);
	if (why && (device || err_code(why) == ERR_NOMEM))
		return why;
	if (device)
		return open_device(paths, path, d);
	d->iomem.why = why;
	struct err *e = open_kcore(paths, path, options, d);
	d->of_this_machine = !e && is_of_this_machine(paths, path, d->files[0].fd);
	return e;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What kcore has is renewed by the kernel when somebody opens it (fs/proc/kcore.c: open_kcore()),
 * which this process may do no more. */
static void tell_what_kcore_lacks(struct dump *d)
{
	uint64_t lacks = d->iomem.file ? elf_dump_lacks(d->elf, &d->iomem.ram) : 0;
	d->info.memory_note = NULL;
	if (lacks <= d->lacked)
		return;
	snprintf(d->memory_note, sizeof(d->memory_note),
		 "%" PRIu64 " KiB of memory have come that %.64s does not have before somebody "
		 "opens it: 'head -c 1 %.64s' as root does",
		 (lacks - d->lacked) >> 10, d->files[0].path, d->files[0].path);
	d->info.memory_note = d->memory_note;
}

static struct err *renew_ranges(struct dump *d)
{
	struct err *e = d->iomem.file ? iomem_renew(&d->iomem) : NULL;
	if (e)
		return e;
	if (d->device) {
		mem_device_count(d->device, &d->info);
		return NULL;
	}
	e = elf_dump_renew_kcore(d->elf, &d->iomem, &d->info);
	if (!e)
		tell_what_kcore_lacks(d);
	return e;
}

void dump_renew(struct dump *d)
{
	if (!d->device && !d->of_this_machine)
		return;
	d->ranges_at = now_ms();
	struct err *e = renew_ranges(d);
	/* The ranges of before have to do; reading will show it. */
	if (e)
		log_debug(LOG_MEMORY, "which memory there is: %s", err_msg(e));
	err_free(e);
}

static void first_ranges(struct dump *d)
{
	dump_renew(d);
	if (d->elf && d->iomem.file)
		d->lacked = elf_dump_lacks(d->elf, &d->iomem.ram);
	d->info.memory_note = NULL;
}

static struct err *open_source(const struct live_paths *paths, const char *path,
			       const struct dump_options *options, struct dump **ret)
{
	struct dump *d;
	struct err *e = dump_new(1, &d);
	if (e)
		return e;
	const char *socket = qmp_socket(path);
	d->info.running = true;
	if (socket)
		e = open_machine(socket, d);
	else
		e = open_memory(paths, path, options, d);
	if (!e && (d->of_this_machine || d->device))
		e = ask_kernel(paths, options, d);
	if (e) {
		dump_close(d);
		return e;
	}
	d->info.live = true;
	snprintf(d->format, sizeof(d->format), "live memory, %s%s%s%s", path, socket ? " (" : "",
		 socket ? qmp_machine_about(d->machine) : "", socket ? ")" : "");
	d->info.format = d->format;
	d->info.pieces = 1;
	publish_notes(d);
	first_ranges(d);
	d->info.vmcoreinfo = d->notes.vmcoreinfo;
	d->info.vmcoreinfo_len = d->notes.vmcoreinfo_len;
	*ret = d;
	return NULL;
}

struct err *dump_open_live(const struct live_paths *paths, const char *source,
			   const struct dump_options *options, struct dump **ret)
{
	static const struct dump_options no_options;
	const char *const sources[] = { paths->kcore, paths->mem, paths->crash };
	struct buf refusals = BUF_INIT;
	struct dump *d = NULL;
	struct err *e = NULL;
	if (!options)
		options = &no_options;
	if (source)
		return open_source(paths, source, options, ret);
	for (size_t i = 0; !d && i < sizeof(sources) / sizeof(sources[0]); i++) {
		e = open_source(paths, sources[i], options, &d);
		if (!e)
			break;
		buf_addf(&refusals, "%s%s", i ? "; " : "", err_msg(e));
		err_free(e);
	}
	e = buf_error(&refusals);
	if (!e && !d)
		e = err_new(ERR_IO, "the memory of this machine cannot be read: %s", refusals.data);
	if (!e && refusals.len)
		dump_warn(options, "%s", refusals.data);
	buf_free(&refusals);
	if (e)
		dump_close(d);
	else
		*ret = d;
	return e;
}

/* Of a machine that was stopped the registers are wanted; until they are there it is one that runs.
 */
static enum dump_change stop(struct dump *d)
{
	struct err *e = qmp_machine_registers(d->machine, &d->notes);
	publish_notes(d);
	d->info.running = e;
	if (e)
		log_debug(LOG_MEMORY, "%s", err_msg(e));
	err_free(e);
	return d->info.running ? DUMP_CHANGED : DUMP_SWITCHED;
}

enum dump_change dump_look(struct dump *d)
{
	struct qmp_look look = { .changed = true, .running = true };
	if (!d->info.live)
		return DUMP_SAME;
	if (!d->machine) {
		if (now_ms() - d->ranges_at >= RANGES_LAST_MS)
			dump_renew(d);
		return DUMP_CHANGED;
	}
	struct err *e = qmp_machine_look(d->machine, &look);
	qmp_machine_count(d->machine, &d->info);
	/* Reading says it, too. */
	if (e)
		log_debug(LOG_MEMORY, "%s", err_msg(e));
	err_free(e);
	bool was_running = d->info.running;
	if (!look.running && (was_running || look.switched))
		return stop(d);
	d->info.running = look.running;
	if (look.running && !was_running)
		return DUMP_SWITCHED;
	return look.changed ? DUMP_CHANGED : DUMP_SAME;
}

bool dump_is_still(const struct dump *d)
{
	return d->machine ? qmp_machine_is_still(d->machine) : !d->info.live;
}

void dump_assume_running(struct dump *d)
{
	d->info.running = d->info.live;
}
