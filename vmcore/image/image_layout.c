// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/image_layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/err.h"
#include "vmcore/code/made_code.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/elf_writer.h"
#include "vmcore/kernel/kernel.h"

enum {
	NAME_SIZE = MODULE_NAME + 16,
	IMAGE_MAX = 1 << 30, /* of the kernel's image: KERNEL_IMAGE_SIZE */
	PARTS_MAX = ELF_SECTIONS_MAX - 64,
	PERCPU_MAX = 1 << 30, /* of offsets in a CPU's area */
	BPF_GAP = 2 << 20, /* programs share areas of this size (PMD_SIZE in kernel/bpf/core.c) */
};

struct draft {
	struct image_part part;
	bool bpf;
	uint64_t flags; /* SHF_* */
	char name[NAME_SIZE];
};

struct drafts {
	struct draft *list; /* owned */
	size_t count, capacity;
};

static struct err *add_draft(struct drafts *d, uint64_t low, uint64_t high, bool code,
			     const char *prefix, const char *name)
{
	if (low >= high || d->count == PARTS_MAX)
		return NULL;
	if (d->count == d->capacity) {
		size_t more = d->capacity ? 2 * d->capacity : 64;
		struct draft *list = reallocarray(d->list, more, sizeof(*list));
		if (!list)
			return err_nomem();
		d->list = list;
		d->capacity = more;
	}
	struct draft *draft = &d->list[d->count++];
	*draft = (struct draft){ .part = { low, high, code, 0 } };
	draft->flags = SHF_ALLOC;
	if (code)
		draft->flags |= SHF_EXECINSTR;
	else if (strcmp(name, ".rodata") != 0)
		draft->flags |= SHF_WRITE;
	snprintf(draft->name, sizeof(draft->name), "%s%s", prefix, name);
	return NULL;
}

/* ---- the kernel ---- */

struct boundary {
	uint64_t address;
	const char *section;
	bool code;
};

static int by_boundary(const void *a, const void *b)
{
	const struct boundary *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

/* Where the image ends: _end, or the last of its symbols. */
static uint64_t find_end(const struct kernel *k, uint64_t text)
{
	uint64_t end;
	if (kernel_symbol(k, "_end", &end) && end > text && end - text <= IMAGE_MAX)
		return end;
	const struct symbols *s = kernel_symbols(k);
	end = text;
	for (size_t i = 0; i < symbols_count(s); i++) {
		struct symbol symbol = symbols_nth(s, i);
		if (symbol.address >= end && symbol.address - text < IMAGE_MAX &&
		    symbol.type != 'A' && symbol.type != 'a')
			end = symbol.address + 1;
	}
	return end;
}

/* The sections that matter to a debugger, from the linker script's boundaries: what is code and
 * what is not. Their names are those of a vmlinux, each for all that lies up to the next. */
static struct err *draft_kernel(const struct kernel *k, uint64_t text, struct drafts *d)
{
	static const struct {
		const char *symbol, *section;
		bool code;
	} starts[] = {
		{ "_etext", ".rodata", false },	      { "_sdata", ".data", false },
		{ "_sinittext", ".init.text", true }, { "_einittext", ".init.data", false },
		{ "__bss_start", ".bss", false },
	};
	enum { STARTS = sizeof(starts) / sizeof(*starts) };
	struct boundary found[STARTS + 2] = { { text, ".text", true } };
	uint64_t end = find_end(k, text);
	size_t count = 1;
	for (size_t i = 0; i < STARTS; i++) {
		uint64_t at;
		if (kernel_symbol(k, starts[i].symbol, &at) && at > text && at < end)
			found[count++] = (struct boundary){ at, starts[i].section, starts[i].code };
	}
	qsort(found, count, sizeof(*found), by_boundary);
	found[count].address = end;
	struct err *e = NULL;
	for (size_t i = 0; !e && i < count; i++)
		e = add_draft(d, found[i].address, found[i + 1].address, found[i].code, "",
			      found[i].section);
	return e;
}

/* ---- what came later ---- */

static struct err *draft_modules(const struct modules *modules, struct drafts *d)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		char prefix[NAME_SIZE];
		snprintf(prefix, sizeof(prefix), "[%s]", m->name);
		for (unsigned r = 0; !e && r < m->region_count; r++) {
			const struct module_region *region = &m->regions[r];
			e = add_draft(d, region->low, region->text_end, true, prefix, ".text");
			if (!e)
				e = add_draft(d, region->text_end, region->high, false, prefix,
					      ".data");
		}
	}
	return e;
}

static struct err *draft_bpf(const struct made_code *bpf, struct drafts *d)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < bpf->count; i++) {
		size_t before = d->count;
		e = add_draft(d, bpf->list[i].start, bpf->list[i].end, true, "[bpf]", ".text");
		if (d->count > before)
			d->list[before].bpf = true;
	}
	return e;
}

static int by_low(const void *a, const void *b)
{
	const struct draft *x = a, *y = b;
	return x->part.low < y->part.low ? -1 : x->part.low > y->part.low;
}

/* Puts what came later in order. Programs that lie near each other share a section. */
static void tidy(struct drafts *d, size_t own)
{
	size_t kept = own;
	qsort(d->list + own, d->count - own, sizeof(*d->list), by_low);
	for (size_t i = own; i < d->count; i++) {
		struct draft *last = kept > own ? &d->list[kept - 1] : NULL;
		const struct draft *draft = &d->list[i];
		if (last && last->bpf && draft->bpf && draft->part.low >= last->part.high &&
		    draft->part.low - last->part.high < BPF_GAP)
			last->part.high = draft->part.high;
		else
			d->list[kept++] = *draft;
	}
	d->count = kept;
}

/* ---- the file ---- */

/* Sections and segments, one each: gdb moves only what lies in a segment, and takes the first for
 * what TextSeg is about. */
static struct err *write_parts(struct drafts *d, struct elf_writer *w, struct image_layout *l)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < d->count; i++) {
		struct image_part *part = &d->list[i].part;
		struct elf_section section = {
			.name = d->list[i].name,
			.type = SHT_NOBITS,
			.flags = d->list[i].flags,
			.address = part->low - l->slide,
			.size = part->high - part->low,
			.align = 1,
		};
		/* All of it lies above the kernel, unless it is damaged. */
		if (l->count && part->low < l->parts[l->count - 1].high)
			continue;
		if (!is_kernel_address(part->low) ||
		    section.address + section.size < section.address)
			continue;
		e = elf_writer_section(w, &section, NULL, &part->section);
		if (!e)
			e = elf_writer_load(w, section.address, section.size,
					    PF_R | (section.flags & SHF_EXECINSTR ? PF_X : 0) |
						    (section.flags & SHF_WRITE ? PF_W : 0));
		l->parts[l->count++] = *part;
	}
	return e;
}

/* ---- per-CPU variables ---- */

static struct err *draft_percpu(const struct kernel *k, const struct modules *modules,
				struct drafts *d)
{
	uint64_t start, end;
	struct err *e = NULL;
	if (kernel_symbol(k, "__per_cpu_start", &start) && kernel_symbol(k, "__per_cpu_end", &end))
		e = add_draft(d, start, end, false, "", ".data..percpu");
	for (size_t i = 0; !e && i < modules->count; i++) {
		const struct module *m = &modules->list[i];
		char prefix[NAME_SIZE];
		snprintf(prefix, sizeof(prefix), "[%s]", m->name);
		e = add_draft(d, m->percpu, m->percpu_end, false, prefix, ".data..percpu");
	}
	return e;
}

static struct err *write_percpu(struct drafts *d, struct elf_writer *w, struct image_layout *l)
{
	struct err *e = NULL;
	for (size_t i = 0; !e && i < d->count; i++) {
		struct image_part *part = &d->list[i].part;
		struct elf_section section = {
			.name = d->list[i].name,
			.type = SHT_NOBITS,
			.flags = SHF_ALLOC | SHF_WRITE,
			.address = part->low,
			.size = part->high - part->low,
		};
		/* Later kernels' are addresses in the image, whose sections hold them. */
		if (part->high > PERCPU_MAX ||
		    (l->percpu_count && part->low < l->percpu[l->percpu_count - 1].high))
			continue;
		e = elf_writer_section(w, &section, NULL, &part->section);
		l->percpu[l->percpu_count++] = *part;
	}
	return e;
}

static struct err *place_percpu(const struct kernel *k, const struct modules *modules,
				struct elf_writer *w, struct image_layout *l)
{
	struct drafts d = { 0 };
	struct err *e = draft_percpu(k, modules, &d);
	l->percpu = calloc(d.count + 1, sizeof(*l->percpu));
	if (!e && !l->percpu)
		e = err_nomem();
	if (!e && d.count) {
		qsort(d.list, d.count, sizeof(*d.list), by_low);
		e = write_percpu(&d, w, l);
	}
	free(d.list);
	return e;
}

struct err *image_layout_make(const struct kernel *k, const struct modules *modules,
			      const struct made_code *bpf, struct elf_writer *w,
			      struct image_layout *ret)
{
	struct drafts d = { 0 };
	struct image_layout l = { 0 };
	uint64_t text;
	if (!kernel_text(k, &text, &l.slide))
		return err_new(ERR_NOTFOUND, "where the kernel's image begins is not known");
	struct err *e = draft_kernel(k, text, &d);
	size_t own = d.count;
	if (!e)
		e = draft_modules(modules, &d);
	if (!e)
		e = draft_bpf(bpf, &d);
	l.parts = calloc(d.count + 1, sizeof(*l.parts));
	if (!e && !l.parts)
		e = err_nomem();
	if (!e) {
		tidy(&d, own);
		e = write_parts(&d, w, &l);
	}
	free(d.list);
	if (!e)
		e = place_percpu(k, modules, w, &l);
	if (e) {
		image_layout_free(&l);
		return e;
	}
	*ret = l;
	return NULL;
}

void image_layout_free(struct image_layout *l)
{
	free(l->parts);
	free(l->percpu);
	*l = (struct image_layout){ 0 };
}

static const struct image_part *find_part(const struct image_part *parts, size_t count,
					  uint64_t address)
{
	/* The first part above @address is parts[low] in the end. */
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (parts[middle].low <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address <= parts[low - 1].high ? &parts[low - 1] : NULL;
}

const struct image_part *image_layout_find(const struct image_layout *l, uint64_t address)
{
	return find_part(l->parts, l->count, address);
}

const struct image_part *image_layout_find_percpu(const struct image_layout *l, uint64_t address)
{
	return find_part(l->percpu, l->percpu_count, address);
}
