// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as damage to a machine: the first says which machine, every five after it change one
 * word, byte or page of those that the server reads when nothing is damaged. Then the kernel is
 * opened, and all is asked that the server asks: tasks, stacks, modules, the log, virtual machines,
 * their registers, tables and memory; and, where the first byte's top bit is set, the image for
 * debuggers is made of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "arch/x86_64/code/orc_tables.h"
#include "arch/x86_64/image/entry_frames.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "tests/kernel/mutant.h"
#include "tests/kvm/ask.h"
#include "tests/kvm/linux_guest.h"
#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"
#include "vmcore/code/modules.h"
#include "vmcore/image/image.h"
#include "vmcore/image/module_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANGE_BYTES = 5, STEPS_MAX = 1000, WITH_IMAGE = 0x80 };

/* The newer kernel's guest has memory behind its first slot, tables of its own, and such as the
 * processor uses for it. */
#define NEWER                                                              \
	"include \"" SOURCE_FOLDER "/tests/kvm/newer.recipe\"\n"           \
	"use sh\nmap 0x7f0000000000 0x14100000 64k user\nuse kernel\n"     \
	"phys 0x14100000+0x1000: 0x2007\nphys 0x14100000+0x2000: 0x3007\n" \
	"phys 0x14100000+0x3000: 0x87\nphys 0x14100000+0x8000: \"hello from the guest\"\n"

#define SVM                                                                          \
	NEWER "put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = 2\n"               \
	      "pagetable npt root 0x1234000 pool 0x1240000\n"                        \
	      "map 0 0x14100000 64k user\nuse kernel\n"                              \
	      "put vcpu_svm at vcpu0: vmcb = vmcb0\n"                                \
	      "put vmcb at vmcb0: control.exit_code = 0x78 control.nested_ctl = 1\n" \
	      "	save.rflags = 0x46 save.cr3 = 0x1000\n"

#define VMX                                                                      \
	NEWER "put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = 0\n"           \
	      "pagetable ept ept root 0x1234000 pool 0x1240000\n"                \
	      "map 0 0x14100000 64k\nuse kernel\n"                               \
	      "put kvm_vcpu at vcpu0: arch.regs_avail = 0x490000\n"              \
	      "put vcpu_vmx at vcpu0: rflags = 0x246 exit_reason = 0x80000021\n" \
	      "	segment_cache.bitmask = 0x200010 segment_cache.seg[1].selector = 0x10\n"

/* A vCPU is inside its guest: the note of CPU 0 is the guest's. */
#define ENTERED                                                                \
	"prstatus 1: rip = 0x8010 rsp = 0x7000 rbx = 0xbad cs = 0x10\n"        \
	"qemu: rip = 0x8010 rsp = 0x7000 cr3 = 0x1000 gs.base = cpu0-percpu\n" \
	"prstatus 2: rip = default_idle+s+4 rsp = stack1+0x3f00 cs = 0x10\n"   \
	"qemu: rip = default_idle+s+4 rsp = stack1+0x3f00 cr3 = cr3\n"         \
	"	cr4 = 0x20|(levels-4)<<12 gs.base = cpu1-percpu cs.selector = 0x10\n"

/* Where it comes back to, on the stack of its thread. */
#define SVM_HOST                                                                             \
	"set save_page 0x1a000000\nzero phys save_page 4k\n"                                 \
	"phys save_page + 0x550: (sh_pgd|encrypted_bit)\nphys save_page + 0x570: 0x46\n"     \
	"phys save_page + 0x578: (__svm_vcpu_run + s + 0x60)\n"                              \
	"phys save_page + 0x5d8: (sh_stk + 0x3000)\nphys save_page + 0x5f8: 0xacc\n"         \
	"put svm_cpu_data at pc0 + svm_data: asid_generation = 1 save_area_pa = save_page\n" \
	"virt sh_stk + 0x3000: vcpu0 0xb0b 0x1212 0x1313 0x1414 0x1515 (sh_stk + 0x3200)\n"  \
	"	(svm_vcpu_enter_exit + s + 0x25)\n"

#define VMX_HOST                                                         \
	"put vcpu_vmx at vcpu0: loaded_vmcs = &vcpu_vmx(vcpu0).vmcs01\n" \
	"	vmcs01.host_state.rsp = sh_stk + 0x3000\n"

#define MODERN                                                                  \
	.recipe = "modern.recipe", .symbols = BUILD_FOLDER "/tests/kvm/modern", \
	.folder = BUILD_FOLDER "/tests/kvm"
/* What machines.py makes: with the structures of this kernel. */
#define SHAPE(number, name)                                           \
	{                                                             \
		.recipe = number name ".recipe",                      \
		.symbols = BUILD_FOLDER "/tests/kvm/shape-" number,   \
		.folder = BUILD_FOLDER "/tests/fuzz/machines/" number \
	}
#define MODULE                         \
	"include \"modules.recipe\"\n" \
	"put module at one_module: mem[0].base = one mem[0].size = 0x1000\n"

static const struct machine_plan plans[] = {
	{ .recipe = "seed.recipe", .symbols = DEMO_VMLINUX },
	{ MODERN, .extra = SVM },
	{ MODERN, .extra = VMX },
	{ MODERN, .extra = SVM ENTERED SVM_HOST, .drop_cpu_notes = true },
	{ MODERN, .extra = VMX ENTERED VMX_HOST, .drop_cpu_notes = true },
	{ .recipe = "modern.recipe",
	  .symbols = BUILD_FOLDER "/tests/kernel/modern",
	  .extra = MODULE },
	SHAPE("404", "-vmx"),
	SHAPE("404", "-nested"),
	SHAPE("504", "-svm-pae"),
	SHAPE("515", "-vmx-5-levels"),
	SHAPE("515", "-vmcs12"),
	SHAPE("601", "-svm"),
	SHAPE("601", "-nested"),
	SHAPE("601", "-shadow"),
	SHAPE("612", "-roots"),
	SHAPE("612", "-nested-svm"),
	SHAPE("703", "-vmx-legacy"),
	{ MODERN, .extra = "include \"" SOURCE_FOLDER "/tests/kvm/newer.recipe\"\n"
			   "put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = 2\n" GUEST NOTE(
				   "0x1c020000", INFO) },
};

enum { PLANS = sizeof(plans) / sizeof(*plans) };

/* Made once, and used until the process ends. */
struct original {
	struct machine machine;
	struct mutant mutant;
	struct page_source pages;
	bool made;
};

/* What is served beside a vmlinux. */
static void make_frames(const struct image_source *source)
{
	struct buf out = BUF_INIT;
	struct entry_frames *frames = NULL;
	uint64_t *starts = NULL;
	size_t count = 0;
	bool done = false;
	struct err *e = entry_frames_new(source, &frames);
	for (unsigned i = 0; !e && !done; i++) {
		assert_true(i < STEPS_MAX);
		e = entry_frames_step(frames, &out, &done);
	}
	err_free(e);
	entry_frames_free(frames);
	err_free(entry_frames_stack_changers(source, &starts, &count));
	for (size_t i = 1; i < count; i++)
		assert_true(starts[i - 1] <= starts[i]);
	free(starts);
	buf_free(&out);
}

/* The same of modules, none of which has a file. */
static void make_names(const struct image_source *source)
{
	struct buf out = BUF_INIT;
	size_t count = code_map_modules(source->code)->count;
	bool *wanted = malloc(count + 1);
	assert_non_null(wanted);
	memset(wanted, true, count + 1);
	err_free(module_names_make(source, wanted, &out));
	free(wanted);
	buf_free(&out);
}

static void make_image(struct machine *m)
{
	struct image_source source = { .k = m->kernel };
	struct buf out = BUF_INIT;
	struct image *image;
	bool done = false;
	assert_no_err(code_map_new(m->kernel, &source.code));
	assert_no_err(
		module_types_new(m->kernel, code_map_modules(source.code), NULL, &source.types));
	assert_no_err(orc_tables_new(m->kernel, code_map_modules(source.code), NULL, &source.orc));
	make_frames(&source);
	make_names(&source);
	assert_no_err(image_new(&source, &image));
	struct err *e = NULL;
	for (unsigned i = 0; !e && !done; i++) {
		assert_true(i < STEPS_MAX);
		e = image_step(image, &out, &done);
	}
	err_free(e);
	image_free(image);
	orc_tables_free(source.orc);
	module_types_free(source.types);
	code_map_free(source.code);
	buf_free(&out);
}

static void ask_everything(struct original *o, const char *symbols, bool image)
{
	struct err *e = machine_open_kernel(&o->machine, &o->pages, symbols);
	if (!e) {
		ask_host(&o->machine);
		if (image)
			make_image(&o->machine);
	}
	err_free(e);
	machine_close_kernel(&o->machine);
}

/* The recipes of machines.py, where there is Python. */
static bool has_recipe(const struct machine_plan *plan)
{
	char path[4096];
	if (!plan->folder || !plan->recipe || plan->extra)
		return true;
	snprintf(path, sizeof(path), "%s/%s", plan->folder, plan->recipe);
	return access(path, R_OK) == 0;
}

static void make_original(struct original *o, const struct machine_plan *plan)
{
	machine_make(&o->machine, plan);
	mutant_init(&o->mutant, dump_pages(o->machine.dump));
	o->pages = mutant_pages(&o->mutant);
	ask_everything(o, plan->symbols, true);
	mutant_keep_what_was_read(&o->mutant);
	o->made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct original originals[PLANS];
	if (!size)
		return 0;
	size_t n = (data[0] & ~WITH_IMAGE) % PLANS;
	struct original *o = &originals[n];
	if (!has_recipe(&plans[n]))
		return 0;
	if (!o->made)
		make_original(o, &plans[n]);
	o->mutant.change_count = 0;
	for (const uint8_t *at = data + 1; data + size - at >= CHANGE_BYTES; at += CHANGE_BYTES)
		mutant_add(&o->mutant, at[0], get_u16(at + 1), get_u16(at + 3));
	ask_everything(o, plans[n].symbols, data[0] & WITH_IMAGE);
	return 0;
}
