// SPDX-License-Identifier: GPL-2.0-or-later
#include "server/kernel/printk.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/log.h"
#include "server/kernel/kernel.h"

enum {
	TEXT_MAX = 4096,       /* a record's text; the kernel's own limit is 1 KiB */
	DESC_BITS_MAX = 22,    /* descriptors in the ring: one for 32 bytes of text */
	UNREADABLE_MAX = 4096, /* records that are passed over before the walk gives up */
	LOG_BYTES_MAX = 1 << 27,
	BLOCK_ID_BYTES = 8, /* struct prb_data_block: an id before the text */
};

/* kernel/printk/printk_ringbuffer.h: the two top bits of state_var; records in these states have
 * all their text. */
enum { STATE_SHIFT = 62, STATE_COMMITTED = 1, STATE_FINALIZED = 2 };

struct walk {
	const struct kernel *k;
	struct err *(*found)(void *closure, const struct printk_record *record);
	void *closure;
};

static struct err *report(const struct walk *w, uint64_t ns, uint64_t at, size_t len)
{
	char text[TEXT_MAX];
	if (len > sizeof(text))
		len = sizeof(text);
	struct err *e = kernel_read(w->k, at, text, len);
	if (e) {
		log_debug(LOG_TASKS, "log record: %s", err_msg(e));
		err_free(e);
		return NULL;
	}
	struct printk_record record = { .ns = ns, .text = text, .len = len };
	return w->found(w->closure, &record);
}

/* ---- the ring of records ---- */

struct ring {
	uint64_t count_bits, descs, infos, head, tail, size_bits, data;
	uint64_t desc_size, info_size;
};

static struct err *read_ring(const struct kernel *k, uint64_t prb, struct ring *r)
{
	const struct {
		const char *path;
		uint64_t *value;
	} members[] = {
		{ "desc_ring.count_bits", &r->count_bits },
		{ "desc_ring.descs", &r->descs },
		{ "desc_ring.infos", &r->infos },
		{ "desc_ring.head_id.counter", &r->head },
		{ "desc_ring.tail_id.counter", &r->tail },
		{ "text_data_ring.size_bits", &r->size_bits },
		{ "text_data_ring.data", &r->data },
	};
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(members) / sizeof(*members); i++)
		e = kernel_read_path(k, prb, "printk_ringbuffer", members[i].path,
				     members[i].value);
	if (!e)
		e = types_size(kernel_types(k), "prb_desc", &r->desc_size);
	if (!e)
		e = types_size(kernel_types(k), "printk_info", &r->info_size);
	if (!e && (r->count_bits > DESC_BITS_MAX || r->size_bits > 30))
		e = err_new(ERR_CORRUPT, "the log's ring has a size that makes no sense");
	return e;
}

/* What a descriptor and its info say of a record. */
struct record_place {
	uint64_t state, begin,
		next;	  /* of prb_desc; begin and next are positions of the text block */
	uint64_t len, ns; /* of printk_info */
};

static struct err *read_place(const struct kernel *k, const struct ring *r, uint64_t id,
			      struct record_place *p)
{
	uint64_t index = id & ((UINT64_C(1) << r->count_bits) - 1);
	uint64_t desc = r->descs + index * r->desc_size, info = r->infos + index * r->info_size;
	const struct {
		uint64_t at;
		const char *type, *path;
		uint64_t *value;
	} members[] = {
		{ desc, "prb_desc", "state_var.counter", &p->state },
		{ desc, "prb_desc", "text_blk_lpos.begin", &p->begin },
		{ desc, "prb_desc", "text_blk_lpos.next", &p->next },
		{ info, "printk_info", "text_len", &p->len },
		{ info, "printk_info", "ts_nsec", &p->ns },
	};
	struct err *e = NULL;
	for (size_t i = 0; !e && i < sizeof(members) / sizeof(*members); i++)
		e = kernel_read_path(k, members[i].at, members[i].type, members[i].path,
				     members[i].value);
	return e;
}

/* Reports the record with @id, if @p says that there is one. */
static struct err *report_place(const struct walk *w, const struct ring *r, uint64_t id,
				const struct record_place *p)
{
	uint64_t mask = (UINT64_C(1) << r->size_bits) - 1;
	unsigned kind = (unsigned)(p->state >> STATE_SHIFT);
	/* Odd positions mean a record without text; a reused descriptor has another id. */
	if ((kind != STATE_COMMITTED && kind != STATE_FINALIZED) || (p->state ^ id) << 2 ||
	    p->begin & 1 || (p->begin & mask) == (p->next & mask))
		return NULL;
	/* A block that would pass the end of the ring lies at its start instead. */
	bool fits = p->begin >> r->size_bits == p->next >> r->size_bits || !(p->next & mask);
	uint64_t at = fits ? p->begin & mask : 0;
	if (!range_within(at + BLOCK_ID_BYTES, p->len, mask + 1))
		return NULL;
	return report(w, p->ns, r->data + at + BLOCK_ID_BYTES, p->len);
}

static struct err *walk_ring(const struct walk *w, uint64_t prb)
{
	struct ring ring;
	struct err *e = kernel_read_u64(w->k, prb, &prb);
	if (!e)
		e = read_ring(w->k, prb, &ring);
	if (e)
		return e;
	/* Ids have 62 bits and wrap. */
	uint64_t count = ((ring.head - ring.tail) & (~UINT64_C(0) >> 2)) + 1;
	if (count > UINT64_C(1) << ring.count_bits)
		count = UINT64_C(1) << ring.count_bits;
	unsigned unreadable = 0;
	for (uint64_t i = 0; !e && i < count; i++) {
		struct record_place place;
		e = read_place(w->k, &ring, ring.tail + i, &place);
		if (!e) {
			e = report_place(w, &ring, ring.tail + i, &place);
		} else if (err_memory_kind(err_code(e)) && ++unreadable < UNREADABLE_MAX) {
			log_debug(LOG_TASKS, "log record: %s", err_msg(e));
			err_free(e);
			e = NULL;
		}
	}
	return e;
}

/* ---- the buffer of 3.5 to 5.9: records one after the other, a length of 0 sends back to the start
 * ---- */

struct old_log {
	uint64_t buffer;
	uint32_t size, first, next;
	const char *type;
};

static struct err *read_old_log(const struct kernel *k, struct old_log *l)
{
	uint64_t at;
	struct err *e = kernel_need_symbol(k, "log_buf", "read the log", &at);
	if (!e)
		e = kernel_read_u64(k, at, &l->buffer);
	const struct {
		const char *symbol;
		uint32_t *value;
	} numbers[] = {
		{ "log_buf_len", &l->size },
		{ "log_first_idx", &l->first },
		{ "log_next_idx", &l->next },
	};
	for (size_t i = 0; !e && i < sizeof(numbers) / sizeof(*numbers); i++) {
		e = kernel_need_symbol(k, numbers[i].symbol, "read the log", &at);
		if (!e)
			e = kernel_read_u32(k, at, numbers[i].value);
	}
	if (!e && l->size > LOG_BYTES_MAX)
		e = err_new(ERR_CORRUPT, "the log buffer has a size that makes no sense");
	l->type = types_has(kernel_types(k), "printk_log", "text_len") ? "printk_log" : "log";
	return e;
}

static struct err *walk_old_log(const struct walk *w)
{
	struct old_log log;
	uint64_t header, len, text_len, ns;
	struct err *e = read_old_log(w->k, &log);
	if (!e)
		e = types_size(kernel_types(w->k), log.type, &header);
	uint32_t at = log.first;
	bool wrapped = false;
	for (uint64_t bytes = 0; !e && at != log.next && at < log.size && bytes < log.size;) {
		uint64_t record = log.buffer + at;
		e = kernel_read_path(w->k, record, log.type, "len", &len);
		if (!e && !len) {
			if (wrapped)
				break;
			wrapped = true;
			at = 0;
			continue;
		}
		if (!e)
			e = kernel_read_path(w->k, record, log.type, "text_len", &text_len);
		if (!e)
			e = kernel_read_path(w->k, record, log.type, "ts_nsec", &ns);
		if (!e)
			e = report(w, ns, record + header, text_len);
		if (len < header)
			break;
		at += (uint32_t)len;
		bytes += len;
	}
	return e;
}

struct err *printk_walk(const struct kernel *k,
			struct err *(*found)(void *closure, const struct printk_record *record),
			void *closure)
{
	struct walk w = { k, found, closure };
	uint64_t prb;
	if (kernel_symbol(k, "prb", &prb) &&
	    types_has(kernel_types(k), "printk_ringbuffer", "desc_ring"))
		return walk_ring(&w, prb);
	return walk_old_log(&w);
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
