/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Linux kernel that a guest runs: its release and where KASLR put it, by its own VMCOREINFO, or
 * at least by its banner. Found through the page tables of the guest's CPUs, so that text in the
 * guest's page cache, or of a kernel that ran before, does not pass for it.
 */
#ifndef VMCORE_GUEST_GUEST_LINUX_H
#define VMCORE_GUEST_GUEST_LINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kvm;
struct vm;

enum {
	GUEST_RELEASE_MAX = 65, /* __NEW_UTS_LEN + 1 */
	GUEST_BANNER_MAX = 512,
	GUEST_BUILD_ID_MAX = 129,
};

struct guest_linux {
	bool found;			   /* the guest runs Linux: release is known */
	char release[GUEST_RELEASE_MAX];   /* uname -r */
	char banner[GUEST_BANNER_MAX];	   /* linux_banner without its end of line; "" if unknown */
	char build_id[GUEST_BUILD_ID_MAX]; /* of its vmlinux, hex digits; "" if unknown */
	bool placed;			   /* the next two are known */
	uint64_t text;			   /* the address of _text */
	uint64_t slide;			   /* how far KASLR moved it */
	char *vmcoreinfo;		   /* owned: its text; NULL if it was not found */
	size_t vmcoreinfo_len;
	char *why;	 /* owned: why it was not found; NULL if it was */
	bool unreadable; /* that is because memory could not be read: left out, missing, encrypted
			  */
};

/*
 * Looks for the kernel of @vm, the first time: some 50 MiB of the guest's memory are read at most,
 * those that its kernel's image takes up. The answer is kept in @vm. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *guest_linux_find(struct kvm *kvm, struct vm *vm,
								 const struct guest_linux **ret);
void guest_linux_free(struct guest_linux *g);

#endif
