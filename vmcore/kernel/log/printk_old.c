// SPDX-License-Identifier: GPL-2.0-or-later
/* The buffer of 3.5 to 5.9: records one after the other (kernel/printk/printk.c: struct printk_log,
 * struct log before 3.11). */
#include <stdio.h>

#include "base/err.h"
#include "vmcore/kernel/log/printk_private.h"
#include "vmcore/names/vmcoreinfo.h"

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

/* The member called @path of @size bytes, where VMCOREINFO says; false if it does not. */
static bool info_member(const struct vmcoreinfo *info, const char *type, const char *name,
			uint64_t size, struct member *ret)
{
	char path[64];
	*ret = (struct member){ .size = size, .count = 1, .element_size = size };
	snprintf(path, sizeof(path), "%s.%s", type, name);
	return vmcoreinfo_offset(info, path, &ret->offset) && ret->offset < PAGE_SIZE;
}

/* Without types: VMCOREINFO has what tools need to find the text and the time. Their sizes have
 * been the same in all kernels. */
static bool find_by_vmcoreinfo(struct printk_log *log)
{
	const struct vmcoreinfo *info = kernel_vmcoreinfo(log->k);
	struct printk_buffer *b = &log->buffer;
	static const char *const types[] = { "printk_log", "log" };
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (vmcoreinfo_size(info, types[i], &b->header) && b->header &&
		    b->header < PAGE_SIZE && info_member(info, types[i], "len", 2, &b->total) &&
		    info_member(info, types[i], "text_len", 2, &log->members.len) &&
		    info_member(info, types[i], "ts_nsec", 8, &log->members.ns))
			return true;
	return false;
}

struct err *printk_buffer_open(struct printk_log *log)
{
	struct types *types = kernel_types(log->k);
	struct printk_buffer *b = &log->buffer;
	const bool renamed = kernel_has_member(log->k, K_RECORD_LENGTH);
	struct err *e = read_places(log->k, b);
	b->at = b->first;
	if (!e && types_why_none(types) && find_by_vmcoreinfo(log))
		return NULL;
	if (!e)
		e = types_size(types, renamed ? "printk_log" : "log", &b->header);
	if (!e)
		e = kernel_need_member(log->k, renamed ? K_RECORD_SIZE : K_OLD_RECORD_SIZE,
				       &b->total);
	if (!e)
		e = printk_members_find(log, renamed ? PRINTK_LOG : PRINTK_OLD_LOG);
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
