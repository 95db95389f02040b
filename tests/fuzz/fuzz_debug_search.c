// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for a vmlinux, with a release and build-ids that are data from an enemy, among files,
 * folders, pipes and links of its choice: nothing outside the folders that are searched is opened,
 * what is found is the wanted one, and what is not is said in one clear message.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/fuzz/file_tree.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/small_elf.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/vmcoreinfo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAME_MAX_LENGTH = 96, TRIED_MAX = 1 << 16 };

/* Parts of names and paths, the first ones the places that are searched. */
static const char *const words[] = {
	"usr/lib/debug/boot/vmlinux-",
	"boot/vmlinux-",
	"lib/modules/",
	"usr/lib/debug/lib/modules/",
	"usr/lib/debug/usr/lib/modules/",
	"/vmlinux",
	"/vmlinux.debug",
	"/build/vmlinux",
	".debug",
	"usr/lib/debug/.build-id/",
	"named/vmlinux",
	"named/vmlinux-",
	"named/",
	"cache/",
	"/debuginfo",
	"6.1.0-1-amd64",
	SMALL_ELF_ID,
	"01/",
	"23456789abcdef0123456789abcdef01234567",
	"..",
	"/",
	".",
	"../../../../../../etc/passwd",
	".xz",
	".zst",
	".gz",
	NULL,
};

/* Bytes of a file: a vmlinux with or without a build-id or cut off, or the ones that are left. */
static void add_file(struct choices *c, const char *path)
{
	uint8_t elf[SMALL_ELF_MAX];
	unsigned which = choose(c);
	size_t len = small_elf(elf, which & 1, which & 2);
	if (which & 4)
		len = len * choose(c) / 256;
	if (which & 8)
		tree_add(path, TREE_FILE, c->at, c->left);
	else
		tree_add(path, TREE_FILE, elf, len);
}

static void add_files(struct choices *c)
{
	for (unsigned count = choose(c) % TREE_FILES_MAX; count; count--) {
		char path[TREE_PATH_MAX];
		choose_string(c, words, path, sizeof(path));
		unsigned kind = choose(c) % 16;
		if (kind >= TREE_FOLDER && kind <= TREE_PIPE)
			tree_add(path, (enum tree_kind)kind, NULL, 0);
		else
			add_file(c, path);
	}
}

static void check_found(const struct debug_file *f, const struct debug_wanted *wanted)
{
	REQUIRE(tree_holds(f->path));
	REQUIRE(!f->build_id || !wanted->build_id || !strcasecmp(f->build_id, wanted->build_id));
	REQUIRE(f->has_symtab || f->has_dwarf || f->has_btf);
}

/* A line for each file that was opened. */
static void check_tried(struct buf *tried)
{
	REQUIRE(tried->len < TRIED_MAX && !buf_error(tried));
	for (char *line = tried->data, *end; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		REQUIRE(end && tree_holds(line));
	}
}

static void check_refused(const struct err *e)
{
	REQUIRE(*err_msg(e) && !strchr(err_msg(e), '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices c = { data, size };
	char release[NAME_MAX_LENGTH], id[NAME_MAX_LENGTH], likely[NAME_MAX_LENGTH], cache[128];
	char named[128], named_file[128];
	unsigned flags = choose(&c);
	choose_string(&c, words, release, sizeof(release));
	choose_string(&c, words, id, sizeof(id));
	choose_string(&c, words, likely, sizeof(likely));
	snprintf(cache, sizeof(cache), "%s/cache", tree_root());
	snprintf(named, sizeof(named), "%s/named", tree_root());
	snprintf(named_file, sizeof(named_file), "%s/named/vmlinux", tree_root());
	add_files(&c);

	const struct debug_wanted wanted = {
		.release = flags & 1 ? release : NULL,
		.build_id = flags & 2 ? id : NULL,
		.likely_build_id = flags & 4 ? likely : NULL,
		.root = tree_root(),
		.cache = flags & 8 ? cache : NULL,
	};
	const char *const paths[] = { named, named_file };
	struct buf tried = BUF_INIT;
	struct debug_file *found;
	size_t first = flags >> 4 & 1, count = flags & 32 ? 2 - first : 0;
	struct err *e = debug_file_find(paths + first, count, &wanted, &tried, &found);
	if (!e) {
		check_found(found, &wanted);
		debug_file_close(found);
	} else {
		check_refused(e);
	}
	check_tried(&tried);
	err_free(e);
	buf_free(&tried);
	tree_clear();
	return 0;
}
