/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dump files: ELF vmcores, kdump-compressed files, split sets of them, flattened and LiME files.
 * The headers are checked here before libkdumpfile sees them; libkdumpfile then reads physical
 * pages of kdump-compressed files and nothing else. Those of ELF files are read here (elf.h says
 * why).
 */
#ifndef VMCORE_DUMP_DUMP_H
#define VMCORE_DUMP_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/memory/memory.h"

struct arch;
struct err;
struct dump;
struct reading;

/* An ELF note, from a PT_NOTE segment or from the notes of a kdump-compressed file. */
struct dump_note {
	const char *name; /* borrowed from the dump; "CORE", "QEMU", "VMCOREINFO" */
	uint32_t type;
	const uint8_t *desc; /* borrowed from the dump */
	size_t len;
};

struct dump_info {
	const struct arch *arch; /* of the machine; never NULL */
	const char *format;	 /* "ELF", "kdump-compressed", "flattened kdump-compressed"... */
	const char
		*compression;  /* "zlib", "lzo", "snappy", "zstd", "none"; more than one joined by
				* "+" is not looked for: the first page that is compressed tells */
	bool filtered;	       /* pages were left out when it was written */
	int dump_level;	       /* makedumpfile's -d; -1 if unknown, 0 if nothing was left out */
	uint64_t memory_bytes; /* physical memory that the dump has pages of */
	uint64_t max_pfn;      /* one more than the highest page frame */
	uint64_t file_bytes;   /* of all pieces */
	bool live;	       /* no dump: the memory of a machine, see vmcore/live/ */
	bool running;	       /* and it runs: what is read is of no one moment */
	bool truncated;	       /* shorter than its headers say; what is there is served */
	size_t pieces;
	int64_t date; /* seconds since 1970 when the file says so, else 0 */
	const struct dump_note *notes;
	size_t note_count;
	/* Where the kernel's text was loaded, as the file's headers say (physical = virtual -
	 * arch_map.image + phys_base): a hint to be checked. */
	bool has_phys_base;
	uint64_t phys_base;
	const char *vmcoreinfo; /* its text, or NULL; borrowed from the dump */
	size_t vmcoreinfo_len;
	/*
	 * What the kernel that this runs on says of itself, where VMCOREINFO does not lead to its
	 * symbols; all borrowed from the dump. The lines of /proc/kallsyms without modules', or
	 * NULL; then why there are none, if there should be; the physical address of _text, or 0.
	 */
	const char *kallsyms;
	const char *kallsyms_why;
	uint64_t kernel_code;
	const char *memory_note; /* a sentence about memory that came since; or NULL */
};

struct dump_options {
	/* Called every now and then during long work (reassembling a flattened file) with bytes
	 * done and in all; may be NULL. */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *closure;
	/* Told one sentence a time about what is odd but not fatal; may be NULL. */
	void (*warn)(void *warn_closure, const char *sentence);
	void *warn_closure;
};

/*
 * Opens the dump made of @count files. ERR_FORMAT for what is not a dump (the message says what it
 * looks like instead), ERR_UNSUPPORTED for other architectures and formats, ERR_IO. A set of split
 * files with a piece missing is an ERR_FORMAT error that names the piece or its page range.
 */
__attribute__((warn_unused_result)) struct err *dump_open(const char *const *paths, size_t count,
							  const struct dump_options *options,
							  struct dump **ret);

/* What a dump that is no file is made of. */
struct made_dump {
	const struct arch *arch;  /* NULL: arch_unnamed() */
	struct page_source pages; /* its self is borrowed and must outlive the dump */
	const void *notes; /* ELF notes, as in a PT_NOTE segment; copied, as is what follows */
	size_t notes_len;
	const char *vmcoreinfo; /* NULL: none */
	size_t vmcoreinfo_len;
	const char *format; /* for users: "virtual machine 103 in ELF" */
	uint64_t memory_bytes, max_pfn;
	bool filtered;
	int dump_level;
	int64_t date;
};

/* ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *dump_make(const struct made_dump *made,
							  struct dump **ret);
void dump_close(struct dump *d);

enum dump_change {
	DUMP_SAME,     /* what was read is as good as ever */
	DUMP_CHANGED,  /* it may be old */
	DUMP_SWITCHED, /* the machine was stopped or set going: info->running and notes are new */
};

/* What has become of the machine since the last call, without waiting. A dump stays the same. */
enum dump_change dump_look(struct dump *d);
/* Looks at once which memory the machine has now, and tells info. dump_look() does it once a
 * second, as it costs more than a packet. What has gone is unknown from then on. */
void dump_renew(struct dump *d);
/* Whether all that was read since dump_look() is of one moment. */
bool dump_is_still(const struct dump *d);
/* Who could not make use of a machine that was stopped has it as one that runs, until the next
 * dump_look(). */
void dump_assume_running(struct dump *d);

/* The path of a file of @d that was written since it was opened, or NULL; borrowed. It asks the
 * system. */
const char *dump_changed(const struct dump *d);

/* info->kallsyms is needed no more: it is large. */
void dump_drop_kallsyms(struct dump *d);

const struct dump_info *dump_info(const struct dump *d);
/* Borrowed; lasts as long as the dump. */
const struct page_source *dump_pages(struct dump *d);

/* From now on files are read by @reading (vmcore/dump/reading.h), which is borrowed; NULL: by
 * pread() again. Of a machine that runs it changes nothing. */
void dump_set_reading(struct dump *d, const struct reading *reading);

#endif
