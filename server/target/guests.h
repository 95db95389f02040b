/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is served: the host, and with --guests every virtual machine on it as a target of its own.
 */
#ifndef SERVER_TARGET_GUESTS_H
#define SERVER_TARGET_GUESTS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/served.h"

struct err;
struct service;
struct target;
struct vm;

/* The target (borrowed) of the host that @service (borrowed) is of, alone. */
__attribute__((warn_unused_result)) struct err *
served_host(struct service *service, struct target *target, struct served_list *ret);
/* Adds a target for every VM of the host, in the order of `monitor vms`. */
__attribute__((warn_unused_result)) struct err *served_add_guests(struct served_list *s);
/* The place of @vm, one of the host's; a target for it is added, without an address, if there is
 * none yet. ERR_INVALID if there are too many. */
__attribute__((warn_unused_result)) struct err *served_place_of_guest(struct served_list *s,
								      struct vm *vm, size_t *ret);
/* Where targets are had that come later; all are called with @closure and a target's index. */
struct served_places {
	void *closure;
	/* Whether another may take its place, once it has ended. */
	bool (*may_take)(void *closure, size_t i);
	/* It is freed next. */
	void (*leave)(void *closure, size_t i);
	/* It is there now; an error is why it cannot be had. */
	struct err *(*enter)(void *closure, size_t i);
};

/* Adds a target for every VM that the host has found since, if guests were added at all. */
__attribute__((warn_unused_result)) struct err *served_renew(struct served_list *s,
							     const struct served_places *places);
void served_free(struct served_list *s);

#endif
