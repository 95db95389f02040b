// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/live.h"

enum {
	/* Below this STRICT_DEVMEM lets everybody read (arch/x86/mm/init.c:
	 * devmem_is_allowed()). */
	LOW_MEMORY = 1 << 20,
};

struct mem_device {
	int fd;
	char *path;		   /* owned */
	const struct iomem *iomem; /* borrowed; open */
};

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	const struct mem_device *d = self;
	uint64_t pa = pfn << PAGE_SHIFT;
	const struct pa_range *r =
		pfn > INT64_MAX >> PAGE_SHIFT ? NULL : ram_map_from(&d->iomem->ram, pa);
	if (!r || r->start >= pa + PAGE_SIZE)
		return err_new(ERR_MISSING, "no RAM of this machine");
	uint64_t from = r->start > pa ? r->start - pa : 0;
	uint64_t to = r->end - pa < PAGE_SIZE ? r->end - pa : PAGE_SIZE;
	ssize_t n;
	do
		n = pread(d->fd, (char *)page + from, (size_t)(to - from), (off_t)(pa + from));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(errno, "read %s at 0x%" PRIx64, d->path, pa + from);
	if (n == 0)
		return err_new(ERR_MISSING, "no memory of this machine any more");
	*ret_from = (uint16_t)from;
	*ret_to = (uint16_t)(from + (uint64_t)n);
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct mem_device *d = self;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return false;
	const struct pa_range *r = ram_map_from(&d->iomem->ram, pfn << PAGE_SHIFT);
	if (!r)
		return false;
	*ret_pfn = r->start >> PAGE_SHIFT > pfn ? r->start >> PAGE_SHIFT : pfn;
	return true;
}

/* A kernel with STRICT_DEVMEM opens /dev/mem for root, and then refuses RAM. */
static struct err *try_reading(const struct live_paths *paths, const struct mem_device *d)
{
	const struct pa_range *r = ram_map_from(&d->iomem->ram, LOW_MEMORY);
	uint64_t pa = r && r->start > LOW_MEMORY ? r->start : LOW_MEMORY;
	char byte;
	if (!r)
		return err_new(ERR_FORMAT, "%s: no RAM above 1 MiB", d->iomem->path);
	ssize_t n = pread(d->fd, &byte, sizeof(byte), (off_t)pa);
	if (n > 0)
		return NULL;
	if (n == 0)
		return err_new(ERR_FORMAT, "%s ends before RAM at 0x%" PRIx64, d->path, pa);
	if (errno == EPERM || errno == EFAULT || errno == EIO)
		return err_new(
			ERR_IO,
			"%s opens, but RAM above 1 MiB is refused: the kernel was built with "
			"STRICT_DEVMEM; use /proc/kcore",
			d->path);
	return live_refused(paths, d->path, errno);
}

void mem_device_count(const struct mem_device *d, struct dump_info *info)
{
	info->memory_bytes = info->max_pfn = 0;
	for (size_t i = 0; i < d->iomem->ram.count; i++) {
		info->memory_bytes += d->iomem->ram.list[i].end - d->iomem->ram.list[i].start;
		info->max_pfn = (d->iomem->ram.list[i].end + PAGE_SIZE - 1) >> PAGE_SHIFT;
	}
}

struct err *mem_device_open(const struct live_paths *paths, const char *path,
			    const struct iomem *iomem, struct dump_info *info,
			    struct mem_device **ret)
{
	struct mem_device *d = calloc(1, sizeof(*d));
	if (!d)
		return err_nomem();
	d->iomem = iomem;
	d->path = strdup(path);
	d->fd = d->path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
	struct err *e = NULL;
	if (!d->path)
		e = err_nomem();
	else if (d->fd < 0)
		e = live_refused(paths, path, errno);
	if (!e)
		e = try_reading(paths, d);
	if (e) {
		mem_device_close(d);
		return e;
	}
	info->compression = "none";
	info->dump_level = -1;
	mem_device_count(d, info);
	*ret = d;
	return NULL;
}

void mem_device_close(struct mem_device *d)
{
	if (!d)
		return;
	if (d->fd >= 0)
		close(d->fd);
	free(d->path);
	free(d);
}

struct page_source mem_device_pages(struct mem_device *d)
{
	return (struct page_source){ .self = d, .read_page = read_page, .next_page = next_page };
}
