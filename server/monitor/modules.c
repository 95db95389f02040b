// SPDX-License-Identifier: GPL-2.0-or-later
/* `modules`: the loaded modules and their files; `lldb-script`: the same for lldb to load. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/printable.h"
#include "server/monitor/commands.h"
#include "server/monitor/job.h"
#include "server/monitor/modules.h"
#include "server/service.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/ko_file.h"
#include "vmcore/vmcore.h"

enum { SLICE = 8 /* modules whose files are looked at before others have their turn */ };

struct each {
	struct target_job job;
	monitor_of_module *one;
	bool json;
	size_t next;
};

static struct err *next_modules(struct vmcore *h, struct target_job *job, struct buf *out,
				bool *ret_done)
{
	struct each *each = (struct each *)job;
	const struct modules *modules = code_map_modules(h->code);
	struct err *e = NULL;
	for (int i = 0; !e && i < SLICE && each->next < modules->count; i++)
		e = each->one(h, &modules->list[each->next++], out, each->json);
	*ret_done = each->next == modules->count;
	return e;
}

static void free_each(struct target_job *job)
{
	free(job);
}

struct err *monitor_each_module(const struct monitor_arguments *args, monitor_of_module *one)
{
	struct each *each = calloc(1, sizeof(*each));
	if (!each)
		return err_nomem();
	*each = (struct each){
		.job = { next_modules, free_each },
		.one = one,
		.json = args->printer == PRINT_JSON,
	};
	*args->ret_job = &each->job;
	return NULL;
}

/* ---- modules ---- */

/* enum module_state (include/linux/module.h); one that is unformed is not in the list. */
const char *module_state_name(const struct vmcore *h, const struct module *m)
{
	static const char *const states[][2] = {
		{ "MODULE_STATE_LIVE", "live" },
		{ "MODULE_STATE_COMING", "coming" },
		{ "MODULE_STATE_GOING", "going" },
	};
	uint64_t state;
	struct err *e = kernel_read_path(h->kernel, m->address, "module", "state", &state);
	const char *word = "unknown";
	for (size_t i = 0; !e && i < sizeof(states) / sizeof(*states); i++) {
		int64_t value;
		struct err *absent = types_enumerator(kernel_types(h->kernel), "module_state",
						      states[i][0], &value);
		if (!absent && (uint64_t)value == state)
			word = states[i][1];
		err_free(absent);
	}
	err_free(e);
	return word;
}

uint64_t module_size(const struct module *m)
{
	uint64_t size = 0;
	for (unsigned i = 0; i < m->region_count; i++)
		size += m->regions[i].high - m->regions[i].low;
	return size;
}

static void add_json(const struct vmcore *h, const struct module_file *file,
		     const struct module_sections *sections, struct buf *out)
{
	const struct module *m = file->module;
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_str(&j, "name", m->name);
	json_hex(&j, "module", m->address);
	json_str(&j, "state", module_state_name(h, m));
	json_u64(&j, "size", module_size(m));
	json_array(&j, "ranges");
	for (unsigned i = 0; i < m->region_count; i++) {
		json_object(&j, NULL);
		json_hex(&j, "start", m->regions[i].low);
		json_hex(&j, "end", m->regions[i].high);
		json_bool(&j, "code", m->regions[i].text_end > m->regions[i].low);
		json_end(&j);
	}
	json_end(&j);
	if (file->build_id)
		json_str(&j, "build_id", file->build_id);
	if (file->path) {
		json_str(&j, "file", file->path);
		if (file->package)
			json_str(&j, "from_package", file->package);
		json_bool(&j, "compressed", file->packed);
		json_bool(&j, "debug_info", file->has_dwarf);
	} else {
		json_str(&j, "why", file->why);
	}
	json_array(&j, "sections");
	for (size_t i = 0; i < sections->count; i++) {
		json_object(&j, NULL);
		json_str(&j, "name", sections->list[i].name);
		json_hex(&j, "address", sections->list[i].address);
		json_bool(&j, "loaded", sections->list[i].kept);
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	buf_addch(out, '\n');
}

static void add_sections(const struct module_sections *sections, const char *why, struct buf *out)
{
	if (why) {
		buf_addstr(out, "    ");
		add_printable(out, why);
		buf_addch(out, '\n');
	}
	for (size_t i = 0; i < sections->count; i++) {
		if (!sections->list[i].kept)
			continue;
		buf_addf(out, "    0x%016" PRIx64 " ", sections->list[i].address);
		add_printable(out, sections->list[i].name);
		buf_addch(out, '\n');
	}
}

static void add_text(const struct vmcore *h, const struct module_file *file,
		     const struct module_sections *sections, const char *why, struct buf *out)
{
	const struct module *m = file->module;
	add_printable(out, m->name);
	buf_addf(out, "  %s, %" PRIu64 " bytes, struct module at 0x%016" PRIx64 "\n",
		 module_state_name(h, m), module_size(m), m->address);
	for (unsigned i = 0; i < m->region_count; i++)
		buf_addf(out, "    0x%016" PRIx64 "-0x%016" PRIx64 " %s\n", m->regions[i].low,
			 m->regions[i].high,
			 m->regions[i].text_end > m->regions[i].low ? "code" : "data");
	buf_addf(out, "    build-id %s\n    ", file->build_id ? file->build_id : "unknown");
	if (file->path)
		buf_addf(out, "file %s%s%s", file->path, file->packed ? " (compressed)" : "",
			 file->has_dwarf ? "" : " (without debug information)");
	else
		add_printable(out, file->why);
	buf_addch(out, '\n');
	add_sections(sections, why, out);
}

static struct err *describe_module(struct vmcore *h, const struct module *m, struct buf *out,
				   bool json)
{
	const struct module_file *file;
	const struct module_sections *sections;
	const char *why;
	struct err *e = module_files_get(h->module_files, m, &file);
	if (!e)
		e = module_files_sections(h->module_files, m, &sections, &why);
	if (e)
		return e;
	if (json)
		add_json(h, file, sections, out);
	else
		add_text(h, file, sections, why, out);
	return NULL;
}

struct err *monitor_modules(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view;
	if (!code_map_modules(h->code)->count && args->printer == PRINT_TEXT)
		buf_addstr(out, "no modules are loaded\n");
	return monitor_each_module(args, describe_module);
}

/* ---- lldb ---- */

/* As lldb reads a word of a command. */
static void add_quoted(struct buf *out, const char *word)
{
	buf_addch(out, '"');
	for (; *word; word++) {
		if (*word == '"' || *word == '\\')
			buf_addch(out, '\\');
		buf_addch(out, *word);
	}
	buf_addch(out, '"');
}

/* A name that a line of a script can hold. */
static bool is_plain(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name > '~' || *name == '"' || *name == '\\' || *name == '`')
			return false;
	return true;
}

/* One command a line; or as JSON. */
static void add_command(struct buf *out, const char *command, bool json)
{
	if (!json) {
		buf_addf(out, "%s\n", command);
		return;
	}
	struct json j = JSON_INIT(out);
	json_object(&j, NULL);
	json_str(&j, "command", command);
	json_end(&j);
	buf_addch(out, '\n');
}

static struct err *script_module(struct vmcore *h, const struct module *m, struct buf *out,
				 bool json)
{
	const struct module_file *file;
	struct ko_file *ko;
	size_t count;
	struct buf line = BUF_INIT;
	struct err *e = module_files_get(h->module_files, m, &file);
	if (!e && file->packed)
		e = err_new(ERR_UNSUPPORTED,
			    "%s is compressed, which lldb does not read: decompress "
			    "it, and give its folder with --symbols",
			    file->path);
	if (!e && file->in_package)
		e = err_new(ERR_UNSUPPORTED,
			    "%s is in a package, which lldb does not read: have it kept in a "
			    "folder with --symbol-cache",
			    file->path);
	if (!e)
		e = module_files_ko(h->module_files, m, &ko);
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	if (e) {
		buf_addstr(&line, "# ");
		add_printable(&line, err_msg(e));
	} else {
		buf_addstr(&line, "target modules add ");
		add_quoted(&line, file->path);
		add_command(out, line.data, json);
		buf_reset(&line);
		buf_addstr(&line, "target modules load --file ");
		add_quoted(&line, file->path);
		const struct ko_section *s = ko_file_sections(ko, &count);
		for (size_t i = 0; i < count; i++)
			if (s[i].loaded && is_plain(s[i].name))
				buf_addf(&line, " %s 0x%" PRIx64, s[i].name, s[i].address);
	}
	err_free(e);
	add_command(out, line.data, json);
	e = buf_error(&line);
	buf_free(&line);
	return e;
}

struct err *monitor_lldb_script(struct service *service, struct target_view *view,
				const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)h;
	(void)view;
	(void)out;
	return monitor_each_module(args, script_module);
}
