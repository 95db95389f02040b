/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding the vmlinux that belongs to a dump, and refusing those that do not.
 */
#ifndef VMCORE_NAMES_FILES_DEBUGFILES_H
#define VMCORE_NAMES_FILES_DEBUGFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct packages;
struct types;
struct vmcoreinfo;

/* What the dump says about its kernel; any part may be NULL. */
struct debug_wanted {
	const char *release;	       /* uname -r */
	const char *build_id;	       /* lower-case hex digits */
	const struct vmcoreinfo *info; /* its SYMBOL() values stand in when there is no build-id */
	const char *root; /* a folder that stands for / in the usual places; NULL: / itself */
	/* Where libdebuginfod keeps what it downloaded, as BUILD-ID/debuginfo; NULL: nowhere. */
	const char *cache;
	/* Without build_id: what may be it. Files are looked for by it, and not refused by it. */
	const char *likely_build_id;
	/* What takes files out of packages, and keeps them; borrowed. NULL: they are refused. */
	struct packages *packages;
};

struct debug_file {
	int fd;		/* owned */
	char *path;	/* owned */
	char *build_id; /* owned, hex digits; NULL if it has none */
	bool has_symtab, has_dwarf, has_btf;
	bool packed;	 /* @path is compressed; @fd has what is in it */
	char *package;	 /* owned; the package that it was taken out of, NULL if of none */
	bool in_package; /* @path is PACKAGE/vmlinux, where no file is; @fd has it */
	char *dwarf_why; /* owned; why the DWARF that it has cannot be read; NULL otherwise */
	uint64_t text;	 /* link address of _stext (of _text if there is none); 0 if unknown */
};

/* Frees @f; NULL is allowed. */
void debug_file_close(struct debug_file *f);

/*
 * Opens and checks @path as the wanted vmlinux: by build-id where both have one, else by release
 * (its "Linux version" banner) and by the distances between symbols that VMCOREINFO knows. ERR_IO
 * when it cannot be opened, ERR_FORMAT when it is no x86-64 vmlinux, when it is stripped of
 * everything useful or when it belongs to another kernel; the message names both build-ids (or
 * releases).
 */
__attribute__((warn_unused_result)) struct err *
debug_file_open(const char *path, const struct debug_wanted *wanted, struct debug_file **ret);

/*
 * Looks for the wanted vmlinux in @paths (files and folders given with --symbols, in their order)
 * and then in the usual places: by build-id below /usr/lib/debug/.build-id, by release in
 * /usr/lib/debug/boot, /usr/lib/debug/lib/modules/RELEASE, /lib/modules/RELEASE/build, /boot; by
 * build-id in the cache of libdebuginfod. A folder is searched as if it were /, /usr/lib/debug, or
 * the one that holds vmlinux or vmlinux-RELEASE. Beside each of these names a compressed file
 * counts, too (.xz, .zst, .gz): one that the user named or that lies in a named folder is unpacked,
 * which takes seconds; one in the usual places, where a search may hold up others, is passed over.
 *
 * A package (packages.h) that is named, or that lies in a named folder, has its vmlinux taken out.
 *
 * A file that the user named and that does not fit is an error, except a module, which is not meant
 * to, and a package without a vmlinux or one that cannot be read; a found one that does not fit is
 * passed over. Both get a line in @tried (not freed here, also on failure). ERR_NOTFOUND: the
 * message names the release, the build-id, where it looked and the package that has it.
 */
__attribute__((warn_unused_result)) struct err *
debug_file_find(const char *const *paths, size_t count, const struct debug_wanted *wanted,
		struct buf *tried, struct debug_file **ret);

/*
 * The types of an opened file: its .BTF section if it has one, else its DWARF. ERR_NOTFOUND if it
 * has neither. @f is borrowed and must outlive the result, which the caller owns.
 */
__attribute__((warn_unused_result)) struct err *debug_file_types(const struct debug_file *f,
								 struct types **ret);

/* Adds to @out which package of which distribution holds the vmlinux of @release, as one clause
 * ("package linux-image-6.1.0-56-amd64-dbg (Debian)"). Either argument may be NULL. */
void debug_package_hint(const char *release, const char *build_id, struct buf *out);

#endif
