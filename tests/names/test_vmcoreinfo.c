// SPDX-License-Identifier: GPL-2.0-or-later
/* VMCOREINFO: the kernel's text, and text of all kinds that no kernel writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "vmcore/names/vmcoreinfo.h"

static struct vmcoreinfo *parse(const char *text, size_t len)
{
	struct vmcoreinfo *v = NULL;
	assert_null(vmcoreinfo_parse(text, len, &v));
	return v;
}

static void what_a_kernel_writes(void **state)
{
	(void)state;
	static const char text[] = "OSRELEASE=6.1.0-56-cloud-amd64\n"
				   "BUILD-ID=3b43fad5034874490492495d552c0af6a5fab235\n"
				   "PAGESIZE=4096\n"
				   "SYMBOL(_stext)=ffffffffa3000000\n"
				   "OFFSET(list_head.next)=0\n"
				   "SIZE(list_head)=16\n"
				   "LENGTH(mem_section)=2048\n"
				   "NUMBER(phys_base)=-46137344\n"
				   "NUMBER(KERNELPACMASK)=0xff\n"
				   "KERNELOFFSET=22000000\n"
				   "EMPTY=\n"
				   "CRASHTIME=1763904000";
	struct vmcoreinfo *v = parse(text, sizeof(text) - 1);
	uint64_t n;
	assert_string_equal(vmcoreinfo_get(v, "OSRELEASE"), "6.1.0-56-cloud-amd64");
	assert_string_equal(vmcoreinfo_get(v, "EMPTY"), "");
	assert_string_equal(vmcoreinfo_get(v, "CRASHTIME"), "1763904000");
	assert_null(vmcoreinfo_get(v, "OSRELEAS"));
	assert_true(vmcoreinfo_symbol(v, "_stext", &n));
	assert_int_equal(n, 0xffffffffa3000000);
	assert_true(vmcoreinfo_number(v, "phys_base", &n));
	assert_int_equal(n, (uint64_t)-46137344);
	assert_true(vmcoreinfo_number(v, "KERNELPACMASK", &n));
	assert_int_equal(n, 255);
	assert_true(vmcoreinfo_kernel_offset(v, &n));
	assert_int_equal(n, 0x22000000);
	assert_false(vmcoreinfo_symbol(v, "list_head", &n));
	assert_false(vmcoreinfo_number(v, "_stext", &n));
	vmcoreinfo_free(v);
}

static void numbers_must_be_whole(void **state)
{
	(void)state;
	static const char *const bad[] = { "",
					   "-",
					   "--1",
					   "1x",
					   " 1",
					   "+1",
					   "0x",
					   "0xg",
					   "1 ",
					   "18446744073709551616",
					   "0x10000000000000000" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "NUMBER(n)=%s\nSYMBOL(s)=%sg\n", bad[i],
				   bad[i]);
		struct vmcoreinfo *v = parse(text, (size_t)len);
		uint64_t n;
		assert_false(vmcoreinfo_number(v, "n", &n));
		assert_false(vmcoreinfo_symbol(v, "s", &n));
		vmcoreinfo_free(v);
	}
}

static void what_no_kernel_writes(void **state)
{
	(void)state;
	static const char text[] =
		"\n\n=value\nno equals sign\nA=B=C\nA=second\n\xff\xfe=1\nZ=1\0X=1\n";
	struct vmcoreinfo *v = parse(text, sizeof(text) - 1);
	assert_string_equal(vmcoreinfo_get(v, "A"), "B=C");
	assert_string_equal(vmcoreinfo_get(v, "\xff\xfe"), "1");
	assert_string_equal(vmcoreinfo_get(v, "Z"), "1");
	assert_null(vmcoreinfo_get(v, "X"));
	assert_null(vmcoreinfo_get(v, ""));
	char name[1000];
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = 0;
	uint64_t n;
	assert_false(vmcoreinfo_symbol(v, name, &n));
	vmcoreinfo_free(v);

	v = parse(NULL, 0);
	assert_null(vmcoreinfo_get(v, "A"));
	vmcoreinfo_free(v);
	assert_null(vmcoreinfo_get(NULL, "A"));
	assert_false(vmcoreinfo_symbol(NULL, "A", &n));
	assert_false(vmcoreinfo_kernel_offset(NULL, &n));
	vmcoreinfo_free(NULL);

	char *big = calloc(1, 2 << 20);
	assert_non_null(big);
	struct err *e = vmcoreinfo_parse(big, 2 << 20, &v);
	assert_non_null(e);
	assert_int_equal(err_code(e), ERR_FORMAT);
	err_free(e);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_kernel_writes),
		cmocka_unit_test(numbers_must_be_whole),
		cmocka_unit_test(what_no_kernel_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
