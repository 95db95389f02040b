// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * code_cfi [--all] [--show] FILE: whether following a function's instructions finds its caller and
 * the registers that a callee keeps where CFI says that they are, or does not answer: in every
 * call, and with --all before every instruction.
 *
 * FILE is any ELF file with code and CFI, a relocatable one (a kernel module) too. Prints how many
 * answers were equal, unknown or wrong, and a line for each wrong one, with --show for each unknown
 * one, too. Between calls compilers that are not asked for it write CFI that is not right at every
 * instruction; and of what inline assembly pushes they know nothing: there ORC decides. Exit
 * status: 0, 1 (a wrong answer in a call, or more than two of a hundred unknown), 2 (the file
 * cannot be used).
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "unwind/code_table.h"
#include "unwind/decode.h"
#include "unwind/orc.h"
#include "vmcore/names/ko_relocate.h"

/* Where the sections of a relocatable file are put; what it does not define is far below. */
#define SECTIONS UINT64_C(0xffffffffc0000000)
#define NOWHERE	 UINT64_C(0xffffffff80000000)

enum { RSP = 7, RBP = 6, SHOWN = 40, PARENTS_MAX = 8 };

struct section {
	uint64_t address, size;
	const unsigned char *bytes;
	bool code;
};

struct function {
	uint64_t start, size;
	const char *name; /* "" if it has none */
	bool part;	  /* of another, elsewhere: it does not begin with a call */
};

struct image {
	Elf *elf;
	uint64_t *addresses; /* of sections, by number */
	size_t headers;
	struct section *sections;
	size_t section_count;
	struct function *functions; /* by address */
	struct function **by_name;
	size_t function_count;
	uint64_t orc_ip, orc, orc_count; /* ORC's tables; 0: there are none */
	enum orc_format orc_format;
	struct map leads; /* from static branches, and from faults, to where they may go on */
	Dwarf_CFI *cfi;
};

struct score {
	unsigned long places, equal, unknown, wrong, cfa_wrong, cfa_unknown, cfa_by_orc, other;
};

static bool show_all;

static void die(const char *what)
{
	fprintf(stderr, "code_cfi: %s\n", what);
	exit(2);
}

static void *must(void *memory)
{
	if (!memory)
		die("no memory");
	return memory;
}

/* ---- the file ---- */

static Elf *open_elf(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf *elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!elf)
		die("a file cannot be read");
	return elf;
}

static bool is_relocatable(Elf *elf)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(elf, &header))
		die("a file has no header");
	return header.e_type == ET_REL;
}

static void lay_out(struct image *im)
{
	uint64_t at = SECTIONS;
	if (elf_getshdrnum(im->elf, &im->headers) != 0)
		die("the file has no sections");
	im->addresses = must(calloc(im->headers, sizeof(*im->addresses)));
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		uint64_t align;
		if (!gelf_getshdr(s, &sh) || !(sh.sh_flags & SHF_ALLOC))
			continue;
		align = sh.sh_addralign ? sh.sh_addralign : 1;
		at = (at + align - 1) / align * align;
		im->addresses[elf_ndxscn(s)] = is_relocatable(im->elf) ? at : sh.sh_addr;
		at += sh.sh_size;
	}
}

static void add_section(struct image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(s, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return;
	im->sections = must(realloc(im->sections, (im->section_count + 1) * sizeof(*im->sections)));
	im->sections[im->section_count++] =
		(struct section){ im->addresses[elf_ndxscn(s)], data->d_size, data->d_buf,
				  sh->sh_flags & SHF_EXECINSTR };
}

static void relocate(struct image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *entries = elf_getdata(s, NULL);
	Elf_Scn *target = elf_getscn(im->elf, sh->sh_info);
	Elf_Data *data = target ? elf_getdata(target, NULL) : NULL;
	Elf_Scn *symbols_section = elf_getscn(im->elf, sh->sh_link);
	Elf_Data *symbols = symbols_section ? elf_getdata(symbols_section, NULL) : NULL;
	if (!entries || !data || !data->d_buf || !symbols || !im->addresses[sh->sh_info])
		return;
	for (size_t i = 0; i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Rela r;
		GElf_Sym sym;
		if (!gelf_getrela(entries, (int)i, &r) || r.r_offset + 4 > data->d_size ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(r.r_info), &sym))
			continue;
		uint64_t value = NOWHERE;
		if (sym.st_shndx && sym.st_shndx < im->headers)
			value = im->addresses[sym.st_shndx] + sym.st_value;
		value += (uint64_t)r.r_addend;
		unsigned type = GELF_R_TYPE(r.r_info);
		uint64_t place = im->addresses[sh->sh_info] + r.r_offset;
		if (type == R_X86_64_PC32 || type == R_X86_64_PLT32)
			value -= place;
		size_t size = type == R_X86_64_64 ? 8 : 4;
		if (size <= data->d_size - r.r_offset)
			memcpy((unsigned char *)data->d_buf + r.r_offset, &value, size);
	}
}

static void add_sections(struct image *im)
{
	bool relocatable = is_relocatable(im->elf);
	for (Elf_Scn *s = NULL; relocatable && (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_RELA)
			relocate(im, s, &sh);
	}
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_PROGBITS && sh.sh_flags & SHF_ALLOC)
			add_section(im, s, &sh);
	}
}

static int by_start(const void *a, const void *b)
{
	const struct function *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->size > y->size ? -1 : x->size < y->size;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct function *const *)a)->name, (*(struct function *const *)b)->name);
}

static void add_function(struct image *im, uint64_t start, uint64_t size, const char *name)
{
	size_t n = im->function_count;
	if (!(n & (n - 1)))
		im->functions = must(realloc(im->functions, (2 * n + 1) * sizeof(*im->functions)));
	im->functions[im->function_count++] =
		(struct function){ start, size, name, strstr(name, ".cold") != NULL };
}

static void add_symbols(struct image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(s, NULL);
	bool relocatable = is_relocatable(im->elf);
	for (size_t i = 0; data && i < sh->sh_size / sh->sh_entsize; i++) {
		GElf_Sym sym;
		if (!gelf_getsym(data, (int)i, &sym) || GELF_ST_TYPE(sym.st_info) != STT_FUNC ||
		    !sym.st_size || !sym.st_shndx || sym.st_shndx >= im->headers)
			continue;
		add_function(im, sym.st_value + (relocatable ? im->addresses[sym.st_shndx] : 0),
			     sym.st_size, elf_strptr(im->elf, sh->sh_link, sym.st_name));
	}
}

/* A program without symbols has a table of the beginnings of what CFI is about. */
static void add_table(struct image *im, Elf_Scn *s, const GElf_Shdr *sh)
{
	enum { HEAD = 12, ENTRY = 8, BY_DATA = 0x3b };
	Elf_Data *data = elf_getdata(s, NULL);
	const unsigned char *bytes = data ? data->d_buf : NULL;
	if (!bytes || data->d_size < HEAD || bytes[2] != 3 || bytes[3] != BY_DATA)
		return;
	uint32_t count = get_u32(bytes + 8);
	for (uint32_t i = 0; i < count && HEAD + ENTRY * (i + 1) <= data->d_size; i++) {
		const unsigned char *entry = bytes + HEAD + ENTRY * i;
		uint64_t start = sh->sh_addr + (uint64_t)(int64_t)(int32_t)get_u32(entry);
		uint64_t fde_at = sh->sh_addr + (uint64_t)(int64_t)(int32_t)get_u32(entry + 4);
		for (size_t k = 0; k < im->section_count; k++) {
			const struct section *e = &im->sections[k];
			if (fde_at >= e->address && fde_at + 16 <= e->address + e->size)
				add_function(im, start,
					     get_u32(e->bytes + (fde_at - e->address) + 12), "");
		}
	}
}

static void add_functions(struct image *im)
{
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && sh.sh_type == SHT_SYMTAB)
			add_symbols(im, s, &sh);
	}
	size_t names;
	for (Elf_Scn *s = NULL; !im->function_count && (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (gelf_getshdr(s, &sh) && elf_getshdrstrndx(im->elf, &names) == 0 &&
		    !strcmp(elf_strptr(im->elf, names, sh.sh_name), ".eh_frame_hdr"))
			add_table(im, s, &sh);
	}
	qsort(im->functions, im->function_count, sizeof(*im->functions), by_start);
	im->by_name = must(calloc(im->function_count + 1, sizeof(*im->by_name)));
	for (size_t i = 0; i < im->function_count; i++)
		im->by_name[i] = &im->functions[i];
	qsort(im->by_name, im->function_count, sizeof(*im->by_name), by_name);
}

static const struct section *find_section(const struct image *im, uint64_t address)
{
	for (size_t i = 0; i < im->section_count; i++) {
		const struct section *s = &im->sections[i];
		if (address >= s->address && address - s->address < s->size)
			return s;
	}
	return NULL;
}

static struct err *read_memory(void *self, uint64_t address, void *out, size_t len)
{
	const struct section *s = find_section(self, address);
	if (!s || len > s->size - (address - s->address))
		return err_new(ERR_MISSING, "0x%" PRIx64 " is not in the file", address);
	memcpy(out, s->bytes + (address - s->address), len);
	return NULL;
}

/* Entries begin with two distances from themselves, or, of static branches until 4.18, with two
 * addresses. */
static void add_leads(struct image *im, uint64_t start, uint64_t end, unsigned entry)
{
	for (uint64_t at = start; at + entry <= end; at += entry) {
		unsigned char raw[24];
		struct err *e = read_memory(im, at, raw, entry);
		bool read = !e;
		err_free(e);
		if (!read)
			return;
		uint64_t from = at + (uint64_t)(int64_t)(int32_t)get_u32(raw);
		uint64_t to = at + 4 + (uint64_t)(int64_t)(int32_t)get_u32(raw + 4);
		if (entry == 24) {
			from = get_u64(raw);
			to = get_u64(raw + 8);
		}
		if (!map_put(&im->leads, from, to))
			die("no memory");
	}
}

static uint64_t find_label(Elf *elf, const char *name)
{
	for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
		GElf_Shdr sh;
		GElf_Sym sym;
		Elf_Data *data;
		if (!gelf_getshdr(s, &sh) || sh.sh_type != SHT_SYMTAB ||
		    !(data = elf_getdata(s, NULL)))
			continue;
		for (int i = 0; gelf_getsym(data, i, &sym); i++)
			if (!strcmp(elf_strptr(elf, sh.sh_link, sym.st_name), name))
				return sym.st_value;
	}
	return 0;
}

/* Three addresses, or two distances and one address. */
static unsigned jump_entry_bytes(struct image *im, uint64_t table)
{
	unsigned char raw[8];
	struct err *e = read_memory(im, table, raw, sizeof(raw));
	bool read = !e;
	err_free(e);
	const struct section *s = read ? find_section(im, get_u64(raw)) : NULL;
	return s && s->code ? 24 : 16;
}

/* struct jump_entry (include/linux/jump_label.h), struct exception_table_entry
 * (arch/x86/include/asm/extable.h): 8 bytes until 4.5, 12 from then on. */
static void add_kernel_leads(struct image *im)
{
	uint64_t start = find_label(im->elf, "__start___jump_table"), names_at, end;
	size_t names;
	if (start)
		add_leads(im, start, find_label(im->elf, "__stop___jump_table"),
			  jump_entry_bytes(im, start));
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (!gelf_getshdr(s, &sh) || elf_getshdrstrndx(im->elf, &names) != 0)
			continue;
		const char *name = elf_strptr(im->elf, names, sh.sh_name);
		names_at = im->addresses[elf_ndxscn(s)];
		end = names_at + sh.sh_size;
		if (!strcmp(name, "__jump_table") && !start)
			add_leads(im, names_at, end, jump_entry_bytes(im, names_at));
		else if (!strcmp(name, "__ex_table"))
			add_leads(im, names_at, end, sh.sh_size % 12 ? 8 : 12);
	}
}

static void find_orc_tables(struct image *im)
{
	size_t names;
	for (Elf_Scn *s = NULL; (s = elf_nextscn(im->elf, s));) {
		GElf_Shdr sh;
		if (!gelf_getshdr(s, &sh) || elf_getshdrstrndx(im->elf, &names) != 0)
			continue;
		const char *name = elf_strptr(im->elf, names, sh.sh_name);
		uint64_t address = im->addresses[elf_ndxscn(s)];
		if (!strcmp(name, ".orc_unwind_ip")) {
			im->orc_ip = address;
			im->orc_count = sh.sh_size / 4;
		} else if (!strcmp(name, ".orc_unwind")) {
			im->orc = address;
		}
	}
	const struct section *s = find_section(im, im->orc);
	if (!im->orc || !im->orc_ip || !s ||
	    !orc_format_guess(s->bytes + (im->orc - s->address), im->orc_count, &im->orc_format))
		im->orc_count = 0;
}

/* The CFA that ORC has at @pc, if it goes by rsp. */
static bool orc_cfa(struct image *im, uint64_t pc, int64_t *ret)
{
	uint64_t best = 0, best_start = 0;
	struct orc_entry entry;
	unsigned char raw[ORC_RAW_BYTES];
	/* A module's is not in order. */
	for (uint64_t i = 0; i < im->orc_count; i++) {
		unsigned char ip[4];
		uint64_t at = im->orc_ip + 4 * i;
		struct err *e = read_memory(im, at, ip, sizeof(ip));
		if (e) {
			err_free(e);
			return false;
		}
		uint64_t start = at + (uint64_t)(int64_t)(int32_t)get_u32(ip);
		if (start <= pc && start >= best_start) {
			best_start = start;
			best = i;
		}
	}
	struct err *e = best_start ? read_memory(im, im->orc + sizeof(raw) * best, raw, sizeof(raw))
				   : err_new(ERR_MISSING, "no entry");
	bool read = !e;
	err_free(e);
	if (!read || !orc_decode(im->orc_format, raw, &entry) || entry.type != ORC_CALL ||
	    entry.sp != ORC_SP)
		return false;
	*ret = entry.sp_offset;
	return true;
}

static bool leads_to(void *self, uint64_t pc, uint64_t *ret_target)
{
	const struct image *im = self;
	return map_get(&im->leads, pc, ret_target);
}

static bool is_frame_section(const char *name, const void *closure)
{
	(void)closure;
	return !strcmp(name, ".debug_frame");
}

static void open_cfi(struct image *im)
{
	Elf *elf = im->elf;
	if (is_relocatable(elf)) {
		struct err *e =
			ko_relocate(elf, im->addresses, im->headers, is_frame_section, NULL);
		if (e)
			die(err_msg(e));
	}
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	im->cfi = dwarf ? dwarf_getcfi(dwarf) : NULL;
	if (!im->cfi)
		im->cfi = dwarf_getcfi_elf(im->elf);
	if (!im->cfi || !im->function_count)
		die("the file has no CFI or no functions");
}

/* ---- the source ---- */

static const struct function *find_function(const struct image *im, uint64_t pc)
{
	size_t low = 0, high = im->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (im->functions[middle].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	const struct function *f = low ? &im->functions[low - 1] : NULL;
	while (f && f > im->functions && f[-1].start == f->start)
		f--;
	return f && pc - f->start < f->size ? f : NULL;
}

static const char *const returns[] = { "__x86_return_thunk", "retbleed_return_thunk",
				       "srso_return_thunk", "__ret" };
static const char thunk[] = "__x86_indirect_thunk_";

static bool set_thunk(const char *name, struct code_symbol *ret)
{
	for (unsigned n = 0; n < GPR_COUNT; n++) {
		if (strcmp(name, reg_name((enum reg)n)) != 0)
			continue;
		ret->kind = CODE_THUNK;
		ret->reg = (enum reg)n;
		return true;
	}
	return false;
}

static bool find_symbol(void *self, uint64_t address, struct code_symbol *ret)
{
	const struct image *im = self;
	const struct section *s = find_section(im, address);
	const struct function *f = find_function(im, address);
	if (!s || !s->code)
		return false;
	*ret = (struct code_symbol){ address & ~UINT64_C(1), address + 1, CODE_FUNCTION, 0 };
	if (!f)
		return true;
	*ret = (struct code_symbol){ f->start, f->start + f->size, CODE_FUNCTION, 0 };
	if (f->part)
		ret->kind = CODE_PART;
	for (size_t i = 0; i < sizeof(returns) / sizeof(*returns); i++)
		if (!strcmp(f->name, returns[i]))
			ret->kind = CODE_RETURN;
	if (!strncmp(f->name, thunk, strlen(thunk)))
		set_thunk(f->name + strlen(thunk), ret);
	return true;
}

/* ---- one place ---- */

enum rule_kind { RULE_OTHER, RULE_SAME, RULE_CFA, RULE_RBP };

struct row {
	bool by_rsp, by_rbp, in_memory; /* CFA = rsp + cfa, rbp + cfa, the word at rbp + cfa */
	int64_t cfa;
	enum rule_kind kind[CODE_KEPT];
	int64_t at[CODE_KEPT];
};

static void read_rule(Dwarf_Frame *frame, enum reg n, enum rule_kind *ret_kind, int64_t *ret_at)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	*ret_kind = RULE_OTHER;
	if (dwarf_frame_register(frame, (int)n, memory, &ops, &count) != 0)
		return;
	if (!count) /* libdw takes rax for preserved in rbx's place */
		*ret_kind = !ops || n == REG_RBX ? RULE_SAME : RULE_OTHER;
	else if (count == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
		 ops[1].atom == DW_OP_plus_uconst)
		*ret_kind = RULE_CFA, *ret_at = (int64_t)ops[1].number;
	else if (count == 1 && ops[0].atom == DW_OP_call_frame_cfa)
		*ret_kind = RULE_CFA, *ret_at = 0;
	else if (count == 1 && ops[0].atom == DW_OP_breg0 + RBP)
		*ret_kind = RULE_RBP, *ret_at = (int64_t)ops[0].number;
}

static bool read_row(const struct image *im, uint64_t pc, struct row *ret)
{
	Dwarf_Frame *frame;
	Dwarf_Op *ops;
	size_t count;
	*ret = (struct row){ 0 };
	if (dwarf_cfi_addrframe(im->cfi, pc, &frame) != 0)
		return false;
	if (dwarf_frame_cfa(frame, &ops, &count) == 0 && count == 1) {
		bool any = ops->atom == DW_OP_bregx;
		ret->by_rsp = ops->atom == DW_OP_breg0 + RSP || (any && ops->number == RSP);
		ret->by_rbp = ops->atom == DW_OP_breg0 + RBP || (any && ops->number == RBP);
		ret->cfa = (int64_t)(any ? ops->number2 : ops->number);
	} else if (count == 2 && ops[0].atom == DW_OP_breg0 + RBP && ops[1].atom == DW_OP_deref) {
		ret->in_memory = true;
		ret->cfa = (int64_t)ops[0].number;
	}
	for (unsigned i = 0; i < CODE_KEPT; i++)
		read_rule(frame, code_kept[i], &ret->kind[i], &ret->at[i]);
	free(frame);
	return ret->by_rsp || ret->by_rbp || ret->in_memory;
}

/* @at by rbp, if that is possible. */
static struct code_place by_rbp(const struct code_rules *r, struct code_place at)
{
	if (at.base == CODE_AT_RSP && r->rbp_relative)
		return (struct code_place){ CODE_AT_RBP, at.offset - r->rbp_distance };
	return at;
}

enum answer { ANSWER_EQUAL, ANSWER_UNKNOWN, ANSWER_WRONG, ANSWER_OTHER };

static enum answer compare_cfa(const struct row *row, const struct code_rules *r)
{
	if (row->by_rsp && r->by_rsp)
		return row->cfa == r->rsp_offset ? ANSWER_EQUAL : ANSWER_WRONG;
	if (row->by_rbp && r->by_rbp)
		return row->cfa == r->rbp_offset ? ANSWER_EQUAL : ANSWER_WRONG;
	const struct code_place at = by_rbp(r, r->cfa_at);
	if (row->in_memory && at.base == CODE_AT_RBP)
		return row->cfa == at.offset && !r->cfa_add ? ANSWER_EQUAL : ANSWER_WRONG;
	return ANSWER_OTHER;
}

static enum answer compare_register(const struct row *row, const struct code_rules *r, unsigned i)
{
	const struct code_place at = by_rbp(r, r->saved[i]);
	bool same = r->in_register >> i & 1;
	/* What has been popped CFI of kernels does not take back; its slot is below rsp by then. */
	if (row->kind[i] == RULE_CFA && row->by_rsp && row->at[i] < -row->cfa)
		return ANSWER_OTHER;
	if (row->kind[i] == RULE_OTHER)
		return ANSWER_OTHER;
	if (!same && at.base == CODE_NOWHERE)
		return ANSWER_UNKNOWN;
	if (row->kind[i] == RULE_SAME)
		return same ? ANSWER_EQUAL : ANSWER_WRONG;
	if (at.base == CODE_NOWHERE)
		return ANSWER_WRONG;
	if (row->kind[i] == RULE_CFA && at.base == CODE_AT_CFA)
		return at.offset == row->at[i] ? ANSWER_EQUAL : ANSWER_WRONG;
	if (row->kind[i] == RULE_RBP && at.base == CODE_AT_RBP)
		return at.offset == row->at[i] ? ANSWER_EQUAL : ANSWER_WRONG;
	return ANSWER_OTHER;
}

static const char *name_of(const struct image *im, uint64_t pc, uint64_t *ret_offset)
{
	const struct function *f = find_function(im, pc);
	*ret_offset = f ? pc - f->start : 0;
	return f ? f->name : "?";
}

static void print_place(struct code_place at)
{
	static const char *const bases[] = { "nowhere", "cfa", "rsp", "rbp" };
	printf("%s%+d", bases[at.base], at.offset);
}

static void tell(const struct image *im, uint64_t pc, const struct row *row,
		 const struct code_rules *r, int reg)
{
	uint64_t offset;
	const char *name = name_of(im, pc, &offset);
	printf("0x%" PRIx64 " %s+0x%" PRIx64 ": ", pc, name, offset);
	if (reg < 0) {
		printf("CFA by CFI %s%+" PRId64 ", by code rsp%+d(%d) rbp%+d(%d)\n",
		       row->by_rsp   ? "rsp"
		       : row->by_rbp ? "rbp"
				     : "*rbp",
		       row->cfa, r->rsp_offset, r->by_rsp, r->rbp_offset, r->by_rbp);
		return;
	}
	printf("%s by CFI ", reg_name(code_kept[reg]));
	if (row->kind[reg] == RULE_SAME)
		printf("same");
	else
		printf("%s%+" PRId64, row->kind[reg] == RULE_CFA ? "cfa" : "rbp", row->at[reg]);
	printf(", by code %s", r->in_register >> reg & 1 ? "same, " : "");
	print_place(r->saved[reg]);
	printf("\n");
}

static void compare(struct image *im, uint64_t pc, const struct code_rules *r, struct score *score)
{
	struct row row;
	if (!read_row(im, pc, &row))
		return;
	score->places++;
	if (!r) {
		score->unknown += CODE_KEPT;
		score->cfa_unknown++;
		if (show_all) {
			uint64_t offset;
			const char *name = name_of(im, pc, &offset);
			printf("0x%" PRIx64 " %s+0x%" PRIx64 ": unknown\n", pc, name, offset);
		}
		return;
	}
	enum answer cfa = compare_cfa(&row, r);
	int64_t by_orc;
	/* Of pushes in inline assembly the compiler that wrote the CFI knows nothing. */
	if (cfa == ANSWER_WRONG && r->by_rsp && orc_cfa(im, pc, &by_orc) &&
	    by_orc == r->rsp_offset) {
		cfa = ANSWER_EQUAL;
		score->cfa_by_orc++;
	}
	if (cfa == ANSWER_WRONG && (++score->cfa_wrong <= SHOWN || show_all))
		tell(im, pc, &row, r, -1);
	if (cfa == ANSWER_OTHER && show_all)
		tell(im, pc, &row, r, -1);
	score->cfa_unknown += cfa == ANSWER_OTHER;
	for (unsigned i = 0; i < CODE_KEPT; i++) {
		enum answer a = compare_register(&row, r, i);
		score->equal += a == ANSWER_EQUAL;
		score->unknown += a == ANSWER_UNKNOWN;
		score->other += a == ANSWER_OTHER;
		if (a == ANSWER_WRONG && (++score->wrong <= SHOWN || show_all))
			tell(im, pc, &row, r, (int)i);
		if (a == ANSWER_UNKNOWN && show_all)
			tell(im, pc, &row, r, (int)i);
	}
}

/* What has no name and does not begin with its return address at rsp is a part of something. */
static void mark_parts(struct image *im)
{
	for (size_t i = 0; i < im->function_count; i++) {
		struct function *f = &im->functions[i];
		struct row row;
		if (!*f->name)
			f->part = !read_row(im, f->start, &row) || !row.by_rsp || row.cfa != 8;
	}
}

/* ---- all of them ---- */

struct tables {
	struct code_table *list[PARENTS_MAX];
	size_t count;
};

static struct code_table *make_table(struct image *im, uint64_t function)
{
	const struct code_source source = { im, read_memory, find_symbol, leads_to };
	struct code_table *t;
	struct err *e = code_table_new(&source, function, &t);
	if (e)
		die(err_msg(e));
	return t;
}

/* Of the function; of a part, those of all functions that it may be of. */
static void make_tables(struct image *im, const struct function *f, struct tables *ret)
{
	const char *end = strstr(f->name, ".cold");
	ret->count = 0;
	if (!f->part || !end) {
		ret->list[ret->count++] = make_table(im, f->start);
		return;
	}
	size_t len = (size_t)(end - f->name), low = 0, high = im->function_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strncmp(im->by_name[middle]->name, f->name, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < im->function_count && ret->count < PARENTS_MAX; low++) {
		const struct function *p = im->by_name[low];
		if (strncmp(p->name, f->name, len) != 0)
			break;
		if (!p->name[len])
			ret->list[ret->count++] = make_table(im, p->start);
	}
}

static void look_at(struct image *im, const struct function *f, bool all, struct score *calls,
		    struct score *others)
{
	struct tables t;
	uint64_t end = f->start + f->size;
	make_tables(im, f, &t);
	for (uint64_t pc = f->start; pc < end;) {
		unsigned char code[DECODE_MAX];
		size_t len = end - pc < DECODE_MAX ? (size_t)(end - pc) : DECODE_MAX;
		struct decoded d;
		struct err *e = read_memory(im, pc, code, len);
		bool ok = !e && decode(code, len, pc, &d);
		err_free(e);
		if (!ok)
			break;
		struct code_rules r;
		bool call = d.flow == FLOW_CALL || d.flow == FLOW_CALL_INDIRECT, known = false;
		for (size_t i = 0; i < t.count && !known; i++)
			known = call ? code_table_call(t.list[i], pc + d.len, &r)
				     : code_table_at(t.list[i], pc, &r);
		if (call || all)
			compare(im, pc, known ? &r : NULL, call ? calls : others);
		pc += d.len;
	}
	for (size_t i = 0; i < t.count; i++)
		code_table_free(t.list[i]);
}

static void print(const char *what, const struct score *s)
{
	printf("%s: %lu places; registers: %lu equal, %lu wrong, %lu unknown, %lu not comparable; "
	       "CFA: %lu wrong, %lu unknown, %lu equal to ORC's and not to CFI's\n",
	       what, s->places, s->equal, s->wrong, s->unknown, s->other, s->cfa_wrong,
	       s->cfa_unknown, s->cfa_by_orc);
}

static double processor_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct image im = { 0 };
	struct score calls = { 0 }, others = { 0 };
	bool all = false;
	for (; argc > 1 && !strncmp(argv[1], "--", 2); argc--, argv++) {
		all |= !strcmp(argv[1], "--all");
		show_all |= !strcmp(argv[1], "--show");
	}
	if (argc != 2)
		die("needs a file");
	elf_version(EV_CURRENT);
	im.elf = open_elf(argv[1]);
	lay_out(&im);
	add_sections(&im);
	add_functions(&im);
	add_kernel_leads(&im);
	find_orc_tables(&im);
	open_cfi(&im);
	mark_parts(&im);
	double begin = processor_time();
	size_t functions = 0;
	for (size_t i = 0; i < im.function_count; i++) {
		if (im.functions[i].part ||
		    (i && im.functions[i].start == im.functions[i - 1].start))
			continue;
		code_table_free(make_table(&im, im.functions[i].start));
		functions++;
	}
	printf("%zu functions followed in %.2f s of the processor\n", functions,
	       processor_time() - begin);
	for (size_t i = 0; i < im.function_count; i++)
		if ((!i || im.functions[i].start != im.functions[i - 1].start) &&
		    (*im.functions[i].name || !im.functions[i].part))
			look_at(&im, &im.functions[i], all, &calls, &others);
	print("calls", &calls);
	if (all)
		print("others", &others);
	/* What is to be reached: 98 of 100. */
	return calls.wrong || calls.cfa_wrong || calls.equal < 49 * calls.unknown || !calls.equal;
}
