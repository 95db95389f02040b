/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command of --run: started once the server listens, told where. */
#ifndef SERVER_NET_CAPTIVE_H
#define SERVER_NET_CAPTIVE_H

#include <sys/types.h>

struct err;
struct listener;

/*
 * Starts @command by /bin/sh with the address of @listener, as gdb's `target remote` takes it, in
 * place of every {} and in $VMCORE_GDBSERVER. *ret_pid is the child's.
 */
__attribute__((warn_unused_result)) struct err *
captive_start(const char *command, const struct listener *listener, pid_t *ret_pid);

#endif
