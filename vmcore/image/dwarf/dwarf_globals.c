// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/image/dwarf/dwarf_globals.h"

#include "vmcore/names/types/btf.h"

#define STRUCT(name, type)                                           \
	{                                                            \
		"vmlinux", name, BTF_KIND_STRUCT, type, GLOBAL_PLAIN \
	}
#define STRUCT_POINTER(name, type)                                     \
	{                                                              \
		"vmlinux", name, BTF_KIND_STRUCT, type, GLOBAL_POINTER \
	}
#define NUMBER(name, type)                                        \
	{                                                         \
		"vmlinux", name, BTF_KIND_INT, type, GLOBAL_PLAIN \
	}
#define UNSIGNED_LONG(name) NUMBER(name, "long unsigned int")

const struct global dwarf_globals[] = {
	/* Tasks and memory: linux/sched/task.h, linux/mm_types.h, linux/sched.h, linux/cred.h */
	STRUCT("init_task", "task_struct"),
	STRUCT("init_mm", "mm_struct"),
	STRUCT("init_cred", "cred"),
	STRUCT("init_fs", "fs_struct"),
	STRUCT("init_files", "files_struct"),
	STRUCT("init_signals", "signal_struct"),
	STRUCT("init_css_set", "css_set"),
	STRUCT("cgrp_dfl_root", "cgroup_root"),
	STRUCT("root_task_group", "task_group"),
	/* Namespaces: linux/pid_namespace.h, linux/utsname.h, linux/nsproxy.h,
	 * linux/user_namespace.h, linux/ipc_namespace.h, net/net_namespace.h */
	STRUCT("init_pid_ns", "pid_namespace"),
	STRUCT("init_uts_ns", "uts_namespace"),
	STRUCT("init_user_ns", "user_namespace"),
	STRUCT("init_ipc_ns", "ipc_namespace"),
	STRUCT("init_nsproxy", "nsproxy"),
	STRUCT("init_net", "net"),
	STRUCT("net_namespace_list", "list_head"),
	/* Modules and slabs: kernel/module, mm/slab.h */
	STRUCT("modules", "list_head"),
	STRUCT("slab_caches", "list_head"),
	/* CPUs: linux/cpumask.h, asm/processor.h, asm-generic/percpu.h */
	STRUCT("__cpu_possible_mask", "cpumask"),
	STRUCT("__cpu_online_mask", "cpumask"),
	STRUCT("__cpu_present_mask", "cpumask"),
	STRUCT("__cpu_active_mask", "cpumask"),
	STRUCT("boot_cpu_data", "cpuinfo_x86"),
	NUMBER("nr_cpu_ids", "unsigned int"),
	{ "vmlinux", "__per_cpu_offset", BTF_KIND_INT, "long unsigned int", GLOBAL_ARRAY },
	/* Time: linux/jiffies.h */
	UNSIGNED_LONG("jiffies"),
	{ "vmlinux", "jiffies_64", BTF_KIND_TYPEDEF, "u64", GLOBAL_PLAIN },
	/* Where memory is: linux/memblock.h, asm/page_64.h, linux/mmzone.h */
	UNSIGNED_LONG("phys_base"),
	UNSIGNED_LONG("page_offset_base"),
	UNSIGNED_LONG("vmalloc_base"),
	UNSIGNED_LONG("vmemmap_base"),
	UNSIGNED_LONG("max_pfn"),
	UNSIGNED_LONG("max_low_pfn"),
	{ "vmlinux", "_totalram_pages", BTF_KIND_TYPEDEF, "atomic_long_t", GLOBAL_PLAIN },
	{ "vmlinux", "node_data", BTF_KIND_STRUCT, "pglist_data", GLOBAL_POINTERS },
	/* Going down: linux/panic.h, linux/kernel.h, linux/kexec.h, asm/reboot.h */
	{ "vmlinux", "panic_cpu", BTF_KIND_TYPEDEF, "atomic_t", GLOBAL_PLAIN },
	NUMBER("crashing_cpu", "int"),
	UNSIGNED_LONG("tainted_mask"),
	{ "vmlinux", "system_state", BTF_KIND_ENUM, "system_states", GLOBAL_PLAIN },
	STRUCT_POINTER("kexec_crash_image", "kimage"),
	/* What it says of itself: linux/init.h, kernel/printk, init/version.c */
	{ "vmlinux", "linux_banner", BTF_KIND_INT, "char", GLOBAL_ARRAY },
	{ "vmlinux", "saved_command_line", BTF_KIND_INT, "char", GLOBAL_POINTER },
	STRUCT_POINTER("prb", "printk_ringbuffer"),
	/* KVM: virt/kvm/kvm_main.c */
	{ "kvm", "vm_list", BTF_KIND_STRUCT, "list_head", GLOBAL_PLAIN },
};

const size_t dwarf_global_count = sizeof(dwarf_globals) / sizeof(dwarf_globals[0]);
