/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `info` and the start-up message say of a machine. */
#ifndef SERVER_MONITOR_INFO_H
#define SERVER_MONITOR_INFO_H

struct buf;
struct vmcore;

/* @confined: what the process may not do, NULL if it may all. */
void info_text(const struct vmcore *h, const char *confined, struct buf *out);
/* The same as one JSON object and a newline. */
void info_json(const struct vmcore *h, const char *confined, struct buf *out);

#endif
