// SPDX-License-Identifier: GPL-2.0-or-later
/* Which live memory is opened, and why not a better one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "vmcore/dump/source.h"
#include "vmcore/live/live.h"
#include "vmcore/live/live_kernel.h"
#include "vmcore/live/sources.h"

/* A machine of QEMU's; NULL if @source is none. */
static const char *qmp_socket(const char *source)
{
	static const char prefix[] = "qmp:";
	return strncmp(source, prefix, strlen(prefix)) ? NULL : source + strlen(prefix);
}

static bool is_device(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISCHR(st.st_mode);
}

/* What the kernel that this runs on says of itself. */
static struct err *ask_kernel(const struct live_paths *paths, const struct dump_options *options,
			      struct dump_parts *parts)
{
	struct live_kernel kernel;
	struct page_source pages = parts->ops->pages(parts->self);
	struct err *e = live_kernel_ask(paths, &pages, options, &parts->notes, &kernel);
	parts->kallsyms = kernel.kallsyms;
	parts->kallsyms_why = kernel.kallsyms_why;
	parts->info.kernel_code = kernel.code;
	return e;
}

static struct err *open_parts(const struct live_paths *paths, const char *path,
			      const struct dump_options *options, struct dump_parts *parts)
{
	const char *socket = qmp_socket(path), *about = NULL;
	bool this_machine = false;
	struct err *e;
	parts->info.running = true;
	if (socket) {
		e = qmp_source_open(socket, parts, &about);
	} else if (is_device(path)) {
		e = device_source_open(paths, path, parts);
		this_machine = true;
	} else {
		e = kcore_source_open(paths, path, options, parts, &this_machine);
	}
	if (!e && this_machine)
		e = ask_kernel(paths, options, parts);
	if (e)
		return e;
	parts->info.live = true;
	parts->info.pieces = 1;
	if (asprintf(&parts->format, "live memory, %s%s%s%s", path, about ? " (" : "",
		     about ? about : "", about ? ")" : "") >= 0)
		return NULL;
	parts->format = NULL;
	return err_nomem();
}

static struct err *open_source(const struct live_paths *paths, const char *path,
			       const struct dump_options *options, struct dump **ret)
{
	struct dump_parts parts = { 0 };
	struct err *e = open_parts(paths, path, options, &parts);
	if (!e)
		e = dump_of_parts(&parts, ret);
	dump_parts_free(&parts);
	return e;
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
