/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --write-types: what the debug files of a kernel and its modules tell of types, frames and names,
 * in one file of some MB that --symbols takes in their place, for any dump of that kernel.
 */
#ifndef SERVER_FILES_WRITE_TYPES_H
#define SERVER_FILES_WRITE_TYPES_H

#include <stddef.h>

struct err;

/*
 * Reads the vmlinux and the modules that @paths (of --symbols: files, also compressed, and folders)
 * name: of a folder the vmlinux and KVM's modules in it, or below it. Writes them, reduced
 * (vmcore/names/files/elf_reduce.h), as a tar archive compressed with xz, laid out as a distribution's
 * debug package is, to @archive, which must not be there yet and must be called NAME.types.tar.xz.
 *
 * ERR_INVALID for another name, or if it is there; ERR_NOTFOUND if there is no vmlinux; ERR_FORMAT
 * if there are two, or a file is damaged; ERR_UNSUPPORTED if it has no DWARF that can be read, or
 * this program was built without libarchive.
 */
__attribute__((warn_unused_result)) struct err *write_types(const char *const *paths, size_t count,
							    const char *archive);

#endif
