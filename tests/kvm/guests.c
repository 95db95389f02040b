// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kvm/guests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "server/kernel/code_map.h"
#include "server/kernel/module_types.h"

static void open_machine(struct guests *g, const struct machine_plan *plan)
{
	*g = (struct guests){ .count = 0 };
	machine_open(&g->m, plan);
	assert_no_err(code_map_new(g->m.kernel, &g->code));
	assert_no_err(module_types_new(g->m.kernel, code_map_modules(g->code), &g->types));
	const struct kvm_parts parts = {
		.k = g->m.kernel,
		.cpus = &g->m.cpus,
		.tasks = &g->m.tasks,
		.registers = g->m.registers,
		.code = g->code,
		.types = g->types,
	};
	assert_no_err(kvm_new(&parts, &g->kvm));
	assert_no_err(kvm_vms(g->kvm, &g->vms, &g->count));
}

void guests_open_demo(struct guests *g, const char *extra)
{
	open_machine(g, &(struct machine_plan){
				.recipe = "seed.recipe",
				.symbols = DEMO_VMLINUX,
				.extra = extra,
			});
}

static void open_newer(struct guests *g, enum kvm_vendor vendor, bool older, bool entered,
		       const char *extra)
{
	/* Of the guest, and of CPU 1 as it was. */
	static const char notes[] =
		"prstatus 1: rip = 0x8010 rsp = 0x7000 rbx = 0xbad cs = 0x10\n"
		"qemu: rip = 0x8010 rsp = 0x7000 cr3 = 0x1000 gs.base = cpu0-percpu\n"
		"prstatus 2: rip = default_idle+s+4 rsp = stack1+0x3f00 cs = 0x10\n"
		"qemu: rip = default_idle+s+4 rsp = stack1+0x3f00 cr3 = cr3\n"
		"	cr4 = 0x20|(levels-4)<<12 gs.base = cpu1-percpu cs.selector = 0x10\n";
	char text[16384];
	int len = snprintf(text, sizeof(text),
			   "include \"" SOURCE_FOLDER "/tests/kvm/newer.recipe\"\n"
			   "put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = %d\n%s%s",
			   vendor == KVM_SVM ? 2 : 0, entered ? notes : "", extra ? extra : "");
	assert_true(len > 0 && (size_t)len < sizeof(text));
	open_machine(g, &(struct machine_plan){
				.recipe = "modern.recipe",
				.symbols = older ? BUILD_FOLDER "/tests/kvm/older/modern"
						 : BUILD_FOLDER "/tests/kvm/modern",
				.folder = older ? BUILD_FOLDER "/tests/kvm/older"
						: BUILD_FOLDER "/tests/kvm",
				.extra = text,
				.drop_cpu_notes = entered,
			});
}

void guests_open_newer(struct guests *g, enum kvm_vendor vendor, const char *extra)
{
	open_newer(g, vendor, false, false, extra);
}

void guests_open_entered(struct guests *g, enum kvm_vendor vendor, bool older, const char *extra)
{
	open_newer(g, vendor, older, true, extra);
}

void guests_close(struct guests *g)
{
	kvm_free(g->kvm);
	module_types_free(g->types);
	code_map_free(g->code);
	machine_close(&g->m);
}

void assert_kvm_note(const struct guests *g, const char *part)
{
	if (!strstr(kvm_notes(g->kvm), part))
		fail_msg("no note says '%s': %s", part, kvm_notes(g->kvm));
}
