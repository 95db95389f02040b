/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `info` and the start-up message say of a machine. */
#ifndef SERVER_MONITOR_INFO_H
#define SERVER_MONITOR_INFO_H

struct buf;
struct vmcore;

void info_text(const struct vmcore *h, struct buf *out);
/* The same as one JSON object and a newline. */
void info_json(const struct vmcore *h, struct buf *out);

#endif
