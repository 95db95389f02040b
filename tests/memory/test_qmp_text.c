// SPDX-License-Identifier: GPL-2.0-or-later
/* What QEMU's human monitor prints about memory and CPUs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <elf.h>

#include "base/bytes.h"
#include "base/err.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/qmp_text.h"

/* As QEMU 7.2 prints it of a q35 machine with two memory backends, shortened; KVM names itself. */
static const char mtree[] =
	"FlatView #0\r\n"
	" AS \"cpu-smm-0\", root: memory\r\n"
	" Root memory region: memory\r\n"
	"  0000000000000000-00000000000fffff (prio 0, ram): other\r\n"
	"\r\n"
	"FlatView #1\r\n"
	" AS \"memory\", root: system\r\n"
	" AS \"cpu-memory-0\", root: system\r\n"
	" Root memory region: system\r\n"
	"  0000000000000000-00000000000c2fff (prio 0, ram): low KVM\r\n"
	"  00000000000c3000-00000000000e7fff (prio 0, rom): low @00000000000c3000\r\n"
	"  0000000000100000-000000000fffffff (prio 0, ram): low @0000000000100000 KVM\r\n"
	"  00000000b0000000-00000000bfffffff (prio 0, i/o): pcie-mmcfg-mmio\r\n"
	"  00000000fd000000-00000000fdffffff (prio 1, ramd): vfio BAR 0\r\n"
	"  00000000fffc0000-00000000ffffffff (prio 0, rom): pc.bios\r\n"
	"  0000000100000000-0000000103ffffff (prio 0, ram): low @0000000010000000\r\n"
	"  0000000104000000-0000000117ffffff (prio 0, ram): high\r\n"
	"\r\n"
	"FlatView #2\r\n"
	" AS \"I/O\", root: io\r\n"
	"  0000000000000000-0000000000000007 (prio 0, ram): dma-chan\r\n";

static void ram_of_the_memory_address_space(void **state)
{
	(void)state;
	static const struct {
		uint64_t start, end, offset;
		const char *region;
	} expected[] = {
		{ 0, 0xc3000, 0, "low" },
		{ 0xc3000, 0xe8000, 0xc3000, "low" },
		{ 0x100000, 0x10000000, 0x100000, "low" },
		{ 0x100000000, 0x104000000, 0x10000000, "low" },
		{ 0x104000000, 0x118000000, 0, "high" },
	};
	struct qmp_map m;
	assert_null(qmp_map_parse(mtree, &m));
	assert_int_equal(m.count, sizeof(expected) / sizeof(expected[0]));
	for (size_t i = 0; i < m.count; i++) {
		assert_int_equal(m.list[i].at.start, expected[i].start);
		assert_int_equal(m.list[i].at.end, expected[i].end);
		assert_int_equal(m.list[i].offset, expected[i].offset);
		assert_string_equal(m.list[i].region, expected[i].region);
	}
	assert_ptr_equal(qmp_map_from(&m, 0), &m.list[0]);
	assert_ptr_equal(qmp_map_from(&m, 0xc2fff), &m.list[0]);
	assert_ptr_equal(qmp_map_from(&m, 0xe8000), &m.list[2]);
	assert_ptr_equal(qmp_map_from(&m, 0xb0000000), &m.list[3]);
	assert_null(qmp_map_from(&m, 0x118000000));
	qmp_map_free(&m);
}

static void a_map_that_is_none_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"unknown command: 'info mtree'\r\n",
		"FlatView #0\n AS \"memory\", root: system\n",
		"FlatView #0\n AS \"memory\", root: system\n  Root memory region: system\n",
		" AS \"memory\"\n  0000000000000000-000000000000ffff (prio 0, i/o): x\n",
		" AS \"memory\"\n  0000000000001000-0000000000000fff (prio 0, ram): x\n",
		" AS \"memory\"\n  0000000000000000-000000000000ffff (prio 0, ram): x @zz\n",
		" AS \"memory\"\n  0000000000000000-000000000000ffff (prio 0, ram): x\n"
		"  0000000000008000-000000000001ffff (prio 0, ram): x\n",
		" AS \"memory\"\n  0000000000000000-000000000000ffff (prio 0, ram)",
		" AS \"memory\"\n  0000000000000000-000000000000ffff",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct qmp_map m;
		struct err *e = qmp_map_parse(texts[i], &m);
		if (!e)
			fail_msg("taken: %s", texts[i]);
		assert_int_equal(err_code(e), ERR_FORMAT);
		err_free(e);
	}
}

/* CPU 0 in 64-bit mode, CPU 1 in real mode, CPU 2 cut off. */
static const char registers[] =
	"\r\nCPU#0\r\n"
	"RAX=0000000000000001 RBX=0000000000000002 RCX=0000000000000003 RDX=0000000000000004\r\n"
	"RSI=0000000000000005 RDI=0000000000000006 RBP=0000000000000007 RSP=ff4ab17e4009bed8\r\n"
	"R8 =0000000000000008 R9 =0000000000000009 R10=000000000000000a R11=000000000000000b\r\n"
	"R12=000000000000000c R13=000000000000000d R14=000000000000000e R15=000000000000000f\r\n"
	"RIP=ffffffff89817a0b RFL=00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"ES =0000 0000000000000000 ffffffff 00c00100\r\n"
	"CS =0010 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]\r\n"
	"SS =0018 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]\r\n"
	"DS =002b 0000000000000000 ffffffff 00c00100\r\n"
	"FS =0000 00007f0000001000 ffffffff 00c00100\r\n"
	"GS =0000 ff178e09e6300000 ffffffff 00c00100\r\n"
	"LDT=0000 0000000000000000 00000000 00008200 DPL=0 LDT\r\n"
	"TR =0040 fffffe4f5f2a3000 00004087 00008b00 DPL=0 TSS64-busy\r\n"
	"GDT=     fffffe4f5f2a1000 0000007f\r\n"
	"IDT=     fffffe0000000000 00000fff\r\n"
	"CR0=80050033 CR2=0000000000441000 CR3=0000000003f12000 CR4=00771ef0\r\n"
	"DR0=0000000000000000 DR1=0000000000000000\r\n"
	"\r\nCPU#1\r\n"
	"EAX=00000000 EBX=00000000 ECX=00000000 EDX=00060fb1\r\n"
	"EIP=0000fff0 EFL=00000002 [-------] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n"
	"\r\nCPU#2\r\n"
	"RAX=0000000000000001 RBX=00000000";

static void registers_become_the_notes_of_a_dump(void **state)
{
	(void)state;
	struct notes n = NOTES_INIT;
	assert_null(qmp_registers_parse(registers, &n));
	assert_int_equal(n.count, 2);
	assert_string_equal(n.list[0].name, "CORE");
	assert_int_equal(n.list[0].type, NT_PRSTATUS);
	assert_int_equal(n.list[0].len, 336);
	assert_string_equal(n.list[1].name, "QEMU");
	const uint8_t *p = n.list[0].desc, *regs = p + 112;
	assert_int_equal(get_u32(p + 32), 1);
	assert_int_equal(get_u64(regs), 0xf);			      /* r15 */
	assert_int_equal(get_u64(regs + 4 * 8), 7);		      /* rbp */
	assert_int_equal(get_u64(regs + 9 * 8), 8);		      /* r8 */
	assert_int_equal(get_u64(regs + 16 * 8), 0xffffffff89817a0b); /* rip */
	assert_int_equal(get_u64(regs + 17 * 8), 0x10);		      /* cs */
	assert_int_equal(get_u64(regs + 18 * 8), 0x246);	      /* eflags */
	assert_int_equal(get_u64(regs + 19 * 8), 0xff4ab17e4009bed8); /* rsp */
	assert_int_equal(get_u64(regs + 20 * 8), 0x18);		      /* ss */
	assert_int_equal(get_u64(regs + 21 * 8), 0x7f0000001000);     /* fs_base */
	assert_int_equal(get_u64(regs + 22 * 8), 0xff178e09e6300000); /* gs_base */
	assert_int_equal(get_u64(regs + 23 * 8), 0x2b);		      /* ds */
	p = n.list[1].desc;
	assert_int_equal(get_u32(p), 1);
	assert_int_equal(get_u32(p + 4), n.list[1].len);
	assert_int_equal(get_u64(p + 8), 1);				      /* rax */
	assert_int_equal(get_u64(p + 8 + 6 * 8), 0xff4ab17e4009bed8);	      /* rsp */
	assert_int_equal(get_u64(p + 152 + 4 * 24 + 16), 0xff178e09e6300000); /* gs */
	assert_int_equal(get_u64(p + 152 + 9 * 24 + 16), 0xfffffe0000000000); /* idt */
	assert_int_equal(get_u32(p + 152 + 9 * 24 + 4), 0xfff);
	assert_int_equal(get_u64(p + 392), 0x80050033);	       /* cr0 */
	assert_int_equal(get_u64(p + 392 + 3 * 8), 0x3f12000); /* cr3 */
	assert_int_equal(get_u64(p + 392 + 4 * 8), 0x771ef0);  /* cr4 */
	notes_free(&n);
}

static void words_become_memory(void **state)
{
	(void)state;
	static const char text[] = "0000000001031000: 0x1122334455667788 0x0000000000000001\r\n"
				   "0000000001031010: 0xffffffffffffffff\r\n";
	uint8_t out[32] = { 0 };
	assert_int_equal(qmp_words_parse(text, out, sizeof(out)), 24);
	assert_int_equal(get_u64(out), 0x1122334455667788);
	assert_int_equal(get_u64(out + 8), 1);
	assert_int_equal(get_u64(out + 16), UINT64_MAX);
	assert_int_equal(qmp_words_parse(text, out, 12), 8);
	assert_int_equal(qmp_words_parse("Cannot access memory", out, sizeof(out)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ram_of_the_memory_address_space),
		cmocka_unit_test(a_map_that_is_none_is_refused),
		cmocka_unit_test(registers_become_the_notes_of_a_dump),
		cmocka_unit_test(words_become_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
