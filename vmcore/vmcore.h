/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine in a dump, whole: pages, kernel, CPUs, tasks, registers, code, virtual machines.
 * Opened once, then shared by whoever looks at it; nothing in it changes but caches.
 */
#ifndef VMCORE_VMCORE_H
#define VMCORE_VMCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmcore/kernel/tasks/cpus.h"
#include "vmcore/kernel/tasks/task_spaces.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/seen_vcpus.h"
#include "vmcore/vmcore_code.h"
#include "vmcore/vmcore_objects.h"

struct code_map;
struct code_scopes;
struct dump;
struct err;
struct frame_cache;
struct kernel;
struct kvm;
struct memory;
struct module_files;
struct module_types;
struct packages;
struct registers;
struct unwinder;
struct vspace;

struct vmcore_options {
	const char *const *dump_paths; /* the pieces of one dump; borrowed during the call */
	size_t dump_path_count;
	/* Instead of paths, a dump that is there already: the machine's from now on, also if this
	 * fails. */
	struct dump *dump;
	bool live; /* instead of dumps, the memory of a machine */
	/* With live: the source to take, see dump_open_live(); NULL: the best. Borrowed. */
	const char *live_source;
	/* Called once what needs privileges is open, before any of it is looked at; may be NULL. */
	struct err *(*opened)(void *opened_closure);
	void *opened_closure;
	/* Files and folders with symbols; borrowed, must outlive the machine. */
	const char *const *symbol_paths;
	size_t symbol_path_count;
	/* As in kernel_options: what takes files out of packages among them. */
	struct packages *packages;
	size_t cache_size; /* of the page cache, in bytes */
	/* As in kernel_options; may be NULL. Called, if at all, before vmcore_open() returns. */
	const char *debug_cache;
	struct err *(*fetch)(void *fetch_closure, const char *build_id);
	void *fetch_closure;
	/* Called during work that may take long; may be NULL. */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *closure;
};

enum { VMCORE_DOUBTED_MAX = 16 };

struct vmcore {
	struct dump *dump;
	struct memory *memory;
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
	struct registers *registers;
	/* By vmcore_code.h, as are `frames`. */
	struct code_map *code;
	struct module_files *module_files;
	struct code_scopes *scopes;
	struct module_types *module_types;
	struct unwinder *unwinder;
	struct frame_cache *frames;	 /* of the tasks that were unwound last */
	struct vmcore_code first_code;	 /* what these were at first, if they have been made anew */
	const char *const *symbol_paths; /* borrowed */
	size_t symbol_path_count;
	struct packages *packages; /* borrowed */
	struct kvm *kvm;
	/* What was read of KVM while memory could not be read: pointers into it may be in use.
	 * Owned.
	 */
	struct kvm *doubted[VMCORE_DOUBTED_MAX];
	size_t doubted_count;
	bool live;	     /* it runs: what was read of it is old soon */
	uint64_t generation; /* how often vmcore_renew() has taken the list of tasks anew */
	/* Another number whenever what was read before may be old: for caches to compare. Of a dump
	 * it changes when files come that tell more. */
	uint64_t epoch;
	struct task_spaces spaces;     /* of one epoch */
	struct vmcore_objects objects; /* by vmcore_objects.h */
	struct seen_vcpus seen;	       /* by seen_vcpus.h */
	uint64_t faults;	       /* memory_faults() when that was looked at last */
	uint64_t looked; /* when the dump's files were looked at last, as clock_ms() counts */
	/* The last sentence about a file that was written while it was open, which is among the
	 * warnings then, too; NULL as long as there is none. Owned. */
	char *changed;
	unsigned changes;    /* how many such sentences there were */
	bool dump_changed;   /* one of them was about the dump itself */
	uint64_t map_faults; /* file_map_faults() when that was looked at last */
	uint64_t recovered;  /* another number whenever what rested on a fault was forgotten */
	int64_t code_at;     /* when modules were listed because of code of nobody; ms, 0: never */
	uint64_t code_generation; /* how often it found other modules than before */
	size_t current;		  /* index in tasks of the thread that a debugger finds selected */
	char *panic;		  /* the panic message; NULL if there is none. Owned */
	char *warnings;		  /* what was odd about the files, one sentence a line. Owned */
};

__attribute__((warn_unused_result)) struct err *vmcore_open(const struct vmcore_options *options,
							    struct vmcore **ret);
void vmcore_close(struct vmcore *h);

/* For a live machine, before each packet and each part of a job: forgets what was read of it while
 * it ran, and takes all anew if it was stopped or set going. Of a dump that is
 * forgotten which was made while memory could not be read, for a reason that may have passed. */
void vmcore_begin(struct vmcore *h);

/*
 * Takes CPUs and tasks of a machine that runs anew; pointers to the old ones are good no longer,
 * and h->generation is another. Where modules were loaded or unloaded, what rests on their list is
 * made anew, too. An error leaves everything as it was. Of a dump it does nothing.
 */
__attribute__((warn_unused_result)) struct err *vmcore_renew(struct vmcore *h);

/* Files with symbols may have come since: what was missing for want of them is looked for anew. */
void vmcore_look_again(struct vmcore *h);

/*
 * The page tables for @addr as the thread @tid sees it: the kernel's own in the upper half (a
 * process's copy may lack what was mapped later, and is filtered out more easily), its process's in
 * the lower.
 */
__attribute__((warn_unused_result)) struct err *vmcore_space(struct vmcore *h, uint64_t tid,
							     uint64_t addr, struct vspace *ret);

#endif
