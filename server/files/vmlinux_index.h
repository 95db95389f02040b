/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of the vmlinux that is served (vmcore/image/dwarf/dwarf_index.h): made once for a
 * vmlinux, by a process of its own, and kept in the folder of --symbol-cache as gdb's own index
 * cache would keep it, BUILD-ID.gdb-index. Without it gdb only takes longer.
 */
#ifndef SERVER_FILES_VMLINUX_INDEX_H
#define SERVER_FILES_VMLINUX_INDEX_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct overlay;
struct vmlinux_index;

/*
 * Starts a process that makes the index of the file that is open as @fd (borrowed). Returns the end
 * of a pipe, which does not block, for the caller to own: 8 bytes with the length of what follows,
 * then the index; a length of 0 and a sentence where there can be none. -1 with errno.
 */
typedef int vmlinux_indexer(void *self, int fd);

/* All borrowed. */
struct vmlinux_index_options {
	const char *folder; /* where indexes are kept; NULL: none is made */
	vmlinux_indexer *indexer;
	void *indexer_self;
};

/* The folder is copied. */
__attribute__((warn_unused_result)) struct err *
vmlinux_index_new(const struct vmlinux_index_options *options, struct vmlinux_index **ret);
/* What is under way is given up. NULL is allowed. */
void vmlinux_index_free(struct vmlinux_index *x);

/* The index of the vmlinux that is open as @fd (duplicated) and has @build_id (NULL: unknown) is
 * looked for, or begun, unless that has one of its own. For one vmlinux: a second is left alone. */
void vmlinux_index_begin(struct vmlinux_index *x, int fd, const char *build_id);

/*
 * True once there is nothing to wait for. It may wait for a millisecond itself, so that who asks
 * again and again does not spin.
 */
bool vmlinux_index_is_done(struct vmlinux_index *x);

/*
 * What makes the vmlinux one that has the index, once: the patches that it has already, @cures
 * (borrowed), are in its table of sections, too, where they belong there. False if there is no
 * index (yet), and after the first time.
 */
bool vmlinux_index_take(struct vmlinux_index *x, const struct overlay *cures, struct overlay *ret);

#endif
