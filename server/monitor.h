/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands that users type after `monitor` in gdb, `process plugin packet monitor` in lldb, or
 * give to --exec. One table; help and the manual page come from it. */
#ifndef SERVER_MONITOR_H
#define SERVER_MONITOR_H

struct buf;
struct err;
struct host;
struct target_view;

/*
 * Runs @line and appends what it prints to @out. ERR_INVALID for a command that does not exist or
 * wrong arguments; otherwise what went wrong. The view may change.
 */
__attribute__((warn_unused_result)) struct err *
monitor_run(struct host *h, struct target_view *view, const char *line, struct buf *out);

/* The table as a list of mdoc(7), and as words for a shell completion. */
void monitor_man(struct buf *out);
void monitor_words(struct buf *out);

#endif
