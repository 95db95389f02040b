// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Machines whose memory was changed at random: opening them, and asking for all that there is, must
 * end, without a crash and without a leak. What comes of it does not matter.
 *
 * MUTATIONS in the environment is how many variants of each machine are tried, MUTATIONS_FIRST the
 * number of the first: a variant is always the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/kernel/ask.h"
#include "tests/kernel/machine.h"
#include "tests/kernel/mutant.h"

enum {
	VARIANTS = 1000,
	SECONDS_MAX = 60, /* for one variant, which takes milliseconds */
};

static uint64_t setting(const char *name, uint64_t normal)
{
	const char *text = getenv(name);
	return text ? strtoull(text, NULL, 10) : normal;
}

static void try_some(uint64_t normal_count, const struct machine_plan *plan)
{
	struct machine machine;
	struct mutant m;
	uint64_t first = setting("MUTATIONS_FIRST", 0);
	uint64_t count = setting("MUTATIONS", normal_count);

	machine_make(&machine, plan);
	mutant_init(&m, dump_pages(machine.dump));
	struct page_source source = mutant_pages(&m);
	for (uint64_t i = first; i < first + count; i++) {
		mutant_choose(&m, i);
		alarm(SECONDS_MAX);
		struct err *e = machine_open_kernel(&machine, &source, plan->symbols);
		if (!e)
			ask_kernel(&machine);
		err_free(e);
		machine_close_kernel(&machine);
	}
	alarm(0);
	mutant_free(&m);
	machine_close(&machine);
}

static void try_variants(const struct machine_plan *plan)
{
	try_some(VARIANTS, plan);
}

static void demo(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){ .recipe = "seed.recipe", .symbols = DEMO_VMLINUX });
}

static void modern(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "modern.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/modern",
		.extra = "include \"modules.recipe\"\n"
			 "put module at one_module: mem[0].base = one mem[0].size = 0x1000\n",
	});
}

/* Nothing but CR3 leads to the kernel, and its memory is searched. */
static void modern_without_vmcoreinfo(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "modern.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/modern",
		.drop_vmcoreinfo = true,
	});
}

static void middle(void **state)
{
	(void)state;
	try_variants(&(struct machine_plan){
		.recipe = "middle.recipe",
		.symbols = BUILD_FOLDER "/tests/kernel/middle",
		.extra = "include \"modules.recipe\"\n"
			 "put module at one_module: core_layout.base = one "
			 "core_layout.size = 0x1000\n",
	});
}

/* Modules with sections and notes, in the oldest layout and the newest. */
static void module_layouts(void **state)
{
	(void)state;
	try_some(VARIANTS / 4, &(struct machine_plan){
				       .recipe = "layout-310.recipe",
				       .symbols = BUILD_FOLDER "/tests/kernel/modules-310/modern",
				       .folder = BUILD_FOLDER "/tests/kernel/modules-310",
			       });
	try_some(VARIANTS / 4, &(struct machine_plan){
				       .recipe = "layout-614.recipe",
				       .symbols = BUILD_FOLDER "/tests/kernel/modules-614/modern",
				       .folder = BUILD_FOLDER "/tests/kernel/modules-614",
			       });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demo),
		cmocka_unit_test(modern),
		cmocka_unit_test(modern_without_vmcoreinfo),
		cmocka_unit_test(middle),
		cmocka_unit_test(module_layouts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
