// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/unwind/code_parts.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/unwind/code_table.h"
#include "base/bytes.h"
#include "base/err.h"

/* Between sections jumps are never short ones: the assembler does not know how far it is. */
enum {
	CHUNK = 4096,
	JMP = 0xe9,
	JMP_BYTES = 5,
	TWO_BYTES = 0x0f, /* of an opcode; then 0x80 to 0x8f are branches */
	BRANCH_BYTES = 6,
	PARTS_MAX = 1 << 20,
};

void code_parts_free(struct code_parts *parts)
{
	free(parts->list);
	*parts = (struct code_parts){ 0 };
}

static struct err *add(struct code_parts *parts, uint64_t start, uint64_t function)
{
	if (parts->count == PARTS_MAX)
		return NULL;
	if (parts->count == parts->capacity) {
		size_t more = parts->capacity ? 2 * parts->capacity : 256;
		struct code_part *list = reallocarray(parts->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		parts->list = list;
		parts->capacity = more;
	}
	parts->list[parts->count++] = (struct code_part){ start, function };
	return NULL;
}

/* The length of the jump that the bytes may be, of which there are enough; 0 if they are none. */
static size_t jump_length(const unsigned char *bytes)
{
	if (bytes[0] == JMP)
		return JMP_BYTES;
	return bytes[0] == TWO_BYTES && (bytes[1] & 0xf0) == 0x80 ? BRANCH_BYTES : 0;
}

static uint64_t target_of(const unsigned char *bytes, size_t len, uint64_t pc)
{
	return pc + len + (uint64_t)(int64_t)(int32_t)get_u32(bytes + len - 4);
}

struct scan {
	const struct code_source *source;
	uint64_t low, high;
	struct code_symbol from; /* of the last jump: many come from one function */
};

static struct err *look_at(struct scan *s, uint64_t pc, uint64_t target, struct code_parts *parts)
{
	struct code_symbol to;
	if (target < s->low || target >= s->high)
		return NULL;
	if ((pc < s->from.start || pc >= s->from.end) &&
	    !s->source->symbol(s->source->self, pc, &s->from))
		return NULL;
	if ((target >= s->from.start && target < s->from.end) ||
	    !s->source->symbol(s->source->self, target, &to) || to.start == target)
		return NULL;
	return add(parts, target, s->from.start);
}

struct err *code_parts_scan(const struct code_source *source, uint64_t low, uint64_t high,
			    struct code_parts *parts)
{
	unsigned char bytes[CHUNK + BRANCH_BYTES];
	struct scan s = { .source = source, .low = low, .high = high };
	struct err *e = NULL;
	for (uint64_t at = low; !e && at < high; at += CHUNK) {
		size_t len = high - at < sizeof(bytes) ? (size_t)(high - at) : sizeof(bytes);
		struct err *missing = source->read(source->self, at, bytes, len);
		if (missing) {
			err_free(missing);
			/* The last bytes may be those of a page that is not there. */
			len = len < CHUNK ? 0 : CHUNK;
			missing = len ? source->read(source->self, at, bytes, len) : NULL;
			len = missing ? 0 : len;
			err_free(missing);
		}
		for (size_t i = 0; !e && i < CHUNK && i + BRANCH_BYTES <= len; i++) {
			size_t jump = jump_length(bytes + i);
			if (jump)
				e = look_at(&s, at + i, target_of(bytes + i, jump, at + i), parts);
		}
	}
	return e;
}

static int by_start(const void *a, const void *b)
{
	const struct code_part *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

void code_parts_sort(struct code_parts *parts)
{
	size_t kept = 0;
	if (parts->count)
		qsort(parts->list, parts->count, sizeof(*parts->list), by_start);
	for (size_t i = 0; i < parts->count; i++)
		if (!i || by_start(&parts->list[i], &parts->list[kept - 1]) != 0)
			parts->list[kept++] = parts->list[i];
	parts->count = kept;
}

size_t code_parts_upto(const struct code_parts *parts, uint64_t address)
{
	size_t low = 0, high = parts->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (parts->list[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void code_parts_cut(const struct code_parts *parts, uint64_t address, struct code_symbol *symbol)
{
	size_t i = code_parts_upto(parts, address);
	if (i && parts->list[i - 1].start > symbol->start) {
		symbol->start = parts->list[i - 1].start;
		symbol->kind = CODE_PART;
	}
	if (i < parts->count && parts->list[i].start < symbol->end)
		symbol->end = parts->list[i].start;
}
