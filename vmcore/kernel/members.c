// SPDX-License-Identifier: GPL-2.0-or-later
/* The members of the kernel's own structures, under all the names they have had. */
#include "vmcore/kernel/members.h"

#include "base/err.h"
#include "vmcore/kernel/kernel_private.h"
#include "vmcore/names/types.h"
#include "vmcore/names/wants.h"

/* clang-format off */
static const struct want wants[KERNEL_MEMBERS] = {
	[K_TASK_PID] = { "task_struct", { "pid" }, .is_vital = true },
	[K_TASK_TGID] = { "task_struct", { "tgid" }, .is_vital = true },
	[K_TASK_COMM] = { "task_struct", { "comm" }, .is_vital = true },
	/* el8 keeps the old name beside the new one, in a union. */
	[K_TASK_STATE] = { "task_struct", { "__state", "state" }, .is_vital = true },
	[K_TASK_TASKS] = { "task_struct", { "tasks.next" }, .is_vital = true },
	[K_TASK_EXIT_STATE] = { "task_struct", { "exit_state" } },
	[K_TASK_ON_CPU] = { "task_struct", { "on_cpu" } },
	[K_TASK_VOLUNTARY] = { "task_struct", { "nvcsw" } },
	[K_TASK_INVOLUNTARY] = { "task_struct", { "nivcsw" } },
	/* Both exist around 5.16, where task_struct's own is the right one. */
	[K_TASK_CPU] = { "task_struct", { "cpu", "thread_info.cpu" } },
	[K_TASK_STACK] = { "task_struct", { "stack" } },
	/* With CONFIG_THREAD_INFO_IN_TASK, from 4.9 on; first an atomic_t, then a refcount_t. */
	[K_TASK_STACK_REFCOUNT] = { "task_struct",
				    { "stack_refcount.refs.counter", "stack_refcount.counter" } },
	[K_TASK_SP] = { "task_struct", { "thread.sp" } },
	[K_TASK_MM] = { "task_struct", { "mm" } },
	[K_TASK_SIGNAL] = { "task_struct", { "signal" } },
	[K_TASK_THREAD_NODE] = { "task_struct", { "thread_node.next" } },
	[K_TASK_CHILDREN] = { "task_struct", { "children.next" } },
	[K_TASK_SIBLING] = { "task_struct", { "sibling.next" } },
	[K_TASK_GROUP_LEADER] = { "task_struct", { "group_leader" } },
	[K_TASK_PARENT] = { "task_struct", { "parent" } },
	[K_TASK_REAL_PARENT] = { "task_struct", { "real_parent" } },
	[K_SIGNAL_THREAD_HEAD] = { "signal_struct", { "thread_head.next" } },
	[K_THREAD_INFO_CPU] = { "thread_info", { "cpu" } }, /* at the stack's base until 4.8 */
	[K_FRAME_R15] = { "inactive_task_frame", { "r15" } }, /* since 4.9 */
	[K_FRAME_R14] = { "inactive_task_frame", { "r14" } },
	[K_FRAME_R13] = { "inactive_task_frame", { "r13" } },
	[K_FRAME_R12] = { "inactive_task_frame", { "r12" } },
	[K_FRAME_BX] = { "inactive_task_frame", { "bx" } },
	[K_FRAME_BP] = { "inactive_task_frame", { "bp" } },
	[K_FRAME_RET_ADDR] = { "inactive_task_frame", { "ret_addr" } },

	[K_NS_XARRAY] = { "pid_namespace", { "idr.idr_rt.xa_head" } },	/* since 4.20 */
	[K_NS_RADIX_TREE] = { "pid_namespace", { "idr.idr_rt.rnode" } }, /* 4.15 to 4.19 */
	[K_PID_TASKS] = { "pid", { "tasks[0].first" } },
	[K_PID_NUMBERS] = { "pid", { "numbers" } },
	[K_UPID_CHAIN] = { "upid", { "pid_chain" } }, /* until 4.14 */
	[K_UPID_NS] = { "upid", { "ns" } },
	/* pid_links is what counts where both are there: el8 keeps a stale pids. */
	[K_TASK_PID_LINK] = { "task_struct", { "pid_links[0]", "pids[0].node" } },

	[K_INFO_TIME] = { "printk_info", { "ts_nsec" } }, /* since 5.10 */
	[K_INFO_LENGTH] = { "printk_info", { "text_len" } },
	[K_INFO_LEVEL] = { "printk_info", { "level" } },
	[K_INFO_FACILITY] = { "printk_info", { "facility" } },
	[K_INFO_CALLER] = { "printk_info", { "caller_id" } },
	[K_DESC_STATE] = { "prb_desc", { "state_var.counter" } },
	[K_DESC_BEGIN] = { "prb_desc", { "text_blk_lpos.begin" } },
	[K_DESC_NEXT] = { "prb_desc", { "text_blk_lpos.next" } },
	[K_RECORD_SIZE] = { "printk_log", { "len" } }, /* 3.11 to 5.9 */
	[K_RECORD_TIME] = { "printk_log", { "ts_nsec" } },
	[K_RECORD_LENGTH] = { "printk_log", { "text_len" } },
	[K_RECORD_LEVEL] = { "printk_log", { "level" } },
	[K_RECORD_FACILITY] = { "printk_log", { "facility" } },
	[K_RECORD_CALLER] = { "printk_log", { "caller_id" } },
	[K_OLD_RECORD_SIZE] = { "log", { "len" } }, /* until 3.10 */
	[K_OLD_RECORD_TIME] = { "log", { "ts_nsec" } },
	[K_OLD_RECORD_LENGTH] = { "log", { "text_len" } },
	[K_OLD_RECORD_LEVEL] = { "log", { "level" } },
	[K_OLD_RECORD_FACILITY] = { "log", { "facility" } },

	[K_TASK_RETHOOKS] = { "task_struct", { "rethooks.first" } }, /* since 5.18 */
	[K_RETHOOK_NEXT] = { "rethook_node", { "llist.next" } },
	[K_RETHOOK_ADDRESS] = { "rethook_node", { "ret_addr" } },
	[K_RETHOOK_SLOT] = { "rethook_node", { "frame" } },
	[K_TASK_KRETPROBES] = { "task_struct", { "kretprobe_instances.first" } }, /* since 5.11 */
	[K_KRETPROBE_NEXT] = { "kretprobe_instance", { "llist.next" } },
	[K_KRETPROBE_HASH_NEXT] = { "kretprobe_instance", { "hlist.next" } }, /* before */
	[K_KRETPROBE_TASK] = { "kretprobe_instance", { "task" } },
	[K_KRETPROBE_ADDRESS] = { "kretprobe_instance", { "ret_addr" } },
	[K_KRETPROBE_SLOT] = { "kretprobe_instance", { "fp" } }, /* since 5.0 */
	[K_TASK_GRAPH] = { "task_struct", { "ret_stack" } },
	[K_TASK_GRAPH_DEPTH] = { "task_struct", { "curr_ret_stack" } },
	[K_GRAPH_ADDRESS] = { "ftrace_ret_stack", { "ret" } },
	[K_GRAPH_SLOT] = { "ftrace_ret_stack", { "retp" } },
};
/* clang-format on */

static const struct want_set sets[KERNEL_MEMBER_SETS] = {
	{ "tasks", wants, K_PIDS_FIRST },
	{ "the table of PIDs", wants + K_PIDS_FIRST, K_LOG_FIRST - K_PIDS_FIRST },
	{ "the log", wants + K_LOG_FIRST, K_TRACED_FIRST - K_LOG_FIRST },
	{ "traced returns", wants + K_TRACED_FIRST, KERNEL_MEMBERS - K_TRACED_FIRST },
};

const struct want_set *kernel_member_set(size_t i, enum kernel_member *ret_first)
{
	*ret_first = (enum kernel_member)(sets[i].wants - wants);
	return &sets[i];
}

struct want_answers *kernel_members_new(void)
{
	return want_answers_new(wants, KERNEL_MEMBERS);
}

/* ---- looked up once ---- */

static struct err *ask_types(void *closure, const char *type, const char *path, struct member *ret)
{
	return types_member(closure, type, path, ret);
}

struct err *kernel_name_member(const struct kernel *k, enum kernel_member which,
			       const char **ret_path, const struct member **ret)
{
	return want_answers_find(k->members, which, ask_types, k->types, ret_path, ret);
}

const struct member *kernel_member(const struct kernel *k, enum kernel_member which)
{
	static const struct member none;
	const struct member *m = &none;
	err_free(kernel_name_member(k, which, NULL, &m));
	return m;
}

bool kernel_has_member(const struct kernel *k, enum kernel_member which)
{
	const struct member *m;
	const char *path = NULL;
	err_free(kernel_name_member(k, which, &path, &m));
	return path;
}

bool kernel_member_offset(const struct kernel *k, enum kernel_member which, uint64_t *ret)
{
	const struct member *m;
	const char *path = NULL;
	err_free(kernel_name_member(k, which, &path, &m));
	if (path)
		*ret = m->offset;
	return path;
}

struct err *kernel_need_member(const struct kernel *k, enum kernel_member which, struct member *ret)
{
	const struct member *m;
	const char *path = NULL;
	struct err *e = kernel_name_member(k, which, &path, &m);
	/* The question is asked again for its answer: why there is none. */
	if (!e && !path)
		return types_member(k->types, wants[which].type, wants[which].paths[0], ret);
	if (!e)
		*ret = *m;
	return e;
}
