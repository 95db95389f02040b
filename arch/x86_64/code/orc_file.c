// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86_64/code/orc_file.h"

#include <errno.h>
#include <gelf.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/files/debugfiles.h"

/* Where the section with @len bytes at the link-time address @address has them in the file. */
static bool find_bytes(Elf *elf, uint64_t address, size_t len, uint64_t *ret_offset)
{
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		GElf_Shdr h;
		if (!gelf_getshdr(section, &h) || !(h.sh_flags & SHF_ALLOC) ||
		    h.sh_type == SHT_NOBITS || h.sh_flags & SHF_COMPRESSED || address < h.sh_addr ||
		    !range_within(address - h.sh_addr, len, h.sh_size))
			continue;
		*ret_offset = h.sh_offset + (address - h.sh_addr);
		return true;
	}
	return false;
}

static struct err *read_at(const struct debug_file *file, uint64_t offset, void *out, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(file->fd, (char *)out + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "read %s", file->path);
		if (n == 0)
			return err_new(ERR_FORMAT, "%s is cut off", file->path);
		done += (size_t)n;
	}
	return NULL;
}

struct err *orc_file_read(const struct kernel *k, uint64_t va, void *out, size_t len)
{
	const struct debug_file *file = kernel_debug_file(k);
	uint64_t text, slide, offset;
	if (!file || !kernel_text(k, &text, &slide))
		return err_new(ERR_NOTFOUND, "no vmlinux is in use");
	elf_version(EV_CURRENT);
	Elf *elf = elf_begin(file->fd, ELF_C_READ, NULL);
	bool found = elf && find_bytes(elf, va - slide, len, &offset);
	elf_end(elf);
	if (!found)
		return err_new(ERR_NOTFOUND, "%s does not have it either", file->path);
	return read_at(file, offset, out, len);
}
