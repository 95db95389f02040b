// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the kernel of the demo dump, and a vmlinux for it: what is missing, and what is wrong. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "base/buf.h"
#include "tests/kernel/machine.h"
#include "vmcore/names/files/debugfiles.h"

#define RELEASE "3.10.0-693.el7.x86_64"

/* In place of the kdump kernel's notes: the vCPU's CPU as QEMU notes it. */
#define QEMU_NOTE                                                                     \
	"prstatus 1: rip = 0xffffffffc07a21a8 rsp = 0xffff88003e5ebcd0 eflags = 2 "   \
	"cs = 0x10 ss = 0x18\n"                                                       \
	"qemu: rip = 0xffffffffc07a21a8 rsp = 0xffff88003e5ebcd0 cs.selector = 0x10 " \
	"cr0 = 0x80050033 cr3 = init_level4_pgt-kernel_map cr4 = 0x2020 gs.base = cpu0\n"
/* What lies below the image is unmapped when a kernel starts (cleanup_highmap()). */
#define IMAGE_ONLY "map kernel_map 0 16m 2m none\n"

/* ---- vmlinux files ---- */

static void read_vmlinux(struct buf *out)
{
	FILE *f = fopen(DEMO_VMLINUX, "rb");
	char bytes[4096];
	size_t n;
	assert_non_null(f);
	while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0)
		buf_add(out, bytes, n);
	fclose(f);
	assert_false(out->failed);
}

static void replace_all(struct buf *b, const char *what, const char *with)
{
	size_t len = strlen(what);
	assert_int_equal(len, strlen(with));
	char *at = memmem(b->data, b->len, what, len);
	assert_non_null(at);
	for (; at; at = memmem(at, (size_t)(b->data + b->len - at), what, len))
		memcpy(at, with, len);
}

/* A note's header in front of a build-id of 20 bytes. */
static char *build_id_of(struct buf *b)
{
	static const unsigned char header[] = { 4, 0, 0, 0, 20,	 0,   0,   0,
						3, 0, 0, 0, 'G', 'N', 'U', 0 };
	char *at = memmem(b->data, b->len, header, sizeof(header));
	assert_non_null(at);
	return at + sizeof(header);
}

/* Opens the unchanged demo dump with a vmlinux of these bytes; frees them. */
static struct err *open_with(struct buf *vmlinux)
{
	char path[] = "/tmp/test-opening-XXXXXX";
	int fd = mkstemp(path);
	struct machine m;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, vmlinux->data, vmlinux->len), vmlinux->len);
	close(fd);
	buf_free(vmlinux);
	machine_make(&m, &(struct machine_plan){ .recipe = "seed.recipe" });
	struct err *e = machine_open_kernel(&m, NULL, path);
	machine_close(&m);
	unlink(path);
	return e;
}

static void vmlinux_of_another_release(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	read_vmlinux(&b);
	replace_all(&b, "3.10.0-693.el7", "3.10.0-862.el7");
	assert_err(open_with(&b), ERR_FORMAT,
		   "it belongs to another kernel: its release is 3.10.0-862.el7.x86_64, the "
		   "dump's " RELEASE);
}

/* Built again from the same source: only the build-id, which the dump has in memory, tells. */
static void vmlinux_of_another_build(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	read_vmlinux(&b);
	memset(build_id_of(&b), 0xab, 20);
	assert_err(open_with(&b), ERR_FORMAT,
		   "it belongs to another kernel: its build-id is "
		   "abababababababababababababababababababab, the dump's ");
}

static void stripped_vmlinux(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	read_vmlinux(&b);
	Elf64_Ehdr *header = (Elf64_Ehdr *)(void *)b.data;
	header->e_shoff = 0;
	header->e_shnum = 0;
	header->e_shstrndx = 0;
	assert_err(open_with(&b), ERR_FORMAT, "it is stripped: it has no symbol table");
}

static void no_elf_file(void **state)
{
	(void)state;
	struct buf b = BUF_INIT;
	buf_addstr(&b, "#!/bin/sh\necho this is no vmlinux, however it may be called\n");
	struct err *e = open_with(&b);
	assert_non_null(e);
	assert_non_null(strstr(err_msg(e), "/tmp/test-opening-"));
	assert_err(e, ERR_FORMAT, "it is no ELF file");
}

static void no_such_file(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m, &(struct machine_plan){ .recipe = "seed.recipe" });
	assert_err(machine_open_kernel(&m, NULL, "/nonexistent/vmlinux"), ERR_IO,
		   "/nonexistent/vmlinux");
	machine_close(&m);
}

/*
 * Nothing has a name, and nothing is known of tasks, but the notes' registers are there. The
 * message is all that a newcomer has: what the kernel is, where it was looked for, what to install.
 */
static void no_vmlinux_at_all(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){ .recipe = "seed.recipe" });
	const char *notes = kernel_notes(m.kernel), *why = types_why_none(kernel_types(m.kernel));
	assert_non_null(strstr(notes, "the kernel's own symbol table was not found in its memory"));
	assert_non_null(why);
	assert_non_null(strstr(why, RELEASE));
	assert_non_null(strstr(notes, "/usr/lib/debug"));
	assert_non_null(strstr(why, "kernel-debuginfo"));
	assert_int_equal(symbols_count(kernel_symbols(m.kernel)), 0);

	struct member member;
	assert_err(types_member(kernel_types(m.kernel), "task_struct", "pid", &member),
		   ERR_NOTFOUND, "this needs the kernel's types, which are not known: ");
	for (size_t i = 0; i < m.tasks.count; i++) {
		const struct task *task = &m.tasks.list[i];
		assert_true(task->bare && task->on_cpu);
		assert_int_equal(task->address, 0);
		assert_true(task->note >= 0);
		assert_int_equal(machine_regs(&m, task->tid)->from, REGS_NOTE);
		assert_true(regs_known(&machine_regs(&m, task->tid)->regs, REG_RIP));
	}
	assert_true(m.tasks.count > 0);
	machine_close(&m);
}

/* ---- page tables ---- */

static void wrong_phys_base_is_not_believed(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .symbols = DEMO_VMLINUX,
				 .extra = "vmcoreinfo: number phys_base = 0x1000000\n",
			 });
	assert_int_equal(kernel_space(m.kernel)->root, 0x1809000);
	assert_int_equal(m.tasks.count, 6);
	machine_close(&m);
}

/* Not where VMCOREINFO says, at any phys_base: QEMU's CR3 is left. Its table is in an odd page. */
static void page_tables_by_cr3(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .symbols = DEMO_VMLINUX,
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = "vmcoreinfo: text \"OSRELEASE=" RELEASE "\"\n"
					  " symbol init_uts_ns symbol _stext\n"
					  " symbol swapper_pg_dir = 0xffffffff83000000\n" QEMU_NOTE,
			 });
	assert_int_equal(kernel_space(m.kernel)->root, 0x1809000);
	machine_close(&m);
}

static void page_tables_that_lead_nowhere(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .extra = "exclude init_uts_ns 4k\n",
			 });
	assert_err(machine_open_kernel(&m, NULL, DEMO_VMLINUX), ERR_CORRUPT,
		   "no page tables were found that lead to the kernel " RELEASE);
	machine_close(&m);
}

static void no_vmcoreinfo_and_no_qemu_notes(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m,
		     &(struct machine_plan){ .recipe = "seed.recipe", .drop_vmcoreinfo = true });
	assert_err(machine_open_kernel(&m, NULL, DEMO_VMLINUX), ERR_NOTFOUND,
		   "the dump has no VMCOREINFO and no QEMU CPU notes");
	machine_close(&m);
}

static void no_vmcoreinfo_but_cr3(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .symbols = DEMO_VMLINUX,
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = IMAGE_ONLY QEMU_NOTE,
			 });
	assert_string_equal(kernel_release(m.kernel), RELEASE);
	assert_string_equal(kernel_build_id(m.kernel), kernel_debug_file(m.kernel)->build_id);
	assert_null(kernel_vmcoreinfo(m.kernel));
	assert_int_equal(m.tasks.count, 6);
	assert_int_equal(machine_regs(&m, 110)->from, REGS_NOTE);
	machine_close(&m);
}

static void no_vmcoreinfo_and_no_vmlinux(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = IMAGE_ONLY QEMU_NOTE,
			 });
	assert_string_equal(kernel_release(m.kernel), RELEASE);
	assert_non_null(strstr(kernel_notes(m.kernel), "the dump has no VMCOREINFO"));
	/* Its CPU has the kernel's tables loaded, so the note is no guest's. */
	assert_int_equal(m.tasks.count, 1);
	assert_true(m.tasks.list[0].bare);
	assert_int_equal(m.tasks.list[0].user_root, kernel_space(m.kernel)->root);
	assert_int_equal(machine_regs(&m, m.tasks.list[0].tid)->from, REGS_NOTE);
	machine_close(&m);
}

/* Since 6.1 the image has a second banner, which lacks the build's number and may lie in front. */
static void no_vmcoreinfo_and_two_banners(void **state)
{
	(void)state;
	struct machine m;
	machine_open(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .symbols = DEMO_VMLINUX,
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = IMAGE_ONLY QEMU_NOTE
				 "virt linux_banner - 0x100: \"Linux version %s (%s)\" u8 0\n"
				 "virt linux_banner - 0x300: \"Linux version " RELEASE
				 " (demo@vmcore-gdbserver) # SMP\\n\" u8 0\n",
			 });
	assert_string_equal(kernel_release(m.kernel), RELEASE);
	assert_int_equal(m.tasks.count, 6);
	machine_close(&m);
}

/* The banner in memory and the vmlinux's must be in the same place. */
static void no_vmcoreinfo_and_wrong_vmlinux(void **state)
{
	(void)state;
	struct machine m;
	machine_make(&m, &(struct machine_plan){
				 .recipe = "seed.recipe",
				 .drop_cpu_notes = true,
				 .drop_vmcoreinfo = true,
				 .extra = IMAGE_ONLY QEMU_NOTE
				 "virt linux_banner: \"another kernel here\" u8 0\n"
				 "virt linux_banner+0x400: \"Linux version " RELEASE
				 " (me) #1\\n\" u8 0\n",
			 });
	assert_err(machine_open_kernel(&m, NULL, DEMO_VMLINUX), ERR_FORMAT,
		   "is not the vmlinux of this dump: linux_banner is not where it would be");
	machine_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmlinux_of_another_release),
		cmocka_unit_test(vmlinux_of_another_build),
		cmocka_unit_test(stripped_vmlinux),
		cmocka_unit_test(no_elf_file),
		cmocka_unit_test(no_such_file),
		cmocka_unit_test(no_vmlinux_at_all),
		cmocka_unit_test(wrong_phys_base_is_not_believed),
		cmocka_unit_test(page_tables_by_cr3),
		cmocka_unit_test(page_tables_that_lead_nowhere),
		cmocka_unit_test(no_vmcoreinfo_and_no_qemu_notes),
		cmocka_unit_test(no_vmcoreinfo_but_cr3),
		cmocka_unit_test(no_vmcoreinfo_and_no_vmlinux),
		cmocka_unit_test(no_vmcoreinfo_and_two_banners),
		cmocka_unit_test(no_vmcoreinfo_and_wrong_vmlinux),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
