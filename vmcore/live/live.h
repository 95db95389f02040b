/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The memory of the machine this runs on: /proc/kcore (fs/proc/kcore.c), an ELF core file of what
 * is there now, or /dev/mem and the crash driver's /dev/crash, at whose offsets physical memory
 * lies. Only what /proc/iomem calls System RAM is ever read of the latter. Everything is opened for
 * reading, and read anew each time.
 */
#ifndef VMCORE_LIVE_LIVE_H
#define VMCORE_LIVE_LIVE_H

#include "vmcore/dump/dump.h"

struct err;
struct iomem;
struct mem_device;

/* Where things lie; a test has its own. */
struct live_paths {
	const char *kcore;
	const char *mem;
	const char *crash;
	const char *iomem;
	const char *vmcoreinfo; /* since 4.19 kcore has it, too */
	const char *kallsyms;
	const char *kptr_restrict;
	const char *lockdown;
};

extern const struct live_paths live_paths_of_system;

/*
 * Opens the memory of the machine this runs on, at @paths. @source: which of them, another file
 * like them, or "qmp:SOCKET" for a machine of QEMU's (qmp_machine.h); NULL for the best that can be
 * had, and then options->warn is told why it is not a better one. What is read changes all the
 * time. ERR_IO when the system refuses, with what to do.
 */
__attribute__((warn_unused_result)) struct err *dump_open_live(const struct live_paths *paths,
							       const char *source,
							       const struct dump_options *options,
							       struct dump **ret);

/* Why opening or reading @path failed with @errnum, and what to do about it, as an ERR_IO error. */
__attribute__((warn_unused_result)) struct err *live_refused(const struct live_paths *paths,
							     const char *path, int errnum);

/*
 * Opens @path, a device at whose offsets physical memory lies, and makes sure that it lets itself
 * be read. Fills what of @info comes from the pages. @iomem, which is borrowed and open, says which
 * of it is RAM, also after it was renewed; then mem_device_count() tells @info.
 */
__attribute__((warn_unused_result)) struct err *
mem_device_open(const struct live_paths *paths, const char *path, const struct iomem *iomem,
		struct dump_info *info, struct mem_device **ret);
void mem_device_count(const struct mem_device *d, struct dump_info *info);
void mem_device_close(struct mem_device *d);

struct page_source mem_device_pages(struct mem_device *d);

#endif
