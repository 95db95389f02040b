// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/code/code_scopes.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/file_map.h"
#include "base/log.h"
#include "base/map.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/code_path.h"
#include "vmcore/code/module_files.h"
#include "vmcore/code/modules.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/elf_guard.h"
#include "vmcore/names/files/debugfiles.h"

enum {
	/* Places that are remembered; a machine's threads stand in some hundred. */
	KEPT = 4096,
};

struct code_scopes {
	const struct kernel *k; /* borrowed, like the next two */
	const struct code_map *code;
	struct module_files *files;
	bool tried;
	Elf *elf;
	Dwarf *dwarf;		      /* NULL if there is none */
	struct map known;	      /* pc -> index of kept */
	struct code_scope_list *kept; /* owned; KEPT of them */
	size_t count, next;	      /* of kept: in use, and to be used next */
	uint64_t *pcs;		      /* owned; whose each of kept is */
	unsigned generation;	      /* of files, when those were asked for */
};

struct err *code_scopes_new(const struct kernel *k, const struct code_map *code,
			    struct module_files *files, struct code_scopes **ret)
{
	struct code_scopes *s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem();
	s->k = k;
	s->code = code;
	s->files = files;
	*ret = s;
	return NULL;
}

void code_scopes_free(struct code_scopes *s)
{
	if (!s)
		return;
	map_free(&s->known);
	free(s->kept);
	free(s->pcs);
	dwarf_end(s->dwarf);
	elf_guard_end(s->elf);
	free(s);
}

static void try_file(struct code_scopes *s)
{
	const struct debug_file *file = kernel_debug_file(s->k);
	s->tried = true;
	if (!file)
		return;
	elf_version(EV_CURRENT);
	s->elf = elf_guard_begin(file->fd, ELF_C_READ_MMAP, file->path);
	s->dwarf = s->elf ? dwarf_begin_elf(s->elf, DWARF_C_READ, NULL) : NULL;
	if (!s->dwarf)
		log_debug(LOG_UNWIND, "%s: no DWARF: %s", file->path, dwarf_errmsg(-1));
}

/* Whether @pc, as linked, is in a section with code: modules lie elsewhere, and looking for what
 * no unit covers means asking every unit. */
static bool is_in_file(Elf *elf, uint64_t pc)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr header;
		if (gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR &&
		    pc >= header.sh_addr && pc - header.sh_addr < header.sh_size)
			return true;
	}
	return false;
}

/* The DWARF of a module's own file, which is relocated to where the dump has it. */
static Dwarf *module_dwarf(struct code_scopes *s, const struct module *m)
{
	Dwarf *dwarf;
	struct err *e = module_files_dwarf(s->files, m, &dwarf);
	if (!e)
		return dwarf;
	log_debug(LOG_UNWIND, "%s: no DWARF: %s", m->name, err_msg(e));
	err_free(e);
	return NULL;
}

bool code_scopes_path(struct code_scopes *s, uint64_t pc, struct code_path *ret)
{
	uint64_t text, slide;
	if (!s->tried)
		try_file(s);
	if (s->dwarf && !elf_guard_is_bad(s->elf) && kernel_text(s->k, &text, &slide) &&
	    is_in_file(s->elf, pc - slide))
		return code_path_find(s->dwarf, slide, pc, ret);
	const struct module *m = code_map_module(s->code, pc);
	Dwarf *dwarf = m ? module_dwarf(s, m) : NULL;
	return dwarf && code_path_find(dwarf, 0, pc, ret);
}

/* ---- one place ---- */

/* A path below the folder that the kernel was compiled in is said from there on. */
static const char *short_path(struct code_path *f, const char *path)
{
	Dwarf_Attribute attribute;
	const char *folder = dwarf_formstring(dwarf_attr(&f->unit, DW_AT_comp_dir, &attribute));
	size_t len = folder ? strlen(folder) : 0;
	if (path && len && !strncmp(path, folder, len) && path[len] == '/')
		return path + len + 1;
	return path;
}

static void add_line(struct code_path *f, struct code_scope *ret)
{
	Dwarf_Line *line = dwarf_getsrc_die(&f->unit, f->pc);
	if (!line)
		return;
	ret->file = short_path(f, dwarf_linesrc(line, NULL, NULL));
	(void)dwarf_lineno(line, &ret->line);
}

/* Where @inlined was inlined into the function around it. */
static void add_call(struct code_path *f, Dwarf_Die *inlined, struct code_scope *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word file, line;
	size_t count;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_getsrcfiles(&f->unit, &files, &count) == 0 && file < count)
		ret->file = short_path(f, dwarf_filesrc(files, file, NULL, NULL));
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 &&
	    line <= INT32_MAX)
		ret->line = (int)line;
}

static void find_scopes(struct code_scopes *s, uint64_t pc, struct code_scope_list *ret)
{
	struct code_path f;
	Dwarf_Die *inner = NULL;
	*ret = (struct code_scope_list){ 0 };
	if (!code_scopes_path(s, pc, &f))
		return;
	for (size_t i = f.depth; i-- > 0;) {
		if (dwarf_tag(&f.list[i]) == DW_TAG_lexical_block)
			continue;
		struct code_scope *scope = &ret->list[ret->count++];
		scope->name = dwarf_diename(&f.list[i]);
		if (inner)
			add_call(&f, inner, scope);
		else
			add_line(&f, scope);
		inner = &f.list[i];
	}
	/* Assembly has lines and no functions. */
	if (!ret->count)
		add_line(&f, &ret->list[ret->count++]);
}

/* ---- remembering ---- */

static bool allocate(struct code_scopes *s)
{
	if (!s->kept)
		s->kept = calloc(KEPT, sizeof(*s->kept));
	if (!s->pcs)
		s->pcs = calloc(KEPT, sizeof(*s->pcs));
	return s->kept && s->pcs;
}

/* A place for @pc's scopes, perhaps that of another pc; NULL when memory is out. */
static struct code_scope_list *remember(struct code_scopes *s, uint64_t pc)
{
	size_t index = s->next;
	if (!allocate(s))
		return NULL;
	if (index < s->count)
		map_remove(&s->known, s->pcs[index]);
	if (!map_put(&s->known, pc, index))
		return NULL;
	s->pcs[index] = pc;
	s->next = (index + 1) % KEPT;
	if (index == s->count)
		s->count++;
	return &s->kept[index];
}

struct err *code_scopes_at(struct code_scopes *s, uint64_t pc, const struct code_scope_list **ret)
{
	uint64_t index;
	if (s->generation != module_files_generation(s->files)) {
		/* What no file covered may be covered now. */
		s->generation = module_files_generation(s->files);
		map_free(&s->known);
		s->count = s->next = 0;
	}
	if (map_get(&s->known, pc, &index)) {
		*ret = &s->kept[index];
		return NULL;
	}
	struct code_scope_list *list = remember(s, pc);
	if (!list)
		return err_nomem();
	uint64_t faults = file_map_faults();
	find_scopes(s, pc, list);
	if (file_map_faults() != faults)
		*list = (struct code_scope_list){ 0 };
	*ret = list;
	return NULL;
}
