/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of --run: started once the server listens, told where. */
#ifndef SERVER_NET_CAPTIVE_H
#define SERVER_NET_CAPTIVE_H

#include <sys/types.h>

struct err;

/* Made while the server still may start programs, and with the user's own rights. */
struct captive {
	pid_t pid; /* 0: there is none */
	int fd;	   /* owned: it waits for the address at the other end */
};

#define CAPTIVE_INIT  \
	{             \
		0, -1 \
	}

/* Makes the process, which waits, and ends if it is never told an address. @command is borrowed. */
__attribute__((warn_unused_result)) struct err *captive_prepare(const char *command,
								struct captive *ret);
/*
 * Has it become /bin/sh with the command, and @address, as gdb's `target remote` takes it, in place
 * of every {} and in $VMCORE_GDBSERVER.
 */
__attribute__((warn_unused_result)) struct err *captive_start(struct captive *c,
							      const char *address);
/* Without captive_start() the process ends. */
void captive_free(struct captive *c);

#endif
