// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/types/dwarf_file.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file_map.h"
#include "vmcore/names/debug_sections.h"
#include "vmcore/names/elf_guard.h"

struct dwarf_file {
	Dwarf *dwarf; /* owned unless dwfl is there, which owns it then */
	Dwfl *dwfl;   /* owned; NULL for executables */
	Elf *taken;   /* the library's, which is guarded here; NULL if none is */
};

void dwarf_file_close(struct dwarf_file *f)
{
	if (!f)
		return;
	elf_guard_leave(f->taken);
	if (f->dwfl)
		dwfl_end(f->dwfl);
	else
		dwarf_end(f->dwarf);
	free(f);
}

Dwarf *dwarf_file_dwarf(const struct dwarf_file *f)
{
	return f->dwarf;
}

/* Why libdw found nothing that it can read in the file. */
static struct err *no_dwarf(int fd, const char *path)
{
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, path);
	struct err *e = elf ? debug_sections_check(elf) : NULL;
	elf_guard_end(elf);
	if (e)
		return err_wrap(e, "%s", path);
	return err_new(ERR_NOTFOUND, "%s: no DWARF debug information (%s)", path, dwarf_errmsg(-1));
}

/* Debug information is looked for in the file itself and nowhere else. */
static int find_no_debuginfo(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
			     const char *file, const char *debuglink, GElf_Word crc, char **ret)
{
	(void)mod, (void)userdata, (void)name, (void)base;
	(void)file, (void)debuglink, (void)crc, (void)ret;
	return -1;
}

static const Dwfl_Callbacks relocating = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = find_no_debuginfo,
	.section_address = dwfl_offline_section_address,
};

/* The Dwarf of a relocatable file, which libdwfl relocates; NULL if there is none. */
static Dwarf *open_relocatable(struct dwarf_file *f, int fd, const char *path)
{
	f->dwfl = dwfl_begin(&relocating);
	/* It closes the descriptor that it is given. */
	int own = f->dwfl ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (own < 0)
		return NULL;
	Dwfl_Module *mod = dwfl_report_offline(f->dwfl, path, path, own);
	if (!mod) {
		close(own);
		return NULL;
	}
	dwfl_report_end(f->dwfl, NULL, NULL);
	Dwarf_Addr bias;
	return dwfl_module_getdwarf(mod, &bias);
}

static bool is_relocatable(int fd, const char *path)
{
	Elf *elf = elf_guard_begin(fd, ELF_C_READ_MMAP, path);
	GElf_Ehdr header;
	bool yes = elf && gelf_getehdr(elf, &header) && header.e_type == ET_REL;
	elf_guard_end(elf);
	return yes;
}

/* Reads the first unit: libdw may accept a file at first that it cannot read then. */
static struct err *check_first_unit(Dwarf *dwarf, int fd, const char *path)
{
	Dwarf_CU *unit = NULL;
	uint8_t type;
	if (dwarf_get_units(dwarf, NULL, &unit, NULL, &type, NULL, NULL))
		return no_dwarf(fd, path);
	if (type == DW_UT_skeleton)
		return err_new(ERR_UNSUPPORTED, "%s: its debug information lies in .dwo files",
			       path);
	return NULL;
}

static struct err *check(struct dwarf_file *f, int fd, const char *path, struct dwarf_file **ret)
{
	struct err *e = f->dwarf ? check_first_unit(f->dwarf, fd, path) : no_dwarf(fd, path);
	if (e) {
		dwarf_file_close(f);
		return e;
	}
	*ret = f;
	return NULL;
}

struct err *dwarf_file_open(int fd, const char *path, struct dwarf_file **ret)
{
	elf_version(EV_CURRENT);
	struct dwarf_file *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	bool relocatable = is_relocatable(fd, path);
	file_map_opening();
	if (relocatable)
		f->dwarf = open_relocatable(f, fd, path);
	else
		f->dwarf = dwarf_begin(fd, DWARF_C_READ);
	f->taken = f->dwarf ? dwarf_getelf(f->dwarf) : NULL;
	bool guarded = !f->taken || elf_guard_take(f->taken, fd, path);
	if (file_map_opened() || !guarded) {
		dwarf_file_close(f);
		return err_new(ERR_IO, "%s: the file was cut off while it was opened", path);
	}
	return check(f, fd, path, ret);
}

struct err *dwarf_file_of_elf(Elf *elf, int fd, const char *path, struct dwarf_file **ret)
{
	struct dwarf_file *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem();
	f->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	return check(f, fd, path, ret);
}
