/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tracers keep, and code that is made at run time. As it is, like 6.16: kretprobes by rethook,
 * the function graph tracer's entries among words. With LAYOUT_MIDDLE, an array of entries, and a
 * table of kretprobes, as until 5.10.
 */

struct llist_node {
	struct llist_node *next;
};
struct llist_head {
	struct llist_node *first;
};
struct ftrace_ret_stack {
	unsigned long ret, func;
#ifdef LAYOUT_MIDDLE
	u64 calltime;
#endif
	unsigned long *retp;
};
#ifdef LAYOUT_MIDDLE
struct kretprobe_instance {
	struct hlist_node hlist;
	void *rp, *ret_addr, *task, *fp;
};
#else
struct rethook_node {
	void *rcu[2];
	struct llist_node llist;
	void *rethook;
	unsigned long ret_addr, frame;
};
struct bpf_ksym {
	unsigned long start, end;
	char name[64];
	struct list_head lnode;
};
struct ftrace_ops {
	void *func;
	struct ftrace_ops *next;
	unsigned long flags, trampoline, trampoline_size;
};
#endif
