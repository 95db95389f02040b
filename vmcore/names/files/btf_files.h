/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that hold nothing but BTF (Documentation/bpf/btf.rst), as public archives have them for
 * kernels that carry none, as `pahole --btf_encode_detached` makes them, or copied out of
 * /sys/kernel/btf: FILE.btf, alone or compressed (.xz, .zst, .gz), or in a tar archive
 * (RELEASE.btf.tar.xz). Nothing in them tells which kernel they are of: whoever uses one has to
 * prove it. All of it is an enemy's.
 */
#ifndef VMCORE_NAMES_FILES_BTF_FILES_H
#define VMCORE_NAMES_FILES_BTF_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct btf_files;
struct buf;
struct err;
struct types;

/* One of them. All is borrowed during the call that hands it out. */
struct btf_file {
	const char *path; /* ARCHIVE/NAME of one in an archive */
	bool named;	  /* by the user, itself or its archive: not found in a folder */
	const uint8_t *data;
	size_t len;
};

/* Whether the file at @path is one, or an archive that is called so; false if it cannot be read. */
bool btf_file_is(const char *path);

/* @paths are those of --symbols: of them the files that btf_file_is(), and folders, are kept. Reads
 * no more than their beginnings. */
__attribute__((warn_unused_result)) struct err *btf_files_new(const char *const *paths,
							      size_t count, struct btf_files **ret);
void btf_files_free(struct btf_files *f); /* NULL is allowed */

/* Whether one or an archive of them was named, or lies in a folder by a kernel's name. Folders are
 * looked into once, whatever is asked later: @release is the same in all questions. */
bool btf_files_any(struct btf_files *f, const char *release);

/* Is offered a file; *ret_taken ends the search, as an error does. */
typedef struct err *btf_files_take(void *closure, const struct btf_file *file, bool *ret_taken);

/*
 * Offers those that may be a kernel's: the named ones that build on no others, then those in
 * folders that are called RELEASE.btf, vmlinux-RELEASE.btf, vmlinux.btf or vmlinux. What cannot be
 * read is a line in @failed, and passed over; if it was named, an error.
 */
__attribute__((warn_unused_result)) struct err *
btf_files_offer_kernel(struct btf_files *f, const char *release, struct buf *failed,
		       btf_files_take *take, void *closure);

/*
 * Offers those of the module called @name (with '_'): files called so, where '-' is as good, that
 * are named, or in the folders. What cannot be read is a line in @failed.
 */
__attribute__((warn_unused_result)) struct err *
btf_files_offer_module(struct btf_files *f, const char *name, struct buf *failed,
		       btf_files_take *take, void *closure);

#endif
