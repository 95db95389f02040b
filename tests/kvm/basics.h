/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the structures of every kernel are made of, for the test kernels with KVM's in them. */
#ifndef TESTS_KVM_BASICS_H
#define TESTS_KVM_BASICS_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool;

struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct rb_node {
	unsigned long __rb_parent_color;
	struct rb_node *rb_right, *rb_left;
};
struct rb_root {
	struct rb_node *rb_node;
};
struct xarray {
	u32 xa_lock, xa_flags;
	void *xa_head;
};
typedef struct {
	int counter;
} atomic_t;

#endif
