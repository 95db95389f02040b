// SPDX-License-Identifier: GPL-2.0-or-later
#include "unwind/cfi_check.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdint.h>
#include <string.h>

#include "base/map.h"

enum {
	REGISTERS_MAX = 128,	/* x86-64 has numbers up to 126 */
	DEPTH_MAX = 16,		/* of remembered rows; compilers have 1 or 2 */
	PROGRAM_MAX = 64 << 10, /* bytes of an entry */
	LEB_MAX = 10,		/* bytes of a LEB128 number of 64 bits */
	POINTER_FORMAT = 0x0f,	/* of an encoding: how long the number is; the rest: from where */
};

static const char too_long[] = "a program is too long";
static const char damaged[] = "an entry is damaged";

/* A program that is read from front to end. */
struct reader {
	const uint8_t *at, *end;
	bool bad; /* it ended too early */
};

/* What entries need of their CIE. */
struct cie {
	uint64_t offset;
	unsigned pointer_size; /* of the FDEs' addresses and of DW_CFA_set_loc; 0: unknown */
	bool augmentation;     /* FDEs have a length and augmentation data */
};

struct check {
	const unsigned char *ident;
	Elf_Data data;
	bool eh_frame;
	struct map cies;     /* offset -> pointer_size * 2 + augmentation */
	uint64_t cie_budget; /* bytes of CIEs left to look at: they may be referred to anywhere */
	const char *why;
};

/* ---- reading ---- */

static void skip(struct reader *r, uint64_t len)
{
	if (len > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		r->at = r->end;
		return;
	}
	r->at += len;
}

/* What does not fit into 64 bits comes out as too large for anything. One that is longer than it
 * need be for that is bad: readers differ in where they go on. */
static uint64_t read_leb(struct reader *r)
{
	uint64_t value = 0;
	for (unsigned n = 0; r->at < r->end && n < LEB_MAX; n++) {
		uint8_t byte = *r->at++;
		if (n + 1 < LEB_MAX)
			value |= (uint64_t)(byte & 0x7f) << 7 * n;
		else if (byte & 0x7f)
			value = UINT64_MAX;
		if (!(byte & 0x80))
			return value;
	}
	r->bad = true;
	return UINT64_MAX;
}

static bool read_register(struct reader *r)
{
	return read_leb(r) < REGISTERS_MAX;
}

static bool read_block(struct reader *r)
{
	skip(r, read_leb(r));
	return true;
}

static bool skip_leb(struct reader *r)
{
	read_leb(r);
	return true;
}

/* ---- programs ---- */

/* The operands of instructions with an opcode of their own (DWARF 5, 6.4.2), a letter each: r a
 * register, n a number, b a block, 1 2 4 8 as many bytes, p a pointer. NULL: no instruction. */
static const char *operands_of(unsigned opcode)
{
	static const char *const table[] = {
		[DW_CFA_nop] = "",
		[DW_CFA_set_loc] = "p",
		[DW_CFA_advance_loc1] = "1",
		[DW_CFA_advance_loc2] = "2",
		[DW_CFA_advance_loc4] = "4",
		[DW_CFA_offset_extended] = "rn",
		[DW_CFA_restore_extended] = "r",
		[DW_CFA_undefined] = "r",
		[DW_CFA_same_value] = "r",
		[DW_CFA_register] = "rr",
		[DW_CFA_remember_state] = "",
		[DW_CFA_restore_state] = "",
		[DW_CFA_def_cfa] = "rn",
		[DW_CFA_def_cfa_register] = "r",
		[DW_CFA_def_cfa_offset] = "n",
		[DW_CFA_def_cfa_expression] = "b",
		[DW_CFA_expression] = "rb",
		[DW_CFA_offset_extended_sf] = "rn",
		[DW_CFA_def_cfa_sf] = "rn",
		[DW_CFA_def_cfa_offset_sf] = "n",
		[DW_CFA_val_offset] = "rn",
		[DW_CFA_val_offset_sf] = "rn",
		[DW_CFA_val_expression] = "rb",
		[DW_CFA_GNU_args_size] = "n",
		[DW_CFA_GNU_negative_offset_extended] = "rn",
	};
	return opcode < sizeof(table) / sizeof(*table) ? table[opcode] : NULL;
}

static bool read_operand(struct reader *r, char kind, const struct cie *cie)
{
	switch (kind) {
	case 'r':
		return read_register(r);
	case 'n':
		return skip_leb(r);
	case 'b':
		return read_block(r);
	case 'p':
		skip(r, cie->pointer_size);
		return true;
	default:
		skip(r, (uint64_t)(kind - '0'));
		return true;
	}
}

static const char *check_program(struct reader r, const struct cie *cie)
{
	unsigned depth = 0;
	if (r.end - r.at > PROGRAM_MAX)
		return too_long;
	while (r.at < r.end) {
		uint8_t opcode = *r.at++;
		const char *operands = "";
		if ((opcode & 0xc0) == DW_CFA_offset)
			operands = "n";
		else if (!(opcode & 0xc0))
			operands = operands_of(opcode);
		if (!operands)
			return "there is an unknown instruction";
		if (opcode == DW_CFA_remember_state && ++depth > DEPTH_MAX)
			return "rows are remembered too deeply";
		if (opcode == DW_CFA_restore_state && depth)
			depth--;
		for (; *operands; operands++)
			if (!read_operand(&r, *operands, cie))
				return "a register's number is too large";
		if (r.bad)
			return "an instruction is cut off";
	}
	return NULL;
}

/* ---- entries ---- */

/* 0 for what has no fixed size, and for what libdw does not read: at the first search that meets
 * such an entry it fails, and from then on passes it over. */
static unsigned pointer_size(uint8_t encoding)
{
	unsigned from = encoding & ~POINTER_FORMAT;
	if (from != DW_EH_PE_absptr && from != DW_EH_PE_pcrel)
		return 0;
	switch (encoding & POINTER_FORMAT) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return 8;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		return 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		return 2;
	default:
		return 0;
	}
}

/* The augmentation string and its data (Linux Standard Base, "The .eh_frame section"): S for a
 * signal frame; z for data, R for the encoding of addresses in FDEs. False for what libdw and we
 * might read differently. */
static bool read_augmentation(const Dwarf_CIE *entry, struct cie *cie)
{
	const uint8_t *at = entry->augmentation_data;
	const uint8_t *end = at ? at + entry->augmentation_data_size : NULL;
	cie->pointer_size = 8;
	cie->augmentation = false;
	for (const char *letter = entry->augmentation; letter && *letter; letter++) {
		if (*letter == 'S')
			continue;
		if (*letter == 'z' && at && !cie->augmentation) {
			cie->augmentation = true;
			continue;
		}
		if (*letter != 'R' || !cie->augmentation || at >= end)
			return false;
		cie->pointer_size = pointer_size(*at++);
	}
	return cie->pointer_size;
}

static const char *check_cie(struct check *c, const Dwarf_CIE *entry, struct cie *ret)
{
	struct reader r = { entry->initial_instructions, entry->initial_instructions_end, false };
	uint64_t len = (uint64_t)(r.end - r.at);
	if (r.end < r.at || len > c->cie_budget)
		return too_long;
	c->cie_budget -= len;
	if (entry->return_address_register >= REGISTERS_MAX)
		return "a return address is in a register of a number that is too large";
	if (!read_augmentation(entry, ret))
		return "an augmentation is unknown";
	return check_program(r, ret);
}

/* The CIE at @offset, which need not be one that the walk meets; looked at once. */
static const char *find_cie(struct check *c, uint64_t offset, struct cie *ret)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;
	uint64_t known;
	*ret = (struct cie){ .offset = offset };
	if (map_get(&c->cies, offset, &known)) {
		ret->pointer_size = (unsigned)known / 2;
		ret->augmentation = known & 1;
		return NULL;
	}
	if (dwarf_next_cfi(c->ident, &c->data, c->eh_frame, offset, &next, &entry) != 0 ||
	    !dwarf_cfi_cie_p(&entry))
		return "an entry refers to nothing";
	const char *why = check_cie(c, &entry.cie, ret);
	if (!why && !map_put(&c->cies, offset, ret->pointer_size * 2 + ret->augmentation))
		why = "there is no memory";
	return why;
}

static const char *check_fde(struct check *c, const Dwarf_FDE *entry)
{
	struct cie cie;
	struct reader r = { entry->start, entry->end, false };
	const char *why = find_cie(c, entry->CIE_pointer, &cie);
	if (why)
		return why;
	skip(&r, 2 * (uint64_t)cie.pointer_size);
	if (cie.augmentation)
		read_block(&r);
	return r.bad ? damaged : check_program(r, &cie);
}

/*
 * All entries, as libdw meets them when it looks for one: an entry that it cannot read it passes
 * over, and what has no sense of length ends its walk too.
 */
static const char *check_entries(struct check *c)
{
	Dwarf_CFI_Entry entry;
	const char *why = NULL;
	struct cie cie;
	for (Dwarf_Off at = 0, next; !why; at = next) {
		int result = dwarf_next_cfi(c->ident, &c->data, c->eh_frame, at, &next, &entry);
		if (result > 0)
			break;
		if (result < 0 || (next != (Dwarf_Off)-1 && next <= at))
			return damaged;
		why = dwarf_cfi_cie_p(&entry) ? find_cie(c, at, &cie) : check_fde(c, &entry.fde);
		if (next == (Dwarf_Off)-1)
			break;
	}
	return why;
}

bool cfi_check(const unsigned char *ident, const void *bytes, size_t len, bool eh_frame,
	       const char **ret_why)
{
	struct check c = {
		.ident = ident,
		.data = { .d_buf = (void *)(uintptr_t)bytes,
			  .d_size = len,
			  .d_type = ELF_T_BYTE,
			  .d_version = EV_CURRENT },
		.eh_frame = eh_frame,
		.cies = MAP_INIT,
		.cie_budget = 4 * (uint64_t)len,
	};
	const char *why = check_entries(&c);
	map_free(&c.cies);
	if (why)
		*ret_why = why;
	return !why;
}

/* libdw finds entries by an index where there is one, also such as the walk does not meet. */
static bool has_index(Elf *elf, size_t names)
{
	size_t count;
	GElf_Phdr phdr;
	if (!elf_getphdrnum(elf, &count))
		for (size_t i = 0; i < count && i < INT32_MAX; i++)
			if (gelf_getphdr(elf, (int)i, &phdr) && phdr.p_type == PT_GNU_EH_FRAME)
				return true;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr h;
		const char *name =
			gelf_getshdr(section, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
		if (name && !strcmp(name, ".eh_frame_hdr"))
			return true;
	}
	return false;
}

/* libdw takes a section that GNU's tools had compressed (.zdebug_frame) for the other, and has it
 * decompressed by now. */
static bool is_called(const char *found, const char *name)
{
	return !strcmp(found, name) ||
	       (!strcmp(name, ".debug_frame") && !strcmp(found, ".zdebug_frame"));
}

bool cfi_check_elf(Elf *elf, const char *name, const char **ret_why)
{
	size_t names, ident_len;
	const char *ident = elf_getident(elf, &ident_len);
	bool eh_frame = !strcmp(name, ".eh_frame");
	if (!ident || ident_len < EI_NIDENT || elf_getshdrstrndx(elf, &names)) {
		*ret_why = "its headers are damaged";
		return false;
	}
	if (eh_frame && has_index(elf, names)) {
		*ret_why = "it has an index";
		return false;
	}
	/* Of several of one name libdw takes the first or the last: all must be good. */
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr h;
		const char *found =
			gelf_getshdr(section, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
		if (!found || !is_called(found, name) || h.sh_type == SHT_NOBITS)
			continue;
		Elf_Data *data = elf_getdata(section, NULL);
		if (data && data->d_buf &&
		    !cfi_check((const unsigned char *)ident, data->d_buf, data->d_size, eh_frame,
			       ret_why))
			return false;
	}
	return true;
}
