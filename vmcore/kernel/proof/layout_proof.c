// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/proof/layout_proof.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "arch/address.h"
#include "arch/arch.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "base/map.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel_private.h"
#include "vmcore/kernel/members.h"
#include "vmcore/kernel/proof/layout_private.h"
#include "vmcore/kernel/tasks/arch.h"
#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/types/wants.h"

enum {
	WORD = 8,
	HALF = 4,
	STATE_LIMIT = 1 << 17, /* TASK_STATE_MAX, include/linux/sched.h; it was 2048 and grew */
	STATE_BITS = 0xf,      /* of which a task that waits has one */
	NOT_FIRST = 2,	       /* besides init_task: proof enough where each must agree */
	CHECKED_MAX = 4096,
	LIVE_ATTEMPTS = 4,
};

struct err *layout_tell(struct layout *l, const char *type, const char *path, uint64_t offset,
			uint64_t size, const char *how)
{
	log_debug(LOG_SYMBOLS, "%s.%s is at %" PRIu64 ": %s", type, path, offset, how);
	return types_tell(l->types, type, path, offset, size, how);
}

/* ---- PIDs ---- */

/* pid and tgid stand together, and are the same in all that the list of processes has. */
static enum verdict judge_pid(const struct sample *s, const struct sample_task *t, uint64_t offset,
			      const void *closure)
{
	(void)s;
	(void)closure;
	if (!sample_has(t, offset, 2 * HALF))
		return SAYS_NOTHING;
	uint32_t pid = sample_half(t, offset), tgid = sample_half(t, offset + HALF);
	if (pid != tgid || (t->idle ? pid != 0 : !pid || pid > PID_LIMIT) ||
	    (!strcmp(t->comm, "kthreadd") && pid != 2))
		return SAYS_NO;
	return t->idle ? SAYS_NOTHING : SAYS_YES;
}

/* No two tasks have the same; also those that are not in the sample, as far as the list is whole.
 * False also if one has no PID there, or no name. */
static struct err *check_pids(const struct layout *l, bool *ret_good)
{
	const struct sample *s = l->sample;
	uint64_t head = s->list[0].address + s->tasks, link = head;
	struct map seen = MAP_INIT;
	*ret_good = true;
	for (size_t n = 0; *ret_good && n < CHECKED_MAX; n++) {
		unsigned char ids[2 * HALF];
		char name[TASK_COMM];
		if (!sample_follow(s->k, link, 0, &link) || link == head)
			break;
		struct err *e = kernel_read(s->k, link - s->tasks + l->pid, ids, sizeof(ids));
		if (!e)
			e = kernel_read(s->k, link - s->tasks + s->comm, name, sizeof(name));
		if (e) {
			err_free(e);
			break;
		}
		uint32_t pid = get_u32(ids);
		bool added;
		if (!map_add(&seen, pid, 0, &added)) {
			map_free(&seen);
			return err_nomem();
		}
		*ret_good = added && pid && pid <= PID_LIMIT && get_u32(ids + HALF) == pid &&
			    memchr(name, 0, sizeof(name));
	}
	map_free(&seen);
	return NULL;
}

static struct err *prove_pids(struct layout *l)
{
	static const char how[] = "0 in init_task, 2 in kthreadd, no two alike; tgid behind it the "
				  "same";
	const struct sample *s = l->sample;
	bool good = sample_find(s, HALF, NOT_FIRST, judge_pid, NULL, &l->pid);
	struct err *e = good ? check_pids(l, &good) : NULL;
	if (e || !good)
		return e;
	l->has_pid = true;
	e = layout_tell(l, "task_struct", "comm", s->comm, TASK_COMM,
			"\"swapper\" in init_task, in the others a name that ends");
	if (!e)
		e = layout_tell(l, "task_struct", "tasks.next", s->tasks, WORD,
				"the list of init_task that comes back, with kthreadd in it");
	if (!e)
		e = layout_tell(l, "task_struct", "pid", l->pid, HALF, how);
	return e ? e : layout_tell(l, "task_struct", "tgid", l->pid + HALF, HALF, how);
}

/* ---- stacks ---- */

bool layout_begins_stack(const struct kernel *k, uint64_t low, uint64_t task, bool *ret_thread_info)
{
	enum { STACK_END_MAGIC = 0x57ac6e9d }; /* include/uapi/linux/magic.h */
	uint64_t word;
	if (!kernel_get_u64(k, low, &word))
		return false;
	*ret_thread_info = word == task;
	return word == task || word == STACK_END_MAGIC;
}

/* What a CPU runs may have run over its stack's end. */
static enum verdict judge_stack(const struct sample *s, const struct sample_task *t,
				uint64_t offset, const void *closure)
{
	uint64_t word = sample_word(t, offset), first;
	bool thread_info;
	(void)closure;
	if (!sample_has(t, offset, WORD))
		return SAYS_NOTHING;
	if (!word) /* of what has ended; init_task, the first, has one */
		return t == s->list ? SAYS_NO : SAYS_NOTHING;
	if (!is_kernel_address(word) || word & (PAGE_SIZE - 1))
		return SAYS_NO;
	if (t->current || !kernel_get_u64(s->k, word, &first))
		return SAYS_NOTHING;
	return layout_begins_stack(s->k, word, t->address, &thread_info) ? SAYS_YES : SAYS_NO;
}

static struct err *prove_stack(struct layout *l)
{
	struct sample *s = l->sample;
	l->has_stack = sample_find(s, WORD, NOT_FIRST, judge_stack, NULL, &l->stack);
	if (!l->has_stack)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		s->list[i].stack = sample_word(&s->list[i], l->stack);
	return layout_tell(l, "task_struct", "stack", l->stack, WORD,
			   "points to what begins with a stack's mark, or with thread_info of the "
			   "task");
}

/* ---- where it was left ---- */

static enum verdict judge_sp(const struct sample *s, const struct sample_task *t, uint64_t offset,
			     const void *closure)
{
	const struct switch_words *words = closure;
	bool known;
	if (t->current || !t->stack || !sample_has(t, offset, WORD))
		return SAYS_NOTHING;
	bool good = kernel_arch(s->k)->tasks->is_switched_out(s->k, words, sample_word(t, offset),
							      t->stack, s->stack_size, &known);
	return good ? SAYS_YES : known ? SAYS_NO : SAYS_NOTHING;
}

/* Of the words that a switch leaves, and until 4.8 of what says that there are none yet. */
static struct err *tell_words(struct layout *l, const struct switch_words *words)
{
	static const char how[] = "what __switch_to_asm pushes; where each task then goes on is in "
				  "__schedule";
	struct err *e =
		words->size ? layout_tell(l, "inactive_task_frame", "", 0, words->size, how) : NULL;
	for (size_t i = 0; !e && i < words->count; i++)
		e = layout_tell(l, "inactive_task_frame", words->list[i].name,
				words->list[i].offset, WORD, how);
	if (!e && words->has_flags)
		e = layout_tell(l, "thread_info", "flags", words->flags, HALF,
				"what __schedule tests behind its call of __switch_to");
	return e;
}

static struct err *prove_sp(struct layout *l)
{
	const struct sample *s = l->sample;
	struct switch_words words;
	/* Without the words' layout nothing is known of them. */
	if (!l->has_stack || !s->stack_size ||
	    !kernel_arch(s->k)->tasks->switch_words(s->k, &words) ||
	    !sample_find(s, WORD, NOT_FIRST, judge_sp, &words, &l->sp) ||
	    (words.has_sp && l->sp != words.sp))
		return NULL;
	l->has_sp = true;
	struct err *e =
		layout_tell(l, "task_struct", "thread.sp", l->sp, WORD,
			    words.has_sp ? "lies on the task's stack, below where it goes on in "
					   "__schedule; and in __switch_to_asm"
					 : "lies on the task's stack, and leads to rbp that "
					   "does, too");
	return e ? e : tell_words(l, &words);
}

/* ---- states ---- */

/* Of tasks that may not run at any moment. */
static bool is_one_bit(uint32_t bits)
{
	return !(bits & (bits - 1));
}

/*
 * In front of the stack, where it is in all kernels that do not shuffle structures: nothing in idle
 * tasks, in the others what a state can be, and in those that wait something.
 */
static struct err *prove_state(struct layout *l)
{
	const struct sample *s = l->sample;
	size_t waiting = 0, others = 0;
	if (!l->has_stack || l->stack < WORD)
		return NULL;
	for (size_t i = 0; i < s->count; i++) {
		const struct sample_task *t = &s->list[i];
		uint32_t state = sample_half(t, l->stack - WORD);
		if (!sample_has(t, l->stack - WORD, HALF))
			continue;
		if (state >= STATE_LIMIT || !is_one_bit(state & STATE_BITS) || (t->idle && state))
			return NULL;
		if (t->idle || t->current)
			continue;
		others++;
		waiting += state != 0;
	}
	if (waiting < NOT_FIRST || waiting < others / 2)
		return NULL;
	return layout_tell(l, "task_struct", "state", l->stack - WORD, HALF,
			   "in front of stack: 0 in idle tasks, a state in all, not 0 in most");
}

/* exit_state, exit_code, exit_signal, which is SIGCHLD but for threads and the first tasks. */
enum { EXIT_SIGNAL = 8, SIGCHLD_NUMBER = 17, SIGNALS = 64, EXIT_BITS = 0x30 };

static enum verdict judge_exit_state(const struct sample *s, const struct sample_task *t,
				     uint64_t offset, const void *closure)
{
	const struct layout *l = closure;
	uint32_t state = sample_half(t, offset), signal = sample_half(t, offset + EXIT_SIGNAL);
	(void)s;
	if (offset <= l->stack || offset >= l->pid)
		return SAYS_NO;
	if (!sample_has(t, offset, EXIT_SIGNAL + HALF))
		return SAYS_NOTHING;
	if (state & ~(uint32_t)EXIT_BITS || (signal > SIGNALS && signal != UINT32_MAX))
		return SAYS_NO;
	/* One that has ended is never waited for in another way. */
	bool dead =
		sample_half(t, l->stack - WORD) && !(sample_half(t, l->stack - WORD) & STATE_BITS);
	if (state && !dead)
		return SAYS_NO;
	return signal == SIGCHLD_NUMBER ? SAYS_YES : SAYS_NOTHING;
}

static struct err *prove_exit_state(struct layout *l)
{
	uint64_t at;
	if (!types_told(l->types, "task_struct", "state") ||
	    !sample_find(l->sample, HALF, l->sample->count / 2, judge_exit_state, l, &at))
		return NULL;
	return layout_tell(l, "task_struct", "exit_state", at, HALF,
			   "two words before SIGCHLD in most tasks; 0 in what has not ended");
}

/* ---- all ---- */

static struct err *prove_all(struct layout *l)
{
	struct err *e = prove_pids(l);
	if (e || !l->has_pid)
		return e;
	bool current = false;
	e = prove_stack(l);
	if (!e)
		e = layout_prove_current(l, &current);
	/* What runs has registers on its stack that are old. */
	if (!e && current)
		e = prove_sp(l);
	if (!e)
		e = prove_state(l);
	if (!e)
		e = prove_exit_state(l);
	if (!e)
		e = layout_prove_cpus(l);
	if (!e)
		e = layout_prove_threads(l);
	return e ? e : layout_prove_memory(l);
}

/* What was asked for before is asked for again. */
static struct err *renew_members(struct kernel *k)
{
	struct want_answers *members = kernel_members_new();
	if (!members)
		return err_nomem();
	want_answers_free(k->members);
	k->members = members;
	return NULL;
}

static struct err *prove_once(struct kernel *k, bool *ret_all)
{
	const struct kernel_notes_mark mark = kernel_notes_mark(k);
	struct cpus cpus;
	struct sample sample;
	struct err *e = cpus_read(k, &cpus);
	kernel_notes_rewind(k, &mark);
	if (e)
		return e;
	e = sample_take(k, &cpus, &sample);
	if (!e) {
		struct layout l = { .sample = &sample, .types = k->types };
		e = prove_all(&l);
		*ret_all = l.has_sp;
		if (l.has_pid)
			k->proven_by = sample.count;
		sample_free(&sample);
	} else if (err_code(e) != ERR_NOMEM) {
		log_debug(LOG_SYMBOLS, "no layout is proven: %s", err_msg(e));
		err_free(e);
		e = NULL;
	}
	cpus_free(&cpus);
	return e;
}

struct err *layout_prove(struct kernel *k)
{
	const bool live = dump_info(k->dump)->live;
	bool all = false;
	struct err *e = NULL;
	if (!types_why_none(k->types))
		return NULL;
	/* Of a machine that runs tasks change while they are read. */
	for (unsigned left = live ? LIVE_ATTEMPTS : 1; !e && left && !all; left--) {
		if (live)
			memory_forget(k->memory);
		e = prove_once(k, &all);
	}
	return e ? e : renew_members(k);
}
