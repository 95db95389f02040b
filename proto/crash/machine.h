/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What crash's protocol needs from what is looked at: a group of operations of a target
 * (proto/target.h), all of which are called with the target's `self`.
 */
#ifndef PROTO_CRASH_MACHINE_H
#define PROTO_CRASH_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Where a CPU was. What is not known is 0, and its flag is not set. */
struct crash_cpu {
	uint64_t rip, rsp, rbp;
	uint16_t cs, ss;
	bool knows_place; /* rip and rsp */
	uint64_t root;	  /* cr3 */
	bool knows_root;
};

struct crash_ops {
	bool live; /* it changes while it is looked at */
	/* Called before each request of a live one; may be NULL. */
	void (*begin)(void *self);
	/* The text of linux_banner, which may end in a line's end; "" if it is unknown. Borrowed
	 * until the next call. */
	const char *(*banner)(void *self);
	/* How many CPUs there may be: their numbers are below. 0 if unknown. */
	unsigned (*cpu_count)(void *self);
	/*
	 * Reads @len bytes, at least 1, at the physical address @addr, or at the kernel's virtual
	 * address @addr, all or nothing.
	 */
	struct err *(*read_physical)(void *self, uint64_t addr, void *out, size_t len);
	struct err *(*read_virtual)(void *self, uint64_t addr, void *out, size_t len);
	/* The physical address of the kernel's virtual address @addr. */
	struct err *(*translate)(void *self, uint64_t addr, uint64_t *ret);
	/* @cpu is below the count; *ret comes with zeros. */
	struct err *(*cpu)(void *self, unsigned cpu, struct crash_cpu *ret);
	/*
	 * What crash has to be told by options: the kernel's phys_base, and by how much KASLR
	 * moved its addresses. False if it is unknown.
	 */
	bool (*placement)(void *self, uint64_t *ret_phys_base, uint64_t *ret_slide);
};

#endif
