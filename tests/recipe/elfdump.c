// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/recipe/elfdump.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "tests/recipe/image.h"
#include "tests/recipe/recipe.h"

#define SEGMENTS_MAX 0xfffe /* PN_XNUM is the first number e_phnum cannot hold */

#define EHDR(member)                                                                     \
	{                                                                                \
#member, offsetof(Elf64_Ehdr, member), sizeof(((Elf64_Ehdr *)0)->member) \
	}
#define PHDR(member)                                                                             \
	{                                                                                        \
		"phdr." #member, offsetof(Elf64_Phdr, member), sizeof(((Elf64_Phdr *)0)->member) \
	}

static const struct field ehdr_fields[] = {
	EHDR(e_ident), EHDR(e_type),	  EHDR(e_machine), EHDR(e_version),  EHDR(e_entry),
	EHDR(e_phoff), EHDR(e_shoff),	  EHDR(e_flags),   EHDR(e_ehsize),   EHDR(e_phentsize),
	EHDR(e_phnum), EHDR(e_shentsize), EHDR(e_shnum),   EHDR(e_shstrndx),
};

static const struct field phdr_fields[] = {
	PHDR(p_type),  PHDR(p_flags),  PHDR(p_offset), PHDR(p_vaddr),
	PHDR(p_paddr), PHDR(p_filesz), PHDR(p_memsz),  PHDR(p_align),
};

struct segments {
	Elf64_Phdr *phdr; /* owned */
	size_t count;
};

static struct err *add_segment(struct segments *s, Elf64_Phdr phdr)
{
	if (s->count == SEGMENTS_MAX)
		return err_new(ERR_UNSUPPORTED, "memory in more than %d pieces", SEGMENTS_MAX);
	Elf64_Phdr *grown = realloc(s->phdr, (s->count + 1) * sizeof(*grown));
	if (!grown)
		return err_nomem();
	s->phdr = grown;
	s->phdr[s->count++] = phdr;
	return NULL;
}

static bool next_is(const struct recipe *r, uint64_t pfn, enum page_state state)
{
	const struct physpage *page = physmem_page(&r->mem, pfn);
	return page && page->state == state;
}

/* One segment for each run of present pages and the excluded ones that follow it. */
static struct err *memory_segments(const struct recipe *r, struct segments *s)
{
	struct err *e = NULL;
	uint64_t pfn = 0;
	while (!e && physmem_next(&r->mem, pfn, &pfn)) {
		uint64_t start = pfn;
		while (next_is(r, pfn, PAGE_PRESENT))
			pfn++;
		uint64_t filled = pfn;
		while (next_is(r, pfn, PAGE_EXCLUDED))
			pfn++;
		uint64_t paddr = start << RECIPE_PAGE_SHIFT;
		e = add_segment(
			s, (Elf64_Phdr){
				   .p_type = PT_LOAD,
				   .p_flags = PF_R | PF_W | PF_X,
				   .p_vaddr = r->plan.vaddr_zero ? 0 : paddr + r->plan.page_offset,
				   .p_paddr = paddr,
				   .p_filesz = (filled - start) << RECIPE_PAGE_SHIFT,
				   .p_memsz = (pfn - start) << RECIPE_PAGE_SHIFT,
			   });
	}
	return e;
}

static struct err *planned_segments(const struct recipe *r, struct segments *s)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < r->plan.segment_count; i++) {
		const struct plan_segment *plan = &r->plan.segments[i];
		e = add_segment(s, (Elf64_Phdr){ .p_type = PT_LOAD,
						 .p_flags = PF_R | PF_W | PF_X,
						 .p_vaddr = plan->vaddr,
						 .p_paddr = plan->paddr,
						 .p_filesz = plan->size,
						 .p_memsz = plan->size });
	}
	return e;
}

static struct err *all_segments(const struct recipe *r, size_t notes_len, struct segments *s)
{
	struct err *e = add_segment(
		s, (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = notes_len, .p_memsz = notes_len });
	if (!e)
		e = planned_segments(r, s);
	return e ? e : memory_segments(r, s);
}

/* Gives the segments their places in the file, behind the headers. */
static void lay_out(struct segments *s)
{
	uint64_t offset = sizeof(Elf64_Ehdr) + s->count * sizeof(Elf64_Phdr);
	for (size_t i = 0; i < s->count; i++) {
		/* Memory begins on page boundaries, as in /proc/vmcore. */
		if (s->phdr[i].p_type == PT_LOAD)
			offset = (offset + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
		s->phdr[i].p_offset = offset;
		offset += s->phdr[i].p_filesz;
	}
}

static void write_headers(const struct segments *s, struct buf *out)
{
	Elf64_Ehdr ehdr = {
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (Elf64_Half)s->count,
	};
	memcpy(ehdr.e_ident, ELFMAG, SELFMAG);
	ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	buf_add(out, &ehdr, sizeof(ehdr));
	buf_add(out, s->phdr, s->count * sizeof(*s->phdr));
}

static void write_memory(const struct recipe *r, const Elf64_Phdr *phdr, struct buf *out)
{
	uint8_t page[PAGE_BYTES];
	for (uint64_t done = 0; done < phdr->p_filesz; done += sizeof(page)) {
		uint64_t left = phdr->p_filesz - done;
		size_t n = left < sizeof(page) ? (size_t)left : sizeof(page);
		physmem_read(&r->mem, phdr->p_paddr + done, page, n);
		buf_add(out, page, n);
	}
}

struct err *elfdump_make(const struct recipe *r, struct buf *out)
{
	struct buf notes = BUF_INIT;
	struct segments s = { 0 };
	image_notes(r, &notes, NULL, NULL);
	struct err *e = buf_error(&notes);
	if (!e)
		e = all_segments(r, notes.len, &s);
	if (!e) {
		lay_out(&s);
		write_headers(&s, out);
		buf_add(out, notes.data, notes.len);
		for (size_t i = 1; i < s.count; i++) {
			image_pad(out, s.phdr[i].p_offset);
			write_memory(r, &s.phdr[i], out);
		}
		e = buf_error(out);
	}
	free(s.phdr);
	buf_free(&notes);
	return e;
}

struct err *elfdump_field(const struct recipe *r, struct buf *image, const char *name,
			  uint64_t index, const struct field **ret_field, void **ret_structure)
{
	const struct field *f = field_find(ehdr_fields, FIELD_COUNT(ehdr_fields), name);
	if (f) {
		*ret_field = f;
		*ret_structure = image->data;
		return NULL;
	}
	f = field_find(phdr_fields, FIELD_COUNT(phdr_fields), name);
	if (!f)
		return err_new(ERR_NOTFOUND, "no ELF header field '%s'", name);
	/* Counted anew: the header may say anything by now. */
	struct segments s = { 0 };
	struct err *e = all_segments(r, 0, &s);
	free(s.phdr);
	if (!e && index >= s.count)
		e = err_new(ERR_NOTFOUND, "no program header %ju", (uintmax_t)index);
	if (e)
		return e;
	*ret_field = f;
	*ret_structure = image->data + sizeof(Elf64_Ehdr) + index * sizeof(Elf64_Phdr);
	return NULL;
}
