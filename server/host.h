/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine in the dump, whole: pages, kernel, CPUs, tasks, registers. Opened once, then shared
 * by every session; nothing in it changes but caches.
 */
#ifndef SERVER_HOST_H
#define SERVER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/host_code.h"
#include "vmcore/kernel/cpus.h"
#include "vmcore/kernel/tasks.h"

struct buf;
struct code_map;
struct code_scopes;
struct debuginfod;
struct dump;
struct err;
struct exports;
struct frame_cache;
struct kernel;
struct made_image;
struct kvm;
struct memory;
struct module_files;
struct module_types;
struct registers;
struct served_image;
struct served_list;
struct unwinder;
struct vspace;

struct host_options {
	const char *const *dump_paths; /* the pieces of one dump; borrowed during the call */
	size_t dump_path_count;
	/* Instead of paths, a dump that is there already: the host's from now on, also if this
	 * fails. */
	struct dump *dump;
	bool live; /* instead of dumps, the memory of a machine */
	/* With live: the source to take, see dump_open_live(); NULL: the best. Borrowed. */
	const char *live_source;
	/* Called once what needs privileges is open, before any of it is looked at; may be NULL. */
	struct err *(*opened)(void *opened_closure);
	void *opened_closure;
	const char *const *symbol_paths; /* --symbols; borrowed, must outlive the host */
	size_t symbol_path_count;
	size_t cache_size;	  /* of the page cache, in bytes */
	bool serve_files;	  /* clients may read what `exports` lists */
	bool context_threads;	  /* what interrupts have stopped are threads, too */
	bool extra_cfi;		  /* gdb gets the frames of entry code; needs serve_files */
	const char *symbol_cache; /* a folder, borrowed during the call; NULL: none */
	bool fetch_waits; /* who asks debuginfod for files waits for them: nothing is served */
	/* Called during work that may take long, also later if fetch_waits is set; may be NULL. */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *closure;
};

struct host {
	struct dump *dump;
	struct memory *memory;
	struct kernel *kernel;
	struct cpus cpus;
	struct tasks tasks;
	struct registers *registers;
	/* By host_code.h, as are `frames`. */
	struct code_map *code;
	struct module_files *module_files;
	struct code_scopes *scopes;
	struct module_types *module_types;
	struct unwinder *unwinder;
	struct host_code first_code;	 /* what these were at first, if they have been made anew */
	const char *const *symbol_paths; /* borrowed */
	size_t symbol_path_count;
	struct kvm *kvm;
	struct served_list *served; /* what is served beside it; borrowed, NULL for nothing */
	bool serve_files;
	bool extra_cfi;
	bool context_threads;	       /* as in the options, all three */
	struct made_image *made;       /* what is served when there is no vmlinux */
	struct exports *exports;       /* the files that clients may read, if serve_files is set */
	struct served_image *image;    /* which of them is the kernel */
	struct debuginfod *debuginfod; /* who fetches files that are not here */
	unsigned files_arrived;	       /* what debuginfod_poll() said last */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *progress_closure;
	bool fetch_waits;    /* as in the options */
	bool live;	     /* it runs: what was read of it is old soon */
	uint64_t generation; /* how often host_renew() has taken the list of tasks anew */
	int64_t code_at;     /* when modules were listed because of code of nobody; ms, 0: never */
	uint64_t code_generation;   /* how often it found other modules than before */
	struct frame_cache *frames; /* of the tasks that were unwound last */
	size_t current; /* index in tasks of the thread that a debugger finds selected */
	char *panic;	/* the panic message; NULL if there is none. Owned */
	char *warnings; /* what was odd about the files, one sentence a line. Owned */
};

__attribute__((warn_unused_result)) struct err *host_open(const struct host_options *options,
							  struct host **ret);
void host_close(struct host *h);

/* For a live machine, before each packet and each part of a job: forgets what was read of it while
 * it ran, and takes all anew if it was stopped or set going. Of a dump nothing is forgotten. */
void host_begin(struct host *h);

/*
 * Takes CPUs and tasks of a machine that runs anew; pointers to the old ones are good no longer,
 * and h->generation is another. Where modules were loaded or unloaded, what rests on their list is
 * made anew, too. An error leaves everything as it was. Of a dump it does nothing.
 */
__attribute__((warn_unused_result)) struct err *host_renew(struct host *h);

/* Takes in what debuginfod has brought since, before a client is told of files. */
void host_look_again(struct host *h);
/* Waits for what was asked of debuginfod, where nobody is served meanwhile. */
void host_wait_for_downloads(struct host *h);

/*
 * Starts the download of the vmlinux that nobody needs but debuggers, if debuginfod can be asked
 * and none is here. Whether it was started goes to @ret.
 */
__attribute__((warn_unused_result)) struct err *host_fetch_vmlinux(struct host *h, bool *ret);

/*
 * The page tables for @addr as the thread @tid sees it: the kernel's own in the upper half (a
 * process's copy may lack what was mapped later, and is filtered out more easily), its process's in
 * the lower.
 */
__attribute__((warn_unused_result)) struct err *host_space(const struct host *h, uint64_t tid,
							   uint64_t addr, struct vspace *ret);

/* What was found, as the start-up message and `monitor info` show it. */
void host_describe(const struct host *h, struct buf *out);
/* The same as one JSON object and a newline. */
void host_describe_json(const struct host *h, struct buf *out);

#endif
