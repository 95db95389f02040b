/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of a fuzzer's choice in a folder of its own, for what searches the disk. */
#ifndef TESTS_FUZZ_FILE_TREE_H
#define TESTS_FUZZ_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_PATH_MAX = 256, TREE_FILES_MAX = 12 };

/* The bytes that decide, from the first one on. */
struct choices {
	const uint8_t *at;
	size_t left;
};

/* 0 when there are no more. */
unsigned choose(struct choices *c);
/* A string of up to @size - 1 bytes: any, but that some are taken from @words, which one expects
 * there. @words ends with NULL. */
void choose_string(struct choices *c, const char *const *words, char *out, size_t size);

/* The folder, without a '/' at its end. It is made once, and removed at the end. */
const char *tree_root(void);
/*
 * Makes a regular file, a folder, a link or a pipe at @path below the root, with the folders above
 * it; what cannot be made is not. Components that would lead out of the root are changed.
 */
enum tree_kind { TREE_FILE, TREE_FOLDER, TREE_LINK_HERE, TREE_LINK_NOWHERE, TREE_PIPE };
void tree_add(const char *path, enum tree_kind kind, const void *bytes, size_t len);
/* Removes all that is in it. */
void tree_clear(void);
/* Whether @path begins with the root, and then goes on below it. */
bool tree_holds(const char *path);

#endif
