/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the IDs mean that clients attach to (gdb's `attach`). */
#ifndef SERVER_TARGET_ATTACH_H
#define SERVER_TARGET_ATTACH_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct served_list;

/*
 * The place in @s of the target with this ID, which is put there if it was not served yet.
 * ERR_NOTFOUND, with a sentence for the user, if there is no such target.
 */
__attribute__((warn_unused_result)) struct err *attach_find(struct served_list *s, uint64_t id,
							    size_t *ret);

/* The ID of the target at the place @i; 0 if it has ended. */
uint64_t attach_id_of(const struct served_list *s, size_t i);

#endif
