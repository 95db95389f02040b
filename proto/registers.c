// SPDX-License-Identifier: GPL-2.0-or-later
#include "proto/registers.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"

struct err *register_layout_make(struct register_layout *ret_layout, const struct target *target)
{
	const struct target_register_ops *ops = target->registers;
	uint16_t *offset = calloc(ops->count + 1, sizeof(*offset));
	size_t pc = ops->count;
	if (!offset)
		return err_nomem();
	for (size_t i = 0; i < ops->count; i++) {
		offset[i + 1] = (uint16_t)(offset[i] + ops->table[i].bits / 8);
		if (strcmp(ops->table[i].name, "rip") == 0)
			pc = i;
	}
	*ret_layout = (struct register_layout){
		.ops = ops, .self = target->self, .offset = offset, .pc = pc
	};
	return NULL;
}

void register_layout_free(struct register_layout *layout)
{
	free(layout->offset);
	layout->offset = NULL;
}

void registers_read(const struct register_layout *layout, const struct target_view *view,
		    struct register_values *ret_values)
{
	struct err *e = layout->ops->read(layout->self, view, ret_values->bytes, ret_values->known);
	if (!e)
		return;
	log_debug(LOG_PACKET, "registers of thread %llu: %s", (unsigned long long)view->tid,
		  err_msg(e));
	err_free(e);
	memset(ret_values->known, 0, layout->ops->count);
}

void registers_add_hex(const struct register_layout *layout, const struct register_values *values,
		       size_t row, struct buf *out)
{
	size_t len = layout->ops->table[row].bits / 8;
	if (values->known[row]) {
		buf_addhex(out, values->bytes + layout->offset[row], len);
		return;
	}
	for (size_t i = 0; i < len; i++)
		buf_addstr(out, "xx");
}
