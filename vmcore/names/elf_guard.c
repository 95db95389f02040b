// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/names/elf_guard.h"

#include "base/err.h"
#include "base/file_map.h"

bool elf_guard_take(Elf *elf, int fd, const char *path)
{
	size_t len;
	/* Where the file could not be mapped this reads it, and there is nothing to guard. */
	const char *base = elf ? elf_rawfile(elf, &len) : NULL;
	if (!base)
		return false;
	struct err *e = file_map_add(elf, base, len, fd, path ? path : "a file of symbols");
	err_free(e);
	return !e;
}

void elf_guard_leave(Elf *elf)
{
	if (elf)
		file_map_remove(elf);
}

Elf *elf_guard_begin(int fd, Elf_Cmd cmd, const char *path)
{
	file_map_opening();
	Elf *elf = elf_begin(fd, cmd, NULL);
	bool taken = elf_guard_take(elf, fd, path);
	if (!file_map_opened() && (!elf || taken))
		return elf;
	elf_guard_end(elf);
	return NULL;
}

void elf_guard_end(Elf *elf)
{
	elf_guard_leave(elf);
	elf_end(elf);
}

bool elf_guard_is_bad(const Elf *elf)
{
	return elf && file_map_is_bad(elf);
}

struct err *elf_guard_check(const Elf *elf)
{
	return elf_guard_is_bad(elf)
		       ? err_new(ERR_IO, "the file was cut off or written while it was read")
		       : NULL;
}
