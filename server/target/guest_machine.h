/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs in a guest, opened as the machine of a dump is: kernel, tasks, stacks, slabs, as far as
 * the guest's memory and the host's --symbols tell of them. Opened when somebody first asks.
 */
#ifndef SERVER_TARGET_GUEST_MACHINE_H
#define SERVER_TARGET_GUEST_MACHINE_H

#include <stdint.h>

struct err;
struct guest_dump;
struct guest_view;
struct vm;
struct vmcore;

struct guest_machine {
	struct guest_dump *dump; /* owned, as is the next; NULL: it is not open */
	struct vmcore *vmcore;
	/* What of the host it was made of; on a live one it is old when these are others. */
	const struct vm *vm;
	uint64_t generation, epoch, recovered;
};

/*
 * The machine of @g; borrowed, until it is asked for again. ERR_UNSUPPORTED if no Linux was found
 * in it or its memory is encrypted, ERR_NOTFOUND if the VM has ended; otherwise why its kernel
 * cannot be opened.
 */
__attribute__((warn_unused_result)) struct err *
guest_machine_get(struct guest_machine *m, struct guest_view *g, struct vmcore **ret);
void guest_machine_close(struct guest_machine *m);

/*
 * The thread of @machine by whose process's page tables the vCPU that is thread @tid of @g works:
 * any of that process's, with @address at the same place. 0 if none is known.
 */
uint64_t guest_machine_thread(struct vmcore *machine, struct guest_view *g, uint64_t tid,
			      uint64_t address);

#endif
