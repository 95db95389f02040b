// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The search for modules' files, with names, a release and build-ids that are data from an enemy,
 * among files, folders, pipes and links of its choice: it ends, and offers nothing but what is
 * there, below the folders that are searched.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "tests/fuzz/file_tree.h"
#include "tests/fuzz/require.h"
#include "vmcore/names/files/module_search.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NAME_MAX_LENGTH = 96, ASKED_MAX = 4, OFFERED_MAX = 64 };

static const char *const words[] = {
	"lib/modules/",
	"usr/lib/modules/",
	"usr/lib/debug/lib/modules/",
	"usr/lib/debug/usr/lib/modules/",
	"usr/lib/debug/.build-id/",
	"named/",
	"named/.build-id/",
	"kernel/fs/",
	"6.1.0-1-amd64",
	"/",
	"..",
	".",
	"kvm",
	"kvm-amd",
	"kvm_amd",
	".ko",
	".ko.debug",
	".ko.xz",
	".ko.zst",
	".ko.gz",
	".debug",
	"01/",
	"23456789abcdef0123456789abcdef01234567",
	"0123456789abcdef0123456789abcdef01234567",
	"cache/",
	"/debuginfo",
	"modules.order",
	"vmlinux",
	"a-name-of-more-than-the-fifty-six-bytes-that-names-of-modules-may-have",
	NULL,
};

struct offered {
	unsigned count, stop_at;
	const char *named; /* by the user, there or not */
};

static bool take(void *closure, const char *path)
{
	struct offered *o = closure;
	REQUIRE(tree_holds(path));
	char target[2];
	bool is_link = readlink(path, target, sizeof(target)) > 0; /* to nowhere, maybe */
	REQUIRE(is_link || !access(path, F_OK) || !strcmp(path, o->named));
	REQUIRE(++o->count <= OFFERED_MAX);
	return o->count == o->stop_at;
}

static void add_files(struct choices *c)
{
	for (unsigned count = choose(c) % TREE_FILES_MAX; count; count--) {
		char path[TREE_PATH_MAX];
		choose_string(c, words, path, sizeof(path));
		unsigned kind = choose(c) % 16;
		if (kind > TREE_PIPE)
			kind = TREE_FILE;
		tree_add(path, (enum tree_kind)kind, "x", 1);
	}
}

static void ask(struct choices *c, const char *named, struct module_search *s)
{
	for (unsigned count = choose(c) % (ASKED_MAX + 1); count; count--) {
		char name[NAME_MAX_LENGTH], id[NAME_MAX_LENGTH];
		struct offered offered = { 0, choose(c) % 4, named };
		unsigned flags = choose(c);
		choose_string(c, words, name, sizeof(name));
		choose_string(c, words, id, sizeof(id));
		struct err *e = module_search_run(s, name, flags & 1 ? id : NULL, take, &offered);
		REQUIRE(!e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct choices c = { data, size };
	char release[NAME_MAX_LENGTH], named[128], vmlinux[128], cache[128];
	unsigned flags = choose(&c);
	choose_string(&c, words, release, sizeof(release));
	snprintf(named, sizeof(named), "%s/named", tree_root());
	snprintf(vmlinux, sizeof(vmlinux), "%s/named/vmlinux", tree_root());
	snprintf(cache, sizeof(cache), "%s/cache", tree_root());
	add_files(&c);

	const char *const paths[] = { named, vmlinux };
	struct module_search *s;
	size_t first = flags & 1, count = flags & 2 ? 2 - first : 0;
	struct err *e = module_search_new(paths + first, count, flags & 4 ? release : NULL,
					  tree_root(), flags & 8 ? cache : NULL, &s);
	REQUIRE(!e);
	ask(&c, named, s);
	module_search_free(s);
	tree_clear();
	return 0;
}
