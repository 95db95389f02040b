// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's variables. What changes while a machine runs is filled in by the recipe. */
#include "kernel.h"

#define RELEASE "3.10.0-693.el7.x86_64"
#define VERSION "#1 SMP Tue Aug 22 21:09:27 UTC 2017"

const char linux_banner[] = "Linux version " RELEASE " (demo@vmcore-gdbserver) " VERSION "\n";

struct uts_namespace init_uts_ns = {
	.kref = { 2 },
	.name = { "Linux", "demo", RELEASE, VERSION, "x86_64", "(none)" },
};

unsigned long phys_base;
pgd_t init_level4_pgt[PAGE_SIZE / sizeof(pgd_t)] __page_aligned;

int nr_cpu_ids = 2;
unsigned long __per_cpu_offset[NR_CPUS];
unsigned long cpu_possible_bits[1] = { 3 };
unsigned long cpu_online_bits[1] = { 3 };
unsigned long cpu_present_bits[1] = { 3 };
unsigned long cpu_active_bits[1] = { 3 };
const struct cpumask *const cpu_possible_mask = (const struct cpumask *)cpu_possible_bits;
const struct cpumask *const cpu_online_mask = (const struct cpumask *)cpu_online_bits;
const struct cpumask *const cpu_present_mask = (const struct cpumask *)cpu_present_bits;
const struct cpumask *const cpu_active_mask = (const struct cpumask *)cpu_active_bits;
nodemask_t node_states[5] = { { { 1 } }, { { 1 } }, { { 1 } }, { { 1 } }, { { 1 } } };

union thread_union init_thread_union __attribute__((aligned(THREAD_SIZE)));
struct signal_struct init_signals;
struct mm_struct init_mm = { .pgd = init_level4_pgt, .mm_users = { 2 }, .mm_count = { 1 } };
struct task_struct init_task;
struct pid_namespace init_pid_ns = { .kref = { 2 }, .last_pid = 110, .child_reaper = &init_task };
struct pid init_struct_pid = { .count = { 1 }, .numbers = { { .ns = &init_pid_ns } } };

struct hlist_head demo_pid_hash[16];
struct hlist_head *pid_hash = demo_pid_hash;
unsigned int pidhash_shift = 4;

struct list_head modules = { &modules, &modules };
struct list_head vmap_area_list = { &vmap_area_list, &vmap_area_list };

char __log_buf[1024] __attribute__((aligned(8)));
char *log_buf = __log_buf;
u32 log_buf_len = sizeof(__log_buf);
u32 log_first_idx, log_next_idx;

void *sys_call_table[1]; /* system_call goes through it */

note_buf_t *crash_notes;
int crashing_cpu = -1;

/* Per-CPU variables are linked at 0: a CPU's copy is at the address plus __per_cpu_offset[cpu]. */
__percpu_data __page_aligned union irq_stack_union irq_stack_union;
__percpu_data unsigned long this_cpu_off;
__percpu_data struct task_struct *current_task = &init_task;
__percpu_data unsigned long kernel_stack;
__percpu_data char *irq_stack_ptr;
__percpu_data unsigned int irq_count = (unsigned int)-1;
__percpu_data int cpu_number;
__percpu_data struct orig_ist orig_ist;
__percpu_data struct rq runqueues;
__percpu_data note_buf_t demo_crash_notes;
__percpu_data unsigned long old_rsp;

/* Only their types are wanted. */
extern struct pt_regs *demo_pt_regs;
extern struct elf_prstatus *demo_prstatus;
extern struct module *demo_module;
extern struct log *demo_log;
