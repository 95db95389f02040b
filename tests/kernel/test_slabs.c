// SPDX-License-Identifier: GPL-2.0-or-later
/* Slab objects under two kernels: struct page as the slab with CPUs' own slabs (4.18), and struct
 * slab with sheaves (7.1). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/kernel/machine.h"
#include "vmcore/kernel/objects/page_map.h"
#include "vmcore/kernel/objects/slab.h"

#define DIRECT	UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define SLAB_PA UINT64_C(0x1a000000)
#define SLAB	(DIRECT + SLAB_PA) /* two pages: 7 objects of 1 KiB, 512 bytes apart */
#define HEAD	(VMEMMAP + (SLAB_PA >> 12) * 64) /* their struct pages */
#define CACHE	(DIRECT + UINT64_C(0x1a100000))
#define RANDOM	UINT64_C(0x1122334455667788)

enum { STEP = 1024, SIZE = 960, POINTER = 512, RED = 64, OBJECTS = 7 };

static const struct kernel_file {
	const char *recipe, *symbols;
	bool middle;
	bool swap; /* the bytes of the address that a pointer is mixed with */
} kernels[] = {
	{ "modern.recipe", BUILD_FOLDER "/tests/kernel/modern", false, true },
	{ "middle.recipe", BUILD_FOLDER "/tests/kernel/middle", true, false },
	{ "middle.recipe", BUILD_FOLDER "/tests/kernel/middle", true, true },
};
enum { KERNELS = sizeof(kernels) / sizeof(*kernels) };

static uint64_t object(unsigned n)
{
	return SLAB + (uint64_t)n * STEP + RED;
}

/* mm/slub.c, freelist_ptr_encode(), by hand. */
static uint64_t mixed(const struct kernel_file *k, uint64_t pointer, uint64_t at)
{
	uint64_t swapped = 0;
	for (int i = 0; i < 8; i++)
		swapped |= (at >> (8 * i) & 0xff) << (8 * (7 - i));
	return pointer ^ RANDOM ^ (k->swap ? swapped : at);
}

static void add(char *text, size_t size, const char *fmt, ...)
{
	va_list ap;
	size_t len = strlen(text);
	va_start(ap, fmt);
	assert_true((size_t)vsnprintf(text + len, size - len, fmt, ap) < size - len);
	va_end(ap);
}

static void add_link(char *text, size_t size, const struct kernel_file *k, unsigned from,
		     uint64_t to)
{
	uint64_t at = object(from) + POINTER;
	add(text, size, "virt 0x%" PRIx64 ": 0x%" PRIx64 "\n", at, mixed(k, to, at));
}

/* What both have: a cache, its slab of two pages, and objects 3 and 5 on the slab's list. */
static void describe(const struct kernel_file *k, char *text, size_t size)
{
	text[0] = 0;
	add(text, size, "use kernel\nmap 0x%" PRIx64 " 0x1b000000 8m 2m\n", VMEMMAP);
	add(text, size, "zero 0x%" PRIx64 " 128k\nzero 0x%" PRIx64 " 4k\n", VMEMMAP + 0x180000,
	    HEAD);
	add(text, size, "zero 0x%" PRIx64 " 8k\nzero 0x%" PRIx64 " 8k\n", SLAB, CACHE);
	add(text, size,
	    "put kmem_cache at 0x%" PRIx64 ": flags = 0x400 size = %d object_size = %d offset = %d "
	    "red_left_pad = %d name = 0x%" PRIx64 " random = 0x%" PRIx64 "\n",
	    CACHE, STEP, SIZE, POINTER, RED, CACHE + 0x1000, RANDOM);
	add(text, size, "virt 0x%" PRIx64 ": \"kvm_vcpu(7:machine)\\0\"\n", CACHE + 0x1000);
	add(text, size, "list slab_caches + s: &kmem_cache(0x%" PRIx64 ").list\n", CACHE);
	/* inuse, objects << 16 */
	add(text, size,
	    "put %s at 0x%" PRIx64 ": slab_cache = 0x%" PRIx64 " freelist = 0x%" PRIx64
	    " counters = 0x%x %s\n",
	    k->middle ? "page" : "slab", HEAD, CACHE, object(3), OBJECTS << 16 | (OBJECTS - 2),
	    k->middle ? "flags = 0x8100" : "__page_type = 0xf5000000");
	add_link(text, size, k, 3, object(5));
	add_link(text, size, k, 5, 0);
	if (k->middle)
		add(text, size, "put page at 0x%" PRIx64 ": compound_head = 0x%" PRIx64 "\n",
		    HEAD + 64, HEAD + 1);
	else
		add(text, size, "put page at 0x%" PRIx64 ": compound_info = 0x%" PRIx64 "\n",
		    HEAD + 64, ~UINT64_C(127) + 1);
	/* Object 6 is kept by CPU 1. */
	if (k->middle) {
		add(text, size, "put kmem_cache at 0x%" PRIx64 ": cpu_slab = slabs_of_cpu\n",
		    CACHE);
		add(text, size,
		    "put kmem_cache_cpu at pc1 + slabs_of_cpu: page = 0x%" PRIx64
		    " freelist = 0x%" PRIx64 "\n",
		    HEAD, object(6));
		add_link(text, size, k, 6, 0);
		return;
	}
	add(text, size, "put kmem_cache at 0x%" PRIx64 ": cpu_sheaves = sheaves_of_cpu + s\n",
	    CACHE);
	add(text, size,
	    "put slub_percpu_sheaves at pc1 + sheaves_of_cpu: main = 0x%" PRIx64 "\n"
	    "put slab_sheaf at 0x%" PRIx64 ": size = 1 objects[0] = 0x%" PRIx64 "\n",
	    CACHE + 0x1100, CACHE + 0x1100, object(6));
	/* Object 0 is in a full sheaf of the node's barn. */
	add(text, size,
	    "put kmem_cache at 0x%" PRIx64 ": per_node[0].barn = 0x%" PRIx64 "\n"
	    "list &node_barn(0x%" PRIx64 ").sheaves_full: &slab_sheaf(0x%" PRIx64 ").barn_list\n"
	    "put slab_sheaf at 0x%" PRIx64 ": size = 1 objects[0] = 0x%" PRIx64 "\n",
	    CACHE, CACHE + 0x1200, CACHE + 0x1200, CACHE + 0x1300, CACHE + 0x1300, object(0));
}

struct opened {
	struct machine machine;
	struct page_map pages;
	struct slabs *slabs;
};

static void open_slabs(struct opened *o, const struct kernel_file *k, const char *extra)
{
	char text[8192];
	describe(k, text, sizeof(text));
	add(text, sizeof(text), "%s", extra);
	machine_open(&o->machine, &(struct machine_plan){ .recipe = k->recipe,
							  .symbols = k->symbols,
							  .extra = text });
	assert_no_err(page_map_open(o->machine.kernel, &o->pages));
	assert_int_equal(o->pages.direct, DIRECT);
	assert_int_equal(o->pages.vmemmap, VMEMMAP);
	assert_no_err(slabs_new(o->machine.kernel, &o->pages, &o->machine.cpus, &o->slabs));
}

static void close_slabs(struct opened *o)
{
	slabs_free(o->slabs);
	machine_close(&o->machine);
}

static struct slab_object find(struct opened *o, uint64_t address)
{
	struct slab_object found;
	bool is_there;
	assert_no_err(slabs_find(o->slabs, address, &is_there, &found));
	assert_true(is_there);
	return found;
}

static bool is_free(const struct kernel_file *k, unsigned n)
{
	return n == 3 || n == 5 || n == 6 || (n == 0 && !k->middle);
}

static void objects_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct opened o;
		open_slabs(&o, &kernels[i], "");
		assert_int_equal(slabs_count(o.slabs), 1);
		for (unsigned n = 0; n < OBJECTS; n++) {
			struct slab_object found = find(&o, object(n) + n * 7);
			assert_int_equal(found.cache->address, CACHE);
			assert_string_equal(found.cache->name, "kvm_vcpu(7:machine)");
			assert_int_equal(slab_cache_name_len(found.cache), 8);
			assert_int_equal(found.start, object(n));
			assert_int_equal(found.offset, n * 7);
			assert_int_equal(found.state,
					 is_free(&kernels[i], n) ? SLAB_FREE : SLAB_ALLOCATED);
			assert_int_equal(found.on_cpu, n == 6);
		}
		close_slabs(&o);
	}
}

static void places_between_objects_are_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		struct opened o;
		open_slabs(&o, &kernels[i], "");
		/* A red zone, and behind the last object. */
		assert_int_equal(find(&o, SLAB + 5).start, 0);
		assert_int_equal(find(&o, SLAB + OBJECTS * STEP + 100).start, 0);
		close_slabs(&o);
	}
}

/* Whether the page is no slab's. */
static bool is_none(const struct kernel_file *k, const char *extra, uint64_t address)
{
	struct opened o;
	struct slab_object found;
	bool is_there;
	open_slabs(&o, k, extra);
	assert_no_err(slabs_find(o.slabs, address, &is_there, &found));
	close_slabs(&o);
	return !is_there;
}

static void other_pages_are_no_slabs(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		const struct kernel_file *k = &kernels[i];
		char text[256];
		assert_true(is_none(k, "", CACHE));
		assert_true(is_none(k, "", DIRECT + UINT64_C(0x7fffffff000)));
		assert_true(is_none(k, "", 0));
		/* Free by now, with what was there before. */
		snprintf(text, sizeof(text), "put page at 0x%" PRIx64 ": %s = 0\n", HEAD,
			 k->middle ? "flags" : "page_type");
		assert_true(is_none(k, text, object(1)));
		/* A cache that is in no list. */
		snprintf(text, sizeof(text),
			 "put %s at 0x%" PRIx64 ": slab_cache = 0x%" PRIx64 "\n",
			 k->middle ? "page" : "slab", HEAD, CACHE + 8);
		assert_true(is_none(k, text, object(1)));
		/* A tail page that leads elsewhere. */
		snprintf(text, sizeof(text), "put page at 0x%" PRIx64 ": %s = 0x%" PRIx64 "\n",
			 HEAD + 64, k->middle ? "compound_head" : "compound_info", DIRECT + 1);
		assert_true(is_none(k, text, object(5)));
	}
}

/* What is on a list that goes wrong is free all the same; of the others nothing is known. */
static void damaged_lists_leave_objects_unknown(void **state)
{
	(void)state;
	for (size_t i = 0; i < KERNELS; i++) {
		const struct kernel_file *k = &kernels[i];
		const uint64_t bad[] = { object(3) /* round */, object(4) + 8,
					 SLAB + 0x10000 + RED };
		for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
			struct opened o;
			char text[256] = "";
			add_link(text, sizeof(text), k, 5, bad[n]);
			open_slabs(&o, k, text);
			assert_int_equal(find(&o, object(3)).state, SLAB_FREE);
			assert_int_equal(find(&o, object(1)).state, SLAB_UNKNOWN);
			assert_non_null(find(&o, object(1)).why);
			close_slabs(&o);
		}
		/* The slab counts more of them. */
		struct opened o;
		char text[256];
		snprintf(text, sizeof(text), "put %s at 0x%" PRIx64 ": counters = 0x%x\n",
			 k->middle ? "page" : "slab", HEAD, OBJECTS << 16 | (OBJECTS - 3));
		open_slabs(&o, k, text);
		assert_int_equal(find(&o, object(5)).state, SLAB_FREE);
		assert_int_equal(find(&o, object(1)).state, SLAB_UNKNOWN);
		close_slabs(&o);
	}
}

static void a_list_of_caches_without_any(void **state)
{
	(void)state;
	struct opened o;
	open_slabs(&o, &kernels[0], "");
	slabs_free(o.slabs);
	machine_close(&o.machine);
	machine_open(&o.machine,
		     &(struct machine_plan){ .recipe = kernels[1].recipe,
					     .symbols = kernels[1].symbols,
					     .extra = "virt slab_caches + s: (slab_caches + s) "
						      "(slab_caches + s)\n" });
	struct err *e = page_map_open(o.machine.kernel, &o.pages);
	assert_err(e, ERR_NOTFOUND, "array of struct page");
	o.pages.k = o.machine.kernel;
	e = slabs_new(o.machine.kernel, &o.pages, &o.machine.cpus, &o.slabs);
	assert_err(e, ERR_CORRUPT, "holds nothing");
	machine_close(&o.machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_told),
		cmocka_unit_test(places_between_objects_are_none),
		cmocka_unit_test(other_pages_are_no_slabs),
		cmocka_unit_test(damaged_lists_leave_objects_unknown),
		cmocka_unit_test(a_list_of_caches_without_any),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
