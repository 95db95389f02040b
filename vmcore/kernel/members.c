// SPDX-License-Identifier: GPL-2.0-or-later
/* The members of the kernel's own structures, under all the names they have had. */
#include "vmcore/kernel/members.h"

#include "base/err.h"
#include "vmcore/kernel/kernel_private.h"
#include "vmcore/names/types/types.h"
#include "vmcore/names/types/wants.h"

/* clang-format off */
static const struct want wants[KERNEL_MEMBERS] = {
	[K_TASK_PID] = { "task_struct", { "pid" }, .is_vital = true },
	[K_TASK_TGID] = { "task_struct", { "tgid" }, .is_vital = true },
	[K_TASK_COMM] = { "task_struct", { "comm" }, .is_vital = true },
	/* el8 keeps the old name beside the new one, in a union. */
	[K_TASK_STATE] = { "task_struct", { "__state", "state" } },
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

	[K_PAGE_FLAGS] = { "page", { "flags.f", "flags" } }, /* a structure since 6.18 */
	[K_PAGE_HEAD] = { "page", { "compound_head" } },    /* 4.4 to 7.0 */
	[K_PAGE_HEAD_INFO] = { "page", { "compound_info" } }, /* later: a mask where that is enough */
	[K_PAGE_FIRST_PAGE] = { "page", { "first_page" } }, /* until 4.3 */
	[K_PAGE_TYPE] = { "page", { "page_type" } },
	[K_PAGE_MAPPING] = { "page", { "mapping" } },
	[K_PAGE_INDEX] = { "page", { "index", "__folio_index" } },
	[K_PAGE_REFCOUNT] = { "page", { "_refcount.counter", "_count.counter" } },
	[K_PAGE_MAPCOUNT] = { "page", { "_mapcount.counter" } },
	[K_MAPPING_HOST] = { "address_space", { "host" } },

	[K_CACHE_LIST] = { "kmem_cache", { "list.next" }, .is_vital = true },
	[K_CACHE_NAME] = { "kmem_cache", { "name" }, .is_vital = true },
	[K_CACHE_SIZE] = { "kmem_cache", { "size" }, .is_vital = true },
	[K_CACHE_OBJECT_SIZE] = { "kmem_cache", { "object_size", "objsize" }, .is_vital = true },
	[K_CACHE_OFFSET] = { "kmem_cache", { "offset" }, .is_vital = true }, /* SLUB's alone */
	[K_CACHE_FLAGS] = { "kmem_cache", { "flags" } },
	[K_CACHE_RANDOM] = { "kmem_cache", { "random" } }, /* CONFIG_SLAB_FREELIST_HARDENED, since 4.14 */
	[K_CACHE_RED_LEFT_PAD] = { "kmem_cache", { "red_left_pad" } }, /* since 4.6 */
	[K_CACHE_CPU_SLAB] = { "kmem_cache", { "cpu_slab" } },		/* until 6.19 */
	[K_CACHE_CPU_FREELIST] = { "kmem_cache_cpu", { "freelist" } },
	[K_CACHE_CPU_SLAB_PAGE] = { "kmem_cache_cpu", { "slab", "page" } },
	[K_SLAB_CACHE] = { "slab", { "slab_cache" } }, /* a type of its own since 5.17 */
	[K_SLAB_FREELIST] = { "slab", { "freelist" } },
	[K_SLAB_INUSE] = { "slab", { "inuse" } },
	[K_SLAB_OBJECTS] = { "slab", { "objects" } },
	[K_PAGE_SLAB_CACHE] = { "page", { "slab_cache", "slab" } },
	[K_PAGE_FREELIST] = { "page", { "freelist" } },
	[K_PAGE_INUSE] = { "page", { "inuse" } },
	[K_PAGE_OBJECTS] = { "page", { "objects" } },
	[K_CACHE_SHEAVES] = { "kmem_cache", { "cpu_sheaves" } }, /* since 6.18 */
	[K_SHEAVES_MAIN] = { "slub_percpu_sheaves", { "main" } },
	[K_SHEAVES_SPARE] = { "slub_percpu_sheaves", { "spare" } },
	[K_SHEAVES_RCU_FREE] = { "slub_percpu_sheaves", { "rcu_free" } },
	[K_SHEAF_SIZE] = { "slab_sheaf", { "size" } },
	[K_SHEAF_OBJECTS] = { "slab_sheaf", { "objects" } },
	[K_SHEAF_LINK] = { "slab_sheaf", { "barn_list" } },
	[K_CACHE_NODES] = { "kmem_cache", { "node" } },
	[K_CACHE_PER_NODE] = { "kmem_cache", { "per_node" } }, /* since 7.1: pairs of pointers */
	[K_PER_NODE_BARN] = { "kmem_cache_per_node_ptrs", { "barn" } },
	[K_CACHE_NODE_BARN] = { "kmem_cache_node", { "barn" } },
	[K_BARN_FULL] = { "node_barn", { "sheaves_full.next" } },

	[K_VMAP_NODE] = { "vmap_area", { "rb_node" } },
	[K_VMAP_START] = { "vmap_area", { "va_start" } },
	[K_VMAP_END] = { "vmap_area", { "va_end" } },
	[K_VMAP_VM] = { "vmap_area", { "vm" } },
	[K_VMAP_NODE_BUSY] = { "vmap_node", { "busy.root.rb_node" } }, /* since 6.9 */
	[K_VM_CALLER] = { "vm_struct", { "caller" } },
	[K_RB_LEFT] = { "rb_node", { "rb_left" } },
	[K_RB_RIGHT] = { "rb_node", { "rb_right" } },
	[K_MM_RB] = { "mm_struct", { "mm_rb.rb_node" } }, /* until 6.0 */
	[K_MM_MAPLE] = { "mm_struct", { "mm_mt" } },	  /* later */
	[K_MAPLE_ROOT] = { "maple_tree", { "ma_root" } },
	[K_RANGE_PIVOTS] = { "maple_range_64", { "pivot" } },
	[K_RANGE_SLOTS] = { "maple_range_64", { "slot" } },
	[K_ARANGE_PIVOTS] = { "maple_arange_64", { "pivot" } },
	[K_ARANGE_SLOTS] = { "maple_arange_64", { "slot" } },
	[K_VMA_NODE] = { "vm_area_struct", { "vm_rb" } },
	[K_VMA_START] = { "vm_area_struct", { "vm_start" } },
	[K_VMA_END] = { "vm_area_struct", { "vm_end" } },
	[K_VMA_FLAGS] = { "vm_area_struct", { "vm_flags" } },
	[K_VMA_FILE] = { "vm_area_struct", { "vm_file" } },
	[K_VMA_PGOFF] = { "vm_area_struct", { "vm_pgoff" } },
	[K_FILE_DENTRY] = { "file", { "f_path.dentry" } },
	[K_DENTRY_NAME] = { "dentry", { "d_name.name" } },
};
/* clang-format on */

static const struct want_set sets[KERNEL_MEMBER_SETS] = {
	[KERNEL_TASKS] = { "tasks", wants, K_PIDS_FIRST },
	[KERNEL_PIDS] = { "the table of PIDs", wants + K_PIDS_FIRST, K_LOG_FIRST - K_PIDS_FIRST },
	[KERNEL_LOG] = { "the log", wants + K_LOG_FIRST, K_TRACED_FIRST - K_LOG_FIRST },
	[KERNEL_TRACED] = { "traced returns", wants + K_TRACED_FIRST,
			    K_PAGES_FIRST - K_TRACED_FIRST },
	[KERNEL_PAGES] = { "pages", wants + K_PAGES_FIRST, K_SLABS_FIRST - K_PAGES_FIRST },
	[KERNEL_SLABS] = { "slab objects", wants + K_SLABS_FIRST, K_AREAS_FIRST - K_SLABS_FIRST },
	[KERNEL_AREAS] = { "areas of virtual memory", wants + K_AREAS_FIRST,
			   KERNEL_MEMBERS - K_AREAS_FIRST },
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

bool kernel_get(const struct kernel *k, uint64_t base, enum kernel_member which, uint64_t *ret)
{
	return kernel_get_member(k, base, kernel_member(k, which), ret);
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

struct err *kernel_need_vital(const struct kernel *k, size_t i)
{
	enum kernel_member first;
	const struct want_set *set = kernel_member_set(i, &first);
	struct member m;
	struct err *e = NULL;
	for (size_t n = 0; !e && n < set->count; n++)
		if (set->wants[n].is_vital)
			e = kernel_need_member(k, first + n, &m);
	return e;
}
