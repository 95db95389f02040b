/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The members of the kernel's own structures that are read, each looked up once a kernel. KVM's are
 * in vmcore/kvm/members.h. */
#ifndef VMCORE_KERNEL_MEMBERS_H
#define VMCORE_KERNEL_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct kernel;
struct member;
struct want;
struct want_answers;
struct want_set;

/* The table in members.c has the type and the names of each. */
enum kernel_member {
	/* Tasks: struct task_struct, signal_struct, thread_info, inactive_task_frame */
	K_TASK_PID,
	K_TASK_TGID,
	K_TASK_COMM,
	K_TASK_STATE,
	K_TASK_TASKS,
	K_TASK_EXIT_STATE,
	K_TASK_ON_CPU,
	K_TASK_VOLUNTARY,
	K_TASK_INVOLUNTARY,
	K_TASK_CPU,
	K_TASK_STACK,
	K_TASK_STACK_REFCOUNT,
	K_TASK_SP,
	K_TASK_MM,
	K_TASK_SIGNAL,
	K_TASK_THREAD_NODE,
	K_TASK_CHILDREN,
	K_TASK_SIBLING,
	K_TASK_GROUP_LEADER,
	K_TASK_PARENT,
	K_TASK_REAL_PARENT,
	K_SIGNAL_THREAD_HEAD,
	K_THREAD_INFO_CPU,
	K_FRAME_R15,
	K_FRAME_R14,
	K_FRAME_R13,
	K_FRAME_R12,
	K_FRAME_BX,
	K_FRAME_BP,
	K_FRAME_RET_ADDR,

	/* The table of PIDs: struct pid_namespace, pid, upid */
	K_PIDS_FIRST,
	K_NS_XARRAY = K_PIDS_FIRST,
	K_NS_RADIX_TREE,
	K_PID_TASKS,
	K_PID_NUMBERS,
	K_UPID_CHAIN,
	K_UPID_NS,
	K_TASK_PID_LINK,

	/* The log: struct printk_info and prb_desc, or printk_log, which was struct log */
	K_LOG_FIRST,
	K_INFO_TIME = K_LOG_FIRST,
	K_INFO_LENGTH,
	K_INFO_LEVEL,
	K_INFO_FACILITY,
	K_INFO_CALLER,
	K_DESC_STATE,
	K_DESC_BEGIN,
	K_DESC_NEXT,
	K_RECORD_SIZE,
	K_RECORD_TIME,
	K_RECORD_LENGTH,
	K_RECORD_LEVEL,
	K_RECORD_FACILITY,
	K_RECORD_CALLER,
	K_OLD_RECORD_SIZE,
	K_OLD_RECORD_TIME,
	K_OLD_RECORD_LENGTH,
	K_OLD_RECORD_LEVEL,
	K_OLD_RECORD_FACILITY,

	/* Return addresses that tracers have replaced */
	K_TRACED_FIRST,
	K_TASK_RETHOOKS = K_TRACED_FIRST,
	K_RETHOOK_NEXT,
	K_RETHOOK_ADDRESS,
	K_RETHOOK_SLOT,
	K_TASK_KRETPROBES,
	K_KRETPROBE_NEXT,
	K_KRETPROBE_HASH_NEXT,
	K_KRETPROBE_TASK,
	K_KRETPROBE_ADDRESS,
	K_KRETPROBE_SLOT,
	K_TASK_GRAPH,
	K_TASK_GRAPH_DEPTH,
	K_GRAPH_ADDRESS,
	K_GRAPH_SLOT,

	/* Pages */
	K_PAGES_FIRST,
	K_PAGE_FLAGS = K_PAGES_FIRST,
	K_PAGE_HEAD,
	K_PAGE_HEAD_INFO,
	K_PAGE_FIRST_PAGE,
	K_PAGE_TYPE,
	K_PAGE_MAPPING,
	K_PAGE_INDEX,
	K_PAGE_REFCOUNT,
	K_PAGE_MAPCOUNT,
	K_MAPPING_HOST,

	/* Slab objects: struct kmem_cache, kmem_cache_cpu, slab, which was struct page, and sheaves
	 */
	K_SLABS_FIRST,
	K_CACHE_LIST = K_SLABS_FIRST,
	K_CACHE_NAME,
	K_CACHE_SIZE,
	K_CACHE_OBJECT_SIZE,
	K_CACHE_OFFSET,
	K_CACHE_FLAGS,
	K_CACHE_RANDOM,
	K_CACHE_RED_LEFT_PAD,
	K_CACHE_CPU_SLAB,
	K_CACHE_CPU_FREELIST,
	K_CACHE_CPU_SLAB_PAGE,
	K_SLAB_CACHE,
	K_SLAB_FREELIST,
	K_SLAB_INUSE,
	K_SLAB_OBJECTS,
	K_PAGE_SLAB_CACHE,
	K_PAGE_FREELIST,
	K_PAGE_INUSE,
	K_PAGE_OBJECTS,
	K_CACHE_SHEAVES,
	K_SHEAVES_MAIN,
	K_SHEAVES_SPARE,
	K_SHEAVES_RCU_FREE,
	K_SHEAF_SIZE,
	K_SHEAF_OBJECTS,
	K_SHEAF_LINK,
	K_CACHE_NODES,
	K_CACHE_PER_NODE,
	K_PER_NODE_BARN,
	K_CACHE_NODE_BARN,
	K_BARN_FULL,

	/* Areas of virtual memory: struct vmap_area, vmap_node, vm_struct, vm_area_struct, maple
	   trees */
	K_AREAS_FIRST,
	K_VMAP_NODE = K_AREAS_FIRST,
	K_VMAP_START,
	K_VMAP_END,
	K_VMAP_VM,
	K_VMAP_NODE_BUSY,
	K_VM_CALLER,
	K_RB_LEFT,
	K_RB_RIGHT,
	K_MM_RB,
	K_MM_MAPLE,
	K_MAPLE_ROOT,
	K_RANGE_PIVOTS,
	K_RANGE_SLOTS,
	K_ARANGE_PIVOTS,
	K_ARANGE_SLOTS,
	K_VMA_NODE,
	K_VMA_START,
	K_VMA_END,
	K_VMA_FLAGS,
	K_VMA_FILE,
	K_VMA_PGOFF,
	K_FILE_DENTRY,
	K_DENTRY_NAME,

	KERNEL_MEMBERS
};

/* What is to be found out about them; a struct kernel has one. NULL without memory. */
struct want_answers *kernel_members_new(void);

/* The member, borrowed from @k: it is looked up when it is first asked for, and all zero where this
 * kernel has none. Never NULL; without memory it is as if there were none, this time. */
const struct member *kernel_member(const struct kernel *k, enum kernel_member which);
/* Its name, borrowed; NULL if this kernel does not have it. ERR_NOMEM only. */
__attribute__((warn_unused_result)) struct err *kernel_name_member(const struct kernel *k,
								   enum kernel_member which,
								   const char **ret_path,
								   const struct member **ret);
/* False if this kernel does not have it. */
bool kernel_has_member(const struct kernel *k, enum kernel_member which);
/* Its offset in bytes; false, and *ret untouched, if this kernel does not have it. */
bool kernel_member_offset(const struct kernel *k, enum kernel_member which, uint64_t *ret);
/* The number that it is in the structure at @base; false, and *ret untouched, if this kernel does
 * not have it or it cannot be read. */
bool kernel_get(const struct kernel *k, uint64_t base, enum kernel_member which, uint64_t *ret);
/* The same as the whole member; ERR_NOTFOUND with a sentence if this kernel does not have it. */
__attribute__((warn_unused_result)) struct err *
kernel_need_member(const struct kernel *k, enum kernel_member which, struct member *ret);

/* ERR_NOTFOUND, with a sentence, if this kernel lacks a vital one of the set @i below. */
__attribute__((warn_unused_result)) struct err *kernel_need_vital(const struct kernel *k, size_t i);

/* The members by subject, for lists of them. *ret_first is the kernel_member that the set begins
 * with. */
enum {
	KERNEL_TASKS,
	KERNEL_PIDS,
	KERNEL_LOG,
	KERNEL_TRACED,
	KERNEL_PAGES,
	KERNEL_SLABS,
	KERNEL_AREAS,
	KERNEL_MEMBER_SETS
};
const struct want_set *kernel_member_set(size_t i, enum kernel_member *ret_first);

#endif
