// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/tasks/stack_copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/kernel/kernel.h"

/* THREAD_SIZE of x86-64 is 16 KiB, and 32 with KASAN. */
enum { COPY_MAX = 64 << 10 };

static struct err *grow(struct stack_copy *c, size_t len)
{
	if (len <= c->capacity)
		return NULL;
	unsigned char *bytes = realloc(c->bytes, len);
	if (!bytes)
		return err_nomem();
	c->bytes = bytes;
	c->capacity = len;
	return NULL;
}

struct err *stack_copy_take(struct stack_copy *c, const struct kernel *k, uint64_t low,
			    uint64_t high)
{
	c->len = 0;
	if (low >= high)
		return NULL;
	size_t len = high - low < COPY_MAX ? (size_t)(high - low) : COPY_MAX;
	struct err *e = grow(c, len);
	if (e)
		return e;
	e = kernel_read_mapped(k, low, c->bytes, len);
	if (!e) {
		c->low = low;
		c->len = len;
	}
	if (e && err_code(e) == ERR_NOMEM)
		return e;
	err_free(e);
	return NULL;
}

bool stack_copy_read(const struct stack_copy *c, uint64_t address, void *out, size_t len)
{
	if (address < c->low || address - c->low > c->len || len > c->len - (address - c->low))
		return false;
	memcpy(out, c->bytes + (address - c->low), len);
	return true;
}

void stack_copy_free(struct stack_copy *c)
{
	free(c->bytes);
	*c = (struct stack_copy)STACK_COPY_INIT;
}
