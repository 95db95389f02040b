// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where a CPU inside a guest comes back to, in every generation of KVM's code that enters guests:
 * the first registers, and the frames below with what was pushed. And what must not be believed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "arch/x86_64/base/regs.h"
#include "tests/kvm/guests.h"
#include "vmcore/code/unwind_source.h"
#include "vmcore/kvm/x86/host_entry.h"

#define ONE   UINT64_C(0xffffffffc0400000)
#define STACK UINT64_C(0xffff88801100c000)
#define HOST  (STACK + 0x3000) /* rsp at the exit */
#define FRAME (STACK + 0x3200) /* the compiled caller's, by frame pointer */

enum { SYMBOLS = 5, TEXT_MAX = 8192 };

/* KVM's module: code at one, at 0x400 compiled code that calls what enters, at 0x600 its caller. */
struct generation {
	const char *module;
	bool older;
	struct {
		const char *name, *at;
		char letter;
	} symbols[SYMBOLS];
	const char *code, *stack; /* statements */
	uint64_t pc[3], rsp[3];	  /* of the frames; pc in the module */
	unsigned count, pushed;	  /* frames, and the one that has all that was pushed */
};

#define CALL(at, to) "virt one + " at ": u8 0xe8 u32 (" to " - " at " - 5)\n"
#define SYM(name, at)                  \
	{                              \
		name, "one + " at, 't' \
	}
#define FRAMES "virt sh_stk + 0x3200: (sh_stk + 0x3300) (one + 0x625)\nvirt sh_stk + 0x3300: 0 0\n"
/* push %rbp; mov %rsp,%rbp; push %r15, %r14, %r13, %r12, %rbx, and what the case adds */
#define PUSHES \
	"virt one + 0x200: u8 0x55 0x48 0x89 0xe5 0x41 0x57 0x41 0x56 0x41 0x55 0x41 0x54 0x53 "
/* What they leave. */
#define PUSHED "0xb0b 0x1212 0x1313 0x1414 0x1515 (sh_stk + 0x3200) (one + 0x425)\n"
#define INLINE "u8 0x48 0x89 0x4c 0x24 0x08 0x59\n"

static const struct generation vmx_generations[] = {
	/* Inline assembly until 4.20; HOST_RIP in a constant */
	{ "kvm_intel",
	  true,
	  { SYM("vmx_vcpu_run", "0x400"),
	    SYM("vcpu_enter_guest", "0x600"),
	    { "vmx_return", "one + 0x1800", 'r' } },
	  "virt one + 0x1800: (one + 0x440)\nvirt one + 0x440: " INLINE,
	  "vcpu0 0xdead (sh_stk + 0x3200) 0x681e\n",
	  { 0x440, 0x625 },
	  { HOST, FRAME + 16 },
	  2,
	  0 },
	/* 5.0: a function that is called in it */
	{ "kvm_intel",
	  true,
	  { SYM("vmx_vmenter", "0x100"), SYM("vmx_vmexit", "0x140"), SYM("vmx_vcpu_run", "0x400"),
	    SYM("vcpu_enter_guest", "0x600") },
	  CALL("0x43b", "0x100") "virt one + 0x440: " INLINE,
	  "(one + 0x440) vcpu0 0xdead (sh_stk + 0x3200) 0x681e\n",
	  { 0x140, 0x440, 0x625 },
	  { HOST, HOST + 8, FRAME + 16 },
	  3,
	  0 },
	/* 5.4 to 5.17 */
	{ "kvm_intel",
	  false,
	  { SYM("vmx_vmenter", "0x100"), SYM("vmx_vmexit", "0x140"), SYM("__vmx_vcpu_run", "0x200"),
	    SYM("vmx_vcpu_enter_exit", "0x400"), SYM("vcpu_enter_guest", "0x600") },
	  PUSHES "0x56 0x88 0xd3\n" CALL("0x240", "0x100") CALL("0x420", "0x200"),
	  "(one + 0x245) (&kvm_vcpu(vcpu0).arch.regs) " PUSHED,
	  { 0x140, 0x245, 0x425 },
	  { HOST, HOST + 8, HOST + 9 * 8 },
	  3,
	  2 },
	/* 5.19 to 7.0 */
	{ "kvm_intel",
	  false,
	  { SYM("__vmx_vcpu_run", "0x200"), SYM("vmx_vmexit", "0x260"),
	    SYM("vmx_vcpu_enter_exit", "0x400"), SYM("vcpu_enter_guest", "0x600") },
	  PUSHES "0x57 0x52 0x56 0x88 0xd3\n" CALL("0x420", "0x200"),
	  "(&kvm_vcpu(vcpu0).arch.regs) 1 vcpu0 " PUSHED,
	  { 0x260, 0x425, 0x625 },
	  { HOST, HOST + 10 * 8, FRAME + 16 },
	  3,
	  1 },
	/* Later, without the registers' address */
	{ "kvm_intel",
	  false,
	  { SYM("__vmx_vcpu_run", "0x200"), SYM("vmx_vmexit", "0x260"),
	    SYM("vmx_vcpu_enter_exit", "0x400"), SYM("vcpu_enter_guest", "0x600") },
	  PUSHES "0x57 0x52 0x88 0xd3\n" CALL("0x420", "0x200"),
	  "1 vcpu0 " PUSHED,
	  { 0x260, 0x425, 0x625 },
	  { HOST, HOST + 9 * 8, FRAME + 16 },
	  3,
	  1 },
};

/* The page, and who knows it: by its physical address, by its struct page behind a pointer. */
#define SAVE_AREA(rip)                                                                   \
	"set save_page 0x1a000000\nzero phys save_page 4k\n"                             \
	"phys save_page + 0x550: (sh_pgd|encrypted_bit)\nphys save_page + 0x570: 0x46\n" \
	"phys save_page + 0x578: (" rip ")\nphys save_page + 0x5d8: (sh_stk + 0x3000)\n" \
	"phys save_page + 0x5f8: 0xacc\n"
#define BY_ADDRESS \
	"put svm_cpu_data at pc0 + svm_data: asid_generation = 1 save_area_pa = save_page\n"
#define BY_PAGE                                                 \
	"set sd direct + 0x1a100000\nvirt pc0 + svm_data: sd\n" \
	"put svm_cpu_data at sd: asid_generation = 1\n"         \
	"	save_area = 0xffffea0000000000 + (save_page >> 12) * sizeof(page)\n"
#define PERCPU \
	"put module at one_module: percpu = svm_data + s percpu_size = sizeof(svm_cpu_data)\n"
#define SVM_SYMBOLS                                                                  \
	{                                                                            \
		SYM("__svm_vcpu_run", "0x200"), SYM("svm_vcpu_enter_exit", "0x400"), \
			SYM("vcpu_enter_guest", "0x600"),                            \
		{                                                                    \
			"svm_data", "svm_data + s", 'd'                              \
		}                                                                    \
	}
#define SVM_CODE \
	PUSHES "0x57 0x88 0xd3\nvirt one + 0x25d: u8 0x0f 0x01 0xd8\n" CALL("0x420", "0x200") PERCPU

static const struct generation svm_generations[] = {
	/* Since 6.1 */
	{ "kvm_amd",
	  false,
	  SVM_SYMBOLS,
	  SVM_CODE SAVE_AREA("one + 0x260") BY_ADDRESS,
	  "vcpu0 " PUSHED,
	  { 0x260, 0x425, 0x625 },
	  { HOST, HOST + 8 * 8, FRAME + 16 },
	  3,
	  1 },
	/* Before */
	{ "kvm_amd",
	  true,
	  SVM_SYMBOLS,
	  SVM_CODE SAVE_AREA("one + 0x260") BY_PAGE,
	  "vcpu0 " PUSHED,
	  { 0x260, 0x425, 0x625 },
	  { HOST, HOST + 8 * 8, FRAME + 16 },
	  3,
	  1 },
	/* Inline assembly until 5.6 */
	{ "kvm_amd",
	  true,
	  { SYM("svm_vcpu_run", "0x400"),
	    SYM("vcpu_enter_guest", "0x600"),
	    { "svm_data", "svm_data + s", 'd' } },
	  "virt one + 0x43d: u8 0x0f 0x01 0xd8 0x0f 0x01 0xdb 0x58\n" PERCPU SAVE_AREA(
		  "one + 0x440") BY_PAGE,
	  "vcpu0 (sh_stk + 0x3200)\n",
	  { 0x440, 0x625 },
	  { HOST, FRAME + 16 },
	  2,
	  0 },
};

enum {
	VMX_COUNT = sizeof(vmx_generations) / sizeof(*vmx_generations),
	SVM_COUNT = sizeof(svm_generations) / sizeof(*svm_generations)
};

/* ---- the machine ---- */

static void write_module(const struct generation *n, const char *extra, char *text)
{
	size_t len = 0, name = 1;
	char names[256] = "", letters[SYMBOLS + 2] = "?";
	unsigned count = 0;
	len += (size_t)snprintf(text, TEXT_MAX, "include \"modules.recipe\"\n");
	for (; count < SYMBOLS && n->symbols[count].name; count++) {
		len += (size_t)snprintf(text + len, TEXT_MAX - len,
					"put elf64_sym at one_symtab + %u * 24: st_name = %zu "
					"st_info = 2 st_value = %s\n",
					count + 1, name, n->symbols[count].at);
		letters[count + 1] = n->symbols[count].letter;
		strcat(strcat(names, n->symbols[count].name), "\\0");
		name += strlen(n->symbols[count].name) + 1;
	}
	len += (size_t)snprintf(
		text + len, TEXT_MAX - len,
		"put module at one_module: name = \"%s\" arch.num_orcs = 0 mem[0].base = one\n"
		"	mem[0].size = 0x1000 mem[1].base = one + 0x1000 mem[1].size = 0x1000\n"
		"put mod_kallsyms at one_kallsyms: typetab = one_typetab num_symtab = %u\n"
		"virt one_typetab: \"%s\"\nvirt one_strtab: \"\\0%s\"\n%s"
		"virt sh_stk + 0x3000: %s" FRAMES CALL("0x620", "0x400") "%s%s",
		n->module, count + 1, letters, names, n->code, n->stack,
		strcmp(n->module, "kvm_intel") ? ""
		: n->older ? "put vcpu_vmx at vcpu0: host_rsp = sh_stk + 0x3000\n"
			   : "put vcpu_vmx at vcpu0: loaded_vmcs = &vcpu_vmx(vcpu0).vmcs01\n"
			     "	vmcs01.host_state.rsp = sh_stk + 0x3000\n",
		extra);
	assert_true(len < TEXT_MAX);
}

static bool find_entry(void *closure, const struct task *task, const struct cpu *cpu,
		       struct regs *ret)
{
	struct guests *g = closure;
	return kvm_host_entry(g->kvm, task, cpu, ret);
}

static void open_text(struct guests *g, const struct generation *n, const char *text)
{
	/* The module is what tells the maker. */
	guests_open_entered(g, strcmp(n->module, "kvm_amd") ? KVM_VMX : KVM_SVM, n->older, text);
	registers_set_entry(g->m.registers, find_entry, g);
}

static void open_entered(struct guests *g, const struct generation *n, const char *extra)
{
	char text[TEXT_MAX];
	write_module(n, extra, text);
	open_text(g, n, text);
}

static void get_frames(struct guests *g, struct frames *ret)
{
	struct unwinder *u;
	const struct unwinder_parts parts = {
		.k = g->m.kernel,
		.cpus = &g->m.cpus,
		.tasks = &g->m.tasks,
		.registers = g->m.registers,
		.code = g->code,
	};
	assert_no_err(unwinder_new(&parts, &u));
	assert_no_err(unwinder_frames(u, machine_task(&g->m, 200), ret));
	unwinder_free(u);
}

/* ---- what is found ---- */

static void assert_pushed(const struct frame *f)
{
	static const struct {
		enum reg reg;
		uint64_t value;
	} pushed[] = {
		{ REG_RBX, 0xb0b },  { REG_R12, 0x1212 }, { REG_R13, 0x1313 },
		{ REG_R14, 0x1414 }, { REG_R15, 0x1515 }, { REG_RBP, FRAME },
	};
	for (size_t i = 0; i < sizeof(pushed) / sizeof(*pushed); i++) {
		assert_true(regs_known(&f->regs, pushed[i].reg));
		assert_int_equal(f->regs.value[pushed[i].reg], pushed[i].value);
		/* In this order below the return address. */
		assert_true(f->saved_known >> pushed[i].reg & 1);
		assert_int_equal(f->saved[pushed[i].reg], f->regs.value[REG_RSP] - 8 * (7 - i));
	}
}

static void assert_generation(const struct generation *n)
{
	struct guests g;
	struct frames f;
	open_entered(&g, n, "");
	const struct first_regs *first = machine_regs(&g.m, 200);
	assert_int_equal(first->from, REGS_FOUND);
	assert_reg(first, REG_RIP, ONE + n->pc[0]);
	assert_reg(first, REG_RSP, HOST);
	/* The guest's are not the task's. */
	assert_reg_unknown(first, REG_RBX);
	assert_reg_unknown(first, REG_RBP);
	get_frames(&g, &f);
	if (f.count < n->count)
		fail_msg("%zu frames: %s", f.count, f.why ? f.why : "");
	for (unsigned i = 0; i < n->count; i++) {
		assert_int_equal(f.list[i].regs.value[REG_RIP], ONE + n->pc[i]);
		assert_int_equal(f.list[i].regs.value[REG_RSP], n->rsp[i]);
	}
	if (n->pushed)
		assert_pushed(&f.list[n->pushed]);
	else /* the compiled code's rbp was pushed; it led to the caller */
		assert_int_equal(f.list[n->count - 1].regs.value[REG_RBP], STACK + 0x3300);
	frames_free(&f);
	guests_close(&g);
}

static void vmx(void **state)
{
	(void)state;
	for (size_t i = 0; i < VMX_COUNT; i++)
		assert_generation(&vmx_generations[i]);
}

static void svm(void **state)
{
	(void)state;
	for (size_t i = 0; i < SVM_COUNT; i++)
		assert_generation(&svm_generations[i]);
}

#define BUILT_IN(rip)                                                               \
	SAVE_AREA(rip)                                                              \
	BY_ADDRESS "virt sh_stk + 0x3000: vcpu0 0xb0b 0x1212 0x1313 0x1414 0x1515 " \
		   "(sh_stk + 0x3200) (svm_vcpu_enter_exit + s + 0x25)\n"

static void svm_built_in(void **state)
{
	(void)state;
	struct guests g;
	struct frames f;
	open_text(&g, &svm_generations[0], BUILT_IN("__svm_vcpu_run + s + 0x60"));
	get_frames(&g, &f);
	assert_true(f.count >= 2);
	assert_int_equal(f.list[0].regs.value[REG_RSP], HOST);
	assert_pushed(&f.list[1]);
	frames_free(&f);
	guests_close(&g);
}

/* ---- what is not believed ---- */

static void assert_refused(const struct generation *n, const char *extra)
{
	struct guests g;
	open_entered(&g, n, extra);
	assert_unknown(&g.m, 200, "CPU 0 was running a guest");
	guests_close(&g);
}

static void vmx_slots_of_others(void **state)
{
	(void)state;
	static const char *const damage[] = {
		"put kvm_vcpu at vcpu0: mode = 0\n",
		/* The words at HOST_RSP are those of another vCPU, or of no entry. */
		"virt sh_stk + 0x3000: vcpu1 vcpu1 vcpu1 vcpu1 vcpu1\n",
		"virt sh_stk + 0x3000: 0 0 0 0 0\n",
	};
	/* What KVM told last is on another stack, odd, or nothing. */
	static const char *const rsps[] = { "init_stk + 0x3000", "sh_stk + 0x3004", "0",
					    "0xffffdead00000000" };
	for (size_t i = 0; i < VMX_COUNT; i++) {
		const struct generation *n = &vmx_generations[i];
		for (size_t d = 0; d < sizeof(damage) / sizeof(*damage); d++)
			assert_refused(n, damage[d]);
		for (size_t d = 0; d < sizeof(rsps) / sizeof(*rsps); d++) {
			char text[128];
			snprintf(text, sizeof(text), "put vcpu_vmx at vcpu0: %s = %s\n",
				 n->older ? "host_rsp" : "vmcs01.host_state.rsp", rsps[d]);
			assert_refused(n, text);
		}
	}
	/* The constant leads to no code, to data, to the kernel's. */
	assert_refused(&vmx_generations[0], "virt one + 0x1800: 0x440\n");
	assert_refused(&vmx_generations[0], "virt one + 0x1800: (one + 0x1900)\n");
	assert_refused(&vmx_generations[0], "virt one + 0x1800: (default_idle + s)\n");
}

static void svm_stale_save_areas(void **state)
{
	(void)state;
	static const char *const damage[] = {
		"put kvm_vcpu at vcpu0: mode = 0\n",
		/* Of another process, of the kernel's own space, of none. */
		"phys save_page + 0x550: 0x1234000\n",
		"phys save_page + 0x550: cr3\n",
		"phys save_page + 0x550: 0\n",
		/* A thread that ran there before. */
		"phys save_page + 0x5d8: (init_stk + 0x3000)\n",
		"phys save_page + 0x5d8: (sh_stk + 0x3001)\n",
		"phys save_page + 0x5d8: (sh_stk + 0x4000)\n",
		/* Not behind VMRUN; not in the module that is loaded, though behind a VMRUN. */
		"phys save_page + 0x578: (one + 0x268)\n",
		"phys save_page + 0x578: (default_idle + s + 4)\n",
		"phys save_page + 0x578: (__svm_vcpu_run + s + 0x60)\n",
		"phys save_page + 0x578: 2\n",
		"exclude phys save_page 4k\n",
	};
	for (size_t i = 0; i < SVM_COUNT; i++) {
		for (size_t d = 0; d < sizeof(damage) / sizeof(*damage); d++)
			assert_refused(&svm_generations[i], damage[d]);
	}
	/* Built in, kernel text is not enough. */
	struct guests g;
	open_text(&g, &svm_generations[0], BUILT_IN("default_idle + s + 0x20"));
	assert_unknown(&g.m, 200, "CPU 0 was running a guest");
	guests_close(&g);
	/* Its own is CPU 1's. */
	assert_refused(&svm_generations[0],
		       "put svm_cpu_data at pc0 + svm_data: save_area_pa = 0\n"
		       "put svm_cpu_data at pc1 + svm_data: save_area_pa = save_page\n");
	assert_refused(&svm_generations[1], "put svm_cpu_data at sd: save_area = 8\n");
	assert_refused(&svm_generations[1], "virt pc0 + svm_data: 0xffffdead00000000\n");
}

/* First registers are true, and what would lead on is not there: lost, with nothing wrong. */
static void frames_that_are_lost(void **state)
{
	(void)state;
	static const struct {
		size_t generation;
		const char *extra, *why;
		size_t count;
	} cases[] = {
		{ 0, "virt one + 0x440: u8 0x90 0x90\n", "at this entry of a guest is not known",
		  1 },
		{ 1, "virt one + 0x440: u8 0x90 0x90\nvirt sh_stk + 0x3000: (one + 0x450)\n",
		  "no return address behind a call that enters a guest", 1 },
		{ 3, "virt one + 0x420: u8 0x90\n", "no return address behind a call", 1 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct guests g;
		struct frames f;
		open_entered(&g, &vmx_generations[cases[i].generation], cases[i].extra);
		get_frames(&g, &f);
		assert_int_equal(f.end, END_LOST);
		assert_int_equal(f.count, cases[i].count);
		if (!strstr(f.why, cases[i].why))
			assert_string_equal(f.why, cases[i].why);
		frames_free(&f);
		guests_close(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vmx),
		cmocka_unit_test(svm),
		cmocka_unit_test(svm_built_in),
		cmocka_unit_test(vmx_slots_of_others),
		cmocka_unit_test(svm_stale_save_areas),
		cmocka_unit_test(frames_that_are_lost),
	};
	return cmocka_run_group_tests_name("host entry", tests, NULL, NULL);
}
