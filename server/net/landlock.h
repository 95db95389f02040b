/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Landlock (landlock(7)), which takes rights to files, ports and other processes away. */
#ifndef SERVER_NET_LANDLOCK_H
#define SERVER_NET_LANDLOCK_H

struct buf;
struct confine_options;
struct err;

/*
 * No file can be opened, made or changed by its name any more, no TCP port be bound or connected
 * to, and no process outside be reached by a signal or an abstract Unix socket: as much of that as
 * this kernel knows. The process must not be able to get privileges. What holds is added to @held.
 */
__attribute__((warn_unused_result)) struct err *landlock_nothing(struct buf *held);
/* All files may be read, as far as its user may; files and sockets are made in options->writes
 * alone, and ports only if it makes sockets. */
__attribute__((warn_unused_result)) struct err *landlock_read(const struct confine_options *options,
							      struct buf *held);

#endif
