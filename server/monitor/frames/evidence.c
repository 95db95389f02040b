// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/frames/evidence.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/regs.h"
#include "server/monitor/frames/pointed.h"
#include "server/monitor/frames/raw.h"
#include "unwind/unwind.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/vmcore.h"

enum { WORD = 8, EVIDENCE_MAX = 4 };

struct evidence {
	struct {
		uint64_t value, address;
	} list[EVIDENCE_MAX];
	size_t count;
};

static bool has(const struct evidence *e, uint64_t value)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->list[i].value == value)
			return true;
	return false;
}

static bool is_in_register(const struct frame *f, uint64_t value)
{
	for (unsigned n = 0; n < REGS_MAX; n++)
		if (regs_known(&f->regs, n) && f->regs.value[n] == value)
			return true;
	return false;
}

static struct evidence find(const struct raw_stack *s, size_t number)
{
	struct evidence e = { .count = 0 };
	struct pointed pointed;
	uint64_t low = 0, value;
	size_t count = raw_stack_words(s, number, &low);
	for (size_t i = 0; i < count && e.count < EVIDENCE_MAX; i++) {
		/* Whose object it is costs most to say. */
		if (!kernel_get_u64(s->h->kernel, low + WORD * i, &value) || has(&e, value) ||
		    is_in_register(&s->frames->list[number], value) ||
		    !pointed_find(s->h, value, &pointed) || !pointed.is_vcpu)
			continue;
		e.list[e.count].value = value;
		e.list[e.count++].address = low + WORD * i;
	}
	return e;
}

void evidence_text(const struct raw_stack *s, size_t number, struct buf *out)
{
	struct evidence e = find(s, number);
	for (size_t i = 0; i < e.count; i++)
		buf_addf(out,
			 "        a struct kvm_vcpu, 0x%016" PRIx64
			 ", lies in this frame at 0x%016" PRIx64 "\n",
			 e.list[i].value, e.list[i].address);
}

void evidence_json(const struct raw_stack *s, size_t number, struct json *j)
{
	struct evidence e = find(s, number);
	if (!e.count)
		return;
	json_array(j, "evidence");
	for (size_t i = 0; i < e.count; i++) {
		json_object(j, NULL);
		json_str(j, "type", "struct kvm_vcpu");
		json_hex(j, "value", e.list[i].value);
		json_hex(j, "address", e.list[i].address);
		json_end(j);
	}
	json_end(j);
}
