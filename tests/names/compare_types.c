// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * compare_types VMLINUX [OTHER]: every member of every structure, as our readers of BTF and of
 * DWARF see it; the BTF is that of OTHER, if it is there. Exit status 1 if they differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/name_map.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/types/btf.h"
#include "vmcore/names/types/types.h"

struct comparison {
	struct btf *raw; /* ours, to know what there is to ask for */
	struct types *btf, *dwarf;
	size_t structures, members, absent, differences;
};

static void die(struct err *e)
{
	if (!e)
		return;
	fprintf(stderr, "compare_types: %s\n", err_msg(e));
	exit(1);
}

static bool is_structure(const struct btf_record *r)
{
	return r->kind == BTF_KIND_STRUCT || r->kind == BTF_KIND_UNION;
}

static void report(struct comparison *c, const char *type, const char *name, const char *what)
{
	if (c->differences++ < 50)
		printf("%s.%s: %s\n", type, name, what);
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void compare_descriptions(struct comparison *c, const char *type, const char *name,
				 const struct member *a, const struct member *b)
{
	if (a->offset != b->offset || a->size != b->size)
		report(c, type, name, "offset or size");
	if (a->bit_offset != b->bit_offset || a->bit_size != b->bit_size)
		report(c, type, name, "bit-field");
	if (a->count != b->count || a->element_size != b->element_size)
		report(c, type, name, "elements");
	if (a->is_pointer != b->is_pointer || a->is_array != b->is_array)
		report(c, type, name, "pointer or array");
	if (!same_name(a->type_name, b->type_name))
		report(c, type, name, "type name");
}

static void compare_member(struct comparison *c, const char *type, const char *name)
{
	struct member a, b;
	c->members++;
	struct err *e = types_member(c->btf, type, name, &a);
	if (!e)
		e = types_member(c->dwarf, type, name, &b);
	if (e)
		report(c, type, name, err_msg(e));
	else
		compare_descriptions(c, type, name, &a, &b);
	err_free(e);
}

/* All named members of @id, those of anonymous structures in it too. */
static void compare_members(struct comparison *c, const char *type, uint32_t id, int depth)
{
	struct btf_record r = btf_record(c->raw, id);
	while (r.kind == BTF_KIND_CONST || r.kind == BTF_KIND_VOLATILE)
		r = btf_record(c->raw, r.size);
	for (uint32_t i = 0; is_structure(&r) && i < r.vlen && depth < 16; i++) {
		const uint8_t *m = r.more + (size_t)i * BTF_MEMBER_SIZE;
		const char *name = btf_string(c->raw, get_u32(m));
		if (name)
			compare_member(c, type, name);
		else
			compare_members(c, type, get_u32(m + 4), depth + 1);
	}
}

/* BTF has the types that are local to functions, too. DWARF has their names only by chance. */
static bool is_in_dwarf(struct comparison *c, const char *name, const struct btf_record *r)
{
	uint64_t size;
	struct err *e = types_size(c->dwarf, name, &size);
	bool found = !e;
	err_free(e);
	const char *first = r->vlen ? btf_string(c->raw, get_u32(r->more)) : NULL;
	if (found && (!first || types_has(c->dwarf, name, first)))
		return true;
	printf("%s is not in DWARF\n", name);
	c->absent++;
	return false;
}

static void compare_structure(struct comparison *c, const char *name, uint32_t id)
{
	uint64_t a, b;
	struct btf_record r = btf_record(c->raw, id);
	if (!is_in_dwarf(c, name, &r))
		return;
	die(types_size(c->dwarf, name, &b));
	die(types_size(c->btf, name, &a));
	if (a != b)
		report(c, name, "", "size");
	c->structures++;
	compare_members(c, name, id, 0);
}

/* How many structures have each name. Those that share one are not compared, for BTF and DWARF need
 * not have the same one first. */
static void count_names(const struct btf *raw, struct name_map *ret)
{
	for (uint32_t id = 1; id < btf_end(raw); id++) {
		struct btf_record r = btf_record(raw, id);
		bool added;
		uint32_t *count =
			r.name && is_structure(&r) ? name_map_at(ret, r.name, &added) : NULL;
		if (count)
			++*count;
	}
}

static void compare_all(struct comparison *c)
{
	struct name_map names = NAME_MAP_INIT;
	count_names(c->raw, &names);
	for (uint32_t id = 1; id < btf_end(c->raw); id++) {
		struct btf_record r = btf_record(c->raw, id);
		uint32_t count;
		if (r.name && is_structure(&r) && name_map_get(&names, r.name, &count) &&
		    count == 1)
			compare_structure(c, r.name, id);
	}
	name_map_free(&names);
	printf("BTF and DWARF: %zu structures, %zu members, %zu differ; %zu are in BTF alone\n",
	       c->structures, c->members, c->differences, c->absent);
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(err_errno(errno, "%s", path));
	return fd;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: compare_types VMLINUX [OTHER]\n");
		return 2;
	}
	const char *path = argv[1];
	int fd = open_file(path), btf_fd = open_file(argv[argc - 1]);
	struct buf bytes = BUF_INIT;
	die(elf_section_bytes(btf_fd, ".BTF", &bytes));
	close(btf_fd);
	struct comparison c = { 0 };
	die(btf_parse(bytes.data, bytes.len, NULL, &c.raw));
	die(types_from_btf(bytes.data, bytes.len, NULL, &c.btf));
	die(types_from_dwarf(fd, path, &c.dwarf));
	compare_all(&c);
	types_free(c.dwarf);
	types_free(c.btf);
	btf_free(c.raw);
	buf_free(&bytes);
	close(fd);
	return c.differences != 0;
}
