/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions behind the rows of monitor.c's table. */
#ifndef SERVER_MONITOR_COMMANDS_H
#define SERVER_MONITOR_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/monitor/rows.h"

struct buf;
struct err;
struct service;
struct target_job;
struct gpa_way;
struct target_view;
struct vmcore;

/* A guest, as its monitor wants it. All are called with @closure, after the host's VMs were listed
 * anew; they fail when the VM has ended. */
struct monitor_guest {
	void *closure;
	/* The address of its struct kvm; of the struct kvm_vcpu that is thread @tid. */
	struct err *(*vm)(void *closure, uint64_t *ret);
	struct err *(*vcpu)(void *closure, uint64_t tid, uint64_t *ret);
	/* What `info` says; one object and a newline if @printer is PRINT_JSON. */
	struct err *(*info)(void *closure, enum row_printer printer, struct buf *out);
	/* What runs in it, opened as a dump's machine is; borrowed, for this command or this slice
	 * of a job. An error says why that is not known. */
	struct err *(*machine)(void *closure, struct vmcore **ret);
	/* The thread of @machine whose process's @address is thread @tid's; 0 if none is known. */
	uint64_t (*thread)(void *closure, struct vmcore *machine, uint64_t tid, uint64_t address);
	/* The guest physical address of @address as thread @tid sees it; from there to the host's
	 * memory, where *ret holds what was found, when that fails, too. */
	struct err *(*physical)(void *closure, uint64_t tid, uint64_t address, uint64_t *ret);
	struct err *(*way)(void *closure, uint64_t gpa, struct gpa_way *ret);
	bool live; /* it runs: no job can rest on its machine */
};

/* The words of a command line behind the command's name, --json taken out. */
struct monitor_arguments {
	const char **list;
	const char *text; /* of a command that takes words: all that was typed behind its name */
	size_t count;	  /* already within what the table allows */
	enum row_printer printer;	   /* PRINT_JSON if --json is among them, else PRINT_TEXT */
	const struct monitor_guest *guest; /* whose monitor it is; NULL: the host's */
	/* Where a command that works in slices (job.h) leaves the rest of its work. */
	struct target_job **ret_job;
};

/* bt.c */
struct err *monitor_bt(struct service *service, struct target_view *view,
		       const struct monitor_arguments *args, struct buf *out);

/* clients.c */
struct err *monitor_clients(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);
struct err *monitor_iam(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out);

/* note.c */
struct err *monitor_note(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);
struct err *monitor_notes(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out);

/* point.c */
struct err *monitor_point(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out);
struct err *monitor_follow(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out);

/* dmesg.c */
struct err *monitor_dmesg(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out);

/* frame.c */
struct err *monitor_frame(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out);

/* layout.c; behind `info` */
struct err *monitor_layout(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out);

/* modules.c */
struct err *monitor_lldb_script(struct service *service, struct target_view *view,
				const struct monitor_arguments *args, struct buf *out);
struct err *monitor_modules(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

/* refs.c */
struct err *monitor_refs(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);

/* symbols.c */
struct err *monitor_symbols(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

/* system.c */
struct err *monitor_register(struct service *service, struct target_view *view,
			     const struct monitor_arguments *args, struct buf *out);
struct err *monitor_physical(struct service *service, struct target_view *view,
			     const struct monitor_arguments *args, struct buf *out);
struct err *monitor_virtual(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

/* signature.c */
struct err *monitor_signature(struct service *service, struct target_view *view,
			      const struct monitor_arguments *args, struct buf *out);

/* stacks.c */
struct err *monitor_stacks(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out);

/* threads.c */
struct err *monitor_threads(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

/* kvm.c */
struct err *monitor_vms(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out);
struct err *monitor_vcpus(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out);
struct err *monitor_vcpu(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);

/* memory.c */
struct err *monitor_read(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);
struct err *monitor_vtop(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);

/* mmu.c */
struct err *monitor_mmu(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out);
/* ept.c */
struct err *monitor_ept(struct service *service, struct target_view *view,
			const struct monitor_arguments *args, struct buf *out);

/* walk.c */
struct err *monitor_walk(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);

/* what.c */
struct err *monitor_what(struct service *service, struct target_view *view,
			 const struct monitor_arguments *args, struct buf *out);

/* targets.c */
struct err *monitor_targets(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

/* monitor_connect.c */
struct err *monitor_connect(struct service *service, struct target_view *view,
			    const struct monitor_arguments *args, struct buf *out);

#endif
