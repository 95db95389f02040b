// SPDX-License-Identifier: GPL-2.0-or-later
/* The buffer of 3.5 to 5.9: records one after the other (kernel/printk/printk.c: struct printk_log,
 * struct log before 3.11). */
#include "base/err.h"
#include "vmcore/kernel/printk_private.h"

enum { LOG_BYTES_MAX = 1 << 27 };

static struct err *read_places(const struct kernel *k, struct printk_buffer *b)
{
	uint64_t at;
	struct err *e = kernel_need_symbol(k, "log_buf", "read the log", &at);
	if (!e)
		e = kernel_read_u64(k, at, &b->address);
	const struct {
		const char *symbol;
		uint32_t *value;
	} numbers[] = {
		{ "log_buf_len", &b->size },
		{ "log_first_idx", &b->first },
		{ "log_next_idx", &b->end },
	};
	for (size_t i = 0; !e && i < sizeof(numbers) / sizeof(*numbers); i++) {
		e = kernel_need_symbol(k, numbers[i].symbol, "read the log", &at);
		if (!e)
			e = kernel_read_u32(k, at, numbers[i].value);
	}
	if (!e && b->size > LOG_BYTES_MAX)
		e = err_new(ERR_CORRUPT, "the log buffer has a size that makes no sense");
	return e;
}

struct err *printk_buffer_open(struct printk_log *log)
{
	struct types *types = kernel_types(log->k);
	struct printk_buffer *b = &log->buffer;
	const char *type = types_has(types, "printk_log", "text_len") ? "printk_log" : "log";
	struct err *e = read_places(log->k, b);
	if (!e)
		e = types_size(types, type, &b->header);
	if (!e)
		e = types_member(types, type, "len", &b->total);
	if (!e)
		e = printk_members_find(log, type);
	b->at = b->first;
	return e;
}

/* Goes to the next record's offset, past the mark that sends back to the start: the length of the
 * record, or 0 at the end. */
static struct err *next_length(struct printk_log *log, uint64_t *ret)
{
	struct printk_buffer *b = &log->buffer;
	uint64_t len = 0;
	while (!b->ended && b->at != b->end && b->at < b->size && b->bytes < b->size) {
		struct err *e = kernel_read_member(log->k, b->address + b->at, &b->total, &len);
		if (e)
			return e;
		if (len || b->wrapped)
			break;
		b->wrapped = true;
		b->at = 0;
	}
	*ret = len;
	return NULL;
}

struct err *printk_buffer_next(struct printk_log *log, struct printk_place *ret, bool *ret_found)
{
	struct printk_buffer *b = &log->buffer;
	uint64_t len;
	struct err *e = next_length(log, &len);
	if (e) {
		b->ended = true;
		return e;
	}
	*ret_found = len;
	if (!len) {
		b->ended = true;
		return NULL;
	}
	uint64_t record = b->address + b->at;
	*ret = (struct printk_place){ record, record + b->header, PRINTK_TEXT_MAX };
	/* One that ends in its own header is the last to be believed. */
	b->ended = len < b->header;
	b->at += (uint32_t)len;
	b->bytes += len;
	return NULL;
}
