/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks of a kernel whose types are not known, to prove by what they hold in common where the
 * members of struct task_struct are: init_task, some from both ends of its list, and idle tasks.
 */
#ifndef VMCORE_KERNEL_LAYOUT_SAMPLE_H
#define VMCORE_KERNEL_LAYOUT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpus;
struct err;
struct kernel;

struct sample_task {
	uint64_t address;
	/* Of task_struct, as much as can be read, in whole words. Owned by the sample. */
	unsigned char *bytes;
	size_t len;
	bool idle;	  /* init_task, or what another CPU runs when it has nothing else to do */
	bool current;	  /* a CPU runs it, or may: what it has on its stack changes */
	int cpu;	  /* the one CPU that it can be on; -1: any */
	uint64_t stack;	  /* once that is proven; 0: unknown, or none */
	const char *comm; /* in bytes; "" if it could not be read */
};

struct sample {
	const struct kernel *k;	  /* borrowed */
	struct cpus *cpus;	  /* borrowed; what they run may be found out on the way */
	struct sample_task *list; /* owned; init_task first */
	size_t count;
	size_t len;	     /* of task_struct, at most */
	uint64_t stack_size; /* 0 if unknown */
	/* Proven by init_task's name, and by its list of tasks, which has kthreadd in it. */
	uint64_t comm, tasks;
};

/*
 * Takes the sample of @k, whose @cpus say what they run. ERR_NOTFOUND when there is no list of
 * tasks in memory that proves itself. @k and @cpus must outlive the result.
 */
__attribute__((warn_unused_result)) struct err *sample_take(const struct kernel *k,
							    struct cpus *cpus, struct sample *ret);
void sample_free(struct sample *s);
/* Says of each task which CPU it is on, once what the CPUs run is known. */
void sample_describe(struct sample *s);

/* Whether all of @len bytes at @offset could be read. */
bool sample_has(const struct sample_task *t, uint64_t offset, size_t len);
/* What is there; 0 if it could not be read. */
uint64_t sample_word(const struct sample_task *t, uint64_t offset);
uint32_t sample_half(const struct sample_task *t, uint64_t offset);

/* What a task says of a member's being at an offset. */
enum verdict { SAYS_NO, SAYS_NOTHING, SAYS_YES };
typedef enum verdict sample_judge(const struct sample *s, const struct sample_task *t,
				  uint64_t offset, const void *closure);

/*
 * The one offset in task_struct, a multiple of @step, of which no task says no, and @least say yes.
 * False if there is none, or more than one.
 */
bool sample_find(const struct sample *s, uint64_t step, size_t least, sample_judge *judge,
		 const void *closure, uint64_t *ret);

/* Whether the word behind @link in @step (0: next, 8: prev) of a list leads to one that leads back.
 */
bool sample_follow(const struct kernel *k, uint64_t link, uint64_t step, uint64_t *ret);

#endif
