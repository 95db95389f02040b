/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the process that reads a dump gives up before it reads the first byte of it: the user it
 * was, capabilities, more memory than a limit, and the system calls that a session does not need.
 * What has to be done outside is another process's (outer.h).
 */
#ifndef SERVER_NET_CONFINE_H
#define SERVER_NET_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;
struct err;

struct confine_options {
	const char *user;   /* whom to become; only if this is root */
	uint64_t memory;    /* bytes of private memory; 0: as many as there are */
	bool files_outside; /* files are opened by another process */
	/* Where that is not so: what it has to do itself. */
	const char *const *writes; /* folders where it makes files or sockets */
	size_t write_count;
	bool makes_sockets;   /* also later, Unix sockets and TCP ports */
	bool starts_programs; /* to download, say: who does so inherits all that is given up here */
	pid_t may_end;	      /* --run's command; 0: none */
	pid_t parent;	      /* with which this one ends, however that comes; 0: not */
};

/*
 * Confines this process for good, as far as the kernel can. A system call that is not allowed fails
 * (EPERM, EACCES), and those that no part of the program asks for are told once on standard error.
 * What holds then is added to @held: words for `info`, apart by commas. ERR_NOTFOUND when there is
 * no such user, ERR_IO when the system refuses what it can do: then the process must not go on.
 */
__attribute__((warn_unused_result)) struct err *confine(const struct confine_options *options,
							struct buf *held);

#endif
