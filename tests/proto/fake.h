/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target whose every answer is known: what transcripts, unit tests and the fuzzer talk to.
 *
 * Threads: 103 "qemu-system-x86 [sleeping]", 110 "CPU 0/KVM [running on 0]" (current), 10000000
 * "swapper/1 [idle on 1]" whose registers are unknown; more if asked for, from 200 on.
 *
 * Memory: two pages at 0xffff888000001000 and the last page of all; each byte is the low byte of
 * its address, but for FAKE_TEXT at FAKE_TEXT_AT. The pages at FAKE_USER and FAKE_USER_TOP hold the
 * thread's id, 8 bytes little endian, over and over; from FAKE_SHARED on all threads see the same.
 * 4 MiB at FAKE_LARGE, zeros but for FAKE_NEEDLE at FAKE_NEEDLE_AT,
 * is more than a search reads at once.
 *
 * Registers: rip is 0xffffffff81000000 plus the thread id, rsp 0xffff888000002000, rbp 0, rbx (in
 * frame n) n; the rest is unknown, but kvm_vcpu of thread 110.
 *
 * Files: "/boot/vmlinux", FAKE_FILE_SIZE bytes, each the low byte of its offset; "/small" with
 * FAKE_SMALL; "/slow", the same, which opens at the third try; "/broken", which cannot be read.
 */
#ifndef TESTS_PROTO_FAKE_H
#define TESTS_PROTO_FAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/target.h"

#define FAKE_KERNEL	  UINT64_C(0xffff888000001000)
#define FAKE_KERNEL_SIZE  UINT64_C(0x2000)
#define FAKE_TEXT_SEGMENT UINT64_C(0xffffffff81000000)
#define FAKE_TEXT_AT	  UINT64_C(0xffff888000001ffb) /* across the two pages */
#define FAKE_TEXT	  "panic: oops"
#define FAKE_LARGE	  UINT64_C(0xffff888100000000)
#define FAKE_LARGE_SIZE	  UINT64_C(0x400000)
#define FAKE_NEEDLE_AT	  UINT64_C(0xffff88810000fffd) /* across 64 KiB */
#define FAKE_NEEDLE	  "needle"
#define FAKE_TOP	  UINT64_C(0xfffffffffffff000)
#define FAKE_USER	  UINT64_C(0x400000)
#define FAKE_USER_TOP	  UINT64_C(0x00fffffffffff000) /* with page tables of five levels */
#define FAKE_SHARED	  UINT64_C(0xff00000000000000)
#define FAKE_FILE_SIZE	  UINT64_C(0x300000)
#define FAKE_SMALL	  "#$}*\n"

struct fake {
	struct target target; /* groups may be set to NULL before a session begins */
	uint64_t *tids;	      /* owned */
	size_t threads;
	uint64_t text; /* what rip is, and the thread id */
	struct buf vmcoreinfo, libraries, libraries_beside, exec_file, osdata;
	char name[64]; /* of the thread described last */
	char label[32];
	int cancelled;	     /* monitor commands that were */
	size_t reads;	     /* of memory */
	int files;	     /* that are open */
	int tries;	     /* to open /slow */
	int packets;	     /* and parts of jobs that began */
	uint64_t generation; /* of a fake whose threads come and go, see fake_change() */
};

/* @threads: 3 or more. Aborts when memory is out. */
void fake_init(struct fake *f, size_t threads);
void fake_free(struct fake *f);

/* Before a session begins: the threads from 200 on get ids one higher each time they are listed
 * anew, as on a machine that runs. */
void fake_change(struct fake *f);

#endif
