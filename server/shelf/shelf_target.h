/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What clients of a shelf see: a target without threads, with a list of dumps, each of which can be
 * attached to. It asks the keeper (keeper.h).
 */
#ifndef SERVER_SHELF_SHELF_TARGET_H
#define SERVER_SHELF_SHELF_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct buf;
struct rsp_saved;
struct shelf_dumps;
struct target;

/* @keeper is a descriptor, borrowed. */
ERR_MUST_CHECK struct err *shelf_target_new(int keeper, struct target **ret);
void shelf_target_free(struct target *t);

/* For struct serve_options: gives a client to who serves dump @id. @closure is the target. */
void shelf_hand_over(void *closure, int fd, uint64_t id, const struct rsp_saved *saved);

/* The dumps, the last first, as `dumps` prints them. ERR_NOMEM only. */
ERR_MUST_CHECK struct err *shelf_print(struct shelf_dumps *d, bool json, struct buf *out);

#endif
