/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that was started stays outside, and reads nothing of a dump; one that it forks goes
 * on to read it and to serve. If that one dies, by a fault that a dump or a packet found, by the
 * want of memory or by a signal, another is forked from the same point. Listening ends, connections
 * and what is kept of clients (kept.h) are there for it; each client whose packet was being
 * answered gets an error, and all are told.
 */
#ifndef SERVER_NET_SURVIVAL_H
#define SERVER_NET_SURVIVAL_H

struct err;
struct outer;
struct outer_options;

/*
 * As outer_start() with options->clients. Returns in the process that is to read the dump, perhaps
 * several times; the other one ends with the status of the last. A process that dies before it
 * serves for the first time, or again and again, is the end, with a sentence on standard error.
 */
__attribute__((warn_unused_result)) struct err *survival_start(const struct outer_options *options,
							       struct outer **ret);

#endif
