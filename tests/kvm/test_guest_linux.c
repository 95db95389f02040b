// SPDX-License-Identifier: GPL-2.0-or-later
/* Which Linux a guest runs, and where: by what its page tables lead to, and by nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/dump/notes.h"
#include "base/buf.h"
#include "tests/kvm/guests.h"
#include "tests/kvm/linux_guest.h"
#include "vmcore/dump/dump.h"
#include "vmcore/guest/guest_linux.h"

static void find(struct guests *g, const char *extra, const struct guest_linux **ret)
{
	guests_open_newer(g, KVM_SVM, extra);
	assert_no_err(guest_linux_find(g->kvm, &g->vms[0], ret));
}

static void assert_whole(const char *extra)
{
	struct guests g;
	const struct guest_linux *l;
	find(&g, extra, &l);
	assert_true(l->found);
	assert_string_equal(l->release, "6.9.1-test");
	assert_string_equal(l->banner, "Linux version 6.9.1-test (me@here) (cc 1) #1 SMP today");
	assert_string_equal(l->build_id, "0123456789abcdef");
	assert_true(l->placed);
	assert_int_equal(l->text, 0xffffffff82000000);
	assert_int_equal(l->slide, 0x1000000);
	assert_null(l->why);
	guests_close(&g);
}

/* The release is known by banners alone, the banner if there is but one. */
static void assert_named(const char *extra, const char *banner)
{
	struct guests g;
	const struct guest_linux *l;
	find(&g, extra, &l);
	assert_true(l->found);
	assert_false(l->placed);
	assert_string_equal(l->release, "6.9.1-test");
	assert_string_equal(l->banner, banner);
	guests_close(&g);
}

static void assert_none(const char *extra, const char *why)
{
	struct guests g;
	const struct guest_linux *l, *again;
	find(&g, extra, &l);
	assert_false(l->found);
	assert_false(l->placed);
	assert_string_equal(l->release, "");
	assert_non_null(l->why);
	if (!strstr(l->why, why))
		assert_string_equal(l->why, why);
	assert_no_err(guest_linux_find(g.kvm, &g.vms[0], &again));
	assert_ptr_equal(l, again);
	guests_close(&g);
}

static void by_vmcoreinfo(void **state)
{
	(void)state;
	assert_whole(GUEST NOTE("0x1c020000", INFO));
	/* Until 4.13 the note is an array of the kernel's. */
	assert_whole(VCPU TABLES CONSTANTS UTS NOTE("0x1c012800", INFO));
	/* Until then swapper_pg_dir was a macro for another name; some code came before _stext. */
	assert_whole(GUEST NOTE("0x1c020000", "OSRELEASE=6.9.1-test\\nBUILD-ID=0123456789abcdef\\n"
					      "SYMBOL(init_uts_ns)=ffffffff82002204\\n"
					      "SYMBOL(_stext)=ffffffff820001c8\\n"
					      "SYMBOL(init_level4_pgt)=ffffffff82004000\\n"
					      "KERNELOFFSET=1000000\\n"));
}

/* User mode has tables of its own, which lack the kernel: the kernel's are those before them. */
static void page_table_isolation(void **state)
{
	(void)state;
	assert_whole(GUEST NOTE("0x1c020000",
				INFO) "zero phys 0x1c030000 8k\nphys 0x1c030ff8: 0x101007\n"
				      "phys 0x1c030888: 0x104007\n"
				      "put vmcb at vmcb0: save.cr3 = 0x131000\n");
}

/* A note that is another kernel's, or damaged: the banners are all there is. */
static void notes_of_others(void **state)
{
	(void)state;
#define WITH(release, uts, stext, table)                                                         \
	GUEST NOTE("0x1c020000",                                                                 \
		   "OSRELEASE=" release "\\nSYMBOL(init_uts_ns)=" uts "\\nSYMBOL(_stext)=" stext \
		   "\\n" table "\\nKERNELOFFSET=1000000\\n")
#define PGD "SYMBOL(swapper_pg_dir)=ffffffff82004000"
	static const char *const extras[] = {
		GUEST,
		WITH("6.9.1", "ffffffff82002204", "ffffffff82000000", PGD),
		WITH("6.9.1-test2", "ffffffff82002204", "ffffffff82000000", PGD),
		WITH("6.9.1-test", "ffffffff82001000", "ffffffff82000000", PGD),
		WITH("6.9.1-test", "ffffffff92002204", "ffffffff82000000", PGD),
		/* _stext below the image, not executable, far off */
		WITH("6.9.1-test", "ffffffff82002204", "ffffffff81000000", PGD),
		WITH("6.9.1-test", "ffffffff82002204", "ffffffff82001000", PGD),
		WITH("6.9.1-test", "ffffffff82002204", "ffffffffa2000000", PGD),
		/* Page tables that are none, are not told, lead elsewhere. */
		WITH("6.9.1-test", "ffffffff82002204", "ffffffff82000000", ""),
		WITH("6.9.1-test", "ffffffff82002204", "ffffffff82000000",
		     "SYMBOL(swapper_pg_dir)=ffffffff82003000"),
		WITH("6.9.1-test", "ffffffff82002204", "ffffffff82000000",
		     "SYMBOL(swapper_pg_dir)=ffffffff82002000"),
		GUEST "phys 0x1c020000: u32 11 0xffffffff 0 \"VMCOREINFO\\0\\0\"\n",
		GUEST "exclude phys 0x1c020000 4k\n",
	};
	for (size_t i = 0; i < sizeof(extras) / sizeof(*extras); i++)
		assert_named(extras[i], "");
	assert_named(VCPU TABLES UTS
		     "phys 0x1c011200: \"" BANNER("6.9.1-test", "#1 SMP today") "\" u8 0\n",
		     "Linux version 6.9.1-test (me@here) (cc 1) #1 SMP today");
}

static void no_linux(void **state)
{
	(void)state;
	static const char none[] = "its page tables map no Linux kernel";
	assert_none(VCPU, none);
	assert_none(VCPU TABLES, none);
	/* A banner in memory that can be written is a copy of one. */
	assert_none(VCPU TABLES "phys 0x1c012300: \"" BANNER("6.9.1-test", "#1") "\" u8 0\n", none);
	/* So is one that is only in memory, or a whole note there, not of a kernel that is mapped.
	 */
	assert_none(VCPU "phys 0x1c011200: \"" BANNER("6.9.1-test",
						      "#1") "\" u8 0\n" NOTE("0x1c020000", INFO),
		    none);
	/* Banners that do not agree, that have no end, that are a format. */
	assert_none(VCPU TABLES CONSTANTS "phys 0x1c011400: \"" BANNER("6.8", "#1") "\" u8 0\n",
		    none);
	assert_none(VCPU TABLES "phys 0x1c011400: \"Linux version 6.8 (me@here)\" u8 0\n", none);
	assert_none(VCPU TABLES "phys 0x1c011400: \"Linux version %s (me@here)\\n\" u8 0\n", none);
	assert_none(VCPU TABLES "put kvm_vcpu at vcpu0: arch.cr0 = 0x11 arch.efer = 0\n"
				"put vmcb at vmcb0: save.cr0 = 0x11\n",
		    "none of its CPUs is known to be in long mode");
}

static void what_was_left_out(void **state)
{
	(void)state;
	static const char what[] = "excluded by the dump's filter; makedumpfile -d 16 keeps it";
	assert_none(GUEST NOTE("0x1c020000", INFO) "exclude phys 0x1c000000 256k\n", what);
	assert_none(GUEST NOTE("0x1c020000", INFO) "exclude phys 0x1c010000 192k\n", what);
}

static void memory_that_is_encrypted(void **state)
{
	(void)state;
	assert_none(GUEST NOTE("0x1c020000", INFO) "put kvm_svm at vm: sev_info.active = 1\n",
		    "the guest's memory is encrypted (SEV)");
}

/* What is written as notes is read as it was. */
static void notes_of_a_dump_that_is_made(void **state)
{
	(void)state;
	static struct cpu_note notes[2]; /* whole, with what is between its members */
	struct cpu_note *read;
	static const char info[] = "OSRELEASE=1\n";
	struct buf bytes = BUF_INIT;
	struct dump *dump;
	size_t count;
	for (unsigned n = 0; n < 2; n++) {
		struct cpu_note *note = &notes[n];
		note->regs.arch = &x86_64_regs;
		for (unsigned i = 0; i < REG_COUNT; i++)
			regs_set(&note->regs, i, 0x1000 * (n + 1) + i);
		for (unsigned i = 0; i < 5; i++)
			note->system[NOTE_CR0 + i] = 0x2000 * (n + 1) + i;
		for (unsigned i = 0; i < SEGMENTS; i++) {
			note->system[NOTE_SELECTOR + i] = (uint16_t)(0x100 * (n + 1) + i);
			note->system[NOTE_BASE + i] = 0x3000 * (n + 1) + i;
		}
		note->system[NOTE_GS_NOW] = note->system[NOTE_BASE + SEGMENT_GS];
		note->system[NOTE_KERNEL_GS_BASE] = n ? 0 : 0x4000;
		note->from_qemu = true;
		note->system[NOTE_HAS_KERNEL_GS_BASE] = n == 0;
		note->pid = n + 1;
		cpu_note_add_prstatus(note, &bytes);
	}
	cpu_note_add_qemu(&notes[0], &bytes);
	cpu_note_add_qemu(&notes[1], &bytes);
	assert_no_err(buf_error(&bytes));
	assert_no_err(dump_make(&(struct made_dump){ .notes = bytes.data,
						     .notes_len = bytes.len,
						     .vmcoreinfo = info,
						     .vmcoreinfo_len = sizeof(info) - 1,
						     .format = "made",
						     .max_pfn = 5 },
				&dump));
	assert_string_equal(dump_info(dump)->format, "made");
	assert_string_equal(dump_info(dump)->vmcoreinfo, info);
	assert_no_err(cpu_notes_read(dump_info(dump), &read, &count));
	assert_int_equal(count, 2);
	for (unsigned n = 0; n < 2; n++)
		assert_memory_equal(&read[n], &notes[n], sizeof(*read));
	free(read);
	dump_close(dump);
	buf_free(&bytes);
}

/* Tables that lead back to themselves, and memory that is full of what is looked for. */
static void hostile_memory(void **state)
{
	(void)state;
	struct guests g;
	const struct guest_linux *l;
	assert_none(VCPU "phys 0x1c000ff8: 0x100007\n", "");
	/* 1 GiB of the same page of pointers to notes, by large pages that only look like that. */
	find(&g,
	     VCPU "phys 0x1c000ff8: 0x101007\nphys 0x1c001ff0: 0x102007\n"
		  "phys 0x1c002080: 0x103007\nphys 0x1c002088: 0x103007\n"
		  "phys 0x1c003000: (0x112003|nx) (0x112003|nx) (0x111001|nx)\n"
		  "phys 0x1c012000: fill 0x56 4096\nphys 0x1c011000: \"Linux version \" zero 1\n",
	     &l);
	assert_false(l->found);
	guests_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_vmcoreinfo),
		cmocka_unit_test(page_table_isolation),
		cmocka_unit_test(notes_of_others),
		cmocka_unit_test(no_linux),
		cmocka_unit_test(memory_that_is_encrypted),
		cmocka_unit_test(notes_of_a_dump_that_is_made),
		cmocka_unit_test(what_was_left_out),
		cmocka_unit_test(hostile_memory),
	};
	return cmocka_run_group_tests_name("guest Linux", tests, NULL, NULL);
}
