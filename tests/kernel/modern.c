// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The structures and variables of two small kernels, under their public names, for what the demo's
 * 3.10 does not have. As it is, a kernel like 6.16 and later: tasks' thread_info in task_struct,
 * PIDs in an XArray, exception stacks in the cpu_entry_area, the log in a ring of records, per-CPU
 * variables linked at real addresses, the size of stacks known by symbols only. With LAYOUT_MIDDLE,
 * one like Red Hat's 4.18 and those just before: flags in front of the switch frame, two names for
 * the state, a stale task_struct.pids beside pid_links, PIDs in a radix tree, orig_ist, the log as
 * a buffer. LAYOUT_HOT, like 6.2 to 6.14, differs in where the IRQ stack's pointer is. Offsets are
 * those of no real build.
 */

#define PAGE_SIZE	4096
#define THREAD_SIZE	16384
#define NR_CPUS		64
#define __page_aligned	__attribute__((aligned(PAGE_SIZE)))
#define __section(name) __attribute__((section(name)))
#define __percpu_data	__section(".data..percpu")

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef struct {
	int counter;
} atomic_t;
typedef struct {
	long counter;
} atomic_long_t;
typedef struct {
	unsigned long pgd;
} pgd_t;

struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};
struct cpumask {
	unsigned long bits[NR_CPUS / 64];
};

struct new_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
struct uts_namespace {
	struct new_utsname name;
	void *user_ns;
};

/* ---- PIDs ---- */

#ifdef LAYOUT_MIDDLE
struct radix_tree_node {
	u8 shift, offset, count, exceptional;
	void *parent;
	void *slots[64];
};
struct radix_tree_root {
	u32 gfp_mask;
	struct radix_tree_node *rnode;
};
#else
struct xa_node {
	u8 shift, offset, count, nr_values;
	void *parent, *array;
	void *slots[64];
};
struct xarray {
	u32 xa_lock, xa_flags;
	void *xa_head;
};
#define radix_tree_root xarray
#endif
struct idr {
	struct radix_tree_root idr_rt;
	unsigned idr_base, idr_next;
};
struct pid_namespace {
	struct idr idr;
	unsigned pid_allocated;
	unsigned level;
};
struct upid {
	int nr;
	struct pid_namespace *ns;
};
struct pid {
	atomic_t count;
	unsigned level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

/* ---- tracers ---- */

#include "modern_tracers.h"

/* ---- tasks ---- */

struct thread_info {
	unsigned long flags;
#ifndef LAYOUT_MIDDLE
	u32 cpu;
#endif
};
struct thread_struct {
	unsigned long tls_array[3];
	unsigned long sp;
};
struct mm_struct {
	struct {
		atomic_t mm_count;
		pgd_t *pgd;
	};
};
struct signal_struct {
	int nr_threads;
	struct list_head thread_head;
};
struct inactive_task_frame {
#ifdef LAYOUT_MIDDLE
	unsigned long flags;
#endif
	unsigned long r15, r14, r13, r12, bx, bp, ret_addr;
};
struct pid_link {
	struct hlist_node node;
	struct pid *pid;
};
struct task_struct {
	struct thread_info thread_info;
#ifdef LAYOUT_MIDDLE
	union {
		volatile long state;
		u32 __state;
	};
	u32 cpu;
#else
	u32 __state;
#endif
	void *stack;
	int on_cpu;
	struct list_head tasks;
	struct mm_struct *mm, *active_mm;
	int exit_state;
	int pid, tgid;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct list_head thread_node;
	char comm[16];
	struct signal_struct *signal;
#ifdef LAYOUT_MIDDLE
	struct pid_link pids[4];
#endif
	struct thread_struct thread;
	struct hlist_head preempt_notifiers;
	int curr_ret_stack;
#ifdef LAYOUT_MIDDLE
	struct ftrace_ret_stack *ret_stack;
#else
	unsigned long *ret_stack;
	struct llist_head rethooks;
#endif
};
struct rq {
	u32 lock;
	struct task_struct *idle;
	union {
		struct task_struct *donor;
		struct task_struct *curr;
	};
};
struct tlb_state {
	struct mm_struct *loaded_mm;
};

/* ---- stacks of CPUs ---- */

#ifdef LAYOUT_MIDDLE
union irq_stack_union {
	char irq_stack[16384];
};
struct orig_ist {
	unsigned long ist[7];
};
union thread_union {
	unsigned long stack[THREAD_SIZE / sizeof(long)];
};
#else
struct irq_stack {
	char stack[16384];
};
struct cea_exception_stacks {
	char DF_stack_guard[PAGE_SIZE];
	char DF_stack[8192];
	char NMI_stack_guard[PAGE_SIZE];
	char NMI_stack[8192];
};
struct entry_stack_page {
	char stack[PAGE_SIZE];
};
struct cpu_entry_area {
	char gdt[PAGE_SIZE];
	struct entry_stack_page entry_stack_page;
	struct cea_exception_stacks estacks;
};
extern struct cpu_entry_area *of_type_cpu_entry_area;
#endif

/* ---- modules ---- */

#include "modern_modules.h"

/* ---- slabs ---- */

#include "modern_slabs.h"

/* ---- the log ---- */

#ifdef LAYOUT_MIDDLE
struct printk_log {
	u64 ts_nsec;
	u16 len, text_len, dict_len;
	u8 facility, flags : 5, level : 3;
};
extern struct printk_log *of_type_printk_log;
char __log_buf[1024] __attribute__((aligned(8)));
char *log_buf = __log_buf;
u32 log_buf_len = sizeof(__log_buf);
u32 log_first_idx, log_next_idx;
#else
struct printk_info {
	u64 seq, ts_nsec;
	u16 text_len;
	u8 facility, flags : 5, level : 3;
	u32 caller_id;
};
struct prb_desc {
	atomic_long_t state_var;
	struct {
		unsigned long begin, next;
	} text_blk_lpos;
};
struct prb_data_ring {
	unsigned size_bits;
	char *data;
	atomic_long_t head_lpos, tail_lpos;
};
struct prb_desc_ring {
	unsigned count_bits;
	struct prb_desc *descs;
	struct printk_info *infos;
	atomic_long_t head_id, tail_id;
};
struct printk_ringbuffer {
	struct prb_desc_ring desc_ring;
	struct prb_data_ring text_data_ring;
	atomic_long_t fail;
};
struct prb_desc printk_descs[8];
struct printk_info printk_infos[8];
char printk_text[512] __page_aligned;
struct printk_ringbuffer printk_rb_static;
struct printk_ringbuffer *prb;
#endif

/* ---- variables ---- */

#ifdef LAYOUT_MIDDLE
#define RELEASE "4.18.0-394.middle"
#else
#define RELEASE "6.16.0-modern"
#endif

const char linux_banner[] = "Linux version " RELEASE " (tests@vmcore-gdbserver) #1 SMP\n";
const char linux_proc_banner[] = "%s version %s (tests@vmcore-gdbserver) %s\n";
const char *const task_state_array[] = {
	"R (running)", "S (sleeping)", "D (disk sleep)", "T (stopped)", "t (tracing stop)",
	"X (dead)",    "Z (zombie)",   "P (parked)",	 "I (idle)",
};

struct uts_namespace init_uts_ns __section(".data.init_uts_ns") __page_aligned = {
	.name = { "Linux", "modern", RELEASE, "#1 SMP", "x86_64", "(none)" },
};
pgd_t init_top_pgt[PAGE_SIZE / sizeof(pgd_t)] __section(".data.init_top_pgt") __page_aligned;
unsigned int nr_cpu_ids = 2;
struct cpumask __cpu_possible_mask = { { 3 } };
struct cpumask __cpu_online_mask = { { 3 } };
unsigned long __per_cpu_offset[NR_CPUS] __page_aligned;
struct mm_struct init_mm, efi_mm;
struct mm_struct *text_poke_mm;
struct task_struct init_task;
struct signal_struct init_signals;
struct pid_namespace init_pid_ns;
struct list_head modules;
extern struct module *of_type_module;
extern enum module_state of_type_module_state;
char *saved_command_line;
atomic_t panic_cpu = { -1 };
u32 *crash_notes;
char init_stack[THREAD_SIZE] __section(".data.init_stack") __attribute__((aligned(THREAD_SIZE)));

__percpu_data __page_aligned struct rq runqueues;
__percpu_data struct tlb_state cpu_tlbstate;
#ifdef LAYOUT_MIDDLE
__percpu_data struct kmem_cache_cpu slabs_of_cpu;
extern enum pageflags of_type_pageflags;
#else
__percpu_data struct slub_percpu_sheaves sheaves_of_cpu;
unsigned int nr_node_ids = 1;
extern enum pagetype of_type_pagetype;
extern struct slab *of_type_slab;
extern struct slab_sheaf *of_type_slab_sheaf;
extern struct node_barn *of_type_node_barn;
extern struct kmem_cache_per_node_ptrs *of_type_kmem_cache_per_node_ptrs;
#endif
extern struct page *of_type_page;
extern struct kmem_cache *of_type_kmem_cache;
__percpu_data u32 modern_crash_notes[256];
#ifdef LAYOUT_MIDDLE
__percpu_data char *irq_stack_ptr;
__percpu_data struct orig_ist orig_ist;
extern union irq_stack_union *of_type_irq_stack_union;
extern union thread_union *of_type_thread_union;
extern struct radix_tree_node *of_type_radix_tree_node;
#else
#ifdef LAYOUT_HOT
struct pcpu_hot {
	struct task_struct *current_task;
	void *hardirq_stack_ptr;
};
__percpu_data struct pcpu_hot pcpu_hot;
asm(".set irq_stack_pointer, pcpu_hot + 8");
#else
__percpu_data struct irq_stack *hardirq_stack_ptr;
asm(".set irq_stack_pointer, hardirq_stack_ptr");
#endif
__percpu_data struct cea_exception_stacks *cea_exception_stacks;
extern struct irq_stack *of_type_irq_stack;
extern struct xa_node *of_type_xa_node;
#endif
extern struct inactive_task_frame *of_type_inactive_task_frame;
extern struct pid *of_type_pid;

#ifdef LAYOUT_MIDDLE
struct hlist_head kretprobe_inst_table[64];
extern struct kretprobe_instance *of_type_kretprobe_instance;
#else
struct list_head bpf_kallsyms = { &bpf_kallsyms, &bpf_kallsyms };
struct ftrace_ops ftrace_list_end;
struct ftrace_ops *ftrace_ops_list = &ftrace_list_end;
extern struct rethook_node *of_type_rethook_node;
extern struct bpf_ksym *of_type_bpf_ksym;
#endif
extern struct ftrace_ret_stack *of_type_ftrace_ret_stack;

/* ---- unwind tables ---- */

/*
 * arch/x86/include/asm/orc_types.h: in the older format, and out of order, as before 5.6; in that
 * of 6.4 to 7.0 with the hash that says so. Where two begin at an address, one only ends what is
 * before.
 */
#ifdef LAYOUT_MIDDLE
#define ORC_CALL_SP "0x0005"
#else
#define ORC_CALL_SP "0x0205"
asm("	.section .rodata\n"
    "__start_orc_header:\n"
    "	.byte 0xfe, 0x5d, 0x32, 0xbf, 0x58, 0x1b, 0xd6, 0x3b, 0x2c, 0xa9\n"
    "	.byte 0xa5, 0xc6, 0x5b, 0xa5, 0xa6, 0x25, 0xea, 0xb3, 0xfe, 0x24\n"
    "__stop_orc_header:\n");
#endif
asm("	.section .rodata\n"
    "	.balign 8\n"
    "__start_orc_unwind_ip:\n"
    "	.long default_idle - .\n"
    "	.long __schedule - .\n"
    "	.long ret_from_fork_asm - .\n"
    "	.long ret_from_fork_asm - .\n"
    "__stop_orc_unwind_ip:\n"
    "__start_orc_unwind:\n"
    "	.short 16, 0, " ORC_CALL_SP "\n"
    "	.short 8, 0, " ORC_CALL_SP "\n"
    "	.short 24, 0, " ORC_CALL_SP "\n"
    "	.short 0, 0, 0\n"
    "__stop_orc_unwind:\n");

/* ---- text ---- */

asm("	.section .head.text, \"ax\"\n"
    "	.globl _text, _stext\n"
    "_text:\n"
    "_stext:\n"
    "	.skip 64, 0x90\n"
    "	.text\n"
    "	.macro function name\n"
    "	.globl \\name\n"
    "	.type \\name, @function\n"
    "\\name:\n"
    "	.skip 64, 0x90\n"
    "	.size \\name, . - \\name\n"
    "	.endm\n"
    "	function __schedule\n"
    "	function ret_from_fork_asm\n"
    "	function default_idle\n"
    "	function sysrq_handle_crash\n"
    "	function return_to_handler\n"
#ifdef LAYOUT_MIDDLE
    "	function kretprobe_trampoline\n"
#else
    "	function arch_rethook_trampoline\n"
#endif
    "	.globl __entry_text_start, __entry_text_end\n"
    "__entry_text_start:\n"
    "	function entry_SYSCALL_64\n"
    "__entry_text_end:\n"
    "	.globl _etext\n"
    "_etext:\n");
