// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/team/team.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hex.h"

struct team {
	struct target_member *first, **end; /* each is owned */
	unsigned numbers;		    /* given so far */
	uid_t owner;
};

struct team *team_new(uid_t owner)
{
	struct team *t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->end = &t->first;
	t->owner = owner;
	return t;
}

void team_free(struct team *t)
{
	free(t);
}

const struct target_member *team_members(const struct team *t)
{
	return t->first;
}

/* ---- coming and going ---- */

static struct err *join(void *self, const struct target *target,
			const struct target_visitor *visitor, struct target_member **ret)
{
	struct team *t = self;
	struct target_member *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	m->team = t;
	m->target = target;
	m->visitor = *visitor;
	m->number = ++t->numbers;
	m->since = time(NULL);
	*t->end = m;
	t->end = &m->next;
	*ret = m;
	return NULL;
}

static void drop_points(struct target_member *m, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(m->points[i].words);
	m->point_count -= count;
	memmove(m->points, m->points + count, m->point_count * sizeof(*m->points));
}

static void look_at(struct target_member *m, const struct target *target)
{
	m->target = target;
}

static void leave(struct target_member *m)
{
	struct team *t = m->team;
	struct target_member **at = &t->first;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	if (t->end == &m->next)
		t->end = at;
	drop_points(m, m->point_count);
	free(m->shown);
	free(m->name);
	free(m);
}

static void is(struct target_member *m, const char *program)
{
	m->program = program;
}

/* ---- names ---- */

static bool is_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t len = strlen(name);
	return len && len <= TARGET_NAME_MAX && strchr(letters, name[0]) &&
	       strspn(name, letters) + strspn(name + strspn(name, letters),
					      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789._@-") ==
		       len;
}

static bool same_user(const struct target_member *a, const struct target_member *b)
{
	return a->visitor.has_uid && b->visitor.has_uid && a->visitor.uid == b->visitor.uid;
}

struct err *team_rename(struct target_member *m, const char *name)
{
	if (!is_name(name))
		return err_new(ERR_INVALID,
			       "that is no name: up to %d letters, digits and . _ @ -, a letter "
			       "first",
			       TARGET_NAME_MAX);
	for (const struct target_member *o = m->team->first; o; o = o->next)
		if (o != m && o->name && !strcmp(o->name, name) && !same_user(o, m))
			return err_new(ERR_INVALID,
				       "client %u has the name '%s', and is another user's: take "
				       "another",
				       o->number, name);
	char *copy = strdup(name);
	if (!copy)
		return err_nomem();
	free(m->name);
	m->name = copy;
	return NULL;
}

void team_add_who(const struct team *t, const struct target_member *m, struct buf *out)
{
	if (!m)
		buf_addf(out, "uid %u", (unsigned)t->owner);
	else if (m->name && m->visitor.has_uid)
		buf_addf(out, "%s (uid %u)", m->name, m->visitor.uid);
	else if (m->name)
		buf_addf(out, "%s (client %u)", m->name, m->number);
	else if (m->visitor.has_uid)
		buf_addf(out, "uid %u (client %u)", m->visitor.uid, m->number);
	else
		buf_addf(out, "client %u", m->number);
}

bool team_is_addressed(const struct target_member *m, const char *to)
{
	uint64_t number;
	if (!to || (m->name && !strcmp(m->name, to)))
		return true;
	return number_parse(to, false, &number) && number == m->number;
}

/* ---- showing ---- */

void team_set_follows(struct target_member *m, bool follows)
{
	m->follows = follows;
	if (!follows)
		drop_points(m, m->point_count);
}

static bool follows(struct target_member *m)
{
	return m->follows;
}

static bool next(struct target_member *m, struct target_shown *ret)
{
	m->waits = !m->point_count;
	if (m->waits)
		return false;
	free(m->shown);
	m->shown = m->points[0].words;
	m->points[0].words = NULL;
	*ret = (struct target_shown){ m->points[0].tid, m->points[0].frame, m->shown };
	drop_points(m, 1);
	return true;
}

static void unwait(struct target_member *m)
{
	m->waits = false;
}

static void manner(const struct target_member *m, struct target_manner *ret)
{
	*ret = (struct target_manner){ .follows = m->follows };
	if (m->name)
		memcpy(ret->name, m->name, strlen(m->name));
}

static void recall(struct target_member *m, const struct target_manner *manner)
{
	m->follows = manner->follows;
	if (*manner->name)
		err_free(team_rename(m, manner->name));
}

const struct target_team_ops team_ops = {
	.join = join,
	.leave = leave,
	.look_at = look_at,
	.is = is,
	.follows = follows,
	.next = next,
	.unwait = unwait,
	.manner = manner,
	.recall = recall,
};

static struct err *show(struct target_member *m, uint64_t tid, unsigned frame, const char *words)
{
	char *copy = strdup(words);
	if (!copy)
		return err_nomem();
	if (m->point_count == TEAM_POINTS_MAX)
		drop_points(m, 1);
	m->points[m->point_count++] = (struct team_point){ copy, tid, frame };
	if (m->waits)
		m->visitor.wake(m->visitor.closure);
	return NULL;
}

struct err *team_point(struct target_member *from, const char *to, uint64_t tid, unsigned frame,
		       const char *words, size_t *ret_count)
{
	*ret_count = 0;
	for (struct target_member *m = from->team->first; m; m = m->next) {
		if (m == from || !m->follows || m->target != from->target ||
		    !team_is_addressed(m, to))
			continue;
		struct err *e = show(m, tid, frame, words);
		if (e)
			return e;
		++*ret_count;
	}
	return NULL;
}
