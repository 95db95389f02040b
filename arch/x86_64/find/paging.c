// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/find/paging.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/dump/notes.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/find/arch.h"
#include "vmcore/find/vmcoreinfo_memory.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

static bool try_levels(struct memory *m, const struct vmcoreinfo *info, struct vspace *space,
		       const struct vmcoreinfo_proof *proof)
{
	uint64_t five = 0;
	bool told = vmcoreinfo_number(info, "pgtable_l5_enabled", &five);
	space->levels = five ? 5 : 4;
	if (vmcoreinfo_leads(m, space, proof))
		return true;
	if (told)
		return false;
	space->levels = 5;
	return vmcoreinfo_leads(m, space, proof);
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

static struct err *paging_from_vmcoreinfo(struct memory *m, const struct vmcoreinfo *info,
					  const struct dump_info *dump,
					  const struct cpu_note *notes, size_t note_count,
					  struct vspace *ret)
{
	struct vmcoreinfo_proof proof = { .release = vmcoreinfo_get(info, "OSRELEASE") };
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
			space.root = cr3_table(notes[i].system[NOTE_CR3], attempt) & ~space.c_mask;
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
static bool paging_image_start(struct memory *m, const struct vspace *space, uint64_t *ret)
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

static struct err *paging_from_cr3(struct memory *m, const struct cpu_note *notes,
				   size_t note_count, struct vspace *ret, uint64_t *ret_text)
{
	bool any = false;
	for (size_t i = 0; i < note_count; i++) {
		if (!notes[i].from_qemu)
			continue;
		any = true;
		for (unsigned attempt = 0; attempt < 2; attempt++) {
			struct vspace space = {
				.root = cr3_table(notes[i].system[NOTE_CR3], attempt),
				.levels =
					notes[i].system[NOTE_CR4] & 1u << 12 ? 5 : 4, /* CR4.LA57 */
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

static void paging_take_own_tables(struct memory *m, const struct symbols *symbols, uint64_t text,
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

static struct err *paging_from_symbols(struct memory *m, const struct symbols *symbols,
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

const struct find_arch x86_64_find = {
	.from_vmcoreinfo = paging_from_vmcoreinfo,
	.from_symbols = paging_from_symbols,
	.from_notes = paging_from_cr3,
	.image_start = paging_image_start,
	.take_own_tables = paging_take_own_tables,
};
