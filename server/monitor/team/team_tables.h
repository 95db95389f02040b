/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of `info os` about who looks at a dump, and what they wrote down. */
#ifndef SERVER_MONITOR_TEAM_TEAM_TABLES_H
#define SERVER_MONITOR_TEAM_TEAM_TABLES_H

struct buf;
struct err;
struct service;

/* Append the items. */
__attribute__((warn_unused_result)) struct err *clients_osdata(const struct service *service,
							       struct buf *out);
__attribute__((warn_unused_result)) struct err *notes_osdata(const struct service *service,
							     struct buf *out);

#endif
