// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/cfi_files.h"

#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "unwind/cfi_check.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/files/ko_file.h"

struct range {
	uint64_t low, high; /* [low, high), as linked */
};

/* What a module's file has. */
struct module_cfi {
	bool tried;
	unsigned generation; /* of the files, then */
	struct ko_file *ko;  /* borrowed: its file; NULL before */
	Dwarf_CFI *section;  /* borrowed from the file; NULL if there is none */
};

struct cfi_files {
	const struct kernel *k; /* borrowed, like the next two */
	const struct modules *modules;
	struct module_files *files; /* may be NULL */
	bool tried;
	Elf *elf;
	Dwarf *dwarf;
	Dwarf_CFI *eh_frame; /* owned; NULL if there is none, or it is not needed */
	Dwarf_CFI *section;  /* the Dwarf's .debug_frame, or eh_frame; NULL if neither is usable */
	struct range *code;  /* owned; the sections with code */
	size_t code_count;
	struct module_cfi *of_modules; /* owned; by index of modules */
};

struct err *cfi_files_new(const struct kernel *k, const struct modules *modules,
			  struct module_files *files, struct cfi_files **ret)
{
	struct cfi_files *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->k = k;
	f->modules = modules;
	f->files = files;
	f->of_modules = calloc(modules->count + 1, sizeof(*f->of_modules));
	if (!f->of_modules) {
		free(f);
		return err_nomem();
	}
	*ret = f;
	return NULL;
}

void cfi_files_free(struct cfi_files *f)
{
	if (!f)
		return;
	dwarf_cfi_end(f->eh_frame);
	dwarf_end(f->dwarf);
	elf_guard_end(f->elf);
	free(f->code);
	free(f->of_modules);
	free(f);
}

/* The one of the two to use, if it does not make libdw do what it should not. */
static Dwarf_CFI *choose(Elf *elf, Dwarf_CFI *debug_frame, Dwarf_CFI *eh_frame, const char *whose)
{
	Dwarf_CFI *chosen = debug_frame ? debug_frame : eh_frame;
	const char *why;
	if (!chosen || cfi_check_elf(elf, debug_frame ? ".debug_frame" : ".eh_frame", &why))
		return chosen;
	log_debug(LOG_UNWIND, "CFI of %s is not used: %s", whose, why);
	return NULL;
}

static struct err *find_code(struct cfi_files *f)
{
	size_t sections;
	if (elf_getshdrnum(f->elf, &sections))
		return err_new(ERR_FORMAT, "sections: %s", elf_errmsg(-1));
	f->code = calloc(sections + 1, sizeof(*f->code));
	if (!f->code)
		return err_nomem();
	for (Elf_Scn *section = NULL; (section = elf_nextscn(f->elf, section));) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR &&
		    header.sh_size && header.sh_addr + header.sh_size > header.sh_addr &&
		    f->code_count < sections)
			f->code[f->code_count++] =
				(struct range){ header.sh_addr, header.sh_addr + header.sh_size };
	}
	return NULL;
}

/*
 * .debug_frame, which the kernel's debug information has; a kernel keeps no .eh_frame, but a file
 * that has it alone is as good.
 */
static struct err *open_file(struct cfi_files *f, const struct debug_file *file)
{
	elf_version(EV_CURRENT);
	f->elf = elf_guard_begin(file->fd, ELF_C_READ_MMAP, file->path);
	if (!f->elf)
		return err_new(ERR_FORMAT, "%s", elf_errmsg(-1));
	f->dwarf = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
	Dwarf_CFI *debug_frame = f->dwarf ? dwarf_getcfi(f->dwarf) : NULL;
	if (!debug_frame)
		f->eh_frame = dwarf_getcfi_elf(f->elf);
	f->section = choose(f->elf, debug_frame, f->eh_frame, "the kernel");
	return find_code(f);
}

static void try_file(struct cfi_files *f)
{
	const struct debug_file *file = kernel_debug_file(f->k);
	f->tried = true;
	if (!file)
		return;
	struct err *e = open_file(f, file);
	if (e) {
		log_debug(LOG_UNWIND, "%s: %s", file->path, err_msg(e));
		f->code_count = 0;
	}
	err_free(e);
}

/* Relocated, they speak of run-time addresses. */
static bool find_of_module(struct cfi_files *f, const struct module *module,
			   struct Dwarf_CFI_s **ret)
{
	struct module_cfi *m = &f->of_modules[module - f->modules->list];
	unsigned generation = f->files ? module_files_generation(f->files) : 0;
	if (!m->tried || (!m->section && m->generation != generation)) {
		struct ko_file *ko;
		Dwarf_CFI *debug_frame, *eh_frame;
		m->tried = true;
		m->generation = generation;
		struct err *e = f->files ? module_files_ko(f->files, module, &ko) : NULL;
		if (e) {
			log_debug(LOG_UNWIND, "CFI of module %s: %s", module->name, err_msg(e));
		} else if (f->files) {
			ko_file_cfi(ko, &debug_frame, &eh_frame);
			m->ko = ko;
			m->section =
				choose(ko_file_cfi_elf(ko), debug_frame, eh_frame, module->name);
		}
		err_free(e);
	}
	if (m->ko && ko_file_is_bad(m->ko))
		return false;
	*ret = m->section;
	return m->section;
}

bool cfi_files_find(struct cfi_files *f, const struct module *module, uint64_t pc,
		    struct Dwarf_CFI_s **ret_cfi, uint64_t *ret_bias)
{
	uint64_t text, slide;
	*ret_bias = 0;
	if (module && find_of_module(f, module, ret_cfi))
		return true;
	/* The kernel's file may have code of a module's too, where all was linked into one. KASLR
	 * moves the image within its own area, which ends where that of the modules begins: no
	 * module's address can be taken for one of the image's. */
	if (!f->tried)
		try_file(f);
	if (!f->section || elf_guard_is_bad(f->elf) || !kernel_text(f->k, &text, &slide))
		return false;
	for (size_t i = 0; i < f->code_count; i++) {
		if (pc - slide < f->code[i].low || pc - slide >= f->code[i].high)
			continue;
		*ret_cfi = f->section;
		*ret_bias = slide;
		return true;
	}
	return false;
}
