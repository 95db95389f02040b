// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the kernel and its page tables are: KASLR, phys_base, five levels, memory encryption, and
 * dumps that say little of it or nothing. */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "arch/arch.h"
#include "base/buf.h"
#include "tests/kernel/machine.h"
#include "vmcore/find/arch.h"
#include "vmcore/find/crashed_kernel.h"
#include "vmcore/names/files/debugfiles.h"
#include "vmcore/names/symbols.h"
#include "vmcore/names/vmcoreinfo.h"

#define MODERN BUILD_FOLDER "/tests/kernel/modern"
#define SLIDE  UINT64_C(0x1c000000)
/* Offset of init_top_pgt in the image. */
#define ROOT_OFFSET (UINT64_C(0xffffffff81401000) - UINT64_C(0xffffffff81000000))
#define IMAGE	    UINT64_C(0x6000000)
#define C_BIT	    (UINT64_C(1) << 47)

/* All that an open machine must show; @root is where its page tables must have been found. */
static void assert_whole(const struct machine *m, uint64_t root)
{
	uint64_t text, slide;
	struct vspace space;
	char mark[10];
	assert_int_equal(kernel_space(m->kernel)->root, root);
	assert_true(kernel_text(m->kernel, &text, &slide));
	assert_int_equal(slide, SLIDE);
	assert_int_equal(m->tasks.count, 7);
	assert_int_equal(machine_regs(m, 200)->from, REGS_NOTE);
	assert_int_equal(machine_regs(m, 1)->from, REGS_SWITCH);
	assert_no_err(task_space(m->kernel, machine_task(m, 200), &space));
	assert_no_err(memory_read_all(m->memory, &space, 0x401000, mark, sizeof(mark)));
	assert_memory_equal(mark, "text of sh", sizeof(mark));
}

/* ---- what machines differ in ---- */

static void machines_of_all_kinds(void **state)
{
	(void)state;
	static const struct {
		struct define defines[DEFINES_MAX];
		uint64_t image;
		uint8_t levels;
	} cases[] = {
		{ { { "image", 0x1000000 } }, 0x1000000, 4 },
		/* Below where it was linked: phys_base is negative. */
		{ { { "image", 0x200000 } }, 0x200000, 4 },
		{ { { "levels", 5 } }, IMAGE, 5 },
		{ { { "encrypted_bit", C_BIT } }, IMAGE, 4 },
		{ { { "encrypted_bit", UINT64_C(1) << 51 }, { "levels", 5 } }, IMAGE, 5 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine_plan plan = { .recipe = "modern.recipe", .symbols = MODERN };
		struct machine m;
		memcpy(plan.defines, cases[i].defines, sizeof(plan.defines));
		machine_open(&m, &plan);
		assert_whole(&m, cases[i].image + ROOT_OFFSET);
		assert_int_equal(kernel_space(m.kernel)->levels, cases[i].levels);
		machine_close(&m);
	}
}

/* VMCOREINFO of kernels that do not say where they lie; QEMU's CR3 does. */
static void phys_base_is_wrong(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .symbols = MODERN,
				 .defines = { { "told_phys_base", 0x7000000 } },
			 });
	/* CPU 0's, which is sh's. */
	assert_whole(&m, 0x13000000);
	machine_close(&m);
}

static const char bare_vmcoreinfo[] = "vmcoreinfo: text \"OSRELEASE=6.16.0-modern\"\n"
				      " symbol init_uts_ns = init_uts_ns + s\n"
				      " symbol swapper_pg_dir = init_top_pgt + s\n"
				      " symbol _stext = _stext + s\n";

static void vmcoreinfo_says_little(void **state)
{
	(void)state;
	static const uint64_t levels[] = { 4, 5 };
	for (size_t i = 0; i < 2; i++) {
		struct machine m;
		machine_open(&m, &(struct machine_plan){
					 .recipe = "modern.recipe",
					 .symbols = MODERN,
					 .defines = { { "levels", levels[i] } },
					 .drop_vmcoreinfo = true,
					 .extra = bare_vmcoreinfo,
				 });
		assert_whole(&m, 0x13000000);
		assert_int_equal(kernel_space(m.kernel)->levels, levels[i]);
		assert_string_equal(kernel_build_id(m.kernel),
				    kernel_debug_file(m.kernel)->build_id);
		machine_close(&m);
	}
}

static void told_wrong_number_of_levels(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .defines = { { "told_levels5", 1 } },
			 });
	assert_err(machine_open_kernel(&m, NULL, MODERN), ERR_CORRUPT,
		   "no page tables were found that lead to the kernel 6.16.0-modern");
	machine_close(&m);
}

/* Of a release that begins like the one that is there. */
static void release_must_be_the_whole(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .drop_vmcoreinfo = true,
				 .extra = "vmcoreinfo: text \"OSRELEASE=6.16.0-mod\"\n"
					  " symbol init_uts_ns = init_uts_ns + s\n"
					  " symbol swapper_pg_dir = init_top_pgt + s\n",
			 });
	assert_err(machine_open_kernel(&m, NULL, MODERN), ERR_CORRUPT, "the kernel 6.16.0-mod");
	machine_close(&m);
}

/* As of a converter that knows nothing of the kernel: it is as good as none. */
static void vmcoreinfo_without_the_necessary(void **state)
{
	(void)state;
	struct machine m;
	size_t len;
	struct machine_plan plan = {
		.recipe = "modern.recipe",
		.symbols = MODERN,
		.drop_vmcoreinfo = true,
		.extra = "vmcoreinfo: text \"PAGESIZE=4096\"\n",
	};
	machine_open(&m, &plan);
	assert_null(kernel_vmcoreinfo(m.kernel));
	assert_null(kernel_vmcoreinfo_text(m.kernel, &len));
	assert_int_equal(m.tasks.count, 7);
	machine_close(&m);
	/* Nothing else tells: it is named. */
	plan.drop_cpu_notes = true;
	machine_make(&m, &plan);
	assert_err(machine_open_kernel(&m, NULL, MODERN), ERR_FORMAT,
		   "VMCOREINFO has no OSRELEASE or no SYMBOL(init_uts_ns)");
	machine_close(&m);
}

/* ---- no VMCOREINFO in the file ---- */

/* A VMCOREINFO note at @where in memory, that says this release is at init_uts_ns + @off. */
static void add_note(struct buf *recipe, uint64_t where, const char *release, uint64_t off)
{
	struct buf text = BUF_INIT;
	buf_addf(&text,
		 "OSRELEASE=%s\nSYMBOL(init_uts_ns)=%" PRIx64 "\nSYMBOL(swapper_pg_dir)=%" PRIx64
		 "\nSYMBOL(_stext)=%" PRIx64 "\nKERNELOFFSET=%" PRIx64
		 "\nNUMBER(phys_base)=%" PRId64 "\n",
		 release, UINT64_C(0xffffffff81400000) + SLIDE + off,
		 UINT64_C(0xffffffff81000000) + ROOT_OFFSET + SLIDE,
		 UINT64_C(0xffffffff81000000) + SLIDE, SLIDE,
		 (int64_t)(IMAGE - (UINT64_C(0x1000000) + SLIDE)));
	buf_addf(recipe, "phys 0x%" PRIx64 ": u32 11 %zu 0 \"VMCOREINFO\\0\\0\" \"", where,
		 text.len);
	for (const char *p = text.data; *p; p++)
		*p == '\n' ? buf_addstr(recipe, "\\n") : buf_addch(recipe, *p);
	buf_addstr(recipe, "\"\n");
	buf_free(&text);
}

static void vmcoreinfo_in_memory(void **state)
{
	(void)state;
	struct machine m;
	struct buf recipe = BUF_INIT;
	/* Of a kernel that ran before, of one with the same name elsewhere, and damaged ones. */
	add_note(&recipe, 0x1000000, "5.10.0-before", 0);
	add_note(&recipe, 0x1001000, "6.16.0-modern", 0x1000);
	buf_addstr(&recipe, "phys 0x1002000: u32 11 0xffffffff 0 \"VMCOREINFO\\0\\0\"\n"
			    "phys 0x1003000: u32 11 4096 0 \"VMCOREINFO\\0\\0\"\n"
			    "absent phys 0x1004000 4k\n");
	add_note(&recipe, 0x1b000000, "6.16.0-modern", 0);
	machine_open(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .symbols = MODERN,
				 .drop_vmcoreinfo = true,
				 .extra = recipe.data,
			 });
	buf_free(&recipe);
	/* No process's tables, but the kernel's own. */
	assert_whole(&m, IMAGE + ROOT_OFFSET);
	assert_non_null(kernel_vmcoreinfo(m.kernel));
	assert_note(&m, "the dump carries no VMCOREINFO; the kernel's own was found in memory");
	machine_close(&m);
}

/* The file's own leads nowhere: a converter's, or that of a kernel which ran before. */
static void vmcoreinfo_in_memory_beside_a_useless_one(void **state)
{
	(void)state;
	static const char *const useless[] = {
		"vmcoreinfo: text \"OSRELEASE=unknown\" text \"PAGESIZE=4096\"\n",
		"vmcoreinfo: text \"OSRELEASE=5.10.0-before\" symbol init_uts_ns = "
		"0xffffffff81234000"
		" symbol swapper_pg_dir = 0xffffffff81237000\n",
	};
	for (size_t i = 0; i < 4; i++) {
		struct machine m;
		struct buf recipe = BUF_INIT;
		buf_addstr(&recipe, useless[i / 2]);
		add_note(&recipe, 0x1b000000, "6.16.0-modern", 0);
		machine_open(&m, &(struct machine_plan){
					 .recipe = "modern.recipe",
					 .symbols = MODERN,
					 .drop_cpu_notes = i % 2,
					 .drop_vmcoreinfo = true,
					 .extra = recipe.data,
				 });
		buf_free(&recipe);
		assert_int_equal(kernel_space(m.kernel)->root, IMAGE + ROOT_OFFSET);
		assert_int_equal(m.tasks.count, 7);
		assert_string_equal(kernel_release(m.kernel), "6.16.0-modern");
		assert_note(
			&m,
			"the dump carries no VMCOREINFO that leads to a kernel; the kernel's own");
		machine_close(&m);
	}
}

/* Nothing but the note, where no page begins: a variable of kernels before 4.13. */
static void nothing_but_vmcoreinfo_in_memory(void **state)
{
	(void)state;
	struct machine m;
	struct buf recipe = BUF_INIT;
	add_note(&recipe, 0x1001000, "6.16.0-modern", 0x1000);
	add_note(&recipe, 0x1b000ff8, "6.16.0-modern", 0);
	machine_open(&m, &(struct machine_plan){
				 .recipe = "modern.recipe",
				 .symbols = MODERN,
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = recipe.data,
			 });
	buf_free(&recipe);
	assert_int_equal(kernel_space(m.kernel)->root, IMAGE + ROOT_OFFSET);
	assert_int_equal(m.tasks.count, 7);
	assert_note(&m, "the kernel's own was found in memory");
	machine_close(&m);
}

/* By the symbols that a running kernel would list, and where /proc/iomem says that it lies. */
static void symbols_lead_to_page_tables(void **state)
{
	(void)state;
	static const struct {
		struct define defines[DEFINES_MAX];
		uint64_t code; /* what iomem says */
		bool found;
	} cases[] = {
		{ .code = IMAGE, .found = true },
		{ { { "levels", 5 } }, IMAGE, true },
		{ { { "image", 0x200000 } }, 0x200000, true },
		{ .code = IMAGE + 0x200000 },
		{ .code = 0 },
	};
	struct symbols *symbols;
	int fd = open(MODERN, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_no_err(symbols_from_elf(fd, MODERN, SLIDE, &symbols));
	close(fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine_plan plan = { .recipe = "modern.recipe", .symbols = MODERN };
		const struct dump_info told = { .kernel_code = cases[i].code };
		struct vspace space = { 0 };
		struct machine m;
		memcpy(plan.defines, cases[i].defines, sizeof(plan.defines));
		machine_open(&m, &plan);
		struct err *e =
			arch_unnamed()->find->from_symbols(m.memory, symbols, &told, &space);
		if (cases[i].found) {
			assert_no_err(e);
			assert_int_equal(space.root, kernel_space(m.kernel)->root);
			assert_int_equal(space.levels, kernel_space(m.kernel)->levels);
		} else {
			assert_err(e, ERR_NOTFOUND, "lead to no page tables");
		}
		machine_close(&m);
	}
	symbols_free(symbols);
}

static void symbols_of_functions_only(void **state)
{
	(void)state;
	const struct dump_info told = { .kernel_code = IMAGE };
	struct machine m;
	struct symbols *symbols;
	struct vspace space;
	machine_open(&m, &(struct machine_plan){ .recipe = "modern.recipe", .symbols = MODERN });
	assert_no_err(symbols_from_kallsyms_text("ffffffff9d000000 T _text\n", NULL, &symbols));
	assert_err(arch_unnamed()->find->from_symbols(m.memory, symbols, &told, &space),
		   ERR_NOTFOUND, "CONFIG_KALLSYMS_ALL");
	symbols_free(symbols);
	machine_close(&m);
}

static void no_vmcoreinfo_anywhere(void **state)
{
	(void)state;
	static const uint64_t levels[] = { 4, 5 };
	for (size_t i = 0; i < 2; i++) {
		struct machine m;
		machine_open(&m, &(struct machine_plan){
					 .recipe = "modern.recipe",
					 .symbols = MODERN,
					 .defines = { { "levels", levels[i] } },
					 .drop_vmcoreinfo = true,
				 });
		assert_whole(&m, 0x13000000);
		assert_string_equal(kernel_release(m.kernel), "6.16.0-modern");
		assert_null(kernel_vmcoreinfo(m.kernel));
		machine_close(&m);
	}
}

/* A CPU in a guest says nothing of the kernel; the next one does. */
static void first_cpu_is_in_a_guest(void **state)
{
	(void)state;
	struct machine m;
	machine_open(
		&m,
		&(struct machine_plan){
			.recipe = "modern.recipe",
			.symbols = MODERN,
			.drop_vmcoreinfo = true,
			.drop_cpu_notes = true,
			.extra = "prstatus 1: rip = 0x8010 rsp = 0x7000 cs = 0x10\n"
				 "qemu: cr3 = 0x1000\n"
				 "prstatus 2: rip = default_idle+s rsp = stack1+0x3f00 cs = 0x10\n"
				 "qemu: cr3 = cr3\n",
		});
	assert_int_equal(kernel_space(m.kernel)->root, IMAGE + ROOT_OFFSET);
	assert_unknown(&m, 200, "CPU 0 was running a guest");
	machine_close(&m);
}

/* In user mode under page table isolation CR3 holds tables that map hardly any of the kernel: its
 * entry code, which is not where the image begins. */
static void cr3_of_the_user_half(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m,
		     &(struct machine_plan){
			     .recipe = "modern.recipe",
			     .symbols = MODERN,
			     .drop_vmcoreinfo = true,
			     .drop_cpu_notes = true,
			     .extra = "pagetable user root sh_pgd+0x1000 pool sh_pgd+0x10000\n"
				      "map _text+slide+4m image+4m 2m 2m global\nuse kernel\n"
				      "prstatus 1: rip = 0x401000 rsp = 0x7ffc0000 cs = 0x33\n"
				      "qemu: cr3 = sh_pgd|0x1803 kernel_gs_base = cpu0-percpu\n",
		     });
	assert_int_equal(kernel_space(m.kernel)->root, 0x13000000);
	assert_int_equal(machine_regs(&m, 200)->from, REGS_USER);
	machine_close(&m);
}

static void wrong_vmlinux_by_cr3(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m,
		     &(struct machine_plan){ .recipe = "modern.recipe", .drop_vmcoreinfo = true });
	struct err *e = machine_open_kernel(&m, NULL, BUILD_FOLDER "/tests/kernel/middle");
	assert_non_null(e);
	assert_non_null(strstr(err_msg(e), "4.18.0-394.middle"));
	assert_err(e, ERR_FORMAT, "6.16.0-modern");
	machine_close(&m);
}

/* ---- a kernel that was booted to save a dump ---- */

static void where_the_crashed_kernel_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *command_line;
		bool told;
		uint64_t header;
	} cases[] = {
		{ "elfcorehdr=0x18000000 console=ttyS0", true, 0x18000000 },
		{ "console=ttyS0 elfcorehdr=393216K", true, 0x18000000 },
		{ "a elfcorehdr=4096@384M b", true, 0x18000000 },
		{ "elfcorehdr=1g", true, 0x40000000 },
		{ "elfcorehdr=0", true, 0 },
		{ "", false, 0 },
		{ "console=ttyS0", false, 0 },
		{ "elfcorehdr=", false, 0 },
		{ "elfcorehdr=-1", false, 0 },
		{ "elfcorehdr= 1", false, 0 },
		{ "elfcorehdr=4096@", false, 0 },
		{ "elfcorehdr=0xffffffffffffffffff", false, 0 },
		{ "elfcorehdr=0xfffffffffffffG", false, 0 },
		{ "noelfcorehdr=1 elfcorehdr=2", true, 2 },
		{ "noelfcorehdr=1", false, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t header = 0;
		assert_int_equal(crashed_kernel_header(cases[i].command_line, &header),
				 cases[i].told);
		if (cases[i].told)
			assert_int_equal(header, cases[i].header);
	}
}

/* An ELF header at 0x1b004000 with a note of a CPU and, at 0x1b000000, that of VMCOREINFO. */
#define CRASH_COMMAND_LINE "virt direct + 0x15001000: \"elfcorehdr=0x1b004000 nr_cpus=1\" u8 0\n"
#define CRASH_EHDR                                                                   \
	"phys 0x1b004000: \"\\x7fELF\" u8 2 1 1 0 zero 8 u16 4 62 u32 1 u64 0 64 0 " \
	"u32 0 u16 64 56 2 0 0 0\n"
#define CRASH_PHDRS                                                       \
	"phys 0x1b004040: u32 4 0 u64 0x1b008000 0 0x1b008000 352 352 0 " \
	"u32 4 0 u64 0x1b000000 0 0x1b000000 4096 4096 0\n"

static void kernel_that_saves_a_dump(void **state)
{
	(void)state;
	static const char crashed[] = "this is the kernel that had crashed",
			  lost[] = "which is not found: ";
	static const struct {
		const char *extra, *note;
	} cases[] = {
		{ CRASH_EHDR CRASH_PHDRS, crashed },
		{ CRASH_PHDRS, lost },
		{ CRASH_EHDR, lost },
		{ CRASH_EHDR CRASH_PHDRS "phys 0x1b004036: u16 57\n", lost },
		{ CRASH_EHDR CRASH_PHDRS "phys 0x1b004038: u16 0xffff\n", lost },
		{ CRASH_EHDR CRASH_PHDRS "phys 0x1b004020: -1\n", lost },
		{ CRASH_EHDR CRASH_PHDRS "phys 0x1b004080: -1\n", lost },
		/* That leads to no page tables. */
		{ CRASH_EHDR CRASH_PHDRS "phys 0x1b004080: 0x1001000\n", lost },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct machine m;
		struct buf recipe = BUF_INIT;
		buf_addstr(&recipe, CRASH_COMMAND_LINE);
		buf_addstr(&recipe, cases[i].extra);
		add_note(&recipe, 0x1001000, "6.16.0-modern", 0x1000);
		add_note(&recipe, 0x1b000000, "6.16.0-modern", 0);
		machine_open(&m, &(struct machine_plan){
					 .recipe = "modern.recipe",
					 .symbols = MODERN,
					 .drop_vmcoreinfo = true,
					 .extra = recipe.data,
				 });
		buf_free(&recipe);
		assert_whole(&m, IMAGE + ROOT_OFFSET);
		assert_note(&m, cases[i].note);
		machine_close(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_of_all_kinds),
		cmocka_unit_test(phys_base_is_wrong),
		cmocka_unit_test(vmcoreinfo_says_little),
		cmocka_unit_test(told_wrong_number_of_levels),
		cmocka_unit_test(release_must_be_the_whole),
		cmocka_unit_test(vmcoreinfo_without_the_necessary),
		cmocka_unit_test(vmcoreinfo_in_memory),
		cmocka_unit_test(vmcoreinfo_in_memory_beside_a_useless_one),
		cmocka_unit_test(nothing_but_vmcoreinfo_in_memory),
		cmocka_unit_test(symbols_lead_to_page_tables),
		cmocka_unit_test(symbols_of_functions_only),
		cmocka_unit_test(no_vmcoreinfo_anywhere),
		cmocka_unit_test(first_cpu_is_in_a_guest),
		cmocka_unit_test(cr3_of_the_user_half),
		cmocka_unit_test(wrong_vmlinux_by_cr3),
		cmocka_unit_test(where_the_crashed_kernel_is_told),
		cmocka_unit_test(kernel_that_saves_a_dump),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
