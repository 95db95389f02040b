// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/pointed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/printable.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

#define VCPU_NAME "kvm_vcpu"

bool pointed_find(struct vmcore *h, uint64_t value, struct pointed *ret)
{
	struct slab_object object;
	struct pointed p = { .state = SLAB_ALLOCATED };
	if (!is_kernel_address(value))
		return false;
	if (kvm_vcpu_at(h->kvm, value)) {
		snprintf(p.name, sizeof(p.name), "%s", VCPU_NAME);
		p.start = value;
		p.is_vcpu = true;
	} else if (vmcore_slab_object(h, value, &object) && object.start) {
		snprintf(p.name, sizeof(p.name), "%.*s", (int)slab_cache_name_len(object.cache),
			 object.cache->name);
		p.start = object.start;
		p.offset = object.offset;
		p.state = object.state;
		p.is_vcpu = !p.offset && p.state == SLAB_ALLOCATED && !strcmp(p.name, VCPU_NAME);
	} else {
		return false;
	}
	*ret = p;
	return true;
}

void pointed_text(const struct pointed *p, struct buf *out)
{
	buf_addch(out, '[');
	add_printable(out, p->name);
	if (p->offset)
		buf_addf(out, "+0x%" PRIx64, p->offset);
	if (p->state == SLAB_FREE)
		buf_addstr(out, ", free");
	else if (p->state == SLAB_UNKNOWN)
		buf_addstr(out, ", perhaps free");
	buf_addch(out, ']');
}

void pointed_json(const struct pointed *p, struct json *j)
{
	json_object(j, "object");
	json_str(j, "name", p->name);
	json_hex(j, "start", p->start);
	json_hex(j, "offset", p->offset);
	json_str(j, "state", slab_state_name(p->state));
	json_end(j);
}
