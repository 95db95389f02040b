// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/dump/prstatus.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/arch.h"
#include "vmcore/dump/dump.h"

struct err *cpu_notes_read(const struct dump_info *info, struct cpu_note **ret_notes,
			   size_t *ret_count)
{
	struct cpu_note *notes = calloc(info->note_count + 1, sizeof(*notes));
	const struct dump_arch *arch = info->arch->dump;
	size_t count = 0, qemu = 0;
	if (!notes)
		return err_nomem();
	for (size_t i = 0; i < info->note_count; i++) {
		const struct dump_note *n = &info->notes[i];
		if (!strcmp(n->name, "CORE") && n->type == NT_PRSTATUS &&
		    arch->prstatus_decode(n->desc, n->len, &notes[count].pid, &notes[count].regs))
			count++;
	}
	/* One that cannot be decoded still takes its place in the order. */
	for (size_t i = 0; arch->qemu_decode && i < info->note_count && qemu < count; i++)
		if (!strcmp(info->notes[i].name, "QEMU"))
			arch->qemu_decode(info->notes[i].desc, info->notes[i].len, &notes[qemu++]);
	*ret_notes = notes;
	*ret_count = count;
	return NULL;
}

/* ---- writing ---- */

/* Names of up to seven bytes, descriptors of whole words. */
void cpu_note_add(struct buf *out, const char *name, uint32_t type, const void *desc, size_t len)
{
	unsigned char header[sizeof(Elf64_Nhdr) + 8] = { 0 };
	size_t name_len = strlen(name) + 1;
	put_u32(header, (uint32_t)name_len);
	put_u32(header + 4, (uint32_t)len);
	put_u32(header + 8, type);
	memcpy(header + sizeof(Elf64_Nhdr), name, name_len);
	buf_add(out, header, sizeof(header));
	buf_add(out, desc, len);
}
