/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task of a machine that runs has on its stack, from thread.sp up, read in one go: mostly a
 * few hundred bytes. It is of one moment if the task's stamps before and behind it are equal.
 */
#ifndef VMCORE_KERNEL_TASKS_STACK_COPY_H
#define VMCORE_KERNEL_TASKS_STACK_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;

struct stack_copy {
	uint64_t low;	      /* address of the first byte */
	size_t len;	      /* 0: there is none */
	size_t capacity;      /* of bytes */
	unsigned char *bytes; /* owned */
};

#define STACK_COPY_INIT \
	{               \
		0,      \
	}

/*
 * Copies [@low, @high), which is part of a task's stack; of a long one the beginning. There is no
 * copy if that is empty or cannot be read: who reads it otherwise will be told why. ERR_NOMEM only.
 */
__attribute__((warn_unused_result)) struct err *
stack_copy_take(struct stack_copy *c, const struct kernel *k, uint64_t low, uint64_t high);

/* False if @c does not have all of [@address, @address + @len). */
bool stack_copy_read(const struct stack_copy *c, uint64_t address, void *out, size_t len);

/* Frees what @c owns and makes it STACK_COPY_INIT. */
void stack_copy_free(struct stack_copy *c);

#endif
