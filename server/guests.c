// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/guests.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "server/host.h"
#include "server/kvm/kvm.h"
#include "server/target_guest.h"

static struct err *add(struct served_list *s, const char *name, struct target *target)
{
	struct served *list = reallocarray(s->list, s->count + 1, sizeof(*list));
	if (!list)
		return err_nomem();
	s->list = list;
	list[s->count] = (struct served){ .name = strdup(name), .target = target };
	return list[s->count++].name ? NULL : err_nomem();
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

struct err *served_add_guests(struct served_list *s, struct host *host)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(host->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++) {
		struct buf name = BUF_INIT;
		struct target *target;
		name_guest(s, &vms[i], &name);
		e = buf_error(&name);
		if (!e)
			e = target_guest_new(host, &vms[i], &target);
		if (!e) {
			e = add(s, name.data, target);
			if (e)
				target_guest_free(target);
		}
		buf_free(&name);
	}
	return e;
}

void served_free(struct served_list *s)
{
	for (size_t i = 0; i < s->count; i++) {
		if (i)
			target_guest_free(s->list[i].target);
		free(s->list[i].name);
	}
	free(s->list);
	*s = (struct served_list){ 0 };
}
