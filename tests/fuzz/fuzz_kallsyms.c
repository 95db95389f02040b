// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as the memory that kallsyms lies in. In front of them: a byte of flags, where five
 * tables begin (u16 each), and what VMCOREINFO says of _stext (u64).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/names/kallsyms.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY UINT64_C(0xffffffff82000000)
enum { HEAD = 19, HAS_BASE = 1, HAS_ADDRESSES = 2 };

struct bytes {
	const uint8_t *data;
	size_t size;
};

static struct err *read_bytes(void *self, uint64_t address, void *out, size_t len, size_t *ret_done)
{
	const struct bytes *b = self;
	uint64_t at = address - MEMORY;
	if (at >= b->size)
		return err_new(ERR_MISSING, "nothing is there");
	size_t n = len < b->size - at ? len : b->size - (size_t)at;
	memcpy(out, b->data + at, n);
	*ret_done = n;
	return NULL;
}

static struct vmcoreinfo *make_info(const uint8_t *head)
{
	static const char *const tables[] = { "kallsyms_names", "kallsyms_token_table",
					      "kallsyms_token_index", "kallsyms_offsets",
					      "kallsyms_relative_base" };
	struct buf text = BUF_INIT;
	buf_addf(&text, "SYMBOL(_stext)=%llx\n", (unsigned long long)get_u64(head + 11));
	buf_addf(&text, "SYMBOL(kallsyms_num_syms)=%llx\n", (unsigned long long)MEMORY);
	for (size_t i = 0; i < (head[0] & HAS_BASE ? 5 : 4); i++) {
		const char *name = tables[i];
		if (i == 3 && head[0] & HAS_ADDRESSES)
			name = "kallsyms_addresses";
		buf_addf(&text, "SYMBOL(%s)=%llx\n", name,
			 (unsigned long long)MEMORY + get_u16(head + 1 + 2 * i));
	}
	struct vmcoreinfo *info = NULL;
	err_free(vmcoreinfo_parse(text.data, text.len, &info));
	buf_free(&text);
	return info;
}

static void ask_everything(const struct symbols *s)
{
	for (size_t i = 0; i < symbols_count(s); i++) {
		struct symbol symbol = symbols_nth(s, i), other;
		if (!symbols_get(s, symbol.name, &other) || !symbols_named(s, symbol.name))
			__builtin_trap();
		if (symbols_at(s, symbol.address, &other) && other.address > symbol.address)
			__builtin_trap();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEAD)
		return 0;
	struct bytes bytes = { data + HEAD, size - HEAD };
	struct kallsyms_memory memory = { &bytes, read_bytes };
	struct vmcoreinfo *info = make_info(data);
	struct symbols *s = NULL;
	err_free(kallsyms_read(&memory, info, &s));
	if (s)
		ask_everything(s);
	symbols_free(s);
	vmcoreinfo_free(info);
	return 0;
}
