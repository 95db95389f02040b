/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How crash is started on what is served. */
#ifndef SERVER_CRASH_COMMAND_H
#define SERVER_CRASH_COMMAND_H

#include <stdbool.h>

struct buf;
struct target;

/*
 * Adds "crash vmlinux HOST:PORT,dump --machdep phys_base=0x... --kaslr=0x..." for a client of
 * @target at @address, as a listener is called. @vmlinux: the file to name; NULL if none is known.
 * False, and nothing is added, where crash cannot come: @address is no port of IPv4, or where the
 * kernel lies is not known.
 */
bool crash_command_add(const struct target *target, const char *address, const char *vmlinux,
		       struct buf *out);

#endif
