// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kvm/x86/exit_names.h"

#include <stddef.h>

struct name {
	uint64_t code;
	const char *name;
};

#define SIXTEEN(first, prefix)                                                                 \
	{ (first) + 0, prefix "0" }, { (first) + 1, prefix "1" }, { (first) + 2, prefix "2" }, \
		{ (first) + 3, prefix "3" }, { (first) + 4, prefix "4" },                      \
		{ (first) + 5, prefix "5" }, { (first) + 6, prefix "6" },                      \
		{ (first) + 7, prefix "7" }, { (first) + 8, prefix "8" },                      \
		{ (first) + 9, prefix "9" }, { (first) + 10, prefix "10" },                    \
		{ (first) + 11, prefix "11" }, { (first) + 12, prefix "12" },                  \
		{ (first) + 13, prefix "13" }, { (first) + 14, prefix "14" },                  \
	{                                                                                      \
		(first) + 15, prefix "15"                                                      \
	}

static const struct name svm_names[] = {
	SIXTEEN(0x00, "READ_CR"),
	SIXTEEN(0x10, "WRITE_CR"),
	SIXTEEN(0x20, "READ_DR"),
	SIXTEEN(0x30, "WRITE_DR"),
	SIXTEEN(0x40, "EXCP"),
	{ 0x50, "EXCP16" },
	{ 0x51, "EXCP17" },
	{ 0x52, "EXCP18" },
	{ 0x53, "EXCP19" },
	{ 0x54, "EXCP20" },
	{ 0x55, "EXCP21" },
	{ 0x56, "EXCP22" },
	{ 0x57, "EXCP23" },
	{ 0x58, "EXCP24" },
	{ 0x59, "EXCP25" },
	{ 0x5a, "EXCP26" },
	{ 0x5b, "EXCP27" },
	{ 0x5c, "EXCP28" },
	{ 0x5d, "EXCP29" },
	{ 0x5e, "EXCP30" },
	{ 0x5f, "EXCP31" },
	{ 0x60, "INTR" },
	{ 0x61, "NMI" },
	{ 0x62, "SMI" },
	{ 0x63, "INIT" },
	{ 0x64, "VINTR" },
	{ 0x65, "CR0_SEL_WRITE" },
	{ 0x66, "IDTR_READ" },
	{ 0x67, "GDTR_READ" },
	{ 0x68, "LDTR_READ" },
	{ 0x69, "TR_READ" },
	{ 0x6a, "IDTR_WRITE" },
	{ 0x6b, "GDTR_WRITE" },
	{ 0x6c, "LDTR_WRITE" },
	{ 0x6d, "TR_WRITE" },
	{ 0x6e, "RDTSC" },
	{ 0x6f, "RDPMC" },
	{ 0x70, "PUSHF" },
	{ 0x71, "POPF" },
	{ 0x72, "CPUID" },
	{ 0x73, "RSM" },
	{ 0x74, "IRET" },
	{ 0x75, "SWINT" },
	{ 0x76, "INVD" },
	{ 0x77, "PAUSE" },
	{ 0x78, "HLT" },
	{ 0x79, "INVLPG" },
	{ 0x7a, "INVLPGA" },
	{ 0x7b, "IOIO" },
	{ 0x7c, "MSR" },
	{ 0x7d, "TASK_SWITCH" },
	{ 0x7e, "FERR_FREEZE" },
	{ 0x7f, "SHUTDOWN" },
	{ 0x80, "VMRUN" },
	{ 0x81, "VMMCALL" },
	{ 0x82, "VMLOAD" },
	{ 0x83, "VMSAVE" },
	{ 0x84, "STGI" },
	{ 0x85, "CLGI" },
	{ 0x86, "SKINIT" },
	{ 0x87, "RDTSCP" },
	{ 0x88, "ICEBP" },
	{ 0x89, "WBINVD" },
	{ 0x8a, "MONITOR" },
	{ 0x8b, "MWAIT" },
	{ 0x8c, "MWAIT_CONDITIONAL" },
	{ 0x8d, "XSETBV" },
	{ 0x8e, "RDPRU" },
	{ 0x8f, "EFER_WRITE_TRAP" },
	SIXTEEN(0x90, "WRITE_TRAP_CR"),
	{ 0xa0, "INVLPGB" },
	{ 0xa1, "INVLPGB_ILLEGAL" },
	{ 0xa2, "INVPCID" },
	{ 0xa3, "MCOMMIT" },
	{ 0xa4, "TLBSYNC" },
	{ 0xa5, "BUSLOCK" },
	{ 0xa6, "IDLE_HLT" },
	{ 0x400, "NPF" },
	{ 0x401, "AVIC_INCOMPLETE_IPI" },
	{ 0x402, "AVIC_NOACCEL" },
	{ 0x403, "VMGEXIT" },
	{ UINT64_C(0xffffffffffffffff), "INVALID" },
	{ UINT64_C(0xfffffffffffffffe), "BUSY" },
	{ UINT64_C(0xfffffffffffffffd), "IDLE_REQUIRED" },
};

static const char *const vmx_names[] = {
	[0] = "EXCEPTION_NMI",
	[1] = "EXTERNAL_INTERRUPT",
	[2] = "TRIPLE_FAULT",
	[3] = "INIT_SIGNAL",
	[4] = "SIPI_SIGNAL",
	[5] = "IO_SMI",
	[6] = "OTHER_SMI",
	[7] = "INTERRUPT_WINDOW",
	[8] = "NMI_WINDOW",
	[9] = "TASK_SWITCH",
	[10] = "CPUID",
	[11] = "GETSEC",
	[12] = "HLT",
	[13] = "INVD",
	[14] = "INVLPG",
	[15] = "RDPMC",
	[16] = "RDTSC",
	[17] = "RSM",
	[18] = "VMCALL",
	[19] = "VMCLEAR",
	[20] = "VMLAUNCH",
	[21] = "VMPTRLD",
	[22] = "VMPTRST",
	[23] = "VMREAD",
	[24] = "VMRESUME",
	[25] = "VMWRITE",
	[26] = "VMXOFF",
	[27] = "VMXON",
	[28] = "CR_ACCESS",
	[29] = "DR_ACCESS",
	[30] = "IO_INSTRUCTION",
	[31] = "MSR_READ",
	[32] = "MSR_WRITE",
	[33] = "INVALID_STATE",
	[34] = "MSR_LOAD_FAIL",
	[36] = "MWAIT",
	[37] = "MONITOR_TRAP_FLAG",
	[39] = "MONITOR",
	[40] = "PAUSE",
	[41] = "MCE_DURING_VMENTRY",
	[43] = "TPR_BELOW_THRESHOLD",
	[44] = "APIC_ACCESS",
	[45] = "EOI_INDUCED",
	[46] = "GDTR_IDTR",
	[47] = "LDTR_TR",
	[48] = "EPT_VIOLATION",
	[49] = "EPT_MISCONFIG",
	[50] = "INVEPT",
	[51] = "RDTSCP",
	[52] = "PREEMPTION_TIMER",
	[53] = "INVVPID",
	[54] = "WBINVD",
	[55] = "XSETBV",
	[56] = "APIC_WRITE",
	[57] = "RDRAND",
	[58] = "INVPCID",
	[59] = "VMFUNC",
	[60] = "ENCLS",
	[61] = "RDSEED",
	[62] = "PML_FULL",
	[63] = "XSAVES",
	[64] = "XRSTORS",
	[65] = "PCONFIG",
	[66] = "SPP_EVENT",
	[67] = "UMWAIT",
	[68] = "TPAUSE",
	[69] = "LOADIWKEY",
	[70] = "ENCLV",
	[72] = "ENQCMD_PASID",
	[73] = "ENQCMDS_PASID",
	[74] = "BUS_LOCK",
	[75] = "NOTIFY",
	[76] = "SEAMCALL",
	[77] = "TDCALL",
	[78] = "RDMSRLIST",
	[79] = "WRMSRLIST",
};

const char *svm_exit_name(uint64_t code)
{
	for (size_t i = 0; i < sizeof(svm_names) / sizeof(*svm_names); i++)
		if (svm_names[i].code == code)
			return svm_names[i].name;
	return NULL;
}

const char *vmx_exit_name(uint64_t reason)
{
	return reason < sizeof(vmx_names) / sizeof(*vmx_names) ? vmx_names[reason] : NULL;
}
