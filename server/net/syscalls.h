/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls are left to the process that reads a dump (seccomp(2)). */
#ifndef SERVER_NET_SYSCALLS_H
#define SERVER_NET_SYSCALLS_H

struct buf;
struct confine_options;
struct err;

/*
 * From now on only what a session needs is allowed. With options->files_outside files cannot be
 * opened by name; sockets can be made, and a process be ended, as the other options say. What is
 * refused fails with EPERM or EACCES; a call that nothing in this program makes is told once on
 * standard error, too. The process must not be able to get privileges. What holds is added to
 * @held.
 */
__attribute__((warn_unused_result)) struct err *
syscalls_restrict(const struct confine_options *options, struct buf *held);

#endif
