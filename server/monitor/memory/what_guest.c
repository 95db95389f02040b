// SPDX-License-Identifier: GPL-2.0-or-later
/* Where an address of a guest lies: in its physical memory, and in its host's. */
#include <inttypes.h>
#include <stddef.h>

#include "arch/address.h"
#include "base/err.h"
#include "server/monitor/commands.h"
#include "server/monitor/memory/what_facts.h"
#include "vmcore/guest/guest_memory.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/memory/memory.h"
#include "vmcore/vmcore.h"

/* By the vCPU's tables; those of user mode may lack the kernel's memory, which its own have. */
static struct err *find_physical(const struct facts *f, uint64_t *ret)
{
	struct vtop v;
	struct err *e = f->guest->physical(f->guest->closure, f->vcpu, f->address, ret);
	if (!e || err_code(e) == ERR_NOMEM || !f->h || !is_kernel_address(f->address))
		return e;
	err_free(e);
	e = memory_vtop(f->h->memory, kernel_space(f->h->kernel), f->address, &v);
	if (!e)
		*ret = v.pa;
	return e;
}

static void say_way(struct facts *f, const struct gpa_way *way, const struct err *why)
{
	const struct memslot *slot = way->slot;
	if (slot) {
		fact_say(f, ", slot %d", slot->id);
		fact_number(f, "slot", (uint64_t)slot->id);
	}
	if (slot && !way->is_private) {
		fact_say(f, ", 0x%" PRIx64 " of its process on the host", way->hva);
		fact_hex(f, "hva", way->hva);
	}
	if (why) {
		fact_say(f, "; not on the host: %s", err_msg(why));
		fact_str(f, "why", err_msg(why));
	} else {
		fact_say(f, ", physical 0x%" PRIx64 " there", way->vtop.pa);
		fact_hex(f, "host_physical", way->vtop.pa);
	}
}

void facts_of_place(struct facts *f)
{
	uint64_t gpa;
	struct gpa_way way = { 0 };
	struct err *e = find_physical(f, &gpa);
	if (e && f->count) {
		err_free(e); /* of a symbol in what the kernel has given back, say */
		return;
	}
	fact_begin(f, e ? "unmapped" : "place");
	if (e) {
		fact_say(f, "nothing: %s", err_msg(e));
		fact_str(f, "why", err_msg(e));
	} else {
		struct err *why = f->guest->way(f->guest->closure, gpa, &way);
		fact_say(f, "guest physical 0x%" PRIx64, gpa);
		fact_hex(f, "gpa", gpa);
		say_way(f, &way, why);
		err_free(why);
	}
	fact_end(f);
	err_free(e);
}
