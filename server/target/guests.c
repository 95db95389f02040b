// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/guests.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/target.h"
#include "server/service.h"
#include "server/target/target_guest.h"
#include "vmcore/kvm/kvm.h"

enum { SERVED_MAX = 1 << 14 };

/* @target is the list's if this succeeds. */
static struct err *add(struct served_list *s, const char *name, struct target *target)
{
	char *copy = strdup(name);
	struct served *list = copy ? reallocarray(s->list, s->count + 1, sizeof(*list)) : NULL;
	if (!list) {
		free(copy);
		return err_nomem();
	}
	s->list = list;
	target->name = copy;
	list[s->count++] = (struct served){ .name = copy, .target = target };
	return NULL;
}

struct err *served_host(struct service *service, struct target *target, struct served_list *ret)
{
	*ret = (struct served_list){ .service = service };
	struct err *e = add(ret, "host", target);
	if (e)
		*ret = (struct served_list){ 0 };
	return e;
}

static bool is_taken(const struct served_list *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->list[i].name, name))
			return true;
	return false;
}

/* By its process; by the structure where that is unknown, or has several. */
static void name_guest(const struct served_list *s, const struct vm *vm, struct buf *out)
{
	if (vm->pid)
		buf_addf(out, "vm-%" PRIu32, vm->pid);
	if (vm->pid && !is_taken(s, out->data))
		return;
	buf_reset(out);
	buf_addf(out, "vm-%" PRIx64, vm->address);
}

/* A target for @vm behind all others. */
static struct err *add_guest(struct served_list *s, struct vm *vm)
{
	struct buf name = BUF_INIT;
	struct target *target;
	name_guest(s, vm, &name);
	struct err *e = buf_error(&name);
	if (!e)
		e = target_guest_new(s->service, vm, &target);
	if (!e) {
		e = add(s, name.data, target);
		if (e)
			target_guest_free(target);
	}
	buf_free(&name);
	return e;
}

struct err *served_add_guests(struct served_list *s)
{
	const struct vmcore *host = s->service->vmcore;
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(host->kvm, &vms, &count);
	s->guests = true;
	s->generation = host->generation;
	for (size_t i = 0; !e && i < count; i++)
		e = add_guest(s, &vms[i]);
	return e;
}

/* False if it is not served. */
static bool find_guest(const struct served_list *s, const struct vm *vm, size_t *ret)
{
	for (*ret = 1; *ret < s->count; ++*ret)
		if (target_guest_is(s->list[*ret].target, vm))
			return true;
	return false;
}

struct err *served_place_of_guest(struct served_list *s, struct vm *vm, size_t *ret)
{
	size_t place;
	if (!find_guest(s, vm, &place)) {
		if (s->count == SERVED_MAX)
			return err_new(ERR_INVALID, "%d targets are served, and no more can be",
				       SERVED_MAX);
		struct err *e = add_guest(s, vm);
		if (e)
			return e;
	}
	*ret = place;
	return NULL;
}

/* Of one that has ended, when nobody looks at it any more; the count if there is none. */
static size_t free_place(const struct served_list *s, const struct served_places *places)
{
	for (size_t i = 1; i < s->count; i++)
		if (target_guest_has_ended(s->list[i].target) &&
		    places->may_take(places->closure, i))
			return i;
	return s->count;
}

/* @target, which is taken, at the place @i. */
static struct err *put(struct served_list *s, const struct served_places *places, size_t i,
		       const char *name, struct target *target)
{
	char *copy = strdup(name);
	struct err *e = copy ? NULL : err_nomem();
	if (!e && i == s->count) {
		e = add(s, name, target);
	} else if (!e) {
		places->leave(places->closure, i);
		target_guest_free(s->list[i].target);
		free(s->list[i].name);
		free(s->list[i].why);
		target->name = copy;
		s->list[i] = (struct served){ .name = copy, .target = target };
		copy = NULL;
	}
	free(copy);
	if (e) {
		target_guest_free(target);
		return e;
	}
	struct err *why = places->enter(places->closure, i);
	if (why)
		s->list[i].why = strdup(err_msg(why));
	err_free(why);
	return NULL;
}

static struct err *serve_later(struct served_list *s, const struct served_places *places,
			       struct vm *vm)
{
	struct buf name = BUF_INIT;
	struct target *target;
	size_t place = free_place(s, places);
	name_guest(s, vm, &name);
	struct err *e = buf_error(&name);
	if (!e)
		e = target_guest_new(s->service, vm, &target);
	if (!e)
		e = put(s, places, place, name.data, target);
	buf_free(&name);
	return e;
}

struct err *served_renew(struct served_list *s, const struct served_places *places)
{
	struct vm *vms;
	size_t count;
	const struct vmcore *host = s->service->vmcore;
	size_t place;
	if (!s->guests || s->generation == host->generation)
		return NULL;
	s->generation = host->generation;
	struct err *e = kvm_vms(host->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count && s->count < SERVED_MAX; i++)
		if (!find_guest(s, &vms[i], &place))
			e = serve_later(s, places, &vms[i]);
	return e;
}

void served_free(struct served_list *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (i)
			target_guest_free(s->list[i].target);
		free(s->list[i].name);
		free(s->list[i].why);
	}
	free(s->list);
	*s = (struct served_list){ 0 };
}
