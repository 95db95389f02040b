// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/proto/fake_crash.h"

#include "base/err.h"
#include "proto/crash/machine.h"

static const char *banner(void *self)
{
	(void)self;
	return "Linux version 6.1.0-fake (nobody@nowhere) #1 SMP\n";
}

static unsigned cpu_count(void *self)
{
	(void)self;
	return 3;
}

static struct err *read_physical(void *self, uint64_t addr, void *out, size_t len)
{
	uint8_t *bytes = out;
	(void)self;
	if (addr >= FAKE_CRASH_SIZE || len > FAKE_CRASH_SIZE - addr)
		return err_new(ERR_MISSING, "nothing is there");
	for (size_t i = 0; i < len; i++)
		bytes[i] = fake_crash_byte(addr + i);
	return NULL;
}

static struct err *translate(void *self, uint64_t addr, uint64_t *ret)
{
	(void)self;
	if (addr < FAKE_CRASH_BASE || addr - FAKE_CRASH_BASE >= FAKE_CRASH_SIZE)
		return err_new(ERR_NOTPRESENT, "nothing is mapped there");
	*ret = addr - FAKE_CRASH_BASE;
	return NULL;
}

static struct err *read_virtual(void *self, uint64_t addr, void *out, size_t len)
{
	uint64_t physical = 0;
	struct err *e = translate(self, addr, &physical);
	return e ? e : read_physical(self, physical, out, len);
}

static struct err *cpu(void *self, unsigned number, struct crash_cpu *ret)
{
	(void)self;
	if (number == 2)
		return err_new(ERR_MISSING, "its registers cannot be read");
	if (number == 0)
		*ret = (struct crash_cpu){ .rip = UINT64_C(0xffffffff81000010),
					   .rsp = UINT64_C(0xffffc90000003f58),
					   .rbp = 1,
					   .cs = 0x10,
					   .ss = 0x18,
					   .knows_place = true,
					   .root = 0x2000,
					   .knows_root = true };
	return NULL;
}

static bool placement(void *self, uint64_t *ret_phys_base, uint64_t *ret_slide)
{
	(void)self;
	*ret_phys_base = *ret_slide = 0;
	return true;
}

const struct crash_ops fake_crash_ops = {
	.banner = banner,
	.cpu_count = cpu_count,
	.read_physical = read_physical,
	.read_virtual = read_virtual,
	.translate = translate,
	.cpu = cpu,
	.placement = placement,
};
