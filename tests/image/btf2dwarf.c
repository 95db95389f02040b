// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btf2dwarf OUTPUT VMLINUX [MODULE.ko...]: what is made of the .BTF of these files and of VMLINUX's
 * symbols, as an ELF file that has nothing else, for other tools to read. Says on standard output
 * how much there is and how long it took.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "vmcore/image/dwarf/dwarf_from_btf.h"
#include "vmcore/names/files/elf_identity.h"
#include "vmcore/names/symbols.h"

enum { MAX_OBJECTS = 64, SECTIONS = 5 };

struct input {
	struct btf_object objects[MAX_OBJECTS];
	struct btf *btf[MAX_OBJECTS]; /* owned, as are the names */
	char *names[MAX_OBJECTS];
	struct symbols *symbols; /* of the first */
	size_t count;
};

static void die(struct err *e)
{
	if (!e)
		return;
	fprintf(stderr, "btf2dwarf: %s\n", err_msg(e));
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_object(struct input *in, const char *path)
{
	size_t i = in->count++;
	struct buf bytes = BUF_INIT;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(err_errno(errno, "%s", path));
	die(err_wrap(elf_section_bytes(fd, ".BTF", &bytes), "%s", path));
	die(err_wrap(btf_parse(bytes.data, bytes.len, i ? in->btf[0] : NULL, &in->btf[i]), "%s",
		     path));
	if (!i)
		die(symbols_from_elf(fd, path, 0, &in->symbols));
	const char *slash = strrchr(path, '/');
	char *name = strdup(i ? slash ? slash + 1 : path : "vmlinux");
	if (i && strrchr(name, '.'))
		*strrchr(name, '.') = 0;
	in->names[i] = name;
	in->objects[i] = (struct btf_object){ .name = name, .btf = in->btf[i] };
	buf_free(&bytes);
	close(fd);
}

static bool place(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	const struct input *in = self;
	struct symbol s;
	if (object || symbols_named(in->symbols, name) != 1 || !symbols_get(in->symbols, name, &s))
		return false;
	*ret = (struct dwarf_place){ s.address, s.size, s.type >= 'A' && s.type <= 'Z' };
	return true;
}

/* The name that the server would give its code. */
static bool place_function(void *self, size_t object, const char *name, struct dwarf_place *ret)
{
	const struct input *in = self;
	struct symbol at;
	return place(self, object, name, ret) && symbols_at(in->symbols, ret->address, &at) &&
	       !strcmp(at.name, name);
}

static void write_elf(const char *path, const struct dwarf_sections *s)
{
	static char names[] = "\0.debug_info\0.debug_abbrev\0.debug_str\0.debug_ranges\0"
			      ".debug_aranges\0.shstrtab";
	const struct buf table = { .data = names, .len = sizeof(names) };
	const struct buf *parts[] = {
		&s->info, &s->abbrev, &s->str, &s->ranges, &s->aranges, &table
	};
	Elf64_Shdr headers[SECTIONS + 2] = { { 0 } };
	Elf64_Ehdr e = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(e),
		.e_shentsize = sizeof(headers[0]),
		.e_shnum = SECTIONS + 2,
		.e_shstrndx = SECTIONS + 1,
		.e_shoff = sizeof(e),
	};
	uint64_t offset = sizeof(e) + sizeof(headers);
	const char *name = names + 1;
	for (int i = 1; i < SECTIONS + 2; i++, name += strlen(name) + 1) {
		headers[i] = (Elf64_Shdr){
			.sh_name = (uint32_t)(name - names),
			.sh_type = i > SECTIONS ? SHT_STRTAB : SHT_PROGBITS,
			.sh_offset = offset,
			.sh_size = parts[i - 1]->len,
			.sh_addralign = 1,
		};
		offset += parts[i - 1]->len;
	}
	FILE *f = fopen(path, "wb");
	bool good = f && fwrite(&e, sizeof(e), 1, f) == 1 &&
		    fwrite(headers, sizeof(headers), 1, f) == 1;
	for (int i = 0; i <= SECTIONS && good; i++)
		good = fwrite(parts[i]->data, 1, parts[i]->len, f) == parts[i]->len;
	if (!good || fclose(f))
		die(err_errno(errno, "%s", path));
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > MAX_OBJECTS + 2) {
		fprintf(stderr, "usage: btf2dwarf OUTPUT VMLINUX [MODULE.ko...]\n");
		return 2;
	}
	struct input in = { 0 };
	for (int i = 2; i < argc; i++)
		read_object(&in, argv[i]);
	struct dwarf_places places = { &in, place_function, place };
	struct dwarf_sections s;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	long before = usage.ru_maxrss;
	double start = now();
	die(dwarf_from_btf(in.objects, in.count, &places, &s));
	double seconds = now() - start;
	getrusage(RUSAGE_SELF, &usage);
	write_elf(argv[1], &s);
	printf("%u types, %u functions and %u variables with a place, %u members omitted; "
	       "%zu KiB info, %zu KiB str; %.3f s, %ld KiB more\n",
	       s.types, s.functions, s.variables, s.omitted, s.info.len >> 10, s.str.len >> 10,
	       seconds, usage.ru_maxrss - before);
	dwarf_sections_free(&s);
	symbols_free(in.symbols);
	for (size_t i = in.count; i-- > 0; free(in.names[i]))
		btf_free(in.btf[i]);
	return 0;
}
