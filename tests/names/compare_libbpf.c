// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compare_libbpf VMLINUX: every member of every structure, as our reader of BTF and as libbpf see
 * it. Exit status 1 if they differ.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/types/types.h"

struct comparison {
	struct btf *theirs;
	struct types *ours;
	size_t structures, members, constants, differences;
};

static void die(struct err *e)
{
	if (!e)
		return;
	fprintf(stderr, "compare_libbpf: %s\n", err_msg(e));
	exit(1);
}

static void check(struct comparison *c, bool same, const char *type, const char *name)
{
	if (!same && c->differences++ < 50)
		printf("%s.%s differs\n", type, name);
}

static const char *string_at(const struct comparison *c, uint32_t offset)
{
	const char *s = btf__name_by_offset(c->theirs, offset);
	return s && *s ? s : NULL;
}

static void compare_member(struct comparison *c, const char *type, const struct btf_type *t,
			   uint32_t i)
{
	const struct btf_member *theirs = btf_members(t) + i;
	const char *name = string_at(c, theirs->name_off);
	if (!name)
		return;
	struct member ours;
	die(types_member(c->ours, type, name, &ours));
	c->members++;
	uint32_t width = btf_member_bitfield_size(t, i);
	check(c, 8 * ours.offset + ours.bit_offset == btf_member_bit_offset(t, i), type, name);
	check(c, ours.bit_size == width, type, name);
	int64_t size = btf__resolve_size(c->theirs, theirs->type);
	if (!width && size >= 0)
		check(c, ours.size == (uint64_t)size, type, name);
}

static void compare_structure(struct comparison *c, const char *type, const struct btf_type *t)
{
	uint64_t size;
	die(types_size(c->ours, type, &size));
	check(c, size == t->size, type, "");
	c->structures++;
	for (uint32_t i = 0; i < btf_vlen(t); i++)
		compare_member(c, type, t, i);
}

static void compare_enum(struct comparison *c, const char *type, const struct btf_type *t)
{
	for (uint32_t i = 0; i < btf_vlen(t); i++) {
		const struct btf_enum *theirs = btf_enum(t) + i;
		const char *name = string_at(c, theirs->name_off);
		int64_t ours;
		die(types_enumerator(c->ours, type, name, &ours));
		/* What is unsigned is told by kind_flag, which libbpf 1.1 leaves to its callers. */
		check(c, (int32_t)ours == theirs->val, type, name);
		c->constants++;
	}
}

/* The first type of a name is the one that ours finds. */
static void compare_all(struct comparison *c)
{
	struct name_map structures = NAME_MAP_INIT, enums = NAME_MAP_INIT;
	for (uint32_t id = 1; id < btf__type_cnt(c->theirs); id++) {
		const struct btf_type *t = btf__type_by_id(c->theirs, id);
		const char *name = string_at(c, t->name_off);
		bool added = false;
		if (name && btf_is_composite(t) && name_map_at(&structures, name, &added) && added)
			compare_structure(c, name, t);
		if (name && btf_is_enum(t) && name_map_at(&enums, name, &added) && added)
			compare_enum(c, name, t);
	}
	name_map_free(&structures);
	name_map_free(&enums);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: compare_libbpf VMLINUX\n");
		return 2;
	}
	const char *path = argv[1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(err_errno(errno, "%s", path));
	struct buf bytes = BUF_INIT;
	die(elf_section_bytes(fd, ".BTF", &bytes));
	struct comparison c = { 0 };
	die(types_from_btf(bytes.data, bytes.len, NULL, &c.ours));
	c.theirs = btf__new(bytes.data, (uint32_t)bytes.len);
	if (!c.theirs) {
		fprintf(stderr, "compare_libbpf: libbpf refuses it\n");
		return 1;
	}
	compare_all(&c);
	printf("libbpf: %zu structures, %zu members, %zu constants, %zu differ\n", c.structures,
	       c.members, c.constants, c.differences);
	btf__free(c.theirs);
	types_free(c.ours);
	buf_free(&bytes);
	close(fd);
	return c.differences != 0;
}
