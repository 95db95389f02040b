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
#include "base/slice.h"
#include "server/monitor/commands.h"
#include "server/monitor/job.h"
#include "server/monitor/modules.h"
#include "server/service.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/module_sections.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/ko_file.h"
#include "vmcore/vmcore.h"

/* Appends what is to be said of @m. */
typedef struct err *of_module(struct vmcore *h, const struct module *m, struct buf *out,
			      enum row_printer printer);

struct each {
	struct target_job job;
	of_module *one;
	enum row_printer printer;
	size_t next;
};

static struct err *next_modules(struct vmcore *h, struct target_job *job, struct buf *out,
				bool *ret_done)
{
	struct each *each = (struct each *)job;
	const struct modules *modules = code_map_modules(h->code);
	struct err *e = NULL;
	const struct slice now = slice_begin();
	while (!e && each->next < modules->count && !slice_is_over(&now))
		e = each->one(h, &modules->list[each->next++], out, each->printer);
	*ret_done = each->next == modules->count;
	return e;
}

static void free_each(struct target_job *job)
{
	free(job);
}

/* Leaves the work of calling @one for every module, in the order of the kernel's list, in @args's
 * job. */
static struct err *each_module(const struct monitor_arguments *args, of_module *one)
{
	struct each *each = calloc(1, sizeof(*each));
	if (!each)
		return err_nomem();
	*each = (struct each){
		.job = { next_modules, free_each },
		.one = one,
		.printer = args->printer,
	};
	*args->ret_job = &each->job;
	return NULL;
}

/* ---- modules ---- */

/* enum module_state (include/linux/module.h); one that is unformed is not in the list. */
static const char *state_name(const struct vmcore *h, const struct module *m)
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

enum {
	OF_NAME,
	OF_ADDRESS,
	OF_STATE,
	OF_SIZE,
	OF_START,
	OF_RANGES,
	OF_BUILD_ID,
	OF_FILE,
	OF_PACKAGE,
	OF_COMPRESSED,
	OF_DEBUG_INFO,
	OF_NO_DEBUG_INFO,
	OF_WHY, /* there is no file */
	OF_SECTIONS_WHY,
	OF_SECTIONS,
	OF_VALUES
};

static const struct column text_columns[] = {
	{ OF_NAME, .before = "" },
	{ OF_STATE, .before = "  " },
	{ OF_SIZE, .before = ", ", .after = " bytes" },
	{ OF_ADDRESS, .before = ", struct module at ", .digits = 16 },
	{ OF_RANGES, .before = "\n" },
	{ OF_BUILD_ID, .before = "    build-id ", .missing = "unknown" },
	{ OF_FILE, .before = "\n    file " },
	{ OF_COMPRESSED, .before = " (compressed)" },
	{ OF_NO_DEBUG_INFO, .before = " (without debug information)" },
	{ OF_WHY, .before = "\n    " },
	{ OF_SECTIONS_WHY, .before = "\n    " },
	{ OF_SECTIONS, .before = "" },
};

static const struct key json_keys[] = {
	{ OF_NAME, "name" },
	{ OF_ADDRESS, "module" },
	{ OF_STATE, "state" },
	{ OF_SIZE, "size" },
	{ OF_RANGES, "ranges" },
	{ OF_BUILD_ID, "build_id" },
	{ OF_FILE, "file" },
	{ OF_PACKAGE, "from_package" },
	{ OF_COMPRESSED, "compressed" },
	{ OF_DEBUG_INFO, "debug_info" },
	{ OF_WHY, "why" },
	{ OF_SECTIONS, "sections" },
};

static const struct key osdata_keys[] = {
	{ OF_NAME, "name" },	 { OF_SIZE, "size" },	   { OF_STATE, "status" },
	{ OF_START, "address" }, { OF_ADDRESS, "module" },
};

static const struct row_kind module_kind = { COLUMNS(text_columns), COLUMNS(json_keys),
					     COLUMNS(osdata_keys) };
static bool has_code(const struct module *m, unsigned region)
{
	return m->regions[region].text_end > m->regions[region].low;
}

static void ranges_text(const void *of, struct buf *out)
{
	const struct module *m = of;
	for (unsigned i = 0; i < m->region_count; i++)
		buf_addf(out, "    0x%016" PRIx64 "-0x%016" PRIx64 " %s\n", m->regions[i].low,
			 m->regions[i].high, has_code(m, i) ? "code" : "data");
}

static void ranges_json(const void *of, const char *key, struct json *j)
{
	const struct module *m = of;
	json_array(j, key);
	for (unsigned i = 0; i < m->region_count; i++) {
		json_object(j, NULL);
		json_hex(j, "start", m->regions[i].low);
		json_hex(j, "end", m->regions[i].high);
		json_bool(j, "code", has_code(m, i));
		json_end(j);
	}
	json_end(j);
}

static void sections_text(const void *of, struct buf *out)
{
	const struct module_sections *sections = of;
	for (size_t i = 0; i < sections->count; i++) {
		if (!sections->list[i].kept)
			continue;
		buf_addf(out, "\n    0x%016" PRIx64 " ", sections->list[i].address);
		add_printable(out, sections->list[i].name);
	}
}

static void sections_json(const void *of, const char *key, struct json *j)
{
	const struct module_sections *sections = of;
	json_array(j, key);
	for (size_t i = 0; i < sections->count; i++) {
		json_object(j, NULL);
		json_str(j, "name", sections->list[i].name);
		json_hex(j, "address", sections->list[i].address);
		json_bool(j, "loaded", sections->list[i].kept);
		json_end(j);
	}
	json_end(j);
}

static const struct value_printers ranges_printers = { ranges_text, ranges_json };
static const struct value_printers sections_printers = { sections_text, sections_json };

/* Where it begins: the first of its regions that holds code. */
static uint64_t start_of(const struct module *m)
{
	for (unsigned i = 0; i < m->region_count; i++)
		if (has_code(m, i))
			return m->regions[i].low;
	return m->region_count ? m->regions[0].low : 0;
}

static uint64_t size_of(const struct module *m)
{
	uint64_t size = 0;
	for (unsigned i = 0; i < m->region_count; i++)
		size += m->regions[i].high - m->regions[i].low;
	return size;
}

/* What the kernel has of it. */
static void fill_module(const struct vmcore *h, const struct module *m, struct value *v)
{
	v[OF_NAME] = value_text(m->name);
	v[OF_ADDRESS] = value_hex(m->address);
	v[OF_STATE] = value_text(state_name(h, m));
	v[OF_SIZE] = value_number(size_of(m));
	v[OF_START] = value_hex(start_of(m));
	v[OF_RANGES] = value_parts(&ranges_printers, m);
}

static void fill_file(const struct module_file *file, struct value *v)
{
	v[OF_BUILD_ID] = value_text(file->build_id);
	if (!file->path) {
		v[OF_WHY] = value_text(file->why);
		return;
	}
	v[OF_FILE] = value_text(file->path);
	v[OF_PACKAGE] = value_text(file->package);
	v[OF_COMPRESSED] = value_bool(file->packed);
	v[OF_DEBUG_INFO] = value_bool(file->has_dwarf);
	v[OF_NO_DEBUG_INFO] = value_bool(!file->has_dwarf);
}

static struct err *describe_module(struct vmcore *h, const struct module *m, struct buf *out,
				   enum row_printer printer)
{
	struct value row[OF_VALUES] = { 0 };
	const struct module_file *file;
	const struct module_sections *sections;
	const char *why;
	struct err *e = module_files_get(h->module_files, m, &file);
	if (!e)
		e = module_files_sections(h->module_files, m, &sections, &why);
	if (e)
		return e;
	fill_module(h, m, row);
	fill_file(file, row);
	row[OF_SECTIONS_WHY] = value_text(why);
	row[OF_SECTIONS] = value_parts(&sections_printers, sections);
	row_print(&module_kind, printer, row, out);
	return NULL;
}

bool modules_osdata(const struct vmcore *h, size_t *next, struct buf *out)
{
	const struct modules *modules = code_map_modules(h->code);
	const struct slice now = slice_begin();
	while (*next < modules->count && !slice_is_over(&now)) {
		struct value row[OF_VALUES] = { 0 };
		fill_module(h, &modules->list[(*next)++], row);
		row_print(&module_kind, PRINT_OSDATA, row, out);
	}
	return *next >= modules->count;
}

struct err *monitor_modules(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out)
{
	struct vmcore *h = service->vmcore;
	(void)view;
	struct err *e =
		code_map_knows_modules(h->code) ? NULL : types_need(kernel_types(h->kernel));
	if (e)
		return e;
	if (!code_map_modules(h->code)->count && args->printer == PRINT_TEXT)
		buf_addstr(out, "no modules are loaded\n");
	return each_module(args, describe_module);
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
static void add_command(struct buf *out, const char *command, enum row_printer printer)
{
	if (printer == PRINT_TEXT) {
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
				 enum row_printer printer)
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
		add_command(out, line.data, printer);
		buf_reset(&line);
		buf_addstr(&line, "target modules load --file ");
		add_quoted(&line, file->path);
		const struct ko_section *s = ko_file_sections(ko, &count);
		for (size_t i = 0; i < count; i++)
			if (s[i].loaded && is_plain(s[i].name))
				buf_addf(&line, " %s 0x%" PRIx64, s[i].name, s[i].address);
	}
	err_free(e);
	add_command(out, line.data, printer);
	e = buf_error(&line);
	buf_free(&line);
	return e;
}

struct err *monitor_lldb_script(struct service *service, struct target_view *view,
				const struct monitor_arguments *args, struct buf *out)
{
	const struct vmcore *h = service->vmcore;
	struct buf line = BUF_INIT;
	(void)view;
	if (code_map_knows_modules(h->code))
		return each_module(args, script_module);
	/* A script that does nothing is one, too. */
	struct err *why = types_need(kernel_types(h->kernel));
	buf_addstr(&line, "# ");
	add_printable(&line, why ? err_msg(why) : "the list of modules is not known");
	err_free(why);
	add_command(out, line.data, args->printer);
	struct err *e = buf_error(&line);
	buf_free(&line);
	return e;
}
