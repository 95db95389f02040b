/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ELF notes of a dump. */
#ifndef RECIPE_NOTES_H
#define RECIPE_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "tests/recipe/field.h"

struct buf;

#define NOTE_PRSTATUS 1

/* struct elf_prstatus of x86-64 (linux/elfcore.h); its registers are user_regs_struct. */
#define PRSTATUS_BYTES 336
extern const struct field prstatus_fields[];
extern const size_t prstatus_field_count;

/* QEMUCPUState, what QEMU's dump-guest-memory adds for each CPU (target/i386/arch_dump.c). */
#define QEMU_STATE_BYTES 440
extern const struct field qemu_state_fields[];
extern const size_t qemu_state_field_count;

/* Appends one note with its padding to 4 bytes; failure is remembered in @out. */
void note_add(struct buf *out, const char *name, uint32_t type, const void *desc, size_t len);

#endif
