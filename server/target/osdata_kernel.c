// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of the kernel's own: processes, threads, CPUs and modules. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "server/monitor/frames/threads.h"
#include "server/monitor/modules.h"
#include "server/monitor/rows.h"
#include "server/target/osdata_tables.h"
#include "vmcore/vmcore.h"

struct err *osdata_processes(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	*ret_done = threads_osdata(h, true, next, out);
	return NULL;
}

struct err *osdata_threads(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	*ret_done = threads_osdata(h, false, next, out);
	return NULL;
}

struct err *osdata_modules(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	*ret_done = modules_osdata(h, next, out);
	return NULL;
}

/* ---- CPUs ---- */

enum { CPU_NUMBER, CPU_ONLINE, CPU_TID, CPU_COMM, CPU_OFFSET, CPU_VALUES };

static const struct key cpu_keys[] = {
	{ CPU_NUMBER, "number" }, { CPU_ONLINE, "online" },	    { CPU_TID, "tid" },
	{ CPU_COMM, "command" },  { CPU_OFFSET, "per-CPU offset" },
};
static const struct row_kind cpu_kind = { .osdata = COLUMNS(cpu_keys) };

struct err *osdata_cpus(const struct vmcore *h, size_t *next, struct buf *out, bool *ret_done)
{
	const struct slice now = slice_begin();
	while (*next < h->cpus.count && !slice_is_over(&now)) {
		const struct cpu *cpu = &h->cpus.list[(*next)++];
		struct value row[CPU_VALUES] = { 0 };
		const struct task *task = tasks_on_cpu(&h->tasks, cpu);
		row[CPU_NUMBER] = value_number(cpu->number);
		row[CPU_ONLINE] = value_bool(cpu->online);
		if (task) {
			row[CPU_TID] = value_number(task->tid);
			row[CPU_COMM] = value_text(task->comm);
		}
		row[CPU_OFFSET] = value_hex(cpu->offset);
		row_print(&cpu_kind, PRINT_OSDATA, row, out);
	}
	*ret_done = *next >= h->cpus.count;
	return NULL;
}
