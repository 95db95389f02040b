// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/paging.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/prstatus.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

/* How much of struct uts_namespace holds its release, wherever it begins there: a reference count
 * may come first, and six fields of 65 bytes follow. */
enum { UTS_BYTES = 512 };

/* What a set of page tables must lead to. */
struct proof {
	uint64_t uts; /* address of init_uts_ns */
	const char *release;
};

static bool proves(struct memory *m, const struct vspace *space, const struct proof *proof)
{
	char uts[UTS_BYTES];
	struct err *e = memory_read_all(m, space, proof->uts, uts, sizeof(uts));
	if (e) {
		log_debug(LOG_MEMORY, "tables at 0x%" PRIx64 ", %u levels: %s", space->root,
			  space->levels, err_msg(e));
		err_free(e);
		return false;
	}
	/* With its end mark: 6.1.0-1 must not pass for 6.1.0-18. */
	return memmem(uts, sizeof(uts), proof->release, strlen(proof->release) + 1);
}

static bool try_levels(struct memory *m, const struct vmcoreinfo *info, struct vspace *space,
		       const struct proof *proof)
{
	uint64_t five = 0;
	bool told = vmcoreinfo_number(info, "pgtable_l5_enabled", &five);
	space->levels = five ? 5 : 4;
	if (proves(m, space, proof))
		return true;
	if (told)
		return false;
	space->levels = 5;
	return proves(m, space, proof);
}

/* The symbol of the top-level table by its names through time: init_level4_pgt until 4.12,
 * init_top_pgt since; swapper_pg_dir is a macro for it on x86-64 and what VMCOREINFO calls it. */
static bool root_symbol(const struct vmcoreinfo *info, uint64_t *ret)
{
	return vmcoreinfo_symbol(info, "swapper_pg_dir", ret) ||
	       vmcoreinfo_symbol(info, "init_top_pgt", ret) ||
	       vmcoreinfo_symbol(info, "init_level4_pgt", ret);
}

/* What @cr3 may mean, the likelier first: the user half's tables map some of the kernel too. */
static uint64_t cr3_table(uint64_t cr3, unsigned attempt)
{
	return cr3 & CR3_ADDRESS & (attempt ? ~UINT64_C(0) : ~CR3_USER_HALF);
}

struct err *paging_from_vmcoreinfo(struct memory *m, const struct vmcoreinfo *info,
				   const struct dump_info *dump, const struct cpu_note *notes,
				   size_t note_count, struct vspace *ret)
{
	struct proof proof = { .release = vmcoreinfo_get(info, "OSRELEASE") };
	struct vspace space = { 0 };
	uint64_t root, phys_base;
	if (!proof.release || !*proof.release ||
	    !vmcoreinfo_symbol(info, "init_uts_ns", &proof.uts))
		return err_new(ERR_FORMAT, "VMCOREINFO has no OSRELEASE or no SYMBOL(init_uts_ns)");
	vmcoreinfo_number(info, "sme_mask", &space.c_mask);

	if (root_symbol(info, &root)) {
		uint64_t bases[3];
		size_t count = 0;
		if (vmcoreinfo_number(info, "phys_base", &phys_base))
			bases[count++] = phys_base;
		if (dump->has_phys_base)
			bases[count++] = dump->phys_base;
		bases[count++] = 0;
		for (size_t i = 0; i < count; i++) {
			space.root = root - START_KERNEL_MAP + bases[i];
			if (!(space.root % PAGE_SIZE) && try_levels(m, info, &space, &proof))
				goto found;
		}
	}
	for (size_t i = 0; i < note_count; i++) {
		if (!notes[i].from_qemu)
			continue;
		for (unsigned attempt = 0; attempt < 2; attempt++) {
			space.root = cr3_table(notes[i].cr[3], attempt) & ~space.c_mask;
			if (try_levels(m, info, &space, &proof))
				goto found;
		}
	}
	return err_new(
		ERR_CORRUPT,
		"no page tables were found that lead to the kernel %s which VMCOREINFO names: "
		"the dump may be cut off or filtered too far",
		proof.release);
found:
	log_debug(LOG_MEMORY, "page tables at 0x%" PRIx64 ", %u levels", space.root, space.levels);
	*ret = space;
	return NULL;
}

/* Modules and the fixmap lie above the image. */
bool paging_image_start(struct memory *m, const struct vspace *space, uint64_t *ret)
{
	uint64_t va = START_KERNEL_MAP;
	/* memory_next() skips what the tables leave out, so this takes few steps or never ends. */
	for (unsigned steps = 0; steps < 4096 && va >= START_KERNEL_MAP; steps++) {
		struct vtop vtop;
		struct err *e = memory_vtop(m, space, va, &vtop);
		if (!e) {
			*ret = va;
			return true;
		}
		err_free(e);
		if (!memory_next(m, space, va, &va))
			return false;
	}
	return false;
}

struct err *paging_from_cr3(struct memory *m, const struct cpu_note *notes, size_t note_count,
			    struct vspace *ret, uint64_t *ret_text)
{
	bool any = false;
	for (size_t i = 0; i < note_count; i++) {
		if (!notes[i].from_qemu)
			continue;
		any = true;
		for (unsigned attempt = 0; attempt < 2; attempt++) {
			struct vspace space = {
				.root = cr3_table(notes[i].cr[3], attempt),
				.levels = notes[i].cr[4] & 1u << 12 ? 5 : 4, /* CR4.LA57 */
			};
			if (paging_image_start(m, &space, ret_text)) {
				*ret = space;
				return NULL;
			}
		}
	}
	return err_new(ERR_NOTFOUND,
		       any ? "no CPU's CR3 leads to page tables that map a Linux kernel"
			   : "the dump has no VMCOREINFO and no QEMU CPU notes: nothing in it says "
			     "where the kernel's page tables are");
}

/* ---- by the symbols of a running kernel ---- */

static bool table_symbol(const struct symbols *s, uint64_t *ret)
{
	return symbols_address(s, "swapper_pg_dir", ret) ||
	       symbols_address(s, "init_top_pgt", ret) ||
	       symbols_address(s, "init_level4_pgt", ret);
}

void paging_take_own_tables(struct memory *m, const struct symbols *symbols, uint64_t text,
			    struct vspace *space)
{
	struct vspace own = *space;
	struct vtop where, here, there;
	uint64_t at;
	if (!table_symbol(symbols, &at))
		return;
	struct err *e = memory_vtop(m, space, at, &where);
	if (!e)
		e = memory_vtop(m, space, text, &here);
	if (!e) {
		own.root = where.pa;
		e = memory_vtop(m, &own, text, &there);
	}
	if (!e && here.pa == there.pa)
		*space = own;
	err_free(e);
}

/* The image is in one piece in physical memory. */
static uint64_t image_pa(uint64_t va, uint64_t phys_base)
{
	return va - START_KERNEL_MAP + phys_base;
}

/* The bit that encrypts memory, which page tables have set too (sme_me_mask,
 * arch/x86/mm/mem_encrypt_identity.c); 0 if there is none. */
static uint64_t encryption_bit(struct memory *m, const struct symbols *s, uint64_t phys_base)
{
	unsigned char bytes[8];
	size_t got = 0;
	uint64_t at, mask = 0;
	if (!symbols_address(s, "sme_me_mask", &at))
		return 0;
	struct err *e = memory_read_phys(m, image_pa(at, phys_base), bytes, sizeof(bytes), &got);
	if (!e && got == sizeof(bytes))
		mask = get_u64(bytes);
	err_free(e);
	/* One bit, of those that addresses in tables have. */
	return mask & (mask - 1) || mask & ~CR3_ADDRESS ? 0 : mask;
}

/* Whether @space has _text where the image begins, and in it the kernel's banner. */
static bool leads_to_image(struct memory *m, const struct vspace *space, uint64_t text,
			   uint64_t text_pa, uint64_t banner)
{
	static const char prefix[] = "Linux version ";
	char found[sizeof(prefix) - 1];
	struct vtop vtop;
	struct err *e = memory_vtop(m, space, text, &vtop);
	bool good = !e && vtop.pa == text_pa;
	err_free(e);
	if (!good)
		return false;
	e = memory_read_all(m, space, banner, found, sizeof(found));
	good = !e && !memcmp(found, prefix, sizeof(found));
	err_free(e);
	return good;
}

struct err *paging_from_symbols(struct memory *m, const struct symbols *symbols,
				const struct dump_info *dump, struct vspace *ret)
{
	uint64_t root, text, banner, bases[3];
	size_t count = 0;
	if (!table_symbol(symbols, &root) || !symbols_address(symbols, "linux_banner", &banner))
		return err_new(ERR_NOTFOUND,
			       "the kernel lists functions only: it was built without "
			       "CONFIG_KALLSYMS_ALL");
	if (!symbols_address(symbols, "_text", &text))
		return err_new(ERR_NOTFOUND, "the kernel does not list _text");
	if (dump->kernel_code)
		bases[count++] = dump->kernel_code - (text - START_KERNEL_MAP);
	if (dump->has_phys_base)
		bases[count++] = dump->phys_base;
	bases[count++] = 0;
	for (size_t i = 0; i < count; i++) {
		struct vspace space = {
			.root = image_pa(root, bases[i]),
			.c_mask = encryption_bit(m, symbols, bases[i]),
		};
		if (space.root % PAGE_SIZE)
			continue;
		for (space.levels = 4; space.levels <= 5; space.levels++) {
			if (!leads_to_image(m, &space, text, image_pa(text, bases[i]), banner))
				continue;
			log_debug(LOG_MEMORY, "page tables at 0x%" PRIx64 ", %u levels, by symbols",
				  space.root, space.levels);
			*ret = space;
			return NULL;
		}
	}
	return err_new(ERR_NOTFOUND,
		       "the symbols that the kernel lists lead to no page tables of its own");
}

/* ---- by VMCOREINFO in memory ---- */

/* Whether @text is the VMCOREINFO of the kernel whose page tables @space is; if that is NULL, of
 * one that is found. */
static bool fits(struct memory *m, const struct dump_info *dump, const struct vspace *space,
		 const char *text, size_t len)
{
	struct vmcoreinfo *info;
	struct vspace found;
	struct proof proof = { 0 };
	struct err *e = vmcoreinfo_parse(text, len, &info);
	if (e) {
		err_free(e);
		return false;
	}
	if (!space) {
		e = paging_from_vmcoreinfo(m, info, dump, NULL, 0, &found);
		vmcoreinfo_free(info);
		bool good = !e;
		err_free(e);
		return good;
	}
	proof.release = vmcoreinfo_get(info, "OSRELEASE");
	bool good = proof.release && *proof.release &&
		    vmcoreinfo_symbol(info, "init_uts_ns", &proof.uts) && proves(m, space, &proof);
	vmcoreinfo_free(info);
	return good;
}

/* Elf64_Nhdr, then the name padded to four bytes. */
static const char note_name[12] = "VMCOREINFO";
enum { NOTE_HEADER = 12, NOTE_TEXT = NOTE_HEADER + sizeof(note_name) };

struct err *paging_read_vmcoreinfo(struct memory *m, uint64_t pa, char **ret_text, size_t *ret_len)
{
	unsigned char header[NOTE_TEXT];
	size_t got;
	*ret_text = NULL;
	struct err *e = memory_read_phys(m, pa, header, sizeof(header), &got);
	size_t len = !e && got == sizeof(header) ? get_u32(header + 4) : 0;
	err_free(e);
	if (!len || len > PAGE_SIZE || get_u32(header) != strlen(note_name) + 1 ||
	    memcmp(header + NOTE_HEADER, note_name, sizeof(note_name)) != 0)
		return NULL;
	char *text = malloc(len + 1);
	if (!text)
		return err_nomem();
	e = memory_read_phys(m, pa + NOTE_TEXT, text, len, &got);
	if (e || got < len) {
		err_free(e);
		free(text);
		return NULL;
	}
	text[len] = 0;
	*ret_text = text;
	*ret_len = len;
	return NULL;
}

struct err *paging_vmcoreinfo_of_symbols(struct memory *m, const struct vspace *space,
					 const struct symbols *symbols, char **ret_text,
					 size_t *ret_len)
{
	unsigned char pointer[8];
	struct vtop where;
	uint64_t at;
	*ret_text = NULL;
	if (!symbols_address(symbols, "vmcoreinfo_note", &at))
		return err_new(ERR_NOTFOUND, "the kernel has no symbol vmcoreinfo_note");
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		struct err *e = memory_read_all(m, space, at, pointer, sizeof(pointer));
		if (!e)
			e = memory_vtop(m, space, at, &where);
		if (!e)
			e = paging_read_vmcoreinfo(m, where.pa, ret_text, ret_len);
		if (e || *ret_text)
			return e;
		at = get_u64(pointer);
	}
	return err_new(ERR_NOTFOUND, "vmcoreinfo_note holds no VMCOREINFO");
}

/* Who looks for the note, and how. */
struct note_search {
	struct memory *m;
	const struct page_source *pages;
	const struct dump_info *dump;
	const struct vspace *space; /* NULL: what the note leads to */
	bool anywhere;		    /* not where pages begin alone */
};

/* The next place at or behind @at where the note's name begins; NULL if there is none. */
static const unsigned char *next_name(const unsigned char *at, const unsigned char *end)
{
	/* Without what pads it, which may lie on the next page. */
	size_t len = sizeof("VMCOREINFO");
	return end - at < (ptrdiff_t)len ? NULL : memmem(at, (size_t)(end - at), note_name, len);
}

/* The note whose name is at @pa, if it is the one; else *ret_text is NULL. *ret_len is the length
 * also of a text that is not. */
static struct err *try_note(const struct note_search *s, uint64_t pa, char **ret_text,
			    size_t *ret_len)
{
	char *text;
	*ret_text = NULL;
	*ret_len = 0;
	struct err *e = pa < NOTE_HEADER
				? NULL
				: paging_read_vmcoreinfo(s->m, pa - NOTE_HEADER, &text, ret_len);
	if (e || pa < NOTE_HEADER || !text)
		return e;
	if (fits(s->m, s->dump, s->space, text, *ret_len))
		*ret_text = text;
	else
		free(text);
	return NULL;
}

/* The bytes @from to @to of @page, which is at @base. */
static struct err *search_page(const struct note_search *s, const unsigned char *page,
			       uint64_t base, uint16_t from, uint16_t to, char **ret_text,
			       size_t *ret_len)
{
	const unsigned char *at = page + from, *end = page + to;
	*ret_text = NULL;
	if (!s->anywhere)
		return !from && to >= NOTE_TEXT &&
				       !memcmp(page + NOTE_HEADER, note_name, sizeof(note_name))
			       ? try_note(s, base + NOTE_HEADER, ret_text, ret_len)
			       : NULL;
	while ((at = next_name(at, end))) {
		struct err *e = try_note(s, base + (uint64_t)(at - page), ret_text, ret_len);
		if (e || *ret_text)
			return e;
		/* Notes do not overlap: the work is bounded by what is read. */
		size_t skip = *ret_len ? sizeof(note_name) + *ret_len : 1;
		if (skip >= (size_t)(end - at))
			return NULL;
		at += skip;
	}
	return NULL;
}

static struct err *search(const struct note_search *s,
			  void (*progress)(void *closure, const char *doing, uint64_t done,
					   uint64_t total),
			  void *closure, char **ret_text, size_t *ret_len)
{
	unsigned char page[PAGE_SIZE];
	uint16_t from, to;
	*ret_text = NULL;
	for (uint64_t pfn = 0; s->pages->next_page(s->pages->self, pfn, &pfn); pfn++) {
		if (progress && pfn % 65536 == 0)
			progress(closure, "looking for VMCOREINFO in memory", pfn,
				 s->dump->max_pfn);
		/* Not through the cache: every page is looked at once. */
		struct err *e = s->pages->read_page(s->pages->self, pfn, page, &from, &to);
		if (e) {
			err_free(e);
			continue;
		}
		e = search_page(s, page, pfn << PAGE_SHIFT, from, to, ret_text, ret_len);
		if (e || *ret_text)
			return e;
	}
	return NULL;
}

struct err *paging_find_vmcoreinfo(struct memory *m, const struct page_source *pages,
				   const struct dump_info *dump, const struct vspace *space,
				   void (*progress)(void *closure, const char *doing, uint64_t done,
						    uint64_t total),
				   void *closure, char **ret_text, size_t *ret_len)
{
	struct note_search s = { m, pages, dump, space, false };
	char *text;
	size_t len;
	struct err *e = search(&s, progress, closure, &text, &len);
	/* That takes longer, and is for kernels that are old. */
	if (!e && !text) {
		s.anywhere = true;
		e = search(&s, progress, closure, &text, &len);
	}
	if (e)
		return e;
	if (!text)
		return err_new(ERR_NOTFOUND, "no VMCOREINFO note is in the dump's memory");
	*ret_text = text;
	*ret_len = len;
	return NULL;
}
