// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/proof/layout_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/map.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/memory/memory.h"

enum {
	WORD = 8,
	STRUCT_MIN = 1024, /* struct task_struct has 1.5 to 14 KiB */
	STRUCT_MAX = 16 << 10,
	OLDEST = 64,  /* tasks from the list's start: the kernel's own threads */
	NEWEST = 128, /* and from its end: processes */
	IDLE_MAX = 32,
	SAMPLE_MAX = 1 + OLDEST + NEWEST + IDLE_MAX,
	KTHREADD_AMONG = 8, /* it is the second that a kernel makes */
};

bool sample_has(const struct sample_task *t, uint64_t offset, size_t len)
{
	return range_within(offset, len, t->len);
}

uint64_t sample_word(const struct sample_task *t, uint64_t offset)
{
	return sample_has(t, offset, 8) ? get_u64(t->bytes + offset) : 0;
}

uint32_t sample_half(const struct sample_task *t, uint64_t offset)
{
	return sample_has(t, offset, 4) ? get_u32(t->bytes + offset) : 0;
}

bool sample_find(const struct sample *s, uint64_t step, size_t least, sample_judge *judge,
		 const void *closure, uint64_t *ret)
{
	size_t found = 0;
	for (uint64_t offset = 0; offset + WORD <= s->len; offset += step) {
		size_t yes = 0, i;
		for (i = 0; i < s->count; i++) {
			enum verdict v = judge(s, &s->list[i], offset, closure);
			if (v == SAYS_NO)
				break;
			yes += v == SAYS_YES;
		}
		if (i < s->count || yes < least)
			continue;
		*ret = offset;
		found++;
	}
	return found == 1;
}

bool sample_follow(const struct kernel *k, uint64_t link, uint64_t step, uint64_t *ret)
{
	uint64_t there, back;
	if (!kernel_get_u64(k, link + step, &there) || !is_kernel_address(there) ||
	    there & (WORD - 1) || !kernel_get_u64(k, there + WORD - step, &back) || back != link)
		return false;
	*ret = there;
	return true;
}

/* ---- one task ---- */

static void read_bytes(const struct sample *s, struct sample_task *t)
{
	size_t got = 0;
	struct err *e = memory_read(kernel_memory(s->k), kernel_space(s->k), t->address, t->bytes,
				    s->len, &got);
	t->len = e ? 0 : got & ~(size_t)(WORD - 1);
	err_free(e);
}

static struct err *add_task(struct sample *s, uint64_t address, bool idle)
{
	struct sample_task t = { .address = address, .idle = idle, .cpu = -1, .comm = "" };
	t.bytes = calloc(1, s->len);
	if (!t.bytes)
		return err_nomem();
	read_bytes(s, &t);
	s->list[s->count++] = t;
	return NULL;
}

/* ---- init_task ---- */

/* The kernel's symbol that follows ends it. */
static size_t struct_bytes(const struct kernel *k, uint64_t init_task)
{
	struct symbol symbol;
	if (!kernel_symbol_at(k, init_task, &symbol) || symbol.address != init_task ||
	    symbol.size < STRUCT_MIN || symbol.size > STRUCT_MAX)
		return STRUCT_MAX;
	return (size_t)symbol.size & ~(size_t)(WORD - 1);
}

/* "swapper", and since 3.x with its CPU, in the one place where that is. */
static bool find_name(struct sample *s)
{
	static const char *const names[] = { "swapper", "swapper/0" };
	const struct sample_task *init = &s->list[0];
	size_t found = 0;
	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		size_t len = strlen(names[n]) + 1;
		for (size_t at = 0; at + TASK_COMM <= init->len; at++) {
			if (memcmp(init->bytes + at, names[n], len) != 0)
				continue;
			s->comm = at;
			found++;
		}
	}
	return found == 1;
}

/* ---- the list ---- */

/* The name of the task at @address; false if what lies there is none that the kernel gives. */
static bool read_name(const struct sample *s, uint64_t address, char name[TASK_COMM])
{
	struct err *e = kernel_read(s->k, address + s->comm, name, TASK_COMM);
	bool good = !e && name[0] && memchr(name, 0, TASK_COMM);
	err_free(e);
	for (size_t i = 0; good && name[i]; i++)
		good = name[i] >= ' ' && name[i] <= '~';
	return good;
}

/* Whether the list at @offset leads to tasks, one of the first of which is kthreadd. */
static bool is_list(const struct sample *s, uint64_t offset)
{
	uint64_t head = s->list[0].address + offset, link = head;
	char name[TASK_COMM];
	for (unsigned n = 0; n < KTHREADD_AMONG; n++) {
		if (!sample_follow(s->k, link, 0, &link) || link == head ||
		    !read_name(s, link - offset, name))
			return false;
		if (!strcmp(name, "kthreadd"))
			return true;
	}
	return false;
}

static bool find_list(struct sample *s)
{
	size_t found = 0;
	for (uint64_t at = 0; at + 2 * WORD <= s->list[0].len; at += WORD) {
		if (!is_kernel_address(sample_word(&s->list[0], at)) || !is_list(s, at))
			continue;
		s->tasks = at;
		found++;
	}
	return found == 1;
}

/* Takes at most @most from the list, in one direction, up to its end or where it is broken. */
static struct err *add_from_list(struct sample *s, uint64_t step, size_t most, struct map *seen)
{
	uint64_t head = s->list[0].address + s->tasks, link = head;
	struct err *e = NULL;
	for (size_t n = 0; !e && n < most; n++) {
		bool added;
		if (!sample_follow(s->k, link, step, &link) || link == head)
			break;
		if (!map_add(seen, link, 0, &added))
			return err_nomem();
		if (!added)
			break;
		e = add_task(s, link - s->tasks, false);
	}
	return e;
}

/* ---- what is known of the tasks otherwise ---- */

static struct err *add_idle(struct sample *s)
{
	struct err *e = NULL;
	size_t count = 0;
	for (size_t i = 0; !e && i < s->cpus->count && count < IDLE_MAX; i++) {
		uint64_t idle = s->cpus->list[i].idle;
		if (!idle || idle == s->list[0].address)
			continue;
		e = add_task(s, idle, true);
		count++;
	}
	return e;
}

/* The CPU in the name of a thread that has one of its own, and stays there; -1 of others. */
static int cpu_of_name(const struct sample *s, const struct sample_task *t)
{
	static const char *const names[] = { "swapper", "ksoftirqd", "migration", "cpuhp" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = strlen(names[i]);
		unsigned number;
		int end = 0;
		if (strncmp(t->comm, names[i], len) != 0 ||
		    sscanf(t->comm + len, "/%5u%n", &number, &end) != 1 || t->comm[len + end])
			continue;
		/* Also if a panic took it offline. */
		return cpus_find(s->cpus, number) ? (int)number : -1;
	}
	return -1;
}

void sample_describe(struct sample *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sample_task *t = &s->list[i];
		if (sample_has(t, s->comm, TASK_COMM) && memchr(t->bytes + s->comm, 0, TASK_COMM))
			t->comm = (const char *)t->bytes + s->comm;
		t->cpu = cpu_of_name(s, t);
		for (size_t c = 0; c < s->cpus->count; c++) {
			const struct cpu *cpu = &s->cpus->list[c];
			if (t->address != cpu->curr && t->address != cpu->switching)
				continue;
			t->current = true;
			if (!cpu->switching)
				t->cpu = (int)cpu->number;
		}
	}
}

static struct err *take(struct sample *s)
{
	struct map seen = MAP_INIT;
	uint64_t init_task;
	if (!kernel_symbol(s->k, "init_task", &init_task))
		return err_new(ERR_NOTFOUND, "where init_task is, is not known");
	s->len = struct_bytes(s->k, init_task);
	s->list = calloc(SAMPLE_MAX, sizeof(*s->list));
	if (!s->list)
		return err_nomem();
	struct err *e = add_task(s, init_task, true);
	if (e)
		return e;
	if (!find_name(s))
		return err_new(ERR_NOTFOUND, "init_task has no name in one place");
	if (!find_list(s))
		return err_new(ERR_NOTFOUND, "init_task has no list of tasks that comes back");
	e = add_from_list(s, 0, OLDEST, &seen);
	if (!e)
		e = add_from_list(s, WORD, NEWEST, &seen);
	map_free(&seen);
	if (!e)
		e = add_idle(s);
	if (!e)
		sample_describe(s);
	return e;
}

struct err *sample_take(const struct kernel *k, struct cpus *cpus, struct sample *ret)
{
	struct sample s = { .k = k, .cpus = cpus, .stack_size = tasks_stack_size(k) };
	struct err *e = take(&s);
	if (e)
		sample_free(&s);
	else
		*ret = s;
	return e;
}

void sample_free(struct sample *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].bytes);
	free(s->list);
	*s = (struct sample){ 0 };
}
