// SPDX-License-Identifier: GPL-2.0-or-later
/* `point` and `follow`: showing colleagues where to look. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/printable.h"
#include "proto/target.h"
#include "server/monitor/commands.h"
#include "server/monitor/noted.h"
#include "server/monitor/team/subject.h"
#include "server/service.h"
#include "server/team/team.h"
#include "unwind/unwind.h"
#include "vmcore/code/code_place.h"
#include "vmcore/code/frame_cache.h"
#include "vmcore/vmcore.h"

enum { WORDS_MOST = 1024 };

static struct err *need_member(const struct target_view *view)
{
	return view->member
		       ? NULL
		       : err_new(ERR_INVALID, "only clients of a server show each other things");
}

/* "--to NAME ..." */
static struct err *take_to(const char **text, char **ret)
{
	static const char option[] = "--to";
	const char *rest = *text + sizeof(option) - 1;
	if (strncmp(*text, option, sizeof(option) - 1) != 0 || (*rest && *rest != ' '))
		return NULL;
	rest += strspn(rest, " \t");
	size_t len = strcspn(rest, " \t");
	if (!len)
		return err_new(ERR_INVALID, "--to takes the name or number of a client: 'clients' "
					    "has them");
	*ret = strndup(rest, len);
	*text = rest + len + strspn(rest + len, " \t");
	return *ret ? NULL : err_nomem();
}

/* Why nobody with this name is shown anything. */
static struct err *nobody(const struct team *team, const struct target_member *from, const char *to)
{
	for (const struct target_member *m = team_members(team); m; m = m->next) {
		if (!team_is_addressed(m, to))
			continue;
		if (m == from)
			return err_new(ERR_INVALID, "'%s' is you", to);
		if (m->target != from->target)
			return err_new(ERR_INVALID, "'%s' looks at %s, and you at %s", to,
				       target_name(m->target), target_name(from->target));
		return err_new(ERR_INVALID,
			       "'%s' does not follow: nobody is moved who has not said 'monitor "
			       "follow'",
			       to);
	}
	return err_new(ERR_NOTFOUND, "there is no client '%s': 'clients' has them", to);
}

/* "vcpu_enter_guest+0x67b [kvm]" of a frame. */
static void add_place(struct vmcore *h, const struct note_subject *s, struct buf *out)
{
	const struct frames *frames;
	const struct task *task = tasks_find(&h->tasks, s->tid);
	struct err *e = task ? frame_cache_get(h->frames, task, &frames) : NULL;
	if (task && !e && s->frame < frames->count) {
		struct code_place place = code_place_of_frame(h->code, &frames->list[s->frame]);
		buf_addstr(out, ", ");
		add_code_place(&place, out);
	}
	err_free(e);
}

/* "alice (uid 1000) points at frame 3 of thread 78, svm_vcpu_run+0x12 [kvm_amd]: WORDS" */
static void add_words(struct vmcore *h, const struct target_member *from,
		      const struct note_subject *s, const char *text, struct buf *out)
{
	team_add_who(from->team, from, out);
	if (s->about != NOTE_DUMP) {
		buf_addstr(out, " points at ");
		add_subject(s, out);
	}
	if (s->about == NOTE_FRAME && h)
		add_place(h, s, out);
	if (*text) {
		buf_addstr(out, ": ");
		add_printable(out, text);
	}
}

/* The selected thread of a guest is all that can be shown there. */
static struct err *read_subject(struct service *service, const struct target_view *view,
				const struct monitor_arguments *args, const char **text,
				struct note_subject *ret)
{
	bool named = false;
	if (args->guest) {
		*ret = (struct note_subject){ .about = NOTE_THREAD, .tid = view->tid };
		return NULL;
	}
	struct err *e = subject_read(service->vmcore, view, text, ret, &named);
	if (e || named)
		return e;
	/* A thread without frames is a place, too. */
	e = subject_here(service->vmcore, view, ret);
	if (e && err_code(e) == ERR_NOTFOUND) {
		err_free(e);
		*ret = (struct note_subject){ .about = NOTE_THREAD, .tid = view->tid };
		return NULL;
	}
	return e;
}

/* @h is NULL in a guest's monitor: its threads are no tasks of the host. */
static struct err *show(struct vmcore *h, struct target_member *from, const char *to,
			const struct note_subject *s, const char *text, struct buf *out)
{
	struct buf words = BUF_INIT;
	size_t count = 0;
	bool has_thread = s->about == NOTE_THREAD || s->about == NOTE_FRAME;
	add_words(h, from, s, text, &words);
	struct err *e = buf_error(&words);
	if (!e)
		e = team_point(from, to, has_thread ? s->tid : 0, s->frame, words.data, &count);
	if (!e && to && !count)
		e = nobody(from->team, from, to);
	if (!e) {
		buf_add(out, words.data, words.len);
		buf_addf(out, "\nshown to %zu client%s%s\n", count, count == 1 ? "" : "s",
			 count ? "" : ": nobody else has said 'monitor follow'");
	}
	buf_free(&words);
	return e;
}

struct err *monitor_point(struct service *service, struct target_view *view,
			  const struct monitor_arguments *args, struct buf *out)
{
	struct note_subject subject = { 0 };
	const char *text = args->text;
	char *to = NULL;
	struct err *e = need_member(view);
	if (!e)
		e = take_to(&text, &to);
	if (!e)
		e = read_subject(service, view, args, &text, &subject);
	if (!e && strlen(text) > WORDS_MOST)
		e = err_new(ERR_INVALID, "%d bytes of words are the most", WORDS_MOST);
	if (!e)
		e = show(args->guest ? NULL : service->vmcore, view->member, to, &subject, text,
			 out);
	free(to);
	return e;
}

struct err *monitor_follow(struct service *service, struct target_view *view,
			   const struct monitor_arguments *args, struct buf *out)
{
	const char *word = args->count ? args->list[0] : "on";
	(void)service;
	struct err *e = need_member(view);
	if (!e && strcmp(word, "on") != 0 && strcmp(word, "off") != 0)
		e = err_new(ERR_INVALID, "it takes 'on', which is meant without it, or 'off'");
	if (e)
		return e;
	bool on = !strcmp(word, "on");
	team_set_follows(view->member, on);
	buf_addstr(out,
		   on ? "from now on 'continue' waits for what colleagues show by 'monitor "
			"point', and stops there; Ctrl-C ends the waiting, 'monitor follow off' "
			"the following\n"
		      : "'continue' waits for nobody\n");
	return NULL;
}
