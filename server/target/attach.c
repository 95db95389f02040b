// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/target/attach.h"

#include <inttypes.h>

#include "base/err.h"
#include "server/monitor/kvm/attach_id.h"
#include "server/served.h"
#include "server/service.h"
#include "server/target/guests.h"
#include "server/target/target_guest.h"
#include "vmcore/kernel/tasks/tasks.h"
#include "vmcore/kvm/kvm.h"

static struct err *find_host(struct served_list *s, uint64_t id, size_t *ret)
{
	(void)s, (void)id;
	*ret = 0;
	return NULL;
}

static struct err *find_vm(struct served_list *s, uint64_t id, size_t *ret)
{
	struct vm *vms;
	size_t count;
	struct err *e = kvm_vms(s->service->vmcore->kvm, &vms, &count);
	for (size_t i = 0; !e && i < count; i++)
		if (attach_id_of_vm(vms, count, &vms[i]) == id)
			return served_place_of_guest(s, &vms[i], ret);
	return e ? e
		 : err_new(ERR_NOTFOUND,
			   "there is no virtual machine with the ID %" PRIu64
			   ": `info os vms` lists them",
			   id);
}

/* Whose is listed by its PID, as a process; its threads are the host's. */
static struct err *refuse_process(struct served_list *s, uint64_t id, size_t *ret)
{
	(void)s, (void)ret;
	return err_new(ERR_NOTFOUND,
		       "the threads of process %" PRIu64
		       " are among the kernel's, which is one target; `info os vms` lists the IDs "
		       "of virtual machines, which can be attached to",
		       id);
}

/* The kinds of IDs, and who knows what they mean. */
static const struct {
	uint64_t first, last;
	struct err *(*find)(struct served_list *s, uint64_t id, size_t *ret);
} kinds[] = {
	{ 1, PID_LIMIT, refuse_process },
	{ ATTACH_ID_HOST, ATTACH_ID_HOST, find_host },
	{ ATTACH_ID_VM + 1, ATTACH_ID_END - 1, find_vm },
};

struct err *attach_find(struct served_list *s, uint64_t id, size_t *ret)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (id >= kinds[i].first && id <= kinds[i].last)
			return kinds[i].find(s, id, ret);
	return err_new(ERR_NOTFOUND,
		       "nothing has the ID %" PRIu64 ": `info os vms` lists those of virtual "
		       "machines, %d is the host",
		       id, ATTACH_ID_HOST);
}

uint64_t attach_id_of(const struct served_list *s, size_t i)
{
	struct vm *vms;
	size_t count;
	if (!i)
		return ATTACH_ID_HOST;
	struct err *e = kvm_vms(s->service->vmcore->kvm, &vms, &count);
	for (size_t n = 0; !e && n < count; n++)
		if (target_guest_is(s->list[i].target, &vms[n]))
			return attach_id_of_vm(vms, count, &vms[n]);
	err_free(e);
	return 0;
}
