// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/monitor/team/subject.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/regs.h"
#include "proto/target.h"
#include "server/monitor/kvm/vcpu_name.h"
#include "server/monitor/memory/named_address.h"
#include "server/team/notebook.h"
#include "unwind/unwind.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/kvm/kvm.h"
#include "vmcore/vmcore.h"

static struct err *need_thread(const struct vmcore *h, const char *digits, uint64_t *ret)
{
	if (!number_parse(digits, false, ret) || !tasks_find(&h->tasks, *ret))
		return err_new(
			ERR_NOTFOUND,
			"there is no thread %s (words that begin with a number go behind --)",
			digits);
	return NULL;
}

static struct err *read_frame(struct vmcore *h, uint64_t tid, unsigned number,
			      struct note_subject *ret)
{
	const struct task *task = tasks_find(&h->tasks, tid);
	const struct frames *frames;
	if (!task)
		return err_new(ERR_NOTFOUND, "there is no thread %" PRIu64, tid);
	struct err *e = frame_cache_get(h->frames, task, &frames);
	if (e)
		return e;
	if (number >= frames->count)
		return err_new(ERR_NOTFOUND,
			       "there is no frame %u: thread %" PRIu64 " has %zu frames", number,
			       tid, frames->count);
	const struct regs *regs = &frames->list[number].regs;
	*ret = (struct note_subject){
		.about = NOTE_FRAME,
		.tid = tid,
		.frame = number,
		.address = regs_pc_known(regs) ? regs_pc(regs) : 0,
	};
	return NULL;
}

/* "#3", "78#3" */
static struct err *name_frame(struct vmcore *h, const struct target_view *view, char *word,
			      struct note_subject *ret)
{
	char *hash = strchr(word, '#');
	uint64_t tid = view->tid, number;
	*hash = 0;
	struct err *e = *word ? need_thread(h, word, &tid) : NULL;
	if (!e && (!number_parse(hash + 1, false, &number) || number > UINT32_MAX))
		e = err_new(ERR_INVALID, "'#%s' is no frame's number", hash + 1);
	return e ? e : read_frame(h, tid, (unsigned)number, ret);
}

static struct err *name_vm(const struct vmcore *h, const char *word, struct note_subject *ret)
{
	struct vm *vms;
	size_t count, i;
	struct err *e = vm_by_name(h, word, &i);
	if (!e)
		e = kvm_vms(h->kvm, &vms, &count);
	if (!e)
		*ret = (struct note_subject){ .about = NOTE_VM,
					      .tid = vms[i].pid,
					      .address = vms[i].address };
	return e;
}

static struct err *name_address(struct vmcore *h, const char *word, struct note_subject *ret)
{
	*ret = (struct note_subject){ .about = NOTE_ADDRESS };
	return named_address(h, *word == '&' ? word + 1 : word, &ret->address);
}

static bool is_frame(const char *word)
{
	const char *hash = word + strspn(word, "0123456789");
	return *hash == '#' && hash[1] >= '0' && hash[1] <= '9';
}

struct err *subject_read(struct vmcore *h, const struct target_view *view, const char **text,
			 struct note_subject *ret, bool *ret_named)
{
	size_t len = strcspn(*text, " \t");
	char *word = strndup(*text, len);
	struct err *e = NULL;
	if (!word)
		return err_nomem();
	bool end = !strcmp(word, "--");
	*ret_named = true;
	if (is_frame(word)) {
		e = name_frame(h, view, word, ret);
	} else if (*word && !word[strspn(word, "0123456789")]) {
		*ret = (struct note_subject){ .about = NOTE_THREAD };
		e = need_thread(h, word, &ret->tid);
	} else if (!strncmp(word, "0x", 2) || (*word == '&' && word[1])) {
		e = name_address(h, word, ret);
	} else if (!strncmp(word, "vm-", 3)) {
		e = name_vm(h, word, ret);
	} else {
		*ret_named = false;
	}
	free(word);
	if (!e && (*ret_named || end))
		*text += len + strspn(*text + len, " \t");
	return e;
}

struct err *subject_here(struct vmcore *h, const struct target_view *view, struct note_subject *ret)
{
	return read_frame(h, view->tid, view->frame, ret);
}
