// SPDX-License-Identifier: GPL-2.0-or-later
#include "vmcore/live/qmp_machine.h"

#include <errno.h>
#include <inttypes.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/arch.h"
#include "base/err.h"
#include "base/log.h"
#include "vmcore/dump/dump.h"
#include "vmcore/dump/notes.h"
#include "vmcore/live/qmp.h"
#include "vmcore/live/qmp_copy.h"
#include "vmcore/live/qmp_files.h"
#include "vmcore/live/qmp_text.h"

enum { REGISTER_ATTEMPTS = 3 };

struct qmp_machine {
	struct qmp *q; /* owned, as is all that follows */
	struct qmp_map map;
	struct qmp_copy *copy;
	struct qmp_files files;
	char about[256];
	char *lost; /* why nothing is to be read any more; NULL while it is */
	bool running;
	bool unsure; /* QEMU did not answer when it was asked whether it runs */
};

/* ---- pages ---- */

static struct err *read_range(struct qmp_machine *m, const struct qmp_ram *r, uint64_t pa,
			      void *out, size_t len)
{
	int fd = m->files.of_range[r - m->map.list];
	if (fd < 0)
		return qmp_copy_read(m->copy, r, pa, out, len);
	/* Not by mmap(): reading a hole would make a page of it. */
	ssize_t n;
	do
		n = pread(fd, out, len, (off_t)(r->offset + (pa - r->at.start)));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(errno, "read guest memory at 0x%" PRIx64, pa);
	if ((size_t)n != len)
		return err_new(ERR_MISSING, "the file of the guest's memory has become shorter");
	return NULL;
}

static struct err *read_page(void *self, uint64_t pfn, void *page, uint16_t *ret_from,
			     uint16_t *ret_to)
{
	struct qmp_machine *m = self;
	uint64_t pa = pfn << PAGE_SHIFT;
	if (m->lost)
		return err_new(ERR_IO, "%s", m->lost);
	const struct qmp_ram *r = pfn > INT64_MAX >> PAGE_SHIFT ? NULL : qmp_map_from(&m->map, pa);
	if (!r || r->at.start >= pa + PAGE_SIZE)
		return err_new(ERR_MISSING, "no RAM of this machine");
	uint64_t from = r->at.start > pa ? r->at.start - pa : 0;
	uint64_t to = r->at.end - pa < PAGE_SIZE ? r->at.end - pa : PAGE_SIZE;
	struct err *e = read_range(m, r, pa + from, (char *)page + from, (size_t)(to - from));
	if (e)
		return e;
	*ret_from = (uint16_t)from;
	*ret_to = (uint16_t)to;
	return NULL;
}

static bool next_page(void *self, uint64_t pfn, uint64_t *ret_pfn)
{
	const struct qmp_machine *m = self;
	if (pfn > UINT64_MAX >> PAGE_SHIFT)
		return false;
	const struct qmp_ram *r = qmp_map_from(&m->map, pfn << PAGE_SHIFT);
	if (!r)
		return false;
	*ret_pfn = r->at.start >> PAGE_SHIFT > pfn ? r->at.start >> PAGE_SHIFT : pfn;
	return true;
}

static void forget(void *self)
{
	struct qmp_machine *m = self;
	qmp_copy_forget(m->copy);
}

struct page_source qmp_machine_pages(struct qmp_machine *m)
{
	return (struct page_source){
		.self = m, .read_page = read_page, .next_page = next_page, .forget = forget
	};
}

/* ---- its state ---- */

static struct err *ask_running(struct qmp_machine *m, bool *ret)
{
	struct json_object *status;
	struct err *e = qmp_command(m->q, "query-status", NULL, -1, &status);
	if (e)
		return e;
	struct json_object *running = qmp_member(status, "running");
	if (!json_object_is_type(running, json_type_boolean))
		e = err_new(ERR_FORMAT, "QEMU does not say whether its machine runs");
	else
		*ret = json_object_get_boolean(running);
	json_object_put(status);
	return e;
}

/* Nothing is read from now on. */
static struct err *lose(struct qmp_machine *m, struct err *e)
{
	if (!m->lost)
		m->lost = strdup(err_msg(e));
	return e;
}

static struct err *read_map(struct qmp_machine *m, struct qmp_map *ret)
{
	char *text;
	struct err *e = qmp_monitor(m->q, "info mtree -f", &text);
	if (e)
		return e;
	e = qmp_map_parse(text, ret);
	free(text);
	return e;
}

/* After memory was plugged in or out. */
static struct err *renew_map(struct qmp_machine *m)
{
	struct qmp_map map;
	struct qmp_files files;
	struct err *e = read_map(m, &map);
	if (e)
		return e;
	e = qmp_files_find(m->q, m->copy, &map, &files);
	if (e) {
		qmp_map_free(&map);
		return e;
	}
	qmp_files_close(&m->files);
	qmp_map_free(&m->map);
	m->map = map;
	m->files = files;
	return NULL;
}

struct err *qmp_machine_look(struct qmp_machine *m, struct qmp_look *ret)
{
	unsigned news;
	if (m->lost)
		return err_new(ERR_IO, "%s", m->lost);
	struct err *e = qmp_take_news(m->q, &news);
	if (e)
		return lose(m, e);
	if (news & QMP_NEWS_RESET)
		return lose(m, err_new(ERR_IO, "the machine was reset: another kernel runs in it "
					       "now; start vmcore-gdbserver anew"));
	bool switched = news & QMP_NEWS_STATE || m->unsure;
	if (switched)
		e = ask_running(m, &m->running);
	if (!e && (news & QMP_NEWS_MEMORY))
		e = renew_map(m);
	m->unsure = e;
	if (e)
		m->running = true;
	*ret = (struct qmp_look){
		.changed = news || switched || m->running,
		.switched = switched,
		.running = m->running,
	};
	return e;
}

bool qmp_machine_is_still(struct qmp_machine *m)
{
	return !m->lost && !m->running && !(qmp_peek_news(m->q) & ~QMP_NEWS_OTHER);
}

static struct err *registers_once(struct qmp_machine *m, struct notes *notes)
{
	char *text;
	struct err *e = qmp_monitor(m->q, "info registers -a", &text);
	if (e)
		return e;
	notes_free(notes);
	e = qmp_registers_parse(text, notes);
	free(text);
	return e;
}

struct err *qmp_machine_registers(struct qmp_machine *m, struct notes *notes)
{
	bool running = true;
	struct err *e = registers_once(m, notes);
	/* Of one moment only if it was paused before, stayed so, and is now. */
	if (!e)
		e = ask_running(m, &running);
	if (!e && (running || qmp_peek_news(m->q) & ~QMP_NEWS_OTHER))
		e = err_new(ERR_IO, "the machine was set going while its registers were read");
	if (e)
		notes_free(notes);
	return e;
}

/* ---- opening ---- */

static struct err *check_target(struct qmp_machine *m)
{
	struct json_object *target;
	struct err *e = qmp_command(m->q, "query-target", NULL, -1, &target);
	if (e)
		return e;
	const char *arch = qmp_member_string(target, "arch");
	if (!arch || !arch_of_name(arch))
		e = err_new(ERR_UNSUPPORTED, "the machine is '%s', not x86_64",
			    arch ? arch : "of an unknown architecture");
	json_object_put(target);
	return e;
}

/* Whether it runs, and the registers it had last. */
static struct err *first_look(struct qmp_machine *m, struct notes *notes)
{
	unsigned news;
	struct err *e = NULL;
	for (unsigned i = 0; !e && i < REGISTER_ATTEMPTS; i++) {
		e = qmp_take_news(m->q, &news);
		if (!e)
			e = ask_running(m, &m->running);
		if (!e)
			e = registers_once(m, notes);
		if (!e && !(qmp_peek_news(m->q) & QMP_NEWS_STATE))
			return NULL;
	}
	m->running = true; /* stopped and set going all the time */
	return e;
}

void qmp_machine_count(const struct qmp_machine *m, struct dump_info *info)
{
	info->memory_bytes = info->max_pfn = 0;
	for (size_t i = 0; i < m->map.count; i++) {
		const struct qmp_ram *r = &m->map.list[i];
		info->memory_bytes += r->at.end - r->at.start;
		info->max_pfn = (r->at.end + PAGE_SIZE - 1) >> PAGE_SHIFT;
	}
}

static void describe(struct qmp_machine *m, struct dump_info *info)
{
	bool copied = false;
	const char *from = m->files.kind;
	info->compression = "none";
	info->dump_level = -1;
	info->running = m->running;
	qmp_machine_count(m, info);
	for (size_t i = 0; i < m->map.count; i++)
		copied |= m->files.of_range[i] < 0;
	snprintf(m->about, sizeof(m->about), "QEMU %s, memory %s%s%s%s%s", qmp_version(m->q),
		 *from ? "from its " : "", from, *from && copied ? ", and " : "",
		 copied ? "by " : "", copied ? qmp_copy_way(m->copy) : "");
}

struct err *qmp_machine_open(const char *path, struct notes *notes, struct dump_info *info,
			     struct qmp_machine **ret)
{
	struct qmp_machine *m = calloc(1, sizeof(*m));
	if (!m)
		return err_nomem();
	struct err *e = qmp_open(path, &m->q);
	if (!e)
		e = check_target(m);
	if (!e)
		e = read_map(m, &m->map);
	if (!e)
		e = qmp_copy_new(m->q, m->map.list[0].at.start, &m->copy);
	if (!e)
		e = qmp_files_find(m->q, m->copy, &m->map, &m->files);
	if (!e)
		e = first_look(m, notes);
	if (e) {
		qmp_machine_close(m);
		return e;
	}
	describe(m, info);
	*ret = m;
	return NULL;
}

void qmp_machine_close(struct qmp_machine *m)
{
	if (!m)
		return;
	qmp_files_close(&m->files);
	qmp_map_free(&m->map);
	qmp_copy_free(m->copy);
	qmp_close(m->q);
	free(m->lost);
	free(m);
}

const char *qmp_machine_about(const struct qmp_machine *m)
{
	return m->about;
}
