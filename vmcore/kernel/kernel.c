// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/kernel_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/dump.h"
#include "vmcore/names/files/btf_files.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/types/wants.h"
#include "vmcore/names/vmcoreinfo.h"

/* A damaged dump has as much to tell as it has pages. */
enum { NOTE_SENTENCES_MAX = 100 };

void kernel_close(struct kernel *k)
{
	if (!k)
		return;
	types_free(k->types);
	btf_files_free(k->btf_files);
	free(k->origin.path);
	want_answers_free(k->members);
	symbols_free(k->elf_symbols);
	symbols_free(k->kallsyms);
	debug_file_close(k->file);
	vmcoreinfo_free(k->info);
	free(k->found_text);
	free(k->build_id);
	free(k->debug_cache);
	free(k->likely_build_id);
	free(k->command_line);
	buf_free(&k->notes);
	free(k);
}

/* ---- what there is ---- */

const struct arch *kernel_arch(const struct kernel *k)
{
	return dump_info(k->dump)->arch;
}

struct dump *kernel_dump(const struct kernel *k)
{
	return k->dump;
}

struct memory *kernel_memory(const struct kernel *k)
{
	return k->memory;
}

const struct vspace *kernel_space(const struct kernel *k)
{
	return &k->space;
}

const struct vmcoreinfo *kernel_vmcoreinfo(const struct kernel *k)
{
	return k->info;
}

const char *kernel_vmcoreinfo_text(const struct kernel *k, size_t *ret_len)
{
	const struct dump_info *info = dump_info(k->dump);
	if (!k->info) {
		*ret_len = 0;
		return NULL;
	}
	*ret_len = k->found_text ? k->found_text_len : info->vmcoreinfo_len;
	return k->found_text ? k->found_text : info->vmcoreinfo;
}

struct types *kernel_types(const struct kernel *k)
{
	return k->types;
}

const struct symbols *kernel_symbols(const struct kernel *k)
{
	return k->kallsyms ? k->kallsyms : k->elf_symbols;
}

const struct types_origin *kernel_types_origin(const struct kernel *k)
{
	return &k->origin;
}

size_t kernel_proven_by(const struct kernel *k)
{
	return k->proven_by;
}

struct btf_files *kernel_btf_files(const struct kernel *k)
{
	return k->btf_files;
}

const struct debug_file *kernel_debug_file(const struct kernel *k)
{
	return k->file;
}

struct debug_wanted kernel_debug_wanted(const struct kernel *k)
{
	return (struct debug_wanted){
		.release = *k->release ? k->release : NULL,
		.build_id = k->build_id,
		.info = k->info,
		.cache = k->debug_cache,
		.likely_build_id = k->likely_build_id,
		.packages = k->packages,
	};
}

const char *kernel_release(const struct kernel *k)
{
	return k->release;
}

const char *kernel_banner(const struct kernel *k)
{
	return k->banner;
}

const char *kernel_build_id(const struct kernel *k)
{
	return k->build_id;
}

const char *kernel_command_line(const struct kernel *k)
{
	return k->command_line;
}

bool kernel_text(const struct kernel *k, uint64_t *ret_text, uint64_t *ret_slide)
{
	if (!kernel_symbol(k, "_text", ret_text) && !kernel_symbol(k, "_stext", ret_text))
		return false;
	*ret_slide = k->slide;
	return true;
}

int64_t kernel_date(const struct kernel *k)
{
	const char *time = vmcoreinfo_get(k->info, "CRASHTIME");
	return time ? strtoll(time, NULL, 10) : dump_info(k->dump)->date;
}

bool kernel_symbol(const struct kernel *k, const char *name, uint64_t *ret)
{
	return vmcoreinfo_symbol(k->info, name, ret) || symbols_address(k->kallsyms, name, ret) ||
	       symbols_address(k->elf_symbols, name, ret);
}

bool kernel_symbol_at(const struct kernel *k, uint64_t address, struct symbol *ret)
{
	return (k->kallsyms && symbols_at(k->kallsyms, address, ret)) ||
	       (k->elf_symbols && symbols_at(k->elf_symbols, address, ret));
}

struct err *kernel_need_symbol(const struct kernel *k, const char *name, const char *what_for,
			       uint64_t *ret)
{
	if (kernel_symbol(k, name, ret))
		return NULL;
	return err_new(
		ERR_NOTFOUND, "%s: the kernel has no symbol '%s'%s", what_for, name,
		k->file ? "" : " among those its memory names; a vmlinux (--symbols) may have it");
}

void kernel_note(struct kernel *k, const char *fmt, ...)
{
	va_list ap;
	if (k->note_count > NOTE_SENTENCES_MAX)
		return;
	if (k->note_count++ == NOTE_SENTENCES_MAX) {
		buf_addstr(&k->notes, "more could be said; the dump is badly damaged\n");
		return;
	}
	va_start(ap, fmt);
	buf_vaddf(&k->notes, fmt, ap);
	va_end(ap);
	buf_addch(&k->notes, '\n');
}

const char *kernel_notes(const struct kernel *k)
{
	return k->notes.data;
}

struct kernel_notes_mark kernel_notes_mark(const struct kernel *k)
{
	return (struct kernel_notes_mark){ k->notes.len, k->note_count };
}

void kernel_notes_rewind(struct kernel *k, const struct kernel_notes_mark *mark)
{
	buf_cut(&k->notes, mark->len);
	k->note_count = mark->count;
}

/* ---- reading ---- */

struct err *kernel_read(const struct kernel *k, uint64_t va, void *out, size_t len)
{
	return memory_read_all(k->memory, &k->space, va, out, len);
}

struct err *kernel_read_u32(const struct kernel *k, uint64_t va, uint32_t *ret)
{
	unsigned char bytes[4];
	struct err *e = kernel_read(k, va, bytes, sizeof(bytes));
	if (!e)
		*ret = get_u32(bytes);
	return e;
}

struct err *kernel_read_u64(const struct kernel *k, uint64_t va, uint64_t *ret)
{
	unsigned char bytes[8];
	struct err *e = kernel_read(k, va, bytes, sizeof(bytes));
	if (!e)
		*ret = get_u64(bytes);
	return e;
}

struct err *kernel_read_string(const struct kernel *k, uint64_t va, char *out, size_t size)
{
	size_t got;
	struct err *e = memory_read(k->memory, &k->space, va, out, size - 1, &got);
	out[e ? 0 : got] = 0;
	return e;
}

struct err *kernel_read_mapped(const struct kernel *k, uint64_t va, void *out, size_t len)
{
	return memory_read_mapped(k->memory, &k->space, va, out, len);
}

bool member_is_number(const struct member *member)
{
	return member->size && member->size <= sizeof(uint64_t);
}

uint64_t member_value(const struct member *member, const unsigned char *bytes)
{
	unsigned char number[sizeof(uint64_t)] = { 0 };
	unsigned bits = 8 * (unsigned)member->size;
	memcpy(number, bytes, member->size);
	uint64_t value = get_u64(number);
	if (member->bit_size) {
		value >>= member->bit_offset;
		bits = member->bit_size;
	}
	if (bits < 64) {
		value &= (UINT64_C(1) << bits) - 1;
		if (member->is_signed && value >> (bits - 1))
			value |= ~UINT64_C(0) << bits;
	}
	return value;
}

struct err *kernel_read_member(const struct kernel *k, uint64_t base, const struct member *member,
			       uint64_t *ret)
{
	unsigned char bytes[sizeof(uint64_t)];
	if (!member_is_number(member))
		return err_new(ERR_INVALID, "a member of %" PRIu64 " bytes is no number",
			       member->size);
	struct err *e = kernel_read(k, base + member->offset, bytes, member->size);
	if (!e)
		*ret = member_value(member, bytes);
	return e;
}

bool kernel_get_u64(const struct kernel *k, uint64_t va, uint64_t *ret)
{
	struct err *e = kernel_read_u64(k, va, ret);
	bool read = !e;
	err_free(e);
	return read;
}

bool kernel_get_member(const struct kernel *k, uint64_t base, const struct member *member,
		       uint64_t *ret)
{
	if (!member->size)
		return false;
	struct err *e = kernel_read_member(k, base, member, ret);
	bool read = !e;
	err_free(e);
	return read;
}

struct err *kernel_read_path(const struct kernel *k, uint64_t base, const char *type,
			     const char *path, uint64_t *ret)
{
	struct member member;
	struct err *e = types_member(k->types, type, path, &member);
	if (!e)
		e = kernel_read_member(k, base, &member, ret);
	return err_wrap(e, "read %s.%s at 0x%" PRIx64, type, path, base);
}
