// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/kernel/log/printk.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "vmcore/kernel/log/printk_private.h"

/* Records that are passed over before the log is given up. */
enum { UNREADABLE_MAX = 4096 };

struct err *printk_members_find(struct printk_log *log, enum printk_form form)
{
	static const struct {
		enum kernel_member ns, len, level, facility, caller; /* KERNEL_MEMBERS: none */
	} forms[] = {
		[PRINTK_INFO] = { K_INFO_TIME, K_INFO_LENGTH, K_INFO_LEVEL, K_INFO_FACILITY,
				  K_INFO_CALLER },
		[PRINTK_LOG] = { K_RECORD_TIME, K_RECORD_LENGTH, K_RECORD_LEVEL, K_RECORD_FACILITY,
				 K_RECORD_CALLER },
		[PRINTK_OLD_LOG] = { K_OLD_RECORD_TIME, K_OLD_RECORD_LENGTH, K_OLD_RECORD_LEVEL,
				     K_OLD_RECORD_FACILITY, KERNEL_MEMBERS },
	};
	struct printk_members *m = &log->members;
	m->level = *kernel_member(log->k, forms[form].level);
	m->facility = *kernel_member(log->k, forms[form].facility);
	if (forms[form].caller != KERNEL_MEMBERS)
		m->caller = *kernel_member(log->k, forms[form].caller);
	struct err *e = kernel_need_member(log->k, forms[form].ns, &m->ns);
	return e ? e : kernel_need_member(log->k, forms[form].len, &m->len);
}

struct err *printk_open(const struct kernel *k, struct printk_log **ret)
{
	uint64_t prb;
	struct printk_log *log = calloc(1, sizeof(*log));
	if (!log)
		return err_nomem();
	log->k = k;
	log->is_ring = kernel_symbol(k, "prb", &prb) &&
		       types_has(kernel_types(k), "printk_ringbuffer", "desc_ring");
	struct err *e = log->is_ring ? printk_ring_open(log, prb) : printk_buffer_open(log);
	if (e) {
		printk_close(log);
		return e;
	}
	*ret = log;
	return NULL;
}

void printk_close(struct printk_log *log)
{
	if (!log)
		return;
	free(log->why);
	free(log);
}

uint64_t printk_unreadable(const struct printk_log *log, const char **ret_why)
{
	*ret_why = log->why;
	return log->unreadable;
}

static struct err *read_optional(const struct printk_log *log, uint64_t header,
				 const struct member *member, uint64_t *ret)
{
	*ret = 0;
	return member->size ? kernel_read_member(log->k, header, member, ret) : NULL;
}

/* *ret_found is false for one whose text is said to be longer than where it lies. */
static struct err *read_record(struct printk_log *log, const struct printk_place *place,
			       struct printk_record *ret, bool *ret_found)
{
	const struct printk_members *m = &log->members;
	uint64_t ns, len, level, facility, caller;
	struct err *e = kernel_read_member(log->k, place->header, &m->ns, &ns);
	if (!e)
		e = kernel_read_member(log->k, place->header, &m->len, &len);
	if (!e)
		e = read_optional(log, place->header, &m->level, &level);
	if (!e)
		e = read_optional(log, place->header, &m->facility, &facility);
	if (!e)
		e = read_optional(log, place->header, &m->caller, &caller);
	if (e)
		return e;
	if (log->is_ring && len > place->text_max) {
		*ret_found = false;
		return NULL;
	}
	if (len > PRINTK_TEXT_MAX)
		len = PRINTK_TEXT_MAX;
	if (len)
		e = kernel_read(log->k, place->text, log->text, len);
	if (e)
		return e;
	*ret_found = true;
	*ret = (struct printk_record){
		ns, (unsigned)level, (unsigned)facility, (uint32_t)caller, log->text, len
	};
	return NULL;
}

/* What failed was one record: takes @e, and gives it back if the log is not to be gone on with. */
static struct err *pass_over(struct printk_log *log, struct err *e)
{
	if (!err_memory_kind(err_code(e)) || ++log->unreadable >= UNREADABLE_MAX)
		return e;
	log_debug(LOG_TASKS, "log record: %s", err_msg(e));
	if (!log->why)
		log->why = strdup(err_msg(e));
	err_free(e);
	return NULL;
}

/* Goes on by one record, which may be none: *ret_more says whether that was not the end. */
static struct err *step(struct printk_log *log, struct printk_record *ret, bool *ret_found,
			bool *ret_more)
{
	struct printk_place place;
	bool go_on = false;
	struct err *e = log->is_ring ? printk_ring_next(log, &place, ret_more, &go_on)
				     : printk_buffer_next(log, &place, ret_more);
	if (e)
		return go_on ? pass_over(log, e) : e;
	if (!*ret_more || !place.header)
		return NULL;
	e = read_record(log, &place, ret, ret_found);
	return e ? pass_over(log, e) : NULL;
}

struct err *printk_next(struct printk_log *log, struct printk_record *ret, bool *ret_found)
{
	bool found = false, more = true;
	while (!found && more) {
		struct err *e = step(log, ret, &found, &more);
		if (e)
			return e;
	}
	*ret_found = found;
	return NULL;
}

struct err *printk_walk(const struct kernel *k,
			struct err *(*found)(void *closure, const struct printk_record *record),
			void *closure)
{
	struct printk_log *log;
	struct printk_record record;
	bool more = true;
	struct err *e = printk_open(k, &log);
	if (e)
		return e;
	while (!e && more) {
		e = printk_next(log, &record, &more);
		if (!e && more)
			e = found(closure, &record);
	}
	printk_close(log);
	return e;
}

/* ---- why it went down ---- */

struct search {
	unsigned rank; /* of what was found so far; the lower the better */
	char *line;    /* owned */
};

static struct err *look_for_panic(void *closure, const struct printk_record *record)
{
	/* A panic says most; an oops that led to a crash kernel ends before the panic line. */
	static const char *const beginnings[] = {
		"Kernel panic - not syncing",
		"kernel BUG at",
		"BUG: ",
		"general protection fault",
		"Oops: ",
		"Unable to handle",
		"sysrq: Trigger a crash",
		"SysRq : Trigger a crash",
	};
	enum { BEGINNINGS = sizeof(beginnings) / sizeof(*beginnings) };
	struct search *s = closure;
	for (unsigned i = 0; i < BEGINNINGS && (!s->line || i <= s->rank); i++) {
		size_t len = strlen(beginnings[i]);
		if (record->len < len || memcmp(record->text, beginnings[i], len))
			continue;
		free(s->line);
		s->rank = i;
		s->line = strndup(record->text, record->len);
		return s->line ? NULL : err_nomem();
	}
	return NULL;
}

struct err *printk_panic(const struct kernel *k, char **ret)
{
	struct search s = { 0 };
	struct err *e = printk_walk(k, look_for_panic, &s);
	/* What was found before the damage is as good. */
	if (e && s.line && err_code(e) != ERR_NOMEM) {
		err_free(e);
		e = NULL;
	}
	if (e) {
		free(s.line);
		return e;
	}
	*ret = s.line;
	return NULL;
}
