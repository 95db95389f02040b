/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statements of a recipe, behind newer.recipe's, that put a Linux kernel into the guest. */
#ifndef TESTS_KVM_LINUX_GUEST_H
#define TESTS_KVM_LINUX_GUEST_H

/*
 * vCPU 0 runs a kernel that was moved by 16 MiB to 0xffffffff82000000: pages of text, constants and
 * data, with init_uts_ns at 0x200 of that, then the top of its page tables. 0xffff888000120000 is
 * guest physical page 0x120000.
 */
#define VCPU                                                                                \
	"virt &vcpu_svm(vcpu0).vmcb: vmcb0\nvirt &vcpu_svm(vcpu0).vmcb01.ptr: vmcb0\n"      \
	"virt &vcpu_svm(vcpu0).current_vmcb: (&vcpu_svm(vcpu0).vmcb01)\n"                   \
	"put vmcb at vmcb0: control.nested_ctl = 1 save.cr0 = 0x80050033 save.cr4 = 0x20\n" \
	"	save.cr3 = 0x100000\n"                                                            \
	"use sh\nmap 0x7f0000100000 0x1c000000 256k user\nuse kernel\n"                     \
	"zero phys 0x1c000000 256k\nset nx 1 << 63\n"
#define TABLES                                                                              \
	"phys 0x1c000ff8: 0x101007\nphys 0x1c001ff0: 0x102007\nphys 0x1c002080: 0x103007\n" \
	"phys 0x1c003000: 0x110001 (0x111001|nx) (0x112003|nx) 0 (0x100003|nx)\n"           \
	"phys 0x1c000888: 0x104007\nphys 0x1c004000: 0x105007\nphys 0x1c005000: 0x106007\n" \
	"phys 0x1c006900: (0x120003|nx)\n"
#define BANNER(release, version) "Linux version " release " (me@here) (cc 1) " version "\\n"
#define CONSTANTS                                                                    \
	"phys 0x1c011008: \"%s version %s\" u8 0\n"                                  \
	"phys 0x1c011100: \"" BANNER("6.9.1-test",                                   \
				     "#") "\" u8 0\n"                                \
					  "phys 0x1c011200: \"" BANNER("6.9.1-test", \
								       "#1 SMP today") "\" u8 0\n"
#define UTS                                                                           \
	"phys 0x1c012204: \"Linux\" zero 60 \"host\" zero 61 \"6.9.1-test\" zero 55 " \
	"\"#1 SMP today\" u8 0\n"
/* 0x140 bytes, for all that matters */
#define NOTE(at, text) "phys " at ": u32 11 0x140 0 \"VMCOREINFO\\0\\0\" \"" text "\" zero 320\n"
#define INFO                                                                        \
	"OSRELEASE=6.9.1-test\\nBUILD-ID=0123456789abcdef\\n"                       \
	"SYMBOL(init_uts_ns)=ffffffff82002204\\nSYMBOL(_stext)=ffffffff82000000\\n" \
	"SYMBOL(swapper_pg_dir)=ffffffff82004000\\nKERNELOFFSET=1000000\\n"
/* vmcoreinfo_note */
#define POINTER "phys 0x1c012080: 0xffff888000120000\n"
#define GUEST	VCPU TABLES CONSTANTS UTS POINTER

#endif
