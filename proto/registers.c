// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/registers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

static void find_stop_rows(struct register_layout *layout)
{
	const struct target_register_ops *ops = layout->ops;
	size_t first = layout->pc, end = layout->pc < ops->count ? layout->pc + 1 : 0;
	for (size_t i = 0; i < ops->expedited_count; i++) {
		size_t row = ops->expedited[i];
		first = row < first ? row : first;
		end = row >= end ? row + 1 : end;
	}
	layout->stop_first = first;
	layout->stop_count = end > first ? end - first : 0;
}

struct err *register_layout_make(struct register_layout *ret_layout, const struct target *target)
{
	const struct target_register_ops *ops = target->registers;
	uint16_t *offset = calloc(ops->count + 1, sizeof(*offset));
	size_t pc = ops->count, sp = ops->count;
	if (!offset)
		return err_nomem();
	for (size_t i = 0; i < ops->count; i++) {
		offset[i + 1] = (uint16_t)(offset[i] + ops->table[i].bits / 8);
		if (strcmp(ops->table[i].name, "rip") == 0)
			pc = i;
		if (strcmp(ops->table[i].name, "rsp") == 0)
			sp = i;
	}
	*ret_layout = (struct register_layout){
		.ops = ops, .target = target, .offset = offset, .pc = pc, .sp = sp
	};
	find_stop_rows(ret_layout);
	return NULL;
}

void register_layout_free(struct register_layout *layout)
{
	free(layout->offset);
	layout->offset = NULL;
}

void registers_read(const struct register_layout *layout, const struct target_view *view,
		    size_t first, size_t count, struct register_values *values)
{
	const uint16_t *offset = layout->offset;
	if (!count)
		return;
	memset(values->bytes + offset[first], 0, offset[first + count] - offset[first]);
	memset(values->known + first, 0, count * sizeof(*values->known));
	struct err *e = target_read_registers(layout->target, view, first, count,
					      values->bytes + offset[first], values->known + first);
	if (!e)
		return;
	log_debug(LOG_REFUSED, "%s: registers of thread %llu: %s", target_name(layout->target),
		  (unsigned long long)view->tid, err_msg(e));
	err_free(e);
	memset(values->known + first, 0, count * sizeof(*values->known));
}

/* Rows that are all known, or all not, in one go: most of them stand together. */
void registers_add_hex(const struct register_layout *layout, const struct register_values *values,
		       size_t first, size_t count, struct buf *out)
{
	const uint16_t *offset = layout->offset;
	const bool *known = values->known;
	for (size_t row = first, end = first + count, next; row < end; row = next) {
		for (next = row + 1; next < end && known[next] == known[row];)
			next++;
		size_t len = (size_t)(offset[next] - offset[row]);
		if (known[row])
			buf_addhex(out, values->bytes + offset[row], len);
		else
			buf_fill(out, 'x', 2 * len);
	}
}
