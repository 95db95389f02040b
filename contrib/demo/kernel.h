/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The structures of a 3.10 kernel that a debugger walks, written for the demo: public names of
 * structures and members, in an order like the kernel's, without what nobody looks at. Offsets are
 * not those of any real build; whoever reads the demo dump takes them from its debugging
 * information, as with a real one.
 */
#ifndef DEMO_KERNEL_H
#define DEMO_KERNEL_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool;
typedef int pid_t;
typedef unsigned long size_t;

#define NR_CPUS	       64
#define THREAD_SIZE    16384
#define PAGE_SIZE      4096
#define IRQ_STACK_SIZE 16384

#define __page_aligned __attribute__((aligned(PAGE_SIZE)))
#define __percpu_data  __attribute__((section(".data..percpu")))

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

struct callback_head {
	struct callback_head *next;
	void (*func)(struct callback_head *head);
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

typedef struct {
	u32 head_tail;
} spinlock_t;

typedef struct cpumask {
	unsigned long bits[1];
} cpumask_t;

typedef struct {
	unsigned long bits[1];
} nodemask_t;

typedef struct {
	unsigned long pgd;
} pgd_t;

struct mutex {
	atomic_t count;
	spinlock_t wait_lock;
	struct list_head wait_list;
	struct task_struct *owner;
};

typedef struct __wait_queue_head {
	spinlock_t lock;
	struct list_head task_list;
} wait_queue_head_t;

struct new_utsname {
	char sysname[65];
	char nodename[65];
	char release[65];
	char version[65];
	char machine[65];
	char domainname[65];
};

struct uts_namespace {
	atomic_t kref;
	struct new_utsname name;
};

/* arch/x86/include/asm/ptrace.h */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx;
	unsigned long r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax;
	unsigned long ip, cs, flags, sp, ss;
};

/* arch/x86/include/asm/processor.h */
union irq_stack_union {
	char irq_stack[IRQ_STACK_SIZE];
	struct {
		char gs_base[40];
		unsigned long stack_canary;
	};
};

/* arch/x86/include/asm/thread_info.h: at the base of the kernel stack */
struct thread_info {
	struct task_struct *task;
	void *exec_domain;
	u32 flags;
	u32 status;
	u32 cpu;
	int preempt_count;
	unsigned long addr_limit;
	void *sysenter_return;
	unsigned int sig_on_uaccess_error : 1;
	unsigned int uaccess_err : 1;
};

union thread_union {
	struct thread_info thread_info;
	unsigned long stack[THREAD_SIZE / sizeof(long)];
};

struct thread_struct {
	unsigned long tls_array[3];
	unsigned long sp0;
	unsigned long sp;
	unsigned long usersp;
	u16 es, ds, fsindex, gsindex;
	unsigned long fs;
	unsigned long gs;
	unsigned long cr2;
	unsigned long trap_nr;
	unsigned long error_code;
};

enum pid_type {
	PIDTYPE_PID,
	PIDTYPE_PGID,
	PIDTYPE_SID,
	PIDTYPE_MAX,
};

struct upid {
	int nr;
	struct pid_namespace *ns;
	struct hlist_node pid_chain;
};

struct pid {
	atomic_t count;
	unsigned int level;
	struct hlist_head tasks[PIDTYPE_MAX];
	struct callback_head rcu;
	struct upid numbers[1];
};

struct pid_link {
	struct hlist_node node;
	struct pid *pid;
};

struct pid_namespace {
	atomic_t kref;
	int last_pid;
	unsigned int nr_hashed;
	struct task_struct *child_reaper;
	unsigned int level;
	struct pid_namespace *parent;
	unsigned int proc_inum;
};

struct mm_struct {
	struct vm_area_struct *mmap;
	unsigned long mmap_base;
	unsigned long task_size;
	pgd_t *pgd;
	atomic_t mm_users;
	atomic_t mm_count;
	struct list_head mmlist;
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	struct task_struct *owner;
};

struct signal_struct {
	atomic_t sigcnt;
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	wait_queue_head_t wait_chldexit;
	struct task_struct *curr_target;
	int group_exit_code;
};

struct task_struct {
	volatile long state;
	void *stack;
	atomic_t usage;
	unsigned int flags;
	unsigned int ptrace;
	int on_cpu;
	int on_rq;
	int prio, static_prio, normal_prio;
	unsigned int rt_priority;
	struct hlist_head preempt_notifiers;
	unsigned int policy;
	int nr_cpus_allowed;
	cpumask_t cpus_allowed;
	struct list_head tasks;
	struct mm_struct *mm, *active_mm;
	int exit_state;
	int exit_code, exit_signal;
	pid_t pid;
	pid_t tgid;
	struct task_struct *real_parent;
	struct task_struct *parent;
	struct list_head children;
	struct list_head sibling;
	struct task_struct *group_leader;
	struct pid_link pids[PIDTYPE_MAX];
	struct list_head thread_group;
	struct list_head thread_node;
	unsigned long nvcsw, nivcsw;
	u64 start_time;
	char comm[16];
	struct thread_struct thread;
	struct files_struct *files;
	struct signal_struct *signal;
};

/* kernel/sched/sched.h */
struct rq {
	spinlock_t lock;
	unsigned int nr_running;
	unsigned long nr_load_updates;
	u64 nr_switches;
	unsigned long nr_uninterruptible;
	struct task_struct *curr, *idle, *stop;
	unsigned long next_balance;
	struct mm_struct *prev_mm;
	u64 clock;
	int cpu;
	int online;
};

struct orig_ist {
	unsigned long ist[7];
};

/* include/linux/kexec.h */
typedef u32 note_buf_t[1024 / 4];

/* include/linux/elfcore.h */
struct elf_siginfo {
	int si_signo;
	int si_code;
	int si_errno;
};

struct elf_prstatus {
	struct elf_siginfo pr_info;
	short pr_cursig;
	unsigned long pr_sigpend;
	unsigned long pr_sighold;
	pid_t pr_pid, pr_ppid, pr_pgrp, pr_sid;
	long pr_utime[2], pr_stime[2], pr_cutime[2], pr_cstime[2];
	unsigned long pr_reg[27];
	int pr_fpvalid;
};

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED,
};

/* include/uapi/linux/elf.h */
struct elf64_sym {
	unsigned int st_name;
	unsigned char st_info, st_other;
	unsigned short st_shndx;
	u64 st_value, st_size;
};

struct module {
	enum module_state state;
	struct list_head list;
	char name[56];
	void *syms;
	unsigned int num_syms;
	void *module_init;
	void *module_core;
	unsigned int init_size, core_size;
	unsigned int init_text_size, core_text_size;
	unsigned int init_ro_size, core_ro_size;
	void *symtab, *core_symtab;
	unsigned int num_symtab, core_num_syms;
	char *strtab, *core_strtab;
	struct module_sect_attrs *sect_attrs;
	struct module_notes_attrs *notes_attrs;
	void *percpu;
	unsigned int percpu_size;
	struct list_head source_list;
	struct list_head target_list;
};

/* kernel/printk.c */
struct log {
	u64 ts_nsec;
	u16 len;
	u16 text_len;
	u16 dict_len;
	u8 facility;
	u8 flags : 5;
	u8 level : 3;
};

#endif
