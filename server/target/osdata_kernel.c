// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of the kernel's own: processes, threads, CPUs and modules; and how columns are
 * written. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/monitor/modules.h"
#include "server/target/osdata_tables.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/modules.h"
#include "vmcore/vmcore.h"

void osdata_column(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "<column name=\"%s\">", name);
	buf_addxml(out, text);
	buf_addstr(out, "</column>");
}

void osdata_columnf(struct buf *out, const char *name, const char *fmt, ...)
{
	char text[64];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	osdata_column(out, name, text);
}

/* ---- tasks ---- */

static void cpu_column(struct buf *out, const char *name, int cpu)
{
	if (cpu >= 0)
		osdata_columnf(out, name, "%d", cpu);
	else
		osdata_column(out, name, "");
}

struct err *osdata_processes(const struct vmcore *h, struct buf *out)
{
	for (size_t i = 0; i < h->tasks.count; i++) {
		const struct task *t = &h->tasks.list[i];
		if (t->idle || t->tid != t->pid)
			continue;
		buf_addstr(out, "<item>");
		osdata_columnf(out, "pid", "%" PRIu32, t->pid);
		osdata_column(out, "command", t->comm);
		cpu_column(out, "cores", t->cpu);
		osdata_columnf(out, "state", "%c", t->state);
		osdata_columnf(out, "task", "0x%" PRIx64, t->address);
		buf_addstr(out, "</item>\n");
	}
	return buf_error(out);
}

struct err *osdata_threads(const struct vmcore *h, struct buf *out)
{
	for (size_t i = 0; i < h->tasks.count; i++) {
		const struct task *t = &h->tasks.list[i];
		if (t->idle)
			continue;
		buf_addstr(out, "<item>");
		osdata_column(out, "command", t->comm);
		osdata_columnf(out, "pid", "%" PRIu32, t->pid);
		osdata_columnf(out, "tid", "%" PRIu32, t->tid);
		cpu_column(out, "core", t->cpu);
		osdata_columnf(out, "state", "%c", t->state);
		osdata_columnf(out, "task", "0x%" PRIx64, t->address);
		buf_addstr(out, "</item>\n");
	}
	return buf_error(out);
}

/* ---- CPUs ---- */

static const struct task *running_on(const struct vmcore *h, const struct cpu *cpu)
{
	uint64_t index;
	return cpu->curr && map_get(&h->tasks.by_address, cpu->curr, &index) ? &h->tasks.list[index]
									     : NULL;
}

struct err *osdata_cpus(const struct vmcore *h, struct buf *out)
{
	for (size_t i = 0; i < h->cpus.count; i++) {
		const struct cpu *cpu = &h->cpus.list[i];
		const struct task *t = running_on(h, cpu);
		buf_addstr(out, "<item>");
		osdata_columnf(out, "number", "%u", cpu->number);
		osdata_column(out, "online", cpu->online ? "yes" : "no");
		if (t)
			osdata_columnf(out, "tid", "%" PRIu32, t->tid);
		else
			osdata_column(out, "tid", "");
		osdata_column(out, "command", t ? t->comm : "");
		osdata_columnf(out, "per-CPU offset", "0x%" PRIx64, cpu->offset);
		buf_addstr(out, "</item>\n");
	}
	return buf_error(out);
}

/* ---- modules ---- */

/* Where it begins: the first of its regions that holds code. */
static uint64_t base_of(const struct module *m)
{
	for (unsigned i = 0; i < m->region_count; i++)
		if (m->regions[i].text_end > m->regions[i].low)
			return m->regions[i].low;
	return m->region_count ? m->regions[0].low : 0;
}

struct err *osdata_modules(const struct vmcore *h, struct buf *out)
{
	const struct modules *modules = code_map_modules(h->code);
	for (size_t i = 0; i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		buf_addstr(out, "<item>");
		osdata_column(out, "name", m->name);
		osdata_columnf(out, "size", "%" PRIu64, module_size(m));
		osdata_column(out, "status", module_state_name(h, m));
		osdata_columnf(out, "address", "0x%" PRIx64, base_of(m));
		osdata_columnf(out, "module", "0x%" PRIx64, m->address);
		buf_addstr(out, "</item>\n");
	}
	return buf_error(out);
}
