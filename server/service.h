/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is served of a machine (vmcore/vmcore.h) beside what it is: files that clients may read, and
 * who fetches those that are not here. Opened once, then shared by every session.
 */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmcore/vmcore.h"

struct debuginfod;
struct debuginfod_options;
struct err;
struct exports;
struct made_image;
struct notebook;
struct served_image;
struct served_list;
struct team;
struct vmlinux_index;
struct vmlinux_index_options;

struct service_options {
	/* What is looked at. progress is called later, too, if fetch_waits is set; what fetches
	 * files is the service's. */
	struct vmcore_options vmcore;
	bool serve_files;	  /* clients may read what `exports` lists */
	bool context_threads;	  /* what interrupts have stopped are threads, too */
	bool extra_cfi;		  /* gdb gets the frames of entry code; needs serve_files */
	const char *symbol_cache; /* a folder, borrowed during the call; NULL: none */
	uid_t owner;		  /* who started this process */
	const char *notes; /* the file of notes, borrowed during the call; NULL: there is none */
	mode_t notes_mode; /* its rights when it is made */
	const struct debuginfod_options *debuginfod; /* borrowed during the call, with the next */
	const struct vmlinux_index_options *index;
	const char
		*confined; /* what holds of the process, words for info; borrowed, NULL: nothing */
	bool fetch_waits;  /* who asks debuginfod for files waits for them: nothing is served */
};

struct service {
	struct vmcore *vmcore;
	struct served_list *served; /* what is served beside it; borrowed, NULL for nothing */
	struct team *team;	    /* who looks at it now */
	struct notebook *notes;	    /* what people wrote down about it */
	bool serve_files;
	bool extra_cfi;
	bool context_threads;
	const char *confined;	       /* as in the options */
	bool fetch_waits;	       /* as in the options, all four of these */
	struct made_image *made;       /* what is served when there is no vmlinux */
	struct exports *exports;       /* the files that clients may read, if serve_files is set */
	struct served_image *image;    /* which of them is the kernel */
	struct vmlinux_index *index;   /* what the vmlinux gets when it is served */
	struct debuginfod *debuginfod; /* who fetches files that are not here */
	unsigned files_arrived;	       /* what debuginfod_poll() said last */
	void (*progress)(void *closure, const char *doing, uint64_t done, uint64_t total);
	void *progress_closure;
};

/* options->vmcore.dump is taken, also if this fails. */
__attribute__((warn_unused_result)) struct err *service_open(const struct service_options *options,
							     struct service **ret);
void service_close(struct service *s);

/* Takes in what debuginfod has brought since, before a client is told of files. */
void service_look_again(struct service *s);
/* Waits for what was asked of debuginfod, where nobody is served meanwhile. */
void service_wait_for_downloads(struct service *s);

/*
 * Starts the download of the vmlinux that nobody needs but debuggers, if debuginfod can be asked
 * and none is here. Whether it was started goes to @ret.
 */
__attribute__((warn_unused_result)) struct err *service_fetch_vmlinux(struct service *s, bool *ret);

#endif
