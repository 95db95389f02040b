// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as BTF, converted to DWARF, as fuzz_btf.c takes them apart: the first byte says how
 * many 64ths of the rest are the kernel's, the others a module's. The units of the
 * result must fill it, and the index must be sound and know them all.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "tests/image/index_reader.h"
#include "vmcore/image/dwarf/dwarf_from_btf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Places that overlap, wrap round and are missing, by what the name begins with. */
static bool place(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	(void)self;
	*ret = (struct dwarf_place){ UINT64_C(0x1000) * ((unsigned char)name[0] + object),
				     UINT64_C(0x800) * strlen(name), name[0] & 1 };
	if (name[0] == 'w')
		ret->address = UINT64_MAX - 1;
	return name[0] != 'n';
}

/* How many units there are, by the lengths that they say they have; 0 if those do not fit. */
static size_t count_units(const struct buf *info)
{
	size_t at = 0, units = 0;
	for (; info->len - at >= 4 && get_u32(info->data + at) <= info->len - at - 4; units++)
		at += 4 + get_u32(info->data + at);
	return at == info->len ? units : 0;
}

static void convert(const struct btf_object *objects, size_t count)
{
	const struct dwarf_places places = { NULL, place, place };
	struct dwarf_sections s;
	struct err *e = dwarf_from_btf(objects, count, &places, &s);
	if (e) {
		err_free(e);
		return;
	}
	size_t units = count_units(&s.info);
	if (units < count || !s.abbrev.len)
		abort();
	struct index_reader reader;
	if (s.gdb_index.len &&
	    (index_open(s.gdb_index.data, s.gdb_index.len, &reader) || reader.units != units))
		abort();
	dwarf_sections_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	size_t base_size = (size - 1) / 64 * (data[0] % 64);
	const uint8_t *rest = data + 1 + base_size;
	size_t rest_size = size - 1 - base_size;
	struct btf *base = NULL, *module = NULL;
	if (base_size)
		err_free(btf_parse(data + 1, base_size, NULL, &base));
	if (!base_size || base)
		err_free(btf_parse(rest, rest_size, base, &module));
	struct btf_object objects[2] = { { "vmlinux", base }, { "kvm", module } };
	if (base && module)
		convert(objects, 2);
	else if (base)
		convert(objects, 1);
	else if (module)
		convert(&objects[1], 1);
	btf_free(module);
	btf_free(base);
	return 0;
}
