// SPDX-License-Identifier: GPL-2.0-or-later
/* x86-64, put together. */
#include <elf.h>

#include "arch/arch.h"
#include "arch/x86_64/base/regs.h"
#include "arch/x86_64/code/x86_64.h"
#include "arch/x86_64/dump/notes.h"
#include "arch/x86_64/find/paging.h"
#include "arch/x86_64/image/x86_64.h"
#include "arch/x86_64/names/ko_relocate.h"
#include "arch/x86_64/tasks/x86_64.h"
#include "arch/x86_64/unwind/x86_64.h"

extern const struct arch arch_x86_64;

/* Documentation/arch/x86/x86_64/mm.rst */
static const uint64_t direct_maps[] = {
	UINT64_C(0xffff888000000000), /* since 4.20 */
	UINT64_C(0xffff880000000000), /* before */
	UINT64_C(0xff11000000000000), /* five levels of page tables, since 4.20 */
	UINT64_C(0xff10000000000000), /* before */
	0,
};
static const uint64_t page_arrays[] = {
	UINT64_C(0xffffea0000000000),
	UINT64_C(0xffd4000000000000), /* five levels of page tables */
	0,
};

static const struct arch_map map = {
	.image = START_KERNEL_MAP,		  /* the last 2 GiB, which calls can reach */
	.modules = UINT64_C(0xffffffffc0000000),  /* MODULES_VADDR */
	.code_end = UINT64_C(0xffffffffff600000), /* FIXADDR_TOP's page */
	.image_bytes = UINT64_C(1) << 30,
	.hole = UINT64_C(0xfffffffffffff000),
	.direct_maps = direct_maps,
	.page_arrays = page_arrays,
	.physical_bits = 52,
};

const struct arch arch_x86_64 = {
	.name = "x86_64",
	.title = "x86-64",
	.elf_machine = EM_X86_64,
	.map = &map,
	.regs = &x86_64_regs,
	.unwind = &x86_64_unwind,
	.files = &x86_64_files,
	.dump = &x86_64_dump,
	.find = &x86_64_find,
	.tasks = &x86_64_tasks,
	.code = &x86_64_code,
	.image = &x86_64_image,
};
