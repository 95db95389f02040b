// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/fuzz/file_tree.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/require.h"

unsigned choose(struct choices *c)
{
	if (!c->left)
		return 0;
	c->left--;
	return *c->at++;
}

void choose_string(struct choices *c, const char *const *words, char *out, size_t size)
{
	size_t len = 0, count = 0;
	while (words[count])
		count++;
	for (unsigned parts = choose(c) % 6; parts; parts--) {
		unsigned which = choose(c);
		char any[2] = { (char)which, 0 };
		const char *part = which < count ? words[which] : any;
		size_t n = strlen(part);
		if (len + n >= size)
			break;
		memcpy(out + len, part, n);
		len += n;
	}
	out[len] = 0;
}

/* ---- the tree ---- */

static char root[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind;
	if (ftw->level)
		remove(path);
	return 0;
}

void tree_clear(void)
{
	nftw(tree_root(), remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void remove_root(void)
{
	tree_clear();
	rmdir(root);
}

const char *tree_root(void)
{
	if (*root)
		return root;
	/* In memory, where that can be had: thousands of trees a second. */
	strcpy(root, "/dev/shm/fuzz-XXXXXX");
	if (!mkdtemp(root)) {
		strcpy(root, "/tmp/fuzz-XXXXXX");
		REQUIRE(mkdtemp(root));
	}
	atexit(remove_root);
	return root;
}

bool tree_holds(const char *path)
{
	size_t len = strlen(tree_root());
	return !strncmp(path, root, len) && path[len] == '/';
}

/* Makes @path what it is below the root, the folders above it too; false if that cannot be. */
static bool place(const char *path, char out[TREE_PATH_MAX + sizeof(root)])
{
	size_t at = (size_t)sprintf(out, "%s/", tree_root()), start = at;
	for (; *path; path++) {
		if (*path == '/' && out[at - 1] == '/')
			continue;
		if (*path == '/') {
			out[at] = 0;
			mkdir(out, 0700);
		}
		/* No "..", and nothing hidden from the search by a dot alone. */
		bool dots = *path == '.' && path[1] == '.';
		out[at++] = dots ? '_' : *path;
	}
	out[at] = 0;
	return at > start;
}

void tree_add(const char *path, enum tree_kind kind, const void *bytes, size_t len)
{
	char full[TREE_PATH_MAX + sizeof(root)];
	if (strlen(path) >= TREE_PATH_MAX || !place(path, full))
		return;
	switch (kind) {
	case TREE_FOLDER:
		mkdir(full, 0700);
		return;
	case TREE_LINK_HERE:
		(void)!symlink(".", full);
		return;
	case TREE_LINK_NOWHERE:
		(void)!symlink("nowhere", full);
		return;
	case TREE_PIPE:
		mkfifo(full, 0600);
		return;
	default:
		break;
	}
	int fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	(void)!write(fd, bytes, len);
	close(fd);
}
