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

struct err *served_host(struct target *target, struct served_list *ret)
{
	*ret = (struct served_list){ 0 };
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

struct err *served_add_guests(struct served_list *s, struct service *service)
{
	const struct vmcore *host = service->vmcore;
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(host->kvm, &vms, &count);
	s->service = service;
	s->generation = host->generation;
	for (size_t i = 0; !e && i < count; i++) {
		struct buf name = BUF_INIT;
		struct target *target;
		name_guest(s, &vms[i], &name);
		e = buf_error(&name);
		if (!e)
			e = target_guest_new(service, &vms[i], &target);
		if (!e) {
			e = add(s, name.data, target);
			if (e)
				target_guest_free(target);
		}
		buf_free(&name);
	}
	return e;
}

static bool is_served(const struct served_list *s, const struct vm *vm)
{
	for (size_t i = 1; i < s->count; i++)
		if (target_guest_is(s->list[i].target, vm))
			return true;
	return false;
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
	const struct vmcore *host = s->service ? s->service->vmcore : NULL;
	if (!host || s->generation == host->generation)
		return NULL;
	s->generation = host->generation;
	struct err *e = kvm_vms(host->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count && s->count < SERVED_MAX; i++)
		if (!is_served(s, &vms[i]))
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
