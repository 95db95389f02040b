// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/printable.h"
#include "server/monitor/dates.h"
#include "vmcore/code/code_map.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/vmcore.h"

/* Notes that are shown; there is one at most for most dumps. */
enum { NOTES_SHOWN = 8 };

static size_t online_cpus(const struct vmcore *h)
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

static void describe_dump(const struct vmcore *h, struct buf *out)
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

/* What is not known for want of types, and what would give them. */
static void add_missing(const struct vmcore *h, struct buf *out)
{
	const char *why = types_why_none(kernel_types(h->kernel));
	if (!why)
		return;
	size_t proven = kernel_proven_by(h->kernel);
	bool modules = code_map_knows_modules(h->code);
	if (proven)
		buf_addf(out,
			 "proven    %zu members of task_struct and its kin, without types, by %zu "
			 "tasks that agree (info --layout)\n",
			 types_told_count(kernel_types(h->kernel)), proven);
	buf_addf(out, "missing   types, so %s%s%svirtual machines: ", proven ? "" : "tasks",
		 modules  ? ""
		 : proven ? "modules"
			  : ", modules",
		 proven && modules ? "" : " and ");
	add_printable(out, why);
	/* Those who have no debug package may find this. */
	if (*kernel_release(h->kernel)) {
		buf_addstr(out, ". Its BTF alone would give them, too: --symbols ");
		add_printable(out, kernel_release(h->kernel));
		buf_addstr(out, ".btf");
	}
	buf_addch(out, '\n');
}

void info_text(const struct vmcore *h, const char *confined, struct buf *out)
{
	const struct kernel *k = h->kernel;
	const struct debug_file *file = kernel_debug_file(k);
	const struct types_origin *origin = kernel_types_origin(k);
	const struct task *current = &h->tasks.list[h->current];
	char date[DATE_SIZE];
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
	if (date_format(kernel_date(k), date))
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
	buf_addf(out, "%s%zu; current: %" PRIu32 " ",
		 current->bare ? "tasks     unknown; CPUs as threads: " : "tasks     ",
		 h->tasks.count, current->tid);
	add_printable(out, current->comm);
	if (current->cpu >= 0 && !current->bare)
		buf_addf(out, " on CPU %d", current->cpu);
	buf_addch(out, '\n');
	buf_addf(out, "symbols   %s (%zu)", symbols_kind(kernel_symbols(k)),
		 symbols_count(kernel_symbols(k)));
	if (!types_why_none(kernel_types(k)))
		buf_addf(out, ", types from %s", types_kind(kernel_types(k)));
	if (origin->path) {
		buf_addstr(out, " of ");
		add_printable(out, origin->path);
		buf_addf(out, " (init_task, %zu tasks and %zu offsets agree)", origin->tasks,
			 origin->layout);
	}
	if (file)
		buf_addf(out, ", vmlinux %s", file->path);
	if (file && file->package && !file->in_package)
		buf_addf(out, ", taken out of %s", file->package);
	buf_addch(out, '\n');
	add_missing(h, out);
	if (confined)
		buf_addf(out, "confined  %s\n", confined);
	add_notes(out, h->warnings);
	add_notes(out, kernel_notes(k));
	add_notes(out, dump_info(h->dump)->memory_note);
}

static void json_lines(struct json *j, const char *lines)
{
	for (char *line; (line = next_line(&lines)); free(line))
		json_str(j, NULL, line);
}

void info_json(const struct vmcore *h, const char *confined, struct buf *out)
{
	const struct kernel *k = h->kernel;
	const struct dump_info *info = dump_info(h->dump);
	const struct debug_file *file = kernel_debug_file(k);
	struct json j = JSON_INIT(out);
	char date[DATE_SIZE];
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
	if (date_format(kernel_date(k), date))
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
	if (kernel_types_origin(k)->path)
		json_str(&j, "types_file", kernel_types_origin(k)->path);
	if (types_why_none(kernel_types(k)))
		json_str(&j, "types_missing", types_why_none(kernel_types(k)));
	if (kernel_proven_by(k)) {
		json_u64(&j, "proven_members", types_told_count(kernel_types(k)));
		json_u64(&j, "proven_by_tasks", kernel_proven_by(k));
	}
	if (file)
		json_str(&j, "vmlinux", file->path);
	if (file && file->package)
		json_str(&j, "from_package", file->package);
	if (confined)
		json_str(&j, "confined", confined);
	json_array(&j, "notes");
	json_lines(&j, h->warnings);
	json_lines(&j, kernel_notes(k));
	json_lines(&j, info->memory_note);
	json_end(&j);
	json_end(&j);
	buf_addch(out, '\n');
}
