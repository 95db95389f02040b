// SPDX-License-Identifier: GPL-2.0-or-later
/* The memory of a running machine, from files that say what /proc and /dev would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>

#include "base/buf.h"
#include "base/err.h"
#include "tests/memory/fakefile.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/iomem.h"
#include "vmcore/live/live.h"
#include "vmcore/live/live_kernel.h"

#define DIRECT_MAP UINT64_C(0xffff9a4240000000)

static const char iomem[] = "00000000-00000fff : Reserved\n"
			    "00001000-0000ffff : System RAM\n"
			    "000a0000-000bffff : PCI Bus 0000:00\n"
			    "00100000-001047ff : System RAM\n"
			    "  00100000-00101000 : Kernel code\n"
			    "00110000-0011ffff : Persistent Memory\n"
			    "  00110000-00111fff : System RAM (kmem)\n"
			    "00112000-00112fff : System RAMdisk\n";

/* Modules' symbols are of no use, and the bpf programs' behind them. */
#define KALLSYMS                                 \
	"0000000000000000 A fixed_percpu_data\n" \
	"ffffffff9c000000 T _text\n"
static const char kallsyms[] = KALLSYMS "ffffffffc0000000 t one\t[module]\n"
					"ffffffffc0001000 t two\t[bpf]\n";

struct fake_machine {
	struct fakefile kcore, mem, iomem, vmcoreinfo, kallsyms, kptr_restrict, lockdown;
	struct live_paths paths;
};

static void make_text(struct fakefile *f, const char *text)
{
	fakefile_make(f, text, strlen(text));
}

/* Physical memory, every byte of which tells its page; VMCOREINFO's note is at 0x2000. */
static void make_mem(struct fakefile *f)
{
	static uint8_t mem[0x120000];
	const Elf64_Nhdr note = { .n_namesz = 11, .n_descsz = 16, .n_type = 0 };
	for (size_t i = 0; i < sizeof(mem); i++)
		mem[i] = (uint8_t)(i / PAGE_SIZE);
	memcpy(mem + 0x2000, &note, sizeof(note));
	memcpy(mem + 0x2000 + sizeof(note), "VMCOREINFO\0\0OSRELEASE=6.1.0\n", 28);
	fakefile_make(f, mem, sizeof(mem));
}

/* An ELF core file of these segments, every byte of which tells its page. */
static void make_core(struct fakefile *f, Elf64_Phdr *p, size_t count)
{
	const uint64_t data = 0x1000;
	Elf64_Ehdr e = { .e_ident = ELFMAG,
			 .e_type = ET_CORE,
			 .e_machine = EM_X86_64,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = (Elf64_Half)count };
	struct buf file = BUF_INIT;
	uint64_t offset = data;
	e.e_ident[EI_CLASS] = ELFCLASS64;
	e.e_ident[EI_DATA] = ELFDATA2LSB;
	for (size_t i = 0; i < count; i++) {
		p[i].p_type = PT_LOAD;
		if (!p[i].p_filesz)
			p[i].p_filesz = p[i].p_memsz;
		p[i].p_offset = offset;
		offset += p[i].p_filesz;
	}
	buf_add(&file, &e, sizeof(e));
	buf_add(&file, p, count * sizeof(*p));
	while (file.len < data)
		buf_addch(&file, 0);
	for (size_t i = 0; i < count; i++)
		for (uint64_t n = 0; n < p[i].p_filesz; n++)
			buf_addch(&file, (char)((p[i].p_vaddr + n) >> PAGE_SHIFT));
	assert_null(buf_error(&file));
	fakefile_make(f, file.data, file.len);
	buf_free(&file);
}

/* As the kernel before 5.2 writes it: RAM by the direct map, vmalloc, text, all at physical 0. */
static void make_kcore(struct fakefile *f, uint64_t direct_map)
{
	Elf64_Phdr p[] = {
		{ .p_vaddr = 0xffffffff81000000, .p_memsz = 0x3000 },
		{ .p_vaddr = 0xffffb00000000000, .p_memsz = 0x5000 },
		/* vmalloc space with five levels */
		{ .p_vaddr = 0xffa0000000000000, .p_memsz = 0x31ffffffffffff, .p_filesz = 1 },
		{ .p_vaddr = direct_map + 0x1000, .p_memsz = 0xf000 },
		{ .p_vaddr = direct_map + 0x100000, .p_memsz = 0x4000 },
		{ .p_vaddr = direct_map + 0x110000, .p_memsz = 0x2000 },
	};
	make_core(f, p, sizeof(p) / sizeof(p[0]));
}

/* As since 5.2; of its three ranges of RAM the first so many. */
static void make_new_kcore(struct fakefile *f, size_t ranges)
{
	Elf64_Phdr p[] = {
		{ .p_vaddr = 0xffffb00000000000, .p_paddr = UINT64_MAX, .p_memsz = 0x5000 },
		{ .p_vaddr = DIRECT_MAP + 0x1000, .p_paddr = 0x1000, .p_memsz = 0xf000 },
		{ .p_vaddr = DIRECT_MAP + 0x100000, .p_paddr = 0x100000, .p_memsz = 0x4000 },
		{ .p_vaddr = DIRECT_MAP + 0x118000, .p_paddr = 0x118000, .p_memsz = 0x4000 },
	};
	make_core(f, p, 1 + ranges);
}

static int set_up(void **state)
{
	struct fake_machine *m = calloc(1, sizeof(*m));
	assert_non_null(m);
	make_kcore(&m->kcore, DIRECT_MAP);
	make_mem(&m->mem);
	make_text(&m->iomem, iomem);
	make_text(&m->vmcoreinfo, "2000 28\n");
	make_text(&m->kallsyms, kallsyms);
	make_text(&m->kptr_restrict, "1\n");
	make_text(&m->lockdown, "none integrity [confidentiality]\n");
	m->paths = (struct live_paths){
		.kcore = m->kcore.path,
		.mem = m->mem.path,
		.crash = "/nonexistent/crash",
		.iomem = m->iomem.path,
		.vmcoreinfo = m->vmcoreinfo.path,
		.kallsyms = m->kallsyms.path,
		.kptr_restrict = m->kptr_restrict.path,
		.lockdown = m->lockdown.path,
	};
	*state = m;
	return 0;
}

static int tear_down(void **state)
{
	struct fake_machine *m = *state;
	fakefile_close(&m->kcore);
	fakefile_close(&m->mem);
	fakefile_close(&m->iomem);
	fakefile_close(&m->vmcoreinfo);
	fakefile_close(&m->kallsyms);
	fakefile_close(&m->kptr_restrict);
	fakefile_close(&m->lockdown);
	free(m);
	return 0;
}

static void replace_text(struct fakefile *f, const char **path, const char *text)
{
	fakefile_close(f);
	make_text(f, text);
	*path = f->path;
}

static void assert_page(const struct page_source *s, uint64_t pfn, unsigned from, unsigned to)
{
	uint8_t page[PAGE_SIZE];
	uint16_t got_from, got_to;
	assert_ok(s->read_page(s->self, pfn, page, &got_from, &got_to));
	assert_int_equal(got_from, from);
	assert_int_equal(got_to, to);
	for (unsigned i = from; i < to; i++)
		assert_int_equal(page[i], pfn & 0xff);
}

static void assert_no_page(const struct page_source *s, uint64_t pfn)
{
	uint8_t page[PAGE_SIZE];
	uint16_t from, to;
	assert_err(s->read_page(s->self, pfn, page, &from, &to), ERR_MISSING, "");
}

static void ram_is_what_iomem_says(void **state)
{
	const struct fake_machine *m = *state;
	struct ram_map ram;
	assert_ok(ram_map_read(m->paths.iomem, &ram));
	assert_int_equal(ram.count, 3);
	assert_int_equal(ram.list[1].start, 0x100000);
	assert_int_equal(ram.list[1].end, 0x104800);
	assert_ptr_equal(ram_map_from(&ram, 0), &ram.list[0]);
	assert_ptr_equal(ram_map_from(&ram, 0xffff), &ram.list[0]);
	assert_ptr_equal(ram_map_from(&ram, 0x10000), &ram.list[1]);
	assert_ptr_equal(ram_map_from(&ram, 0x111fff), &ram.list[2]);
	assert_null(ram_map_from(&ram, 0x112000));
	ram_map_free(&ram);
}

static void iomem_that_says_nothing(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *part;
	} cases[] = {
		{ "", ERR_FORMAT, "no System RAM" },
		{ "00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n", ERR_IO,
		  "CAP_SYS_ADMIN" },
		{ "-1-2 : System RAM\nzz-0 : System RAM\n5-4 : System RAM\n"
		  "0-ffffffffffffffff : System RAM\n1-11111111111111111 : System RAM\n",
		  ERR_FORMAT, "no System RAM" },
	};
	struct fake_machine *m = *state;
	struct ram_map ram;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		replace_text(&m->iomem, &m->paths.iomem, cases[i].text);
		assert_err(ram_map_read(m->paths.iomem, &ram), cases[i].code, cases[i].part);
	}
	assert_err(ram_map_read("/nonexistent", &ram), ERR_IO, "/nonexistent");
}

static void device_is_read_where_ram_is(void **state)
{
	const struct fake_machine *m = *state;
	struct dump_info info = { 0 };
	struct iomem ram = IOMEM_INIT;
	struct mem_device *d;
	uint64_t next;
	assert_ok(iomem_open(m->paths.iomem, &ram));
	assert_ok(mem_device_open(&m->paths, m->paths.mem, &ram, &info, &d));
	assert_int_equal(info.memory_bytes, 0xf000 + 0x4800 + 0x2000);
	assert_int_equal(info.max_pfn, 0x112);
	struct page_source s = mem_device_pages(d);
	assert_page(&s, 1, 0, PAGE_SIZE);
	assert_page(&s, 0x104, 0, 0x800);
	assert_page(&s, 0x111, 0, PAGE_SIZE);
	/* A device's registers; the file has bytes there. */
	assert_no_page(&s, 0xa0);
	assert_no_page(&s, 0x112);
	assert_no_page(&s, UINT64_MAX >> PAGE_SHIFT);
	assert_true(s.next_page(s.self, 0x10, &next));
	assert_int_equal(next, 0x100);
	assert_false(s.next_page(s.self, 0x112, &next));
	mem_device_close(d);
	iomem_close(&ram);
}

/* ---- what the kernel says of itself ---- */

/* What was opened at @source, and what was said about it. */
struct opened {
	struct dump *d;
	struct buf told;
};

static void keep_sentence(void *closure, const char *sentence)
{
	buf_addstr(closure, sentence);
}

static const struct dump_info *open_source(struct opened *o, const struct fake_machine *m,
					   const char *source)
{
	*o = (struct opened){ .told = BUF_INIT };
	struct dump_options options = { .warn = keep_sentence, .warn_closure = &o->told };
	assert_ok(dump_open_live(&m->paths, source, &options, &o->d));
	return dump_info(o->d);
}

static void close_source(struct opened *o)
{
	dump_close(o->d);
	buf_free(&o->told);
}

/* Through the device, and through a kcore that has no note. */
static void vmcoreinfo_by_its_address(void **state)
{
	const struct fake_machine *m = *state;
	struct dump_info info = { 0 };
	struct notes notes = NOTES_INIT;
	struct live_kernel kernel;
	struct iomem ram = IOMEM_INIT;
	struct mem_device *device;
	struct page_source pages;
	struct opened o;
	assert_ok(iomem_open(m->paths.iomem, &ram));
	assert_ok(mem_device_open(&m->paths, m->paths.mem, &ram, &info, &device));
	pages = mem_device_pages(device);
	assert_ok(live_kernel_ask(&m->paths, &pages, &(struct dump_options){ 0 }, &notes, &kernel));
	assert_string_equal(notes.vmcoreinfo, "OSRELEASE=6.1.0\n");
	/* It does not lead to symbols, as that of a kernel before 6.0. */
	assert_string_equal(kernel.kallsyms.data, KALLSYMS);
	live_kernel_free(&kernel);
	notes_free(&notes);
	mem_device_close(device);
	iomem_close(&ram);
	/* Of a kcore whose memory has no such note. */
	const struct dump_info *of_kcore = open_source(&o, m, m->paths.kcore);
	assert_null(of_kcore->vmcoreinfo);
	assert_non_null(strstr(o.told.data, "no such note is there"));
	assert_string_equal(of_kcore->kallsyms, KALLSYMS);
	assert_int_equal(of_kcore->kernel_code, 0x100000);
	close_source(&o);
}

static void vmcoreinfo_that_leads_to_symbols(void **state)
{
	static const char text[] = "OSRELEASE=6.1.0\nSYMBOL(kallsyms_names)=ffffffff82000000\n";
	const struct fake_machine *m = *state;
	struct notes notes = NOTES_INIT;
	struct live_kernel kernel;
	assert_ok(notes_set_vmcoreinfo(&notes, text, strlen(text)));
	assert_ok(live_kernel_ask(&m->paths, NULL, &(struct dump_options){ 0 }, &notes, &kernel));
	assert_int_equal(kernel.kallsyms.len, 0);
	assert_null(kernel.kallsyms_why);
	live_kernel_free(&kernel);
	notes_free(&notes);
}

static void no_vmcoreinfo(void **state)
{
	static const struct {
		const char *text, *part;
	} cases[] = {
		{ "", "does not say where" },
		{ "x", "does not say where" },
		{ "2000", "does not say where" },
		{ "2000 0", "does not say where" },
		{ "0 1000", "does not say where" },
		{ "2000 ffffffffff", "does not say where" },
		{ "fffffffffffff000 2000", "does not say where" },
		{ "a0000 100", "no physical memory" },
		{ "3000 100", "no such note" },
	};
	struct fake_machine *m = *state;
	struct opened o;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		replace_text(&m->vmcoreinfo, &m->paths.vmcoreinfo, cases[i].text);
		assert_null(open_source(&o, m, m->paths.kcore)->vmcoreinfo);
		if (!strstr(o.told.data, cases[i].part) && !strstr(o.told.data, "not in the dump"))
			fail_msg("'%s': %s", cases[i].text, o.told.data);
		close_source(&o);
	}
	m->paths.vmcoreinfo = "/nonexistent/vmcoreinfo";
	open_source(&o, m, m->paths.kcore);
	assert_non_null(strstr(o.told.data, "this kernel was built without it"));
	close_source(&o);
}

/* Why there are no symbols, and what to do; @level is kernel.kptr_restrict. */
static void assert_no_symbols(struct fake_machine *m, const char *text, const char *level,
			      const char *part)
{
	struct opened o;
	replace_text(&m->kallsyms, &m->paths.kallsyms, text);
	replace_text(&m->kptr_restrict, &m->paths.kptr_restrict, level);
	const struct dump_info *info = open_source(&o, m, m->paths.kcore);
	assert_null(info->kallsyms);
	assert_non_null(info->kallsyms_why);
	if (!strstr(info->kallsyms_why, part))
		fail_msg("%s", info->kallsyms_why);
	close_source(&o);
}

static void no_symbols(void **state)
{
	static const char zeros[] = "0000000000000000 A fixed_percpu_data\n"
				    "0000000000000000 T _text\n"
				    "0000000000000000 t one\t[module]\n";
	struct fake_machine *m = *state;
	struct opened o;
	assert_no_symbols(m, zeros, "1\n", "CAP_SYSLOG is needed");
	assert_no_symbols(m, zeros, "", "CAP_SYSLOG is needed");
	assert_no_symbols(m, zeros, "2\n", "set it to 1 (sysctl kernel.kptr_restrict=1)");
	assert_no_symbols(m, "", "1\n", "lists no symbols");
	assert_no_symbols(m, "no line", "1\n", "lists no symbols");
	assert_no_symbols(m, "\tonly [modules]\n", "1\n", "lists no symbols");
	m->paths.kallsyms = "/nonexistent/kallsyms";
	const struct dump_info *info = open_source(&o, m, m->paths.kcore);
	assert_non_null(strstr(info->kallsyms_why, "this kernel was built without it"));
	close_source(&o);
	m->paths.kallsyms = "/dev/zero";
	info = open_source(&o, m, m->paths.kcore);
	assert_non_null(strstr(info->kallsyms_why, "it is no text"));
	close_source(&o);
}

static void old_kcore_gets_its_addresses(void **state)
{
	const struct fake_machine *m = *state;
	struct dump *d;
	uint64_t next;
	assert_ok(dump_open_live(&m->paths, NULL, NULL, &d));
	assert_true(dump_info(d)->live);
	assert_non_null(strstr(dump_info(d)->format, m->paths.kcore));
	const struct page_source *s = dump_pages(d);
	assert_page(s, 1, 0, PAGE_SIZE);
	assert_page(s, 0x103, 0, PAGE_SIZE);
	assert_page(s, 0x110, 0, PAGE_SIZE);
	/* Neither vmalloc's memory nor the text passes for physical memory at 0. */
	assert_no_page(s, 0);
	assert_no_page(s, 0x104);
	assert_true(s->next_page(s->self, 0, &next));
	assert_int_equal(next, 1);
	dump_close(d);
}

static struct err *no_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			   uint16_t *ret_to)
{
	(void)self, (void)pfn, (void)page, (void)ret_from, (void)ret_to;
	return err_new(ERR_MISSING, "page table");
}

static void kcore_is_read_by_virtual_address(void **state)
{
	const struct fake_machine *m = *state;
	static const struct vspace space = { .root = 0x1000, .levels = 4 };
	const uint64_t vmalloc = 0xffffb00000000000, direct = DIRECT_MAP + 0x100000;
	struct memory *memory;
	struct dump *d;
	uint8_t bytes[0x2000];
	assert_ok(dump_open_live(&m->paths, NULL, NULL, &d));
	/* Page tables are not asked. */
	struct page_source s = *dump_pages(d);
	s.read_page = no_page;
	assert_ok(memory_new(&s, 64 << 10, &memory));
	/* Where physical memory is not: from one page into the next. */
	assert_ok(memory_read_mapped(memory, &space, vmalloc + 0x1ffc, bytes, 8));
	assert_memory_equal(bytes, "\1\1\1\1\2\2\2\2", 8);
	assert_ok(memory_read_mapped(memory, &space, direct + 0x2000, bytes, sizeof(bytes)));
	assert_int_equal(bytes[0], (uint8_t)((direct >> PAGE_SHIFT) + 2));
	assert_int_equal(bytes[0x1fff], (uint8_t)((direct >> PAGE_SHIFT) + 3));
	/* What passes the end of a segment, or lies in none, is a matter of page tables. */
	assert_err(memory_read_mapped(memory, &space, vmalloc + 0x4ffc, bytes, 8), ERR_MISSING,
		   "page table");
	assert_err(memory_read_mapped(memory, &space, vmalloc - 8, bytes, 8), ERR_MISSING,
		   "page table");
	assert_err(memory_read_mapped(memory, &space, UINT64_MAX - 7, bytes, 16), ERR_MISSING,
		   "page table");
	memory_free(memory);
	dump_close(d);
}

static void old_kcore_of_another_machine(void **state)
{
	struct fake_machine *m = *state;
	struct dump *d;
	fakefile_close(&m->kcore);
	make_kcore(&m->kcore, DIRECT_MAP + PAGE_SIZE);
	assert_err(dump_open_live(&m->paths, m->kcore.path, NULL, &d), ERR_FORMAT,
		   "none of them is the RAM");
}

/* ---- memory that comes and goes ---- */

/* The same file, as the kernel's would, says something else from now on. */
static void say(const struct fakefile *f, const char *text)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, text, strlen(text), 0), strlen(text));
}

static const char less_ram[] = "00001000-0000ffff : System RAM\n"
			       "00100000-00102fff : System RAM\n"
			       "00110000-00111fff : System RAM (kmem)\n";
static const char more_ram[] = "00001000-0000ffff : System RAM\n"
			       "00100000-001047ff : System RAM\n"
			       "00110000-00111fff : System RAM (kmem)\n"
			       "00118000-0011bfff : System RAM\n";

static void ram_of_a_device_comes_and_goes(void **state)
{
	const struct fake_machine *m = *state;
	struct dump_info info = { 0 };
	struct iomem ram = IOMEM_INIT;
	struct mem_device *d;
	assert_ok(iomem_open(m->paths.iomem, &ram));
	assert_ok(mem_device_open(&m->paths, m->paths.mem, &ram, &info, &d));
	struct page_source s = mem_device_pages(d);
	assert_page(&s, 0x103, 0, PAGE_SIZE);
	say(&m->iomem, less_ram);
	assert_ok(iomem_renew(&ram));
	assert_no_page(&s, 0x103);
	assert_page(&s, 0x102, 0, PAGE_SIZE);
	say(&m->iomem, more_ram);
	assert_ok(iomem_renew(&ram));
	assert_page(&s, 0x11b, 0, PAGE_SIZE);
	mem_device_count(d, &info);
	assert_int_equal(info.max_pfn, 0x11c);
	/* What cannot be read leaves all as it was. */
	say(&m->iomem, "00000000-00000000 : System RAM\n");
	assert_err(iomem_renew(&ram), ERR_IO, "CAP_SYS_ADMIN");
	assert_page(&s, 0x11b, 0, PAGE_SIZE);
	mem_device_close(d);
	iomem_close(&ram);
}

static void ram_of_kcore_comes_and_goes(void **state)
{
	const struct fake_machine *m = *state;
	struct opened o;
	const struct dump_info *info = open_source(&o, m, m->paths.kcore);
	const struct page_source *s = dump_pages(o.d);
	const uint64_t whole = info->memory_bytes;
	assert_int_equal(whole, 0xf000 + 0x4000 + 0x2000);
	assert_null(info->memory_note);
	/* Memory that kcore, whose headers are those of before, still has. */
	say(&m->iomem, less_ram);
	dump_renew(o.d);
	/* Without a segment for every range the old headers cannot be placed: all stays. */
	assert_int_equal(info->memory_bytes, whole);
	assert_page(s, 0x103, 0, PAGE_SIZE);
	say(&m->iomem, "");
	dump_renew(o.d);
	assert_int_equal(info->memory_bytes, whole);
	say(&m->kcore, "no ELF file");
	say(&m->iomem, iomem);
	dump_renew(o.d);
	assert_int_equal(info->memory_bytes, whole);
	close_source(&o);
}

/* The headers of a kcore with so many ranges, in place of its own. */
static void take_headers(const struct fakefile *kcore, size_t ranges)
{
	struct fakefile other;
	char bytes[PAGE_SIZE];
	make_new_kcore(&other, ranges);
	assert_int_equal(pread(other.fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_int_equal(pwrite(kcore->fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	fakefile_close(&other);
}

/* As since 5.2, with physical addresses. */
static void ram_of_new_kcore_comes_and_goes(void **state)
{
	struct fake_machine *m = *state;
	struct opened o;
	fakefile_close(&m->kcore);
	make_new_kcore(&m->kcore, 3);
	take_headers(&m->kcore, 2);
	const struct dump_info *info = open_source(&o, m, m->paths.kcore);
	const struct page_source *s = dump_pages(o.d);
	assert_int_equal(info->memory_bytes, 0xf000 + 0x4000);
	assert_null(info->memory_note);
	say(&m->iomem, less_ram);
	dump_renew(o.d);
	assert_int_equal(info->memory_bytes, 0xf000 + 0x3000);
	assert_no_page(s, 0x103);
	assert_page(s, 0x102, 0, PAGE_SIZE);
	/* What kcore has not taken up is told of. */
	say(&m->iomem, more_ram);
	dump_renew(o.d);
	assert_int_equal(info->memory_bytes, 0xf000 + 0x4000);
	assert_no_page(s, 0x118);
	assert_non_null(info->memory_note);
	assert_non_null(strstr(info->memory_note, "16 KiB of memory have come"));
	take_headers(&m->kcore, 3);
	dump_renew(o.d);
	assert_null(info->memory_note);
	assert_int_equal(info->memory_bytes, 0xf000 + 0x4000 + 0x4000);
	close_source(&o);
}

static void the_best_is_taken(void **state)
{
	struct fake_machine *m = *state;
	struct buf told = BUF_INIT;
	struct dump_options options = { .warn = keep_sentence, .warn_closure = &told };
	struct dump *d;
	m->paths.crash = m->paths.kcore;
	m->paths.kcore = "/nonexistent/kcore";
	m->paths.mem = "/nonexistent/mem";
	assert_ok(dump_open_live(&m->paths, NULL, &options, &d));
	assert_non_null(strstr(told.data,
			       "/nonexistent/kcore does not exist: this kernel was built "
			       "without it; /nonexistent/mem does not exist: this "
			       "kernel was built without it"));
	dump_close(d);
	buf_free(&told);
	m->paths.crash = "/nonexistent/crash";
	assert_err(dump_open_live(&m->paths, NULL, NULL, &d), ERR_IO, "/nonexistent/crash");
	/* A device that is no memory. */
	assert_err(dump_open_live(&m->paths, "/dev/null", NULL, &d), ERR_FORMAT, "ends before RAM");
}

static void refusals_say_what_to_do(void **state)
{
	struct fake_machine *m = *state;
	assert_err(live_refused(&m->paths, m->paths.mem, ENOENT), ERR_IO, "built without it");
	assert_err(live_refused(&m->paths, m->paths.crash, ENOENT), ERR_IO, "module crash");
	assert_err(live_refused(&m->paths, "/dev/ram", ENOENT), ERR_IO, "live memory is ");
	assert_err(live_refused(&m->paths, "/dev/mem", EACCES), ERR_IO, "as root");
	assert_err(live_refused(&m->paths, "/dev/mem", EBUSY), ERR_IO, "elsewhere");
	assert_err(live_refused(&m->paths, "/dev/crash", ENXIO), ERR_IO, "driver");
	assert_err(live_refused(&m->paths, "/dev/mem", EPERM), ERR_IO,
		   "locked down (confidentiality)");
	replace_text(&m->lockdown, &m->paths.lockdown, "[none] integrity confidentiality\n");
	assert_err(live_refused(&m->paths, "/dev/mem", EPERM), ERR_IO, "CAP_SYS_RAWIO");
	replace_text(&m->lockdown, &m->paths.lockdown, "]none[");
	assert_err(live_refused(&m->paths, "/dev/mem", EPERM), ERR_IO, "CAP_SYS_RAWIO");
	assert_err(live_refused(&m->paths, "/dev/mem", EIO), ERR_IO, "Input/output error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ram_is_what_iomem_says, set_up, tear_down),
		cmocka_unit_test_setup_teardown(iomem_that_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(device_is_read_where_ram_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vmcoreinfo_by_its_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(vmcoreinfo_that_leads_to_symbols, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(no_vmcoreinfo, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_symbols, set_up, tear_down),
		cmocka_unit_test_setup_teardown(old_kcore_gets_its_addresses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(kcore_is_read_by_virtual_address, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(old_kcore_of_another_machine, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ram_of_a_device_comes_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ram_of_kcore_comes_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ram_of_new_kcore_comes_and_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_best_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals_say_what_to_do, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
