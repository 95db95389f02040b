// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/find/vmcoreinfo_memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/find/arch.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

/* How much of struct uts_namespace holds its release, wherever it begins there: a reference count
 * may come first, and six fields of 65 bytes follow. */
enum { UTS_BYTES = 512 };

bool vmcoreinfo_leads(struct memory *m, const struct vspace *space,
		      const struct vmcoreinfo_proof *proof)
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

/* Whether @text is the VMCOREINFO of the kernel whose page tables @space is; if that is NULL, of
 * one that is found. */
static bool fits(struct memory *m, const struct dump_info *dump, const struct vspace *space,
		 const char *text, size_t len)
{
	struct vmcoreinfo *info;
	struct vspace found;
	struct vmcoreinfo_proof proof = { 0 };
	struct err *e = vmcoreinfo_parse(text, len, &info);
	if (e) {
		err_free(e);
		return false;
	}
	if (!space) {
		e = dump->arch->find->from_vmcoreinfo(m, info, dump, NULL, 0, &found);
		vmcoreinfo_free(info);
		bool good = !e;
		err_free(e);
		return good;
	}
	proof.release = vmcoreinfo_get(info, "OSRELEASE");
	bool good = proof.release && *proof.release &&
		    vmcoreinfo_symbol(info, "init_uts_ns", &proof.uts) &&
		    vmcoreinfo_leads(m, space, &proof);
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
