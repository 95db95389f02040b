/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody waits for another's disk: packets are answered on stacks of their own (base/fiber.h), and
 * one that needs bytes which the system does not have in memory leaves the event loop to others
 * while a thread reads them. There are no threads before the first such read, and they do nothing
 * else.
 */
#ifndef SERVER_NET_SLOW_READS_H
#define SERVER_NET_SLOW_READS_H

#include <stdbool.h>

struct err;
struct ev_loop;
struct reading;
struct slow_reads;

__attribute__((warn_unused_result)) struct err *slow_reads_new(struct ev_loop *loop,
							       struct slow_reads **ret);
/* slow_reads_end() comes first. NULL is allowed. */
void slow_reads_free(struct slow_reads *s);

/* For files of a dump; lasts as long as @s. Where no packet is being answered it waits. */
const struct reading *slow_reads_reading(const struct slow_reads *s);

/* Calls @work(@closure), which may wait for reads and turns; returns when it has ended or waits,
 * which *ret_waits says. ERR_NOMEM: it was not called. */
__attribute__((warn_unused_result)) struct err *
slow_reads_serve(struct slow_reads *s, void (*work)(void *closure), void *closure, bool *ret_waits);

/*
 * The turn to use what is made on demand and shared by all: kernel tables, threads, frames. Whoever
 * reads memory alone needs none, and is served while another one has it.
 */
void slow_reads_take_turn(void *s);
void slow_reads_leave_turn(void *s);
bool slow_reads_turn_taken(void *s);

/* Lets all work come to its end, with failing reads. The loop turns no more. */
void slow_reads_end(struct slow_reads *s);

#endif
