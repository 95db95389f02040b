/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that users type after `monitor` in gdb, `process plugin packet monitor` in lldb, or
 * give to --exec. One table; help, the manual page and doc/commands.md come from it. */
#ifndef SERVER_MONITOR_MONITOR_H
#define SERVER_MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "server/monitor/commands.h"

struct buf;
struct err;
struct service;
struct target_job;
struct target_view;
struct vmcore;

/*
 * Runs @line and appends what it prints to @out. ERR_INVALID for a command that does not exist or
 * wrong arguments; otherwise what went wrong. The view may change. A command that takes long leaves
 * the rest of its work in *ret_job (NULL before the call), which is for monitor_more() to go on
 * with or for monitor_cancel() to free.
 */
__attribute__((warn_unused_result)) struct err *monitor_run(struct service *service,
							    struct target_view *view,
							    const char *line, struct buf *out,
							    struct target_job **ret_job);

/* The same for the monitor of a guest: commands about a VM or a vCPU are about its own, the
 * selected one, and what needs the host is refused. The jobs are alike. */
__attribute__((warn_unused_result)) struct err *
monitor_run_in_guest(struct service *service, const struct monitor_guest *guest,
		     struct target_view *view, const char *line, struct buf *out,
		     struct target_job **ret_job);

/* The next slice of @job, of some milliseconds. The job is freed once *ret_done is set or an error
 * is returned. */
__attribute__((warn_unused_result)) struct err *
monitor_more(struct vmcore *h, struct target_job *job, struct buf *out, bool *ret_done);

/* Frees @job, whose rest nobody wants; NULL is allowed. */
void monitor_cancel(struct target_job *job);

/* The table as a list of mdoc(7), as a part of doc/commands.md, and as words for a shell
 * completion. */
void monitor_man(struct buf *out);
void monitor_markdown(struct buf *out);
void monitor_crash_words(struct buf *out); /* for doc/commands.md, too */
void monitor_words(struct buf *out);

#endif
