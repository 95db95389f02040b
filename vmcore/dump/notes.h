/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF notes of a dump and its VMCOREINFO, copied out of the file: gABI chapter 5, "Note
 * Section", with the 4-byte alignment that every writer of vmcores uses.
 */
#ifndef VMCORE_DUMP_NOTES_H
#define VMCORE_DUMP_NOTES_H

#include <stddef.h>
#include <stdint.h>

#include "vmcore/dump/dump.h"

struct dump_file;

struct notes {
	struct dump_note *list; /* owned */
	char **blocks;		/* owned; what the names and descriptors of list point into */
	size_t count, capacity;
	char *vmcoreinfo; /* owned; NULL if there is none; a 0 follows it */
	size_t vmcoreinfo_len;
};

#define NOTES_INIT \
	{          \
		0  \
	}

void notes_free(struct notes *n);

/*
 * Adds the notes in @len bytes. A damaged note ends the walk: what came before stays, and
 * *ret_damage_at is its offset (@len if all is well).
 */
__attribute__((warn_unused_result)) struct err *notes_parse(struct notes *n, const uint8_t *bytes,
							    size_t len, size_t *ret_damage_at);

/*
 * Adds the notes at @offset in @f. A part that lies behind the end of the file, and damage, are
 * told to @options->warn and are no error.
 */
__attribute__((warn_unused_result)) struct err *notes_read(struct notes *n,
							   const struct dump_file *f,
							   uint64_t offset, uint64_t len,
							   const struct dump_options *options);

/* Takes a copy of @len bytes as VMCOREINFO, without the zeros at its end; replaces an earlier one.
 */
__attribute__((warn_unused_result)) struct err *notes_set_vmcoreinfo(struct notes *n,
								     const void *text, size_t len);

/* Makes the first note called VMCOREINFO the VMCOREINFO, unless there is one already. */
__attribute__((warn_unused_result)) struct err *notes_find_vmcoreinfo(struct notes *n);

/* Tells options->warn, if it is there, the sentence. */
__attribute__((format(printf, 2, 3))) void dump_warn(const struct dump_options *options,
						     const char *fmt, ...);

#endif
