// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/guest_machine.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "server/target/guest_view.h"
#include "vmcore/guest/guest_dump.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

enum { CACHE_BYTES = 16 << 20 }; /* the host's pages are in the host's cache, too */

/* ---- opening ---- */

static struct err *open_with(struct guest_machine *m, const struct vmcore *host, bool symbols)
{
	struct vmcore_options options = {
		.symbol_paths = host->symbol_paths,
		.symbol_path_count = symbols ? host->symbol_path_count : 0,
		.packages = host->packages,
		.cache_size = CACHE_BYTES,
	};
	struct err *e = guest_dump_new_dump(m->dump, &options.dump);
	return e ? e : vmcore_open(&options, &m->vmcore);
}

/* --symbols may have files of the host's kernel that do not fit the guest's. */
static struct err *open_kernel(struct guest_machine *m, const struct vmcore *host)
{
	struct err *e = open_with(m, host, true);
	if (!e || err_code(e) != ERR_FORMAT || !host->symbol_path_count)
		return e;
	err_free(e);
	return open_with(m, host, false);
}

static bool is_good(const struct guest_machine *m, const struct guest_view *g)
{
	const struct vmcore *host = g->host;
	return m->vmcore && m->vm == g->vm && m->generation == host->generation &&
	       m->recovered == host->recovered && (!host->live || m->epoch == host->epoch);
}

struct err *guest_machine_get(struct guest_machine *m, struct guest_view *g, struct vmcore **ret)
{
	struct err *e = guest_view_follow(g);
	if (!e && !g->vm)
		e = guest_view_ended(g);
	if (e)
		return e;
	if (is_good(m, g)) {
		*ret = m->vmcore;
		return NULL;
	}
	guest_machine_close(m);
	*m = (struct guest_machine){
		.vm = g->vm,
		.generation = g->host->generation,
		.epoch = g->host->epoch,
		.recovered = g->host->recovered,
	};
	e = guest_dump_open(g->host->kvm, g->vm, &m->dump);
	if (!e)
		e = open_kernel(m, g->host);
	if (e) {
		guest_machine_close(m);
		return e;
	}
	*ret = m->vmcore;
	return NULL;
}

void guest_machine_close(struct guest_machine *m)
{
	vmcore_close(m->vmcore);
	guest_dump_free(m->dump);
	*m = (struct guest_machine){ 0 };
}

/* ---- threads ---- */

/* Whether the vCPU, by the tables @own, has @address where the process with @space has it. */
static bool is_same_page(struct vmcore *machine, struct guest_view *g, const struct walk_space *own,
			 const struct vspace *space, uint64_t address)
{
	const struct walk_reader reader = guest_memory_reader(g->memory);
	struct walk walk;
	struct vtop v;
	struct err *e = guest_walk(&reader, own, address, &walk);
	if (!e)
		e = memory_vtop(machine->memory, space, address, &v);
	bool same = !e && walk.pa == v.pa;
	err_free(e);
	return same;
}

uint64_t guest_machine_thread(struct vmcore *machine, struct guest_view *g, uint64_t tid,
			      uint64_t address)
{
	const struct tasks *tasks = &machine->tasks;
	struct guest_cpu *c;
	struct err *e = guest_view_cpu(g, tid, &c);
	bool known = !e && c->has_space && !c->regs.is_nested && c->space.format == WALK_LONG;
	err_free(e);
	/* Under page table isolation user mode has the other half of a pair of tables. */
	for (int half = 0; known && half < 2; half++) {
		struct walk_space space;
		if (!guest_paging_half(&c->space, half, &space))
			break;
		for (size_t i = 0; i < tasks->count; i++) {
			struct vspace own;
			if (!tasks->list[i].mm)
				continue;
			e = task_space(machine->kernel, &tasks->list[i], &own);
			bool found = !e && own.root == walk_root_table(&space) &&
				     is_same_page(machine, g, &c->space, &own, address);
			err_free(e);
			if (found)
				return tasks->list[i].tid;
		}
	}
	return 0;
}
