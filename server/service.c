// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/service.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/files/debuginfod.h"
#include "server/files/exports.h"
#include "server/files/made_image.h"
#include "server/files/served_image.h"
#include "server/files/vmlinux_index.h"
#include "server/team/notebook.h"
#include "server/team/team.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/dump/dump.h"
#include "vmcore/image/image.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"

/* ---- debuginfod ---- */

static void show_download(void *closure, const char *build_id, uint64_t done, uint64_t total)
{
	const struct service *s = closure;
	(void)build_id;
	if (s->progress)
		s->progress(s->progress_closure, "downloading debug files", done, total);
}

void service_wait_for_downloads(struct service *s)
{
	debuginfod_wait(s->debuginfod, show_download, s);
}

/* Before there is anything to serve: waits. */
static struct err *fetch_needed(void *closure, const char *build_id)
{
	struct service *s = closure;
	struct err *e = debuginfod_fetch(s->debuginfod, &build_id, 1, false);
	if (e)
		return e;
	service_wait_for_downloads(s);
	struct download file = debuginfod_state(s->debuginfod, build_id);
	return file.state == DOWNLOAD_DONE ? NULL : err_new(ERR_NOTFOUND, "%s", file.text);
}

void service_look_again(struct service *s)
{
	unsigned arrived = debuginfod_poll(s->debuginfod);
	if (arrived == s->files_arrived)
		return;
	s->files_arrived = arrived;
	served_image_look_again(s->image);
	vmcore_look_again(s->vmcore);
}

struct err *service_fetch_vmlinux(struct service *s, bool *ret)
{
	const char *build_id = kernel_build_id(s->vmcore->kernel);
	struct debug_file *found = NULL;
	*ret = false;
	if (debuginfod_why_not(s->debuginfod) || kernel_debug_file(s->vmcore->kernel) ||
	    !build_id || !s->serve_files)
		return NULL;
	struct err *e = kernel_find_debug_file(s->vmcore->kernel, NULL, 0, &found);
	debug_file_close(found);
	if (!e || err_code(e) != ERR_NOTFOUND)
		return e;
	err_free(e);
	e = debuginfod_fetch(s->debuginfod, &build_id, 1, false);
	*ret = !e;
	return e;
}

/* ---- opening ---- */

/* What tells this dump from another that has its name later: when it was made, of which kernel, and
 * where that lay. Nothing of it depends on files of symbols. */
static struct err *open_notes(const struct service_options *options, struct service *s)
{
	const struct kernel *k = s->vmcore->kernel;
	struct buf dump = BUF_INIT;
	uint64_t text = 0, slide;
	(void)kernel_text(k, &text, &slide);
	buf_addf(&dump, "%s %" PRId64 " 0x%" PRIx64, kernel_release(k), kernel_date(k), text);
	struct err *e = buf_error(&dump);
	if (!e)
		e = notebook_new(options->notes, options->notes_mode, dump.data, &s->notes);
	buf_free(&dump);
	return e;
}

/* Nothing is made before a client asks for it. */
static struct err *offer_made_image(const struct service_options *options, struct service *s)
{
	const struct image_source source = {
		.k = s->vmcore->kernel,
		.code = s->vmcore->code,
		.orc = unwinder_orc(s->vmcore->unwinder),
		.types = s->vmcore->module_types,
		.tasks = &s->vmcore->tasks,
	};
	struct err *e = made_image_new(&source, s->exports, &s->made);
	if (!e && options->symbol_cache)
		e = made_image_keep(s->made, options->symbol_cache, options->vmcore.dump_paths,
				    options->vmcore.dump_path_count);
	if (!e && s->extra_cfi)
		e = made_image_offer_entry_frames(s->made, s->exports);
	if (e)
		return e;
	if (s->extra_cfi)
		served_image_cure_frames(s->image, made_image_source(s->made));
	return served_image_stand_in(s->image, made_image_name(s->made));
}

static struct err *offer_files(const struct service_options *options, struct service *s)
{
	s->image = served_image_new(s->vmcore->kernel, s->exports);
	struct err *e = s->image ? vmlinux_index_new(options->index, &s->index) : err_nomem();
	if (e)
		return e;
	served_image_index(s->image, s->index);
	return offer_made_image(options, s);
}

struct err *service_open(const struct service_options *options, struct service **ret)
{
	struct vmcore_options machine = options->vmcore;
	struct service *s = calloc(1, sizeof(*s));
	if (!s) {
		dump_close(machine.dump);
		return err_nomem();
	}
	s->serve_files = options->serve_files;
	s->context_threads = options->context_threads;
	s->extra_cfi = options->extra_cfi;
	s->fetch_waits = options->fetch_waits;
	s->confined = options->confined;
	s->progress = machine.progress;
	s->progress_closure = machine.closure;
	s->exports = exports_new();
	struct err *e =
		s->exports ? debuginfod_new(options->debuginfod, &s->debuginfod) : err_nomem();
	if (e) {
		dump_close(machine.dump);
	} else {
		machine.debug_cache = debuginfod_cache(s->debuginfod);
		machine.fetch = fetch_needed;
		machine.fetch_closure = s;
		e = vmcore_open(&machine, &s->vmcore);
	}
	if (!e)
		e = offer_files(options, s);
	if (!e)
		e = open_notes(options, s);
	s->team = team_new(options->owner);
	if (!e && !s->team)
		e = err_nomem();
	if (e) {
		service_close(s);
		return e;
	}
	*ret = s;
	return NULL;
}

void service_close(struct service *s)
{
	if (!s)
		return;
	team_free(s->team);
	notebook_free(s->notes);
	served_image_free(s->image);
	vmlinux_index_free(s->index);
	made_image_free(s->made);
	exports_free(s->exports);
	vmcore_close(s->vmcore);
	debuginfod_free(s->debuginfod);
	free(s);
}
