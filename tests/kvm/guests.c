// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/kvm/guests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "vmcore/code/code_map.h"
#include "vmcore/code/module_types.h"

static void open_machine(struct guests *g, const struct machine_plan *plan)
{
	*g = (struct guests){ .count = 0 };
	machine_open(&g->m, plan);
	assert_no_err(code_map_new(g->m.kernel, &g->code));
	assert_no_err(module_types_new(g->m.kernel, code_map_modules(g->code), NULL, &g->types));
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

/* Of the guest, and of CPU 1 as it was. */
#define ENTERED_NOTES                                                   \
	"prstatus 1: rip = 0x8010 rsp = 0x7000 rbx = 0xbad cs = 0x10\n" \
	"qemu: rip = 0x8010 rsp = 0x7000 cr3 = 0x1000 gs.base = cpu0-percpu\n" GUESTS_IDLE_NOTE

/* @notes: NULL for those of the machine as it is. */
static void open_newer(struct guests *g, enum kvm_vendor vendor, bool older, const char *notes,
		       const char *extra)
{
	char text[16384];
	int len = snprintf(text, sizeof(text),
			   "include \"" SOURCE_FOLDER "/tests/kvm/newer.recipe\"\n"
			   "put cpuinfo_x86 at boot_cpu_data + s: x86_vendor = %d\n%s%s",
			   vendor == KVM_SVM ? 2 : 0, notes ? notes : "", extra ? extra : "");
	assert_true(len > 0 && (size_t)len < sizeof(text));
	open_machine(g, &(struct machine_plan){
				.recipe = "modern.recipe",
				.symbols = older ? BUILD_FOLDER "/tests/kvm/older/modern"
						 : BUILD_FOLDER "/tests/kvm/modern",
				.folder = older ? BUILD_FOLDER "/tests/kvm/older"
						: BUILD_FOLDER "/tests/kvm",
				.extra = text,
				.drop_cpu_notes = notes != NULL,
			});
}

void guests_open_newer(struct guests *g, enum kvm_vendor vendor, const char *extra)
{
	open_newer(g, vendor, false, NULL, extra);
}

void guests_open_entered(struct guests *g, enum kvm_vendor vendor, bool older, const char *extra)
{
	open_newer(g, vendor, older, ENTERED_NOTES, extra);
}

void guests_open_noted(struct guests *g, enum kvm_vendor vendor, const char *notes,
		       const char *extra)
{
	open_newer(g, vendor, false, notes, extra);
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
