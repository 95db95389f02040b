// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as BTF: read, then asked for everything that they name. The first byte says how many
 * 64ths of the rest are the base of split BTF (0: there is none).
 */
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/types/btf.h"
#include "vmcore/names/types/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ASKED = 200 };

static void ask_members(struct types *t, const struct btf *b, const struct btf_record *r)
{
	for (uint32_t i = 0; i < r->vlen && i < 20; i++) {
		const char *name = btf_string(b, get_u32(r->more + (size_t)i * BTF_MEMBER_SIZE));
		struct member m;
		if (name)
			err_free(types_member(t, r->name, name, &m));
	}
	struct member m;
	err_free(types_member(t, r->name, "a.b[1].c[0]", &m));
	err_free(types_member(t, r->name, "a[99999].a", &m));
}

static void ask_everything(struct types *t, const struct btf *b)
{
	for (uint32_t id = 0; id < btf_end(b) && id < MAX_ASKED; id++) {
		struct btf_record r = btf_record(b, id);
		uint64_t size;
		int64_t value;
		if (!r.name)
			continue;
		err_free(types_size(t, r.name, &size));
		err_free(types_enumerator(t, r.name, "A", &value));
		if (r.kind == BTF_KIND_STRUCT || r.kind == BTF_KIND_UNION)
			ask_members(t, b, &r);
	}
	int64_t value;
	err_free(types_enumerator(t, NULL, "A", &value));
}

static void read_split(const uint8_t *data, size_t size, struct types *base_types,
		       const struct btf *base)
{
	struct types *t = NULL;
	struct btf *b = NULL;
	err_free(types_from_btf(data, size, base_types, &t));
	err_free(btf_parse(data, size, base, &b));
	if (t && b)
		ask_everything(t, b);
	if (b)
		err_free(btf_check_base(b));
	(void)btf_is_split(data, size);
	types_free(t);
	btf_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	size_t base_size = (size - 1) / 64 * (data[0] % 64);
	const uint8_t *rest = data + 1 + base_size;
	size_t rest_size = size - 1 - base_size;
	if (!base_size) {
		read_split(rest, rest_size, NULL, NULL);
		return 0;
	}
	struct types *base_types = NULL;
	struct btf *base = NULL;
	err_free(types_from_btf(data + 1, base_size, NULL, &base_types));
	err_free(btf_parse(data + 1, base_size, NULL, &base));
	if (base && base_types)
		read_split(rest, rest_size, base_types, base);
	types_free(base_types);
	btf_free(base);
	return 0;
}
