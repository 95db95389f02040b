// SPDX-License-Identifier: GPL-2.0-or-later
/* The headers of an ELF core file (gABI, "ELF Header" and "Program Header"). */
#include "vmcore/dump/elf.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/file.h"

enum {
	/* Far above what filtering produces (a program header for every run of 256 pages left
	 * out), far below what would take long to look at. */
	SEGMENTS_MAX = 4 << 20,
	PHDRS_AT_ONCE = 1024,
	/* makedumpfile's diskdump_mod.h / elf_info.h: DUMP_ELF_INCOMPLETE */
	FLAG_INCOMPLETE = 1,
	/* Intel SDM vol. 3, 4.1.4: MAXPHYADDR is at most 52 */
	PHYSICAL_BITS_MAX = 52,
};

const char *elf_machine_name(unsigned machine)
{
	static const struct {
		unsigned machine;
		const char *name;
	} machines[] = {
		{ EM_386, "32-bit x86" }, { EM_AARCH64, "AArch64" },
		{ EM_ARM, "32-bit Arm" }, { EM_S390, "s390x" },
		{ EM_PPC64, "ppc64" },	  { EM_PPC, "32-bit PowerPC" },
		{ EM_RISCV, "RISC-V" },	  { EM_LOONGARCH, "LoongArch" },
		{ EM_MIPS, "MIPS" },	  { EM_IA_64, "Itanium" },
		{ EM_SPARCV9, "SPARC" },
	};
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		if (machines[i].machine == machine)
			return machines[i].name;
	}
	return NULL;
}

static struct err *other_architecture(unsigned machine)
{
	const char *name = elf_machine_name(machine);
	if (name)
		return err_new(ERR_UNSUPPORTED,
			       "it is a dump of another kind of machine (%s); only x86-64 dumps "
			       "are served",
			       name);
	return err_new(ERR_UNSUPPORTED,
		       "it is a dump of another architecture (ELF machine %u); only x86-64 dumps "
		       "are served",
		       machine);
}

/* e_machine lies at the same place in both classes, in the file's byte order. */
static unsigned any_machine(const uint8_t *header)
{
	const uint8_t *p = header + offsetof(Elf64_Ehdr, e_machine);
	return header[EI_DATA] == ELFDATA2MSB ? (unsigned)(p[0] << 8 | p[1]) : get_u16(p);
}

static struct err *check_type(unsigned type)
{
	switch (type) {
	case ET_CORE:
		return NULL;
	case ET_EXEC:
	case ET_DYN:
		return err_new(ERR_FORMAT, "it is an ELF program, not a dump: if it is a vmlinux, "
					   "give it with --symbols");
	case ET_REL:
		return err_new(ERR_FORMAT, "it is an ELF object file, not a dump: if it is a "
					   "kernel module, give it with --symbols");
	default:
		return err_new(ERR_FORMAT, "it is an ELF file, but not a dump (type %u)", type);
	}
}

static struct err *check_header(const Elf64_Ehdr *h)
{
	const uint8_t *bytes = h->e_ident;
	if (memcmp(bytes, ELFMAG, SELFMAG) != 0)
		return err_new(ERR_FORMAT, "it has no ELF header");

	unsigned machine = any_machine(bytes);
	if (bytes[EI_DATA] == ELFDATA2MSB || bytes[EI_CLASS] == ELFCLASS32) {
		if (!arch_of_elf((uint16_t)machine))
			return other_architecture(machine);
		return err_new(ERR_UNSUPPORTED,
			       "its ELF header says %s, which x86-64 dumps never are",
			       bytes[EI_CLASS] == ELFCLASS32 ? "32 bits" : "big-endian");
	}
	if (bytes[EI_DATA] != ELFDATA2LSB || bytes[EI_CLASS] != ELFCLASS64)
		return err_new(ERR_FORMAT, "its ELF header is damaged (class %u, byte order %u)",
			       bytes[EI_CLASS], bytes[EI_DATA]);
	struct err *e = check_type(h->e_type);
	if (e)
		return e;
	if (!arch_of_elf((uint16_t)machine))
		return other_architecture(machine);
	if (h->e_phnum && h->e_phentsize != sizeof(Elf64_Phdr))
		return err_new(ERR_FORMAT,
			       "its ELF header is damaged: program headers of %u bytes instead of "
			       "%zu",
			       h->e_phentsize, sizeof(Elf64_Phdr));
	return NULL;
}

/* The number of program headers: with PN_XNUM it is in the first section header's sh_info. */
static struct err *segment_count(const struct dump_file *f, const Elf64_Ehdr *h, uint64_t *ret)
{
	uint64_t count = h->e_phnum;
	if (count == PN_XNUM) {
		Elf64_Shdr s;
		struct err *e =
			dump_file_read(f, h->e_shoff, &s, sizeof(s), "the first section header");
		if (e)
			return e;
		count = s.sh_info;
	}
	if (count == 0 && h->e_shnum)
		return err_new(ERR_UNSUPPORTED,
			       "it is a core file whose memory is in sections, as Xen's xl "
			       "dump-core writes it: that is not served; let the guest's own kdump "
			       "write one");
	if (count == 0)
		return err_new(ERR_FORMAT, "its ELF header lists no segments: the dump was never "
					   "finished");
	if (count > SEGMENTS_MAX)
		return err_new(ERR_FORMAT,
			       "its ELF header is damaged: it claims %" PRIu64 " segments", count);
	if (!range_within(h->e_phoff, count * sizeof(Elf64_Phdr), f->size))
		return err_new(ERR_FORMAT,
			       "the file is truncated within its program headers (0x%" PRIx64
			       " bytes are there)",
			       f->size);
	*ret = count;
	return NULL;
}

static struct err *check_load(const Elf64_Phdr *p, uint64_t number)
{
	const uint64_t limit = UINT64_C(1) << PHYSICAL_BITS_MAX;
	if (!range_within(p->p_paddr, p->p_memsz, limit))
		return err_new(ERR_FORMAT,
			       "segment %" PRIu64 " is damaged: 0x%" PRIx64
			       " bytes at physical address 0x%" PRIx64 " pass 52 bits",
			       number, p->p_memsz, p->p_paddr);
	if (p->p_filesz > p->p_memsz)
		return err_new(ERR_FORMAT,
			       "segment %" PRIu64 " is damaged: 0x%" PRIx64
			       " bytes in the file for 0x%" PRIx64 " bytes of memory",
			       number, p->p_filesz, p->p_memsz);
	return NULL;
}

static void add_mapped(struct elf_headers *h, const struct elf_segment *s)
{
	if (is_kernel_address(s->vaddr) && s->filesz && s->vaddr + s->filesz > s->vaddr)
		h->mapped[h->mapped_count++] = *s;
}

static struct err *add_segment(struct elf_headers *h, const Elf64_Phdr *p, uint64_t number,
			       bool kcore)
{
	if (p->p_type != PT_LOAD && p->p_type != PT_NOTE)
		return NULL;
	if (p->p_offset + p->p_filesz < p->p_offset)
		return err_new(ERR_FORMAT,
			       "segment %" PRIu64 " is damaged: 0x%" PRIx64 " bytes at 0x%" PRIx64
			       " of the file",
			       number, p->p_filesz, p->p_offset);
	struct elf_segment s = { p->p_offset, p->p_vaddr, p->p_paddr, p->p_filesz, p->p_memsz };
	if (p->p_type == PT_NOTE) {
		h->notes[h->note_count++] = s;
		return NULL;
	}
	add_mapped(h, &s);
	/* Segments without a physical address are marked so, as in /proc/kcore. */
	if (p->p_paddr == UINT64_MAX || p->p_memsz == 0)
		return NULL;
	/* Where none has one (kcore.c): vmalloc space, 12800 TiB with five levels of tables. */
	if (kcore && p->p_memsz > UINT64_C(1) << PHYSICAL_BITS_MAX)
		return NULL;
	struct err *e = check_load(p, number);
	if (!e)
		h->loads[h->load_count++] = s;
	return e;
}

static struct err *read_segments(const struct dump_file *f, uint64_t offset, uint64_t count,
				 bool kcore, struct elf_headers *h)
{
	Elf64_Phdr *chunk = malloc(PHDRS_AT_ONCE * sizeof(*chunk));
	if (!chunk)
		return err_nomem();
	struct err *e = NULL;
	for (uint64_t i = 0; i < count && !e; i++) {
		if (i % PHDRS_AT_ONCE == 0) {
			uint64_t n = count - i < PHDRS_AT_ONCE ? count - i : PHDRS_AT_ONCE;
			e = dump_file_read(f, offset + i * sizeof(*chunk), chunk,
					   (size_t)n * sizeof(*chunk), "its program headers");
			if (e)
				break;
		}
		e = add_segment(h, &chunk[i % PHDRS_AT_ONCE], i, kcore);
	}
	free(chunk);
	return e;
}

struct err *elf_check(const struct dump_file *f, bool kcore, struct elf_headers *ret)
{
	Elf64_Ehdr header;
	struct err *e = dump_file_read(f, 0, &header, sizeof(header), "its ELF header");
	if (e)
		return e;
	e = check_header(&header);
	uint64_t count = 0;
	if (!e)
		e = segment_count(f, &header, &count);
	if (e)
		return e;

	struct elf_headers h = {
		.arch = arch_of_elf(header.e_machine),
		.loads = malloc((size_t)count * sizeof(*h.loads)),
		.notes = malloc((size_t)count * sizeof(*h.notes)),
		.mapped = malloc((size_t)count * sizeof(*h.mapped)),
		.incomplete = header.e_flags & FLAG_INCOMPLETE,
	};
	e = h.loads && h.notes && h.mapped ? read_segments(f, header.e_phoff, count, kcore, &h)
					   : err_nomem();
	if (!e && h.load_count == 0)
		e = err_new(ERR_FORMAT, "it holds no memory: no segment of its ELF header has a "
					"physical address");
	if (e)
		elf_headers_free(&h);
	else
		*ret = h;
	return e;
}

void elf_headers_free(struct elf_headers *h)
{
	free(h->loads);
	free(h->notes);
	free(h->mapped);
	*h = (struct elf_headers){ 0 };
}
