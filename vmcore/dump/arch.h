/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an architecture brings for the notes of its dumps. */
#ifndef VMCORE_DUMP_ARCH_H
#define VMCORE_DUMP_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_note;
struct regs;

struct dump_arch {
	/* Bytes of a PRSTATUS note's descriptor: struct elf_prstatus (include/linux/elfcore.h). */
	size_t prstatus_bytes;
	/* Its pid and registers. False if @len is too short. */
	bool (*prstatus_decode)(const void *desc, size_t len, uint32_t *ret_pid, struct regs *ret);
	/* Adds what QEMU's own note says of the same CPU, and sets from_qemu; leaves @ret alone if
	 * it cannot be understood. NULL: QEMU writes none for it. */
	void (*qemu_decode)(const void *desc, size_t len, struct cpu_note *ret);
};

#endif
