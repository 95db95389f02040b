// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/types_proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/printable.h"
#include "vmcore/dump/dump.h"
#include "vmcore/kernel/kernel.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/vmcoreinfo.h"

enum {
	TASKS_MAX = 1 << 16,   /* followed in the list; that is proof enough */
	COMM_SIZE = 16,	       /* TASK_COMM_LEN */
	PID_MAX = 4 << 20,     /* PID_MAX_LIMIT, include/linux/threads.h */
	STACK_MAX = 128 << 10, /* THREAD_SIZE is 8 to 64 KiB */
	LIVE_ATTEMPTS = 4,     /* what runs changes while it is read */
	RELEASE_SIZE = 65,     /* of struct new_utsname */
	LINE_MAX_LEN = 128,    /* of VMCOREINFO's that are looked at */
};

/* Where the members are that are looked at. */
struct layout {
	struct member comm, pid, tgid, tasks, stack, sp;
};

struct proof {
	const struct kernel *k;
	struct types *types;
	struct layout at;
	struct types_proof counts;
};

#define OTHER "it belongs to another kernel: "

/* ---- VMCOREINFO ---- */

/* Takes one line: OFFSET(type.member)=decimal or SIZE(type)=decimal, and no other. */
static struct err *check_line(struct proof *p, const char *line)
{
	char name[LINE_MAX_LEN];
	uint64_t told, found;
	struct err *e;
	bool is_size = sscanf(line, "SIZE(%127[^)])=%" SCNu64, name, &told) == 2;
	if (!is_size && sscanf(line, "OFFSET(%127[^)])=%" SCNu64, name, &told) != 2)
		return NULL;
	if (is_size) {
		e = types_size(p->types, name, &found);
	} else {
		struct member m = { 0 };
		char *dot = strchr(name, '.');
		if (!dot)
			return NULL;
		*dot = 0;
		e = types_member(p->types, name, dot + 1, &m);
		found = m.offset;
		*dot = '.';
	}
	/* Not all of its names are spelled as the types are. */
	if (e) {
		bool skip = err_code(e) != ERR_NOMEM;
		if (!skip)
			return e;
		err_free(e);
		return NULL;
	}
	p->counts.layout++;
	return found == told ? NULL
			     : err_new(ERR_FORMAT,
				       OTHER "by it the %s of %s is %" PRIu64 ", by the dump's "
					     "VMCOREINFO %" PRIu64,
				       is_size ? "size" : "offset", name, found, told);
}

static struct err *check_vmcoreinfo(struct proof *p)
{
	size_t len = 0;
	const char *text = kernel_vmcoreinfo_text(p->k, &len);
	struct err *e = NULL;
	for (size_t at = 0; text && !e && at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end ? (size_t)(end - (text + at)) : len - at;
		char line[LINE_MAX_LEN];
		if (line_len < sizeof(line)) {
			memcpy(line, text + at, line_len);
			line[line_len] = 0;
			e = check_line(p, line);
		}
		at += line_len + 1;
	}
	return e;
}

/* ---- the release ---- */

static struct err *check_release(const struct proof *p)
{
	uint64_t uts;
	struct member m;
	char release[RELEASE_SIZE];
	const char *wanted = kernel_release(p->k);
	if (!*wanted || !kernel_symbol(p->k, "init_uts_ns", &uts))
		return NULL;
	struct err *e = types_member(p->types, "uts_namespace", "name.release", &m);
	if (!e)
		e = kernel_read_string(p->k, uts + m.offset, release, sizeof(release));
	bool there = !e;
	err_free(e);
	if (!there || !strcmp(release, wanted))
		return NULL;
	struct buf shown = BUF_INIT;
	add_printable(&shown, release);
	e = err_new(ERR_FORMAT,
		    OTHER "by it the release in init_uts_ns would be '%s', and it is '%s'",
		    shown.failed ? "" : shown.data, wanted);
	buf_free(&shown);
	return e;
}

/* ---- tasks ---- */

static struct err *find_layout(struct proof *p)
{
	const struct {
		const char *name;
		struct member *ret;
		uint64_t size;
	} wants[] = {
		{ "comm", &p->at.comm, COMM_SIZE }, { "pid", &p->at.pid, 4 },
		{ "tgid", &p->at.tgid, 4 },	    { "tasks", &p->at.tasks, 16 },
		{ "stack", &p->at.stack, 8 },	    { "thread.sp", &p->at.sp, 8 },
	};
	for (size_t i = 0; i < sizeof(wants) / sizeof(*wants); i++) {
		struct err *e = types_member(p->types, "task_struct", wants[i].name, wants[i].ret);
		if (e)
			return err_wrap(e, "it has not what a kernel's types have");
		if (wants[i].ret->size != wants[i].size)
			return err_new(ERR_FORMAT,
				       "it is not of a kernel for x86-64: %s of task_struct has "
				       "%" PRIu64 " bytes in it, and not %" PRIu64,
				       wants[i].name, wants[i].ret->size, wants[i].size);
	}
	return NULL;
}

/* What of a task is not as it would be; @what with the offset that the types have. */
static struct err *bad(uint64_t task, bool first, const char *what, const struct member *m,
		       uint64_t value)
{
	return err_new(ERR_FORMAT,
		       OTHER "by it the %s of %s at 0x%" PRIx64 " would be at byte %" PRIu64
			     ", where 0x%" PRIx64 " lies",
		       what, first ? "init_task" : "the task", task, m->offset, value);
}

static struct err *check_name(const struct proof *p, uint64_t task, bool first)
{
	char comm[COMM_SIZE + 1] = "";
	struct err *e = kernel_read(p->k, task + p->at.comm.offset, comm, COMM_SIZE);
	if (e)
		return e;
	bool good = first ? !strcmp(comm, "swapper") || !strcmp(comm, "swapper/0")
			  : strlen(comm) < COMM_SIZE;
	if (good)
		return NULL;
	struct buf shown = BUF_INIT;
	add_printable(&shown, comm);
	e = err_new(ERR_FORMAT,
		    OTHER "by it the name of %s at 0x%" PRIx64 " would be '%s' (byte %" PRIu64
			  ")%s",
		    first ? "init_task" : "the task", task, shown.failed ? "" : shown.data,
		    p->at.comm.offset, first ? ", and it is 'swapper' in every kernel" : "");
	buf_free(&shown);
	return e;
}

static struct err *check_ids(const struct proof *p, uint64_t task, bool first)
{
	uint64_t pid, tgid;
	struct err *e = kernel_read_member(p->k, task, &p->at.pid, &pid);
	if (!e)
		e = kernel_read_member(p->k, task, &p->at.tgid, &tgid);
	if (e)
		return e;
	if (first ? pid != 0 : !pid || pid > PID_MAX)
		return bad(task, first, "PID", &p->at.pid, pid);
	return tgid == pid ? NULL : bad(task, first, "thread group's ID", &p->at.tgid, tgid);
}

/* A task that has ended may have lost its stack; one that has not run yet has no thread.sp. */
static struct err *check_stack(const struct proof *p, uint64_t task, bool first)
{
	uint64_t stack, sp;
	struct err *e = kernel_read_member(p->k, task, &p->at.stack, &stack);
	if (!e)
		e = kernel_read_member(p->k, task, &p->at.sp, &sp);
	if (e || (!first && !stack))
		return e;
	if (!is_kernel_address(stack) || stack & 0xfff)
		return bad(task, first, "stack", &p->at.stack, stack);
	return !sp || (sp >= stack && sp - stack < STACK_MAX)
		       ? NULL
		       : bad(task, first, "thread.sp", &p->at.sp, sp);
}

static struct err *check_task(const struct proof *p, uint64_t task, bool first)
{
	struct err *e = check_name(p, task, first);
	if (!e)
		e = check_ids(p, task, first);
	return e ? e : check_stack(p, task, first);
}

/* The link behind @link; *ret_good is false if it does not come back. */
static struct err *next_link(const struct proof *p, uint64_t link, uint64_t *ret, bool *ret_good)
{
	uint64_t back;
	struct err *e = kernel_read_u64(p->k, link, ret);
	*ret_good = !e && is_kernel_address(*ret);
	if (*ret_good)
		e = kernel_read_u64(p->k, *ret + 8, &back);
	*ret_good = *ret_good && !e && back == link;
	return e;
}

static bool is_final(const struct err *e)
{
	return e && (err_code(e) == ERR_FORMAT || err_code(e) == ERR_NOMEM);
}

/* Follows the list. A link that leads nowhere ends it: memory may be damaged, or left out. */
static struct err *check_list(struct proof *p, uint64_t init)
{
	uint64_t head = init + p->at.tasks.offset, link = head;
	for (p->counts.tasks = 0; p->counts.tasks < TASKS_MAX; p->counts.tasks++) {
		uint64_t next = 0;
		bool good;
		struct err *e = next_link(p, link, &next, &good);
		if (!e && !good && link == head)
			return bad(init, true, "list of tasks", &p->at.tasks, next);
		if (!e && (!good || next == head))
			break;
		if (!e)
			e = check_task(p, next - p->at.tasks.offset, false);
		if (is_final(e))
			return e;
		if (e) {
			err_free(e);
			break;
		}
		link = next;
	}
	return p->counts.tasks
		       ? NULL
		       : err_new(ERR_NOTFOUND, "nothing tells whether it is of this kernel: "
					       "no task but init_task can be read");
}

static struct err *check_tasks(struct proof *p)
{
	uint64_t init;
	struct err *e = find_layout(p);
	if (e)
		return e;
	if (!kernel_symbol(p->k, "init_task", &init))
		return err_new(ERR_NOTFOUND, "nothing tells whether it is of this kernel: where "
					     "init_task is, is not known");
	e = check_task(p, init, true);
	if (e && !is_final(e))
		return err_wrap(e, "nothing tells whether it is of this kernel: init_task");
	return e ? e : check_list(p, init);
}

struct err *types_prove(const struct kernel *k, struct types *t, struct types_proof *ret)
{
	struct proof p = { .k = k, .types = t };
	struct err *e = check_vmcoreinfo(&p);
	if (!e)
		e = check_release(&p);
	for (unsigned i = 0; !e; i++) {
		e = check_tasks(&p);
		if (!e || !dump_info(kernel_dump(k))->live || i + 1 == LIVE_ATTEMPTS ||
		    err_code(e) == ERR_NOMEM)
			break;
		err_free(e);
		e = NULL;
		memory_forget(kernel_memory(k));
	}
	if (!e)
		*ret = p.counts;
	return e;
}
