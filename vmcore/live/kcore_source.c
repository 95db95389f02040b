// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/kcore, or what looks like it, as a source. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/elf.h"
#include "vmcore/dump/file.h"
#include "vmcore/dump/source.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/kcore_segments.h"
#include "vmcore/live/live.h"
#include "vmcore/live/sources.h"

struct kcore {
	struct dump_file file;
	struct iomem iomem; /* not open if it cannot be had */
	struct elf_dump *elf;
	bool of_this_machine;  /* what iomem says is about it */
	uint64_t lacked;       /* bytes of RAM that it did not have from the start */
	char memory_note[256]; /* info->memory_note */
};

/* Opens @path as /proc/kcore is; what is no regular file is a device. */
static struct err *open_file(const struct live_paths *paths, const char *path, struct dump_file *f)
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

/* It may be mounted elsewhere, in a container; another file is a copy of something. */
static bool is_of_this_machine(const struct live_paths *paths, const char *path, int fd)
{
	struct statfs fs;
	return !strcmp(path, paths->kcore) || (!fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC);
}

static struct err *read_headers(const struct kcore *k, struct elf_headers *ret)
{
	struct err *e = elf_check(&k->file, true, ret);
	if (e)
		return e;
	e = kcore_place_segments(&k->iomem, ret);
	if (e)
		elf_headers_free(ret);
	return e;
}

static struct err *open_segments(struct kcore *k, const struct dump_options *options,
				 struct dump_parts *parts)
{
	struct elf_headers headers;
	struct err *e = read_headers(k, &headers);
	if (e)
		return e;
	e = elf_dump_open_mapped(&headers, &k->file, options, &parts->notes, &parts->info, &k->elf);
	elf_headers_free(&headers);
	return e;
}

static uint64_t lacks(const struct kcore *k)
{
	return k->iomem.file ? elf_dump_lacks(k->elf, k->iomem.ram.list, k->iomem.ram.count) : 0;
}

/* What kcore has is renewed by the kernel when somebody opens it (fs/proc/kcore.c: open_kcore()),
 * which this process may do no more. */
static void tell_what_it_lacks(struct kcore *k, struct dump_info *info)
{
	uint64_t now = lacks(k);
	info->memory_note = NULL;
	if (now <= k->lacked)
		return;
	snprintf(k->memory_note, sizeof(k->memory_note),
		 "%" PRIu64 " KiB of memory have come that %.64s does not have before somebody "
		 "opens it: 'head -c 1 %.64s' as root does",
		 (now - k->lacked) >> 10, k->file.path, k->file.path);
	info->memory_note = k->memory_note;
}

static struct err *renew_ranges(struct kcore *k, struct dump_info *info)
{
	struct elf_headers headers;
	struct err *e = k->iomem.file ? iomem_renew(&k->iomem) : NULL;
	if (!e)
		e = read_headers(k, &headers);
	if (e)
		return e;
	const struct pa_range *ram = k->iomem.file ? k->iomem.ram.list : NULL;
	e = elf_dump_renew(k->elf, &headers, ram, k->iomem.ram.count, info);
	elf_headers_free(&headers);
	return e;
}

static void renew(void *self, struct dump_info *info)
{
	struct kcore *k = self;
	if (!k->of_this_machine)
		return;
	iomem_looked(&k->iomem);
	struct err *e = renew_ranges(k, info);
	/* The ranges of before have to do; reading will show it. */
	if (e)
		log_debug(LOG_MEMORY, "which memory there is: %s", err_msg(e));
	else
		tell_what_it_lacks(k, info);
	err_free(e);
}

static enum dump_change look(void *self, struct dump_info *info)
{
	struct kcore *k = self;
	if (iomem_is_old(&k->iomem))
		renew(self, info);
	return DUMP_CHANGED;
}

static struct page_source pages(void *self)
{
	struct kcore *k = self;
	return elf_dump_pages(k->elf);
}

static void close_source(void *self)
{
	struct kcore *k = self;
	elf_dump_close(k->elf);
	iomem_close(&k->iomem);
	dump_file_close(&k->file);
	free(k);
}

static const struct source_ops ops = {
	.pages = pages,
	.look = look,
	.renew = renew,
	.close = close_source,
};

struct err *kcore_source_open(const struct live_paths *paths, const char *path,
			      const struct dump_options *options, struct dump_parts *parts,
			      bool *ret_this_machine)
{
	struct kcore *k = calloc(1, sizeof(*k));
	if (!k)
		return err_nomem();
	k->file = (struct dump_file)DUMP_FILE_INIT;
	parts->ops = &ops;
	parts->self = k;
	/* Without RAM's ranges it may do, if its headers are good ones. */
	struct err *e = iomem_open(paths->iomem, &k->iomem);
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	k->iomem.why = e;
	e = open_file(paths, path, &k->file);
	if (!e)
		e = err_wrap(open_segments(k, options, parts), "open %s", path);
	if (e)
		return e;
	k->of_this_machine = is_of_this_machine(paths, path, k->file.fd);
	renew(k, &parts->info);
	k->lacked = lacks(k);
	parts->info.memory_note = NULL;
	*ret_this_machine = k->of_this_machine;
	return NULL;
}
