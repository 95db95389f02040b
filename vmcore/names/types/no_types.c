// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/no_types.h"

#include <stdlib.h>

#include "base/err.h"

static struct err *find(void *self, const char *name, enum type_rank least, uint64_t *ret_id)
{
	(void)self;
	(void)name;
	(void)least;
	*ret_id = 0;
	return NULL;
}

static struct err *describe(void *self, uint64_t id, struct type_desc *ret)
{
	(void)self;
	(void)id;
	*ret = (struct type_desc){ .kind = TYPE_VOID };
	return NULL;
}

static struct err *fields(void *self, uint64_t id, struct type_field **ret, size_t *ret_count)
{
	(void)id;
	(void)ret;
	(void)ret_count;
	return err_new(ERR_NOTFOUND, "%s", (const char *)self);
}

static struct err *enumerator(void *self, uint64_t id, const char *constant, bool *ret_found,
			      int64_t *ret)
{
	(void)self;
	(void)id;
	(void)constant;
	(void)ret;
	*ret_found = false;
	return NULL;
}

const struct type_source_ops no_types_ops = {
	.kind = "none",
	.free = free,
	.find = find,
	.describe = describe,
	.fields = fields,
	.enumerator = enumerator,
};
